// Time that passes as fast as the machine can do what happens in it: for simulations at a hub's core, where nothing
// that happens waits for anything but time.

import type { Timers } from '../../client/index.js'
import { type Timer, VirtualClock } from '../../runtime/index.js'

/** So far time goes between two looks at whether all is over. */
const STRIDE_MS = 60_000
/** After so many instants signals, and whatever else the process has to do, have their turn. */
const BREATH = 256

export class VirtualTime {
  readonly clock: VirtualClock
  readonly timers: Timers
  #instants = 0

  constructor() {
    const clock = new VirtualClock()
    this.clock = clock
    this.timers = {
      now: () => clock.now(),
      setTimeout: (task, delayMs) => clock.after(delayMs, task),
      clearTimeout: timer => (timer as Timer | undefined)?.cancel(),
    }
  }

  /** Lets time pass until `work` is over. */
  async passUntil<T>(work: Promise<T>): Promise<T> {
    let over = false
    const done = (): void => {
      over = true
    }
    work.then(done, done)
    while (!over) await this.clock.settle(STRIDE_MS, () => this.#quiet())
    return work
  }

  /** Ticks of Node's come when no promise is left to be settled: nothing at the core takes longer than that. */
  #quiet(): Promise<void> {
    const breathe = ++this.#instants % BREATH === 0
    return new Promise(resolve => {
      if (breathe) setImmediate(resolve)
      else process.nextTick(resolve)
    })
  }
}
