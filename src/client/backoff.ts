// How long to wait before the next attempt: full jitter over an exponential ceiling, so that the clients that a
// hub lost together do not come back together.

/** The ceiling of the first wait, and the highest one. */
export const BASE_MS = 500
export const CAP_MS = 30_000

/** Milliseconds to wait before reconnect number `attempt` (from 1). `random` is uniform in [0, 1). */
export const backoffMs = (attempt: number, random: () => number): number =>
  Math.floor(random() * Math.min(CAP_MS, BASE_MS * 2 ** (attempt - 1)))
