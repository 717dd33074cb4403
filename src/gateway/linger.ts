// How long a session waits for its client to come back. What it is allowed may change meanwhile (a call that was
// connected ends, or one that was ringing is answered), so the time is judged anew when it is up and when told to,
// always from the moment of the loss.

import type { Clock, Timer } from '../runtime/index.js'

export class Linger {
  readonly #clock: Clock
  readonly #lostAt: number
  readonly #allowedMs: () => number
  readonly #over: () => void
  #timer: Timer

  /** `allowedMs` says how long after the loss, as things stand now; `over` is called when that has passed. */
  constructor(clock: Clock, allowedMs: () => number, over: () => void) {
    this.#clock = clock
    this.#lostAt = clock.now()
    this.#allowedMs = allowedMs
    this.#over = over
    this.#timer = this.#wait(allowedMs())
  }

  /** Judges anew, once whoever asks for it is done. */
  recheck(): void {
    this.stop()
    this.#timer = this.#wait(0)
  }

  stop(): void {
    this.#timer.cancel()
  }

  #wait(ms: number): Timer {
    return this.#clock.after(ms, () => {
      const leftMs = this.#lostAt + this.#allowedMs() - this.#clock.now()
      if (leftMs > 0) this.#timer = this.#wait(leftMs)
      else this.#over()
    })
  }
}
