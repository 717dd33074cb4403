// When a token ends, by the wall clock: one warning 60 s before (at once if less is left), then the end.
// As `atWall` it looks at that again and again, since it may be set; itself, for there is one of it for each session.

import { type Clock, LOOK_MS, type Timer } from '../runtime/index.js'

/** How long before its token's end a session is told. */
export const WARNING_MS = 60_000

/** Who goes by the token. */
export interface Bearer {
  /** The token ends in so many milliseconds. */
  expiring(inMs: number): void
  /** The token has ended. */
  expire(): void
}

export class Expiry {
  readonly #clock: Clock
  readonly #bearer: Bearer
  #expires = 0
  #warned = false
  #timer: Timer | undefined

  constructor(clock: Clock, bearer: Bearer) {
    this.#clock = clock
    this.#bearer = bearer
  }

  /** Begins anew with a token that ends at `expires`, milliseconds since 1970. */
  set(expires: number): void {
    this.stop()
    this.#expires = expires
    this.#warned = false
    this.#look()
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #look(): void {
    const leftMs = this.#expires - this.#clock.wall()
    if (leftMs <= WARNING_MS && !this.#warned) {
      this.#warned = true
      this.#bearer.expiring(Math.max(0, Math.round(leftMs)))
    }
    if (leftMs <= 0) this.#bearer.expire()
    else {
      const nextMs = this.#warned ? leftMs : leftMs - WARNING_MS
      this.#timer = this.#clock.after(Math.min(nextMs, LOOK_MS), () => this.#look())
    }
  }
}
