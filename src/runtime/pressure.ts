// Whether something is running out, looked at when someone asks and not on a timer: from `high` on it is, until it is
// below `low` again, so that what is given back at once is not spent at once. And the one measure of the machine that
// needs it: the heap, for V8 ends the process where that has no room left.

import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8'
import type { Clock } from './clock.js'

export interface PressureOptions {
  readonly clock: Pick<Clock, 'now'>
  /** The share that is used, from 0 to 1. */
  readonly measure: () => number
  readonly high?: number
  readonly low?: number
  /** Hears when it begins, and when it is over, with the share. */
  readonly onChange: (high: boolean, share: number) => void
}

/** A measure holds for so long, in milliseconds: asking costs nothing on the way of every request. */
const HOLDS_MS = 20

export class Pressure {
  readonly #options: Required<PressureOptions>
  #measuredAt = Number.NEGATIVE_INFINITY
  #high = false

  /**
   * The defaults are for `heapShare`. V8 lets garbage take at most half of the room that a collection has left, so at
   * 80 % at least 60 % are in use; and where collections leave more than 80 %, and little time beside them, it gives up.
   */
  constructor(options: PressureOptions) {
    this.#options = { high: 0.8, low: 0.65, ...options }
  }

  /** Whether no more should be taken on. */
  get high(): boolean {
    const { clock, measure, high, low, onChange } = this.#options
    const now = clock.now()
    if (now - this.#measuredAt < HOLDS_MS) return this.#high
    this.#measuredAt = now
    const share = measure()
    const before = this.#high
    this.#high = share >= (before ? low : high)
    if (this.#high !== before) onChange(this.#high, share)
    return this.#high
  }
}

/** V8 counts its young generation to the limit: three semi-spaces of 16 MiB unless a flag says otherwise. */
const YOUNG_BYTES = 48 * 1024 * 1024

/** What it takes to go on with what is there, to refuse what is new, and to end in good order. */
const RESERVE_BYTES = 16 * 1024 * 1024

/** The share of the heap that is used, of all but the young generation: that is what runs out. */
export const heapShare = (): number => {
  const used = getHeapSpaceStatistics()
    .filter(({ space_name }) => !space_name.startsWith('new_'))
    .reduce((total, { space_used_size }) => total + space_used_size, 0)
  const { heap_size_limit } = getHeapStatistics()
  return used / Math.max(heap_size_limit / 3, heap_size_limit - YOUNG_BYTES - RESERVE_BYTES)
}
