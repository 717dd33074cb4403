// A clock that moves only when told, on the same timer wheel as the machine's: a spec or a simulation of
// hours takes milliseconds, and the same seed gives the same run.

import type { Clock } from './clock.js'
import { type Timer, TimerWheel } from './timer-wheel.js'

export class VirtualClock implements Clock {
  #now = 0
  readonly #epoch: number
  readonly #wheel: TimerWheel
  readonly #thrown: unknown[] = []

  /** `epoch`: what the wall clock says at the start, milliseconds since 1970. */
  constructor(epoch = Date.UTC(2026, 0, 1)) {
    this.#epoch = epoch
    this.#wheel = new TimerWheel({ now: () => this.#now, arm: () => {} }, error => {
      this.#thrown.push(error)
    })
  }

  now(): number {
    return this.#now
  }

  wall(): number {
    return this.#epoch + this.#now
  }

  after(delayMs: number, task: () => void): Timer {
    return this.#wheel.after(delayMs, task)
  }

  /** Moves on by `ms`, running on the way all that is due, in order. Then throws what the first task threw, if any. */
  advance(ms: number): void {
    const until = this.#now + ms
    for (let due = this.#wheel.nextDue; due !== undefined && due <= until; due = this.#wheel.nextDue) {
      this.#now = Math.max(this.#now, due)
      this.#wheel.run()
    }
    this.#now = until
    const thrown = this.#thrown.splice(0)
    if (thrown.length > 0) throw thrown[0]
  }

  /** As `advance`, and waits before each step and after the last until all is `quiet`: by default for promises to settle. */
  async settle(
    ms = 0,
    quiet = (): Promise<unknown> => new Promise(resolve => setImmediate(resolve)),
  ): Promise<void> {
    const until = this.#now + ms
    for (;;) {
      await quiet()
      const due = this.#wheel.nextDue
      if (due === undefined || due > until) break
      this.advance(Math.max(0, due - this.#now))
    }
    this.#now = until
  }
}
