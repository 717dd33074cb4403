// Retries made safe (draft-ietf-httpapi-idempotency-key-header): one account, one key, one call. A key is remembered
// with what was asked for a day, each tenant's by themselves; since placing is one synchronous turn, any number of equal requests at once place one
// call.

import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { ok, type Result, refuse } from '../errors.js'
import type { Grant } from '../gateway/token/index.js'
import type { Bounds } from '../limits/index.js'
import type { CallId, TenantId } from '../protocol/index.js'
import type { Clock } from '../runtime/index.js'

const rememberedMs = 24 * 3_600_000

export interface Placed {
  readonly call: CallId
  /** Whether this request placed it. */
  readonly first: boolean
}

interface Remembered {
  readonly call: CallId
  /** What was asked, digested. */
  readonly asked: string
}

export class Idempotency {
  readonly #clock: Pick<Clock, 'wall'>
  readonly #bounds: Bounds
  readonly #keys = new Map<TenantId, LRUCache<string, Remembered>>()

  constructor(clock: Pick<Clock, 'wall'>, bounds: Bounds) {
    this.#clock = clock
    this.#bounds = bounds
  }

  /** Places a call, or finds the one that this key placed. A refused call leaves its key free. */
  once(grant: Grant, key: string | undefined, body: object, place: () => Result<CallId>): Result<Placed> {
    if (key === undefined) return first(place())
    const keys = this.#keysOf(grant.tenant)
    const scope = `${grant.account}\n${key}`
    const asked = hash('sha256', JSON.stringify(body), 'base64url')
    const known = keys.get(scope)
    if (known === undefined) {
      const placed = place()
      if (placed.ok) keys.set(scope, { call: placed.value, asked })
      return first(placed)
    }
    return known.asked === asked
      ? ok({ call: known.call, first: false })
      : refuse('idempotency-mismatch', 'this Idempotency-Key came with another body before')
  }

  #keysOf(tenant: TenantId): LRUCache<string, Remembered> {
    const known = this.#keys.get(tenant)
    if (known !== undefined) return known
    const keys = new LRUCache<string, Remembered>({
      max: this.#bounds.of.idempotencyKeysPerTenant,
      ttl: rememberedMs,
      ttlResolution: 0,
      perf: { now: () => this.#clock.wall() },
      dispose: (_, __, reason) => {
        if (reason === 'evict') this.#bounds.note('idempotencyKeysPerTenant')
      },
    })
    this.#keys.set(tenant, keys)
    return keys
  }
}

const first = (placed: Result<CallId>): Result<Placed> =>
  placed.ok ? ok({ call: placed.value, first: true }) : placed
