// Who may come in: turns a token into a grant, or refuses it. Form first, then the key by tenant and `kid`, then its
// signature, then audience and times. What was verified once is remembered for as long as it would be
// again, its key still known, so that ten thousand clients who come back at once cost no crypto; whether it has been revoked is asked each
// time. A refusal leaves nothing behind.
// Whether the grant is enough for what its bearer wants is for the gateway and the API to say.

import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { ok, type Result, refuse } from '../../errors.js'
import { Bounds } from '../../limits/index.js'
import type { Clock } from '../../runtime/index.js'
import { claimFault, grantOf, skewSeconds } from './claims.js'
import type { Grant } from './grant.js'
import type { TokenKey } from './keys.js'
import { Revocations, revoked } from './revocations.js'
import type { KeyRing } from './ring.js'
import { readToken, tokenLimit } from './shape.js'

export interface VerifierOptions {
  /** What `aud` must name. */
  readonly audience: string
  readonly keys: KeyRing
  readonly clock: Pick<Clock, 'wall'>
  /** Default: none are revoked. */
  readonly revocations?: Pick<Revocations, 'covers'>
  /** How many verified tokens are remembered. Default: the documented limits. */
  readonly bounds?: Bounds
}

export interface VerifierStats {
  /** Verified tokens remembered now. */
  readonly cached: number
  /** Signatures checked so far. */
  readonly checked: number
}

export interface Verifier {
  /** The grant of a token; refused with `unauthorized` or `revoked`, and a message that never holds a part of the token. */
  verify(token: string): Promise<Result<Grant>>
  readonly stats: VerifierStats
}

/** A token that was verified: its grant, and the key that it was verified with. */
interface Verified {
  readonly grant: Grant
  readonly kid: unknown
  readonly key: TokenKey
}

/** The one answer to an unknown tenant, an unknown key and a bad signature: it tells none from the others. */
const unverified = refuse('unauthorized', 'token is not signed by a key known here')

export const createVerifier = ({
  audience,
  keys,
  clock,
  revocations = new Revocations(clock),
  bounds = new Bounds(),
}: VerifierOptions): Verifier => {
  // By digest: a dump of the heap then holds nobody's token.
  const cache = new LRUCache<string, Verified>({
    max: bounds.of.cachedTokens,
    ttlResolution: 0,
    perf: { now: () => clock.wall() },
    dispose: (_, __, reason) => {
      if (reason === 'evict') bounds.note('cachedTokens')
    },
  })
  const running = new Map<string, Promise<Result<Grant>>>()
  let checked = 0

  const examine = async (token: string, digest: string): Promise<Result<Grant>> => {
    const read = readToken(token)
    if (!read.ok) return read
    const { alg, statement } = read.value
    const { tenant, kid, terms } = statement
    const found = await keys.find(tenant, kid)
    if (found?.alg !== alg) return unverified
    const now = clock.wall()
    checked++
    if (!(await found.signed(token))) return unverified
    const fault = claimFault(terms, audience, Math.floor(now / 1000))
    if (fault !== undefined) return refuse('unauthorized', `token claims: ${fault}`)
    const grant = grantOf(statement, now)
    // Counted from the `now` that the claims were judged by, the time left is never zero, which lru-cache takes for "for ever".
    cache.set(
      digest,
      { grant, kid, key: found },
      { start: now, ttl: grant.expires + skewSeconds * 1000 - now },
    )
    return ok(grant)
  }

  /** What is remembered of a token, if its key is still the one it was. */
  const recall = async (digest: string): Promise<Result<Grant> | undefined> => {
    const known = cache.get(digest)
    if (known === undefined) return undefined
    const { grant, kid, key } = known
    return (await keys.find(grant.tenant, kid)) === key ? ok(grant) : undefined
  }

  /** As `examine`, of each token once at a time. */
  const examineOnce = (token: string, digest: string): Promise<Result<Grant>> => {
    const begun = running.get(digest)
    if (begun !== undefined) return begun
    const examination = examine(token, digest).finally(() => running.delete(digest))
    running.set(digest, examination)
    return examination
  }

  return {
    async verify(token) {
      if (token.length > tokenLimit) {
        return refuse('unauthorized', `token must keep within ${tokenLimit} characters`)
      }
      const digest = hash('sha256', token, 'base64url')
      const verified = (await recall(digest)) ?? (await examineOnce(token, digest))
      return verified.ok && revocations.covers(verified.value) ? revoked : verified
    },
    get stats() {
      return { cached: cache.size, checked }
    },
  }
}
