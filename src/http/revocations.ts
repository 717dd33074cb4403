// Taking tokens back over HTTP: an administrator of a tenant names one token of it, or an account. It takes effect
// at once, and the answer goes out when it is sure to outlast the hub; what it does to whoever uses such a token is the gateway's.

import Type from 'typebox'
import { HubError } from '../errors.js'
import type { Revocations, Revoked } from '../gateway/token/index.js'
import { AccountName } from '../protocol/index.js'
import type { App } from './app.js'
import { grantOf, requires } from './authorization.js'
import { accepted } from './refusal.js'

const Revocation = Type.Object(
  { jti: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })), account: Type.Optional(AccountName) },
  { expected: 'a JSON object' },
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
  app.post(
    '/revocations',
    { onRequest: requires('admin'), schema: { body: Revocation } },
    async (request, reply) => {
      accepted(revocations.revoke(grantOf(request).tenant, whatOf(request.body)))
      accepted(await revocations.kept())
      return reply.code(204).send()
    },
  )
}
