// What Erlang's formulas say of a simulation before it is played, beside what was measured: for runs that are what the
// formulas are about, and for any other a word why not. Where callers queue it is Erlang C, and where they are told that
// all are busy Erlang B. Callers who give up would be Erlang A's, which is not here.

import { batchMeans } from './batch-means.js'
import type { Distribution } from './distribution.js'
import { erlangB, erlangC, meanWaitMs, servedWithin } from './erlang.js'
import type { Tally } from './tally.js'

/** What of a simulation decides. */
export interface Traffic {
  /** Whether it takes place at a hub whose configuration is known. */
  readonly own: boolean
  readonly queue: boolean
  readonly people: number
  readonly ratePerSecond: number
  readonly answer: Distribution
  readonly talk: Distribution
  readonly patience: Distribution
  readonly wrapupMs: number
  readonly withinMs: number
  /** The flags that make it another thing than the formulas know. */
  readonly foreign: readonly string[]
  /** Whoever is rung sooner than this after they called has not waited. */
  readonly promptMs: number
}

/** One figure, as a share of 1 or in milliseconds. `halfWidth` is that of its 99 % interval; null where the run is too short. */
export interface Figure {
  readonly expected: number
  readonly measured: number | null
  readonly halfWidth: number | null
}

export type Forecast =
  | { readonly formula: null; readonly because: string }
  | { readonly formula: 'erlang-b'; readonly people: number; readonly erlangs: number; readonly busy: Figure }
  | {
      readonly formula: 'erlang-c'
      readonly people: number
      readonly erlangs: number
      /** The share of calls that find everyone taken. */
      readonly waiting: Figure
      /** Until someone is rung, of all calls. */
      readonly waitMs: Figure
      readonly serviceLevel: Figure
    }

const figure = (expected: number, values: readonly number[]): Figure => {
  const { mean = null, halfWidth = null } = batchMeans(values) ?? {}
  return { expected, measured: mean, halfWidth }
}

const shareWithin = (values: readonly number[], mostMs: number): readonly number[] =>
  values.map(ms => (ms <= mostMs ? 1 : 0))

export const forecast = (traffic: Traffic, tally: Tally): Forecast => {
  const { own, queue, people, ratePerSecond, answer, talk, patience, wrapupMs, withinMs, promptMs } = traffic
  if (!own) return { formula: null, because: 'what the hub is configured to do is not known here' }
  const foreign = [
    ...traffic.foreign,
    ...(patience.meanMs < Number.POSITIVE_INFINITY ? ['--patience'] : []),
    ...(queue && !talk.memoryless ? ['--talk'] : []),
  ]
  if (foreign.length > 0) return { formula: null, because: `it knows nothing of ${foreign.join(', ')}` }
  const holdMs = answer.meanMs + talk.meanMs + wrapupMs
  const load = (ratePerSecond * holdMs) / 1000
  const erlangs = Math.round(1000 * load) / 1000
  if (!queue) {
    return { formula: 'erlang-b', people, erlangs, busy: figure(erlangB(people, load), tally.turnedAway) }
  }
  if (load >= people)
    return { formula: null, because: `${erlangs} erlangs are more than ${people} people can take` }
  const system = { servers: people, load, holdMs }
  const waits = tally.dispatch.values
  return {
    formula: 'erlang-c',
    people,
    erlangs,
    waiting: figure(
      erlangC(people, load),
      shareWithin(waits, promptMs).map(prompt => 1 - prompt),
    ),
    waitMs: figure(meanWaitMs(system), waits),
    serviceLevel: figure(
      servedWithin(system, Math.max(0, withinMs - answer.meanMs)),
      shareWithin(tally.wait.values, withinMs),
    ),
  }
}
