// When a token ends, by the wall clock: one warning 60 s before (at once if less is left), then the end.
// Timers run on the monotonic clock, so the wall clock is asked again when they fire: a step back of the
// wall clock only makes them wait longer.

import type { Clock, Timer } from '../runtime/index.js'

/** How long before its token's end a session is told. */
export const WARNING_MS = 60_000

export class Expiry {
  readonly #clock: Clock
  readonly #warn: (inMs: number) => void
  readonly #end: () => void
  #timer: Timer | undefined

  constructor(clock: Clock, warn: (inMs: number) => void, end: () => void) {
    this.#clock = clock
    this.#warn = warn
    this.#end = end
  }

  /** Begins anew with a token that ends at `expires`, milliseconds since 1970. */
  set(expires: number): void {
    this.stop()
    this.#at(expires - WARNING_MS, () => {
      this.#warn(Math.max(0, Math.round(expires - this.#clock.wall())))
      this.#at(expires, this.#end)
    })
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #at(time: number, task: () => void): void {
    const leftMs = time - this.#clock.wall()
    if (leftMs <= 0) task()
    else this.#timer = this.#clock.after(leftMs, () => this.#at(time, task))
  }
}
