// Taking tokens back over HTTP: an administrator of a tenant names one token of it, or an account. It takes effect
// at once, and the answer goes out when it is sure to outlast the hub; what becomes of whoever uses such a token is the
// gateway's.

import Type from 'typebox'
import { HubError } from '../errors.js'
import type { Revocations, Revoked } from '../gateway/token/index.js'
import { AccountName, maybe } from '../protocol/index.js'
import type { App } from './app.js'
import { grantOf, guarded } from './authorization.js'
import { nothing } from './openapi.js'
import { accepted } from './refusal.js'

const Revocation = Type.Object(
  {
    jti: Type.Optional(
      Type.String({ minLength: 1, maxLength: 256, description: 'One token, by its own name.' }),
    ),
    account: maybe(AccountName, 'All tokens that this account has been issued.'),
  },
  { expected: 'a JSON object', description: 'One of the two.' },
)

const route = guarded(
  {
    name: 'revoke',
    summary: 'Takes back a token, or all that an account has.',
    scope: 'admin',
    // Revoked, and not yet kept.
    refusals: ['overloaded'],
  },
  {
    body: Revocation,
    response: { 204: nothing('Refused from now on, and that is kept; its sessions are closed.') },
  },
)

/** What is to be taken back. Throws `invalid` unless it is one token or one account. */
const whatOf = ({ jti, account }: Type.Static<typeof Revocation>): Revoked => {
  if (jti !== undefined && account === undefined) return { jti }
  if (account !== undefined && jti === undefined) return { account }
  const message = jti === undefined ? 'is missing, and so is account' : 'must not be there beside account'
  throw new HubError('invalid', `jti ${message}`, { faults: [{ path: 'jti', message }] })
}

/** Adds `/revocations`. */
export const serveRevocations = (app: App, revocations: Revocations): void => {
  app.post('/revocations', route, async (request, reply) => {
    accepted(revocations.revoke(grantOf(request).tenant, whatOf(request.body)))
    accepted(await revocations.kept())
    return reply.code(204).send()
  })
}
