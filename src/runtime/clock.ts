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

/** A timer that fires so late was held up: the process was blocked, or stopped. */
const LATE_MS = 100

/** The machine's clock. `onThrow` hears of tasks that throw. */
export const systemClock = (onThrow: (error: unknown) => void): Clock => {
  let armed: NodeJS.Timeout | undefined
  const wheel = new TimerWheel(
    {
      now: () => performance.now(),
      arm: delayMs => {
        clearTimeout(armed)
        const due = performance.now() + delayMs
        const ring = (): void => {
          // Who answered meanwhile is not late: what has come to the sockets is read first.
          if (performance.now() > due + LATE_MS) setImmediate(() => wheel.run())
          else wheel.run()
        }
        armed = setTimeout(ring, Math.min(delayMs, LONGEST_MS)).unref()
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

/** How long a wait for a time of day goes on without a look at the wall clock. */
export const LOOK_MS = 60_000

/**
 * Runs `task` once the wall clock says `time`, milliseconds since 1970. Timers run by the monotonic clock, which knows
 * nothing of a wall clock that is set, nor of the time a machine sleeps: then the task is late by a minute at most,
 * and never early.
 */
export const atWall = (clock: Clock, time: number, task: () => void): Timer => {
  const wait = (): Timer =>
    clock.after(Math.min(time - clock.wall(), LOOK_MS), () => {
      if (clock.wall() >= time) task()
      else timer = wait()
    })
  let timer = wait()
  return { cancel: () => timer.cancel() }
}
