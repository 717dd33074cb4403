// Retries made safe (draft-ietf-httpapi-idempotency-key-header): one account, one key, one call. A key is remembered
// with what was asked for a day, each tenant's by themselves; since placing is one synchronous turn, any number of equal
// requests at once place one call. Where calls go on record their keys do, too, and come back from there after a restart.

import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { ok, type Result, refuse } from '../errors.js'
import type { Grant } from '../gateway/token/index.js'
import type { Bounds } from '../limits/index.js'
import type { CallId, TenantId } from '../protocol/index.js'
import type { Clock } from '../runtime/index.js'
import type { CallRecords, KeyDigest } from '../store/index.js'

const rememberedMs = 24 * 3_600_000

export interface Placed {
  readonly call: CallId
  /** Whether this request placed it. */
  readonly first: boolean
}

interface Remembered extends Pick<KeyDigest, 'asked'> {
  readonly call: CallId
}

const digest = (text: string): string => hash('sha256', text, 'base64url')

export class Idempotency {
  readonly #clock: Pick<Clock, 'wall'>
  readonly #bounds: Bounds
  readonly #records: Pick<CallRecords, 'keys'> | undefined
  readonly #keys = new Map<TenantId, LRUCache<string, Remembered>>()

  constructor(clock: Pick<Clock, 'wall'>, bounds: Bounds, records?: Pick<CallRecords, 'keys'>) {
    this.#clock = clock
    this.#bounds = bounds
    this.#records = records
  }

  /** Places a call, or finds the one that this key placed. A refused call leaves its key free. */
  once(
    grant: Grant,
    key: string | undefined,
    body: object,
    place: (digest?: KeyDigest) => Result<CallId>,
  ): Result<Placed> {
    if (key === undefined) return first(place())
    const keys = this.#keysOf(grant.tenant)
    const scope = digest(`${grant.account}\n${key}`)
    const asked = digest(JSON.stringify(body))
    const known = keys.get(scope)
    if (known === undefined) {
      const placed = place({ key: scope, asked })
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
    for (const { key, asked, call, at } of this.#records?.keys(tenant) ?? []) {
      const ttl = at + rememberedMs - this.#clock.wall()
      if (ttl > 0) keys.set(key, { call, asked }, { ttl })
    }
    this.#keys.set(tenant, keys)
    return keys
  }
}

const first = (placed: Result<CallId>): Result<Placed> =>
  placed.ok ? ok({ call: placed.value, first: true }) : placed
