// How fast one peer may speak: a bucket that holds a burst and fills at a steady rate. Text, pings and pongs all
// take from it, so that no kind of flood is free.

export interface Pace {
  readonly framesPerSecond: number
  readonly burst: number
}

export class Allowance {
  readonly #pace: Pace
  #left: number
  #at: number

  /** `now`: monotonic milliseconds. */
  constructor(pace: Pace, now: number) {
    this.#pace = pace
    this.#left = pace.burst
    this.#at = now
  }

  /** Takes one; false when there is none left. */
  take(now: number): boolean {
    const earned = ((now - this.#at) / 1000) * this.#pace.framesPerSecond
    this.#left = Math.min(this.#pace.burst, this.#left + earned)
    this.#at = now
    if (this.#left < 1) return false
    this.#left--
    return true
  }
}
