// Retries made safe (draft-ietf-httpapi-idempotency-key-header): one account, one key, one call. A key is remembered
// with what was asked for a day; since placing is one synchronous turn, any number of equal requests at once place one
// call.

import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { ok, type Result, refuse } from '../errors.js'
import type { Grant } from '../gateway/token/index.js'
import type { CallId } from '../protocol/index.js'
import type { Clock } from '../runtime/index.js'

const rememberedKeys = 10_000
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
  readonly #keys: LRUCache<string, Remembered>

  constructor(clock: Pick<Clock, 'wall'>) {
    this.#keys = new LRUCache({
      max: rememberedKeys,
      ttl: rememberedMs,
      ttlResolution: 0,
      perf: { now: () => clock.wall() },
    })
  }

  /** Places a call, or finds the one that this key placed. A refused call leaves its key free. */
  once(grant: Grant, key: string | undefined, body: object, place: () => Result<CallId>): Result<Placed> {
    if (key === undefined) return first(place())
    const scope = `${grant.tenant}\n${grant.account}\n${key}`
    const asked = hash('sha256', JSON.stringify(body), 'base64url')
    const known = this.#keys.get(scope)
    if (known === undefined) {
      const placed = place()
      if (placed.ok) this.#keys.set(scope, { call: placed.value, asked })
      return first(placed)
    }
    return known.asked === asked
      ? ok({ call: known.call, first: false })
      : refuse('idempotency-mismatch', 'this Idempotency-Key came with another body before')
  }
}

const first = (placed: Result<CallId>): Result<Placed> =>
  placed.ok ? ok({ call: placed.value, first: true }) : placed
