// Tokens that are taken back before they end: one by its `jti`, or all that an account was issued up to now. Whoever
// holds something open on a grant watches, and ends it in the turn of the revocation; whoever was waiting while a token
// was verified asks again before it acts. Nothing is written to disk yet: a hub that starts anew has forgotten them.

import { ok, type Refusal, type Result, refuse } from '../../errors.js'
import type { AccountId, TenantId } from '../../protocol/index.js'
import type { Clock } from '../../runtime/index.js'
import { longestLifeSeconds, skewSeconds } from './claims.js'
import type { Grant } from './grant.js'

/** What is taken back: one token, or all that an account has. */
export type Revoked = { readonly jti: string } | { readonly account: AccountId }

/** How every use of a revoked token is refused. */
export const revoked: Refusal = refuse('revoked', 'the token has been revoked')

/** A token that is good now may have been issued, and may be used, by clocks that differ from the hub's. */
const longestUseMs = (longestLifeSeconds + 2 * skewSeconds) * 1000

// A tenant's name holds no line break, so no two tenants have a key in common.
const keyOf = (tenant: TenantId, what: Revoked): string =>
  'jti' in what ? `${tenant}\nj${what.jti}` : `${tenant}\na${what.account}`

export class Revocations {
  readonly #clock: Pick<Clock, 'wall'>
  readonly #most: number
  /** When each was made, milliseconds since 1970; the oldest first. */
  readonly #made = new Map<string, number>()
  readonly #watchers = new Set<() => void>()

  /** Keeps at most `most` of them, of all tenants together. */
  constructor(clock: Pick<Clock, 'wall'>, most = 100_000) {
    this.#clock = clock
    this.#most = most
  }

  /** How many are kept. */
  get size(): number {
    return this.#made.size
  }

  /**
   * Takes back, and wakes all who watch before it returns. Kept until no token that is good now, or was before, can be
   * used any more. Refused with `overloaded` while there is no room: then nothing is revoked.
   */
  revoke(tenant: TenantId, what: Revoked): Result<undefined> {
    const now = this.#clock.wall()
    for (const [key, made] of this.#made) {
      if (made + longestUseMs > now) break
      this.#made.delete(key)
    }
    const key = keyOf(tenant, what)
    // Made again it is the youngest.
    const known = this.#made.delete(key)
    if (!known && this.#made.size >= this.#most) {
      return refuse(
        'overloaded',
        `not revoked: ${this.#most} revocations are kept already, and no more can be`,
      )
    }
    this.#made.set(key, now)
    for (const wake of [...this.#watchers]) wake()
    return ok(undefined)
  }

  /**
   * Whether the token of this grant has been taken back. Of an account's tokens these are the ones issued up to the
   * revocation, in whole seconds as `iat` is (RFC 7519, section 4.1.6), and those that do not say when.
   */
  covers({ tenant, account, jti, issued = 0 }: Grant): boolean {
    if (this.#made.size === 0) return false
    if (jti !== undefined && this.#made.has(keyOf(tenant, { jti }))) return true
    const made = this.#made.get(keyOf(tenant, { account }))
    return made !== undefined && issued <= made
  }

  /** Calls `wake` after each revocation, until the returned function is called. */
  watch(wake: () => void): () => void {
    this.#watchers.add(wake)
    return () => this.#watchers.delete(wake)
  }
}
