// What is to happen later for one client, apart from the connection that it has just now. While the client is away
// nothing happens and no timer is left; on the connection over which it comes back, each thing has the time that was
// left to it, and what is overdue happens at once.

import type { Clock, Timer } from '../../../runtime/index.js'

interface Entry {
  readonly at: number
  readonly task: () => void
  timer: Timer
}

export class Agenda {
  readonly #clock: Clock
  readonly #entries = new Set<Entry>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#entries.size
  }

  /** Runs `task` once, `delayMs` from now. */
  after(delayMs: number, task: () => void): Timer {
    const at = this.#clock.now() + delayMs
    const entry: Entry = { at, task, timer: this.#arm(at, () => this.#run(entry)) }
    this.#entries.add(entry)
    return {
      cancel: () => {
        this.#entries.delete(entry)
        entry.timer.cancel()
      },
    }
  }

  /** Nothing happens until `resume`. */
  stop(): void {
    for (const { timer } of this.#entries) timer.cancel()
  }

  resume(): void {
    for (const entry of this.#entries) entry.timer = this.#arm(entry.at, () => this.#run(entry))
  }

  #arm(at: number, run: () => void): Timer {
    return this.#clock.after(Math.max(0, at - this.#clock.now()), run)
  }

  #run(entry: Entry): void {
    this.#entries.delete(entry)
    entry.task()
  }
}
