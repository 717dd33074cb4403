// Time as the SDK uses it: injected, so that a spec or a simulation can move it.

export interface Timers {
  /** Milliseconds since 1970. */
  now(): number
  /** Runs `task` once, `delayMs` from now. */
  setTimeout(task: () => void, delayMs: number): unknown
  clearTimeout(timer: unknown): void
}

/** A time in milliseconds as a hub gave it, whatever it gave. */
export const duration = (ms: unknown): number => Math.max(0, Number(ms) || 0)

/** The longest delay that platforms know; a longer one they take for none at all. */
const LONGEST_MS = 2 ** 31 - 1

/** The platform's own. */
export const platformTimers: Timers = {
  now: () => Date.now(),
  setTimeout: (task, delayMs) => globalThis.setTimeout(task, Math.min(delayMs, LONGEST_MS)),
  clearTimeout: timer => globalThis.clearTimeout(timer as number | undefined),
}
