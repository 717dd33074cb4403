// Tokens that are taken back before they end: one by its `jti`, or all that an account was issued up to now. Whoever
// holds something open on a grant watches, and ends it in the turn of the revocation; whoever was waiting while a token
// was verified asks again before it acts. They are handed over to be kept, and who revokes waits until they are.
// Each tenant has its own room for them.

import { ok, type Refusal, type Result, refuse } from '../../errors.js'
import { Bounds } from '../../limits/index.js'
import type { AccountId, TenantId } from '../../protocol/index.js'
import type { Clock } from '../../runtime/index.js'
import { longestLifeSeconds, skewSeconds } from './claims.js'
import type { Grant } from './grant.js'

/** What is taken back: one token, or all that an account has. */
export type Revoked = { readonly jti: string } | { readonly account: AccountId }

/** How every use of a revoked token is refused. */
export const revoked: Refusal = refuse('revoked', 'the token has been revoked')

/** Where revocations outlast this process: `at` is when one was made, in milliseconds since 1970. */
export interface RevocationsKept {
  tenants(): readonly TenantId[]
  load(tenant: TenantId): readonly (readonly [name: string, made: { readonly at: number }])[]
  save(tenant: TenantId, name: string, made: { readonly at: number } | undefined): void
  written(): Promise<Result<undefined>>
}

export interface RevocationsOptions {
  /** Default: nowhere. */
  readonly kept?: RevocationsKept
  /** How many one tenant may have at a time. Default: the documented limits. */
  readonly bounds?: Bounds
}

/** A token that is good now may have been issued, and may be used, by clocks that differ from the hub's. */
const longestUseMs = (longestLifeSeconds + 2 * skewSeconds) * 1000

const nameOf = (what: Revoked): string => ('jti' in what ? `jti:${what.jti}` : `account:${what.account}`)

export class Revocations {
  readonly #clock: Pick<Clock, 'wall'>
  readonly #kept: RevocationsKept | undefined
  readonly #bounds: Bounds
  /** When each was made, milliseconds since 1970; a tenant's oldest first. */
  readonly #made = new Map<TenantId, Map<string, number>>()
  readonly #watchers = new Set<() => void>()

  constructor(clock: Pick<Clock, 'wall'>, { kept, bounds = new Bounds() }: RevocationsOptions = {}) {
    this.#clock = clock
    this.#kept = kept
    this.#bounds = bounds
    for (const tenant of kept?.tenants() ?? []) {
      const made = new Map(kept?.load(tenant).map(([name, { at }]) => [name, at]))
      this.#made.set(tenant, made)
      this.#expire(tenant, made)
    }
  }

  /** How many there are. */
  get size(): number {
    return [...this.#made.values()].reduce((total, { size }) => total + size, 0)
  }

  /**
   * Takes back, and wakes all who watch before it returns. It holds until no token that is good now, or was before, can
   * be used any more. Refused with `too-many` while the tenant has no room: then nothing is revoked.
   */
  revoke(tenant: TenantId, what: Revoked): Result<undefined> {
    const made = this.#made.get(tenant) ?? new Map<string, number>()
    this.#made.set(tenant, made)
    this.#expire(tenant, made)
    const name = nameOf(what)
    // Made again it is the youngest.
    if (!made.delete(name) && made.size >= this.#bounds.of.revocationsPerTenant) {
      return this.#bounds.refuse('revocationsPerTenant')
    }
    const at = this.#clock.wall()
    made.set(name, at)
    this.#kept?.save(tenant, name, { at })
    for (const wake of [...this.#watchers]) wake()
    return ok(undefined)
  }

  /** Settles once all that was revoked outlasts this process; refused where it can not be kept: it holds all the same. */
  async kept(): Promise<Result<undefined>> {
    const written = await this.#kept?.written()
    if (written === undefined || written.ok) return ok(undefined)
    return refuse(
      written.code,
      `revoked, but not yet kept: ${written.message}; a hub that starts anew before it is would let the token in again`,
    )
  }

  /**
   * Whether the token of this grant has been taken back. Of an account's tokens these are the ones issued up to the
   * revocation, in whole seconds as `iat` is (RFC 7519, section 4.1.6), and those that do not say when: one of them may
   * be older.
   */
  covers({ tenant, account, jti, issued = 0 }: Grant): boolean {
    const made = this.#made.get(tenant)
    if (made === undefined) return false
    if (jti !== undefined && made.has(nameOf({ jti }))) return true
    const at = made.get(nameOf({ account }))
    return at !== undefined && issued <= at
  }

  /** Calls `wake` after each revocation, until the returned function is called. */
  watch(wake: () => void): () => void {
    this.#watchers.add(wake)
    return () => this.#watchers.delete(wake)
  }

  /** Drops what no token can be refused by any more. */
  #expire(tenant: TenantId, made: Map<string, number>): void {
    const now = this.#clock.wall()
    for (const [name, at] of made) {
      if (at + longestUseMs > now) break
      made.delete(name)
      this.#kept?.save(tenant, name, undefined)
    }
  }
}
