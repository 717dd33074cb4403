// What a queue or a group of lines does in the long run, by A. K. Erlang's formulas: calls that come by chance (a
// Poisson process) to so many servers, each held for a time. The load is in erlangs: calls a second times the seconds
// that each holds a server.

/**
 * Erlang B: the share of calls that find every server taken and go away. However long calls last, by their mean alone.
 * By the recursion over the servers, in which nothing overflows.
 */
export const erlangB = (servers: number, load: number): number => {
  let blocked = 1
  for (let server = 1; server <= servers; server++) blocked = (load * blocked) / (server + load * blocked)
  return blocked
}

/** Erlang C: the share of calls that find every server taken and wait; 1 where there is no end to waiting. */
export const erlangC = (servers: number, load: number): number => {
  if (load >= servers) return 1
  const blocked = erlangB(servers, load)
  return blocked / (1 - (load / servers) * (1 - blocked))
}

/** A queue from which calls are taken in the order in which they came, and that nobody leaves (M/M/c). */
export interface Queueing {
  readonly servers: number
  readonly load: number
  /** How long a call holds its server, without memory, on average. */
  readonly holdMs: number
}

/** The wait of all calls on average, those that do not wait among them. The load is below the servers. */
export const meanWaitMs = ({ servers, load, holdMs }: Queueing): number =>
  (erlangC(servers, load) * holdMs) / (servers - load)

/** The share of calls that wait for no longer than this. The load is below the servers. */
export const servedWithin = ({ servers, load, holdMs }: Queueing, withinMs: number): number =>
  1 - erlangC(servers, load) * Math.exp((-(servers - load) * withinMs) / holdMs)
