// How fast a peer may go: a bucket that holds a burst and fills at a steady rate. Whoever finds it empty is told when
// there will be enough again. Buckets by key are forgotten, the longest unused first: that only ever lets someone go
// faster for a moment.

import { LRUCache } from 'lru-cache'

export interface Pace {
  readonly perSecond: number
  /** What may be taken at once after a quiet time. */
  readonly burst: number
}

/** So much a second, and twice as much at once. */
export const perSecond = (rate: number): Pace => ({ perSecond: rate, burst: 2 * rate })

/** So much a minute, and what ten seconds bring at once, but at least one. */
export const perMinute = (rate: number): Pace => ({ perSecond: rate / 60, burst: Math.max(1, rate / 6) })

export class Bucket {
  #spent = 0
  #at: number

  /** `now`: monotonic milliseconds. */
  constructor(now: number) {
    this.#at = now
  }

  /** Takes some; 0, or in how many milliseconds there will be enough, and then nothing is taken. */
  take(pace: Pace, now: number, amount = 1): number {
    const earned = ((now - this.#at) / 1000) * pace.perSecond
    this.#spent = Math.max(0, this.#spent - earned)
    this.#at = now
    const missing = this.#spent + amount - pace.burst
    if (missing > 0) return Math.ceil((missing / pace.perSecond) * 1000)
    this.#spent += amount
    return 0
  }
}

/** So many keys have a bucket at a time. */
const remembered = 50_000

export class Buckets {
  readonly #byKey = new LRUCache<string, Bucket>({ max: remembered })

  /** As `Bucket.take`, of the bucket of this key. */
  take(key: string, pace: Pace, now: number): number {
    const bucket = this.#byKey.get(key) ?? new Bucket(now)
    this.#byKey.set(key, bucket)
    return bucket.take(pace, now)
  }
}
