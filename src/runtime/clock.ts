// Time, injected everywhere: what the monotonic and the wall clock say, and "later" on the one timer wheel.
// `systemClock` is the machine's; `VirtualClock` (beside) moves only when told.

import { type Timer, TimerWheel } from './timer-wheel.js'

export interface Clock {
  /** Monotonic milliseconds: for lingers, leases and timeouts. */
  now(): number
  /** The wall clock, milliseconds since 1970: for tokens and for stamps that people read. */
  wall(): number
  /** Runs `task` once, `delayMs` from now. Never keeps the process alive. */
  after(delayMs: number, task: () => void): Timer
}

/** The longest delay that setTimeout obeys (2^31 - 1 ms); it fires at once beyond it. */
const LONGEST_MS = 2 ** 31 - 1

/** The machine's clock. `onThrow` hears of tasks that throw. */
export const systemClock = (onThrow: (error: unknown) => void): Clock => {
  let armed: NodeJS.Timeout | undefined
  const wheel = new TimerWheel(
    {
      now: () => performance.now(),
      arm: delayMs => {
        clearTimeout(armed)
        armed = setTimeout(() => wheel.run(), Math.min(delayMs, LONGEST_MS)).unref()
      },
    },
    onThrow,
  )
  return {
    now: () => performance.now(),
    wall: () => Date.now(),
    after: (delayMs, task) => wheel.after(delayMs, task),
  }
}
