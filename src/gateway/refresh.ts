// Tokens that take time: the one way to ask the verifier, and what becomes of a session that brings a fresh token.
// A token of another account, or one that no longer lets the session be what it is, ends it (4502); lesser rights
// take effect at once.

import { ok, type Refusal, type Result, refuse } from '../errors.js'
import type { Log } from '../runtime/index.js'
import type { Reply } from './reply.js'
import { suffices } from './rights.js'
import type { Session } from './session.js'
import { type Grant, revoked, type Verifier } from './token/index.js'

/** What a peer is told when the fault is ours. */
export const internal: Refusal = refuse('internal', 'something went wrong here')

export interface Checkpoint {
  readonly verifier: Pick<Verifier, 'verify'>
  readonly log: Log
}

/** The grant of a token. Never rejects. */
export const verify = async ({ verifier, log }: Checkpoint, token: string): Promise<Result<Grant>> => {
  try {
    return await verifier.verify(token)
  } catch (error) {
    log.error({ error }, 'verification threw')
    return internal
  }
}

/** Verifies a fresh token for a session, unless it is proven already; the answer is what to do with it then. */
export const refresh = async (
  session: Session,
  token: string,
  proven: Grant | undefined,
): Promise<() => Reply> => {
  const verified = proven === undefined ? await verify(session.ground, token) : ok(proven)
  return () => {
    if (!verified.ok) return verified
    if (session.ground.revocations.covers(verified.value)) return revoked
    const { tenant, account, expires } = verified.value
    const same = tenant === session.grant.tenant && account === session.grant.account
    if (!same || !suffices(verified.value, session.party)) {
      session.fail(refuse('forbidden', 'the token is not one for this session'))
      return undefined
    }
    session.use(verified.value)
    return { type: 'ok', expires: new Date(expires).toISOString() }
  }
}
