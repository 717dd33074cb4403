// What a benchmark is: lines of figures, each a ratio between the hub and what it is measured against, taken in the
// same run by turns. It says nothing of how the figures come about (the files b1 to b13), nor how they are shown.

import type { Cores, Server, ServerName } from './server.js'

/** How much is done: `full` for the table, `quick` to develop with, `tiny` only to show that it runs. */
export type Scale = 'full' | 'quick' | 'tiny'

export interface Benchmark {
  /** The lines it gives: `B2`, `B2b`. */
  readonly ids: readonly string[]
  /** Takes many minutes: run only when asked for. */
  readonly long?: boolean
  run(bench: Bench): Promise<readonly Line[]>
}

/** What a benchmark is run with. */
export interface Bench {
  readonly scale: Scale
  /** The one of these that is for this scale. */
  sized<T>(sizes: Readonly<Record<Scale, T>>): T
  /** How many times each side is measured, by turns. */
  readonly repetitions: number
  /** Whether others than the denominator are measured too. */
  readonly peers: boolean
  /** A fresh process on the servers' core; it ends with the benchmark. */
  start<T extends object>(name: ServerName, settings?: object): Promise<Server<T>>
  /** What goes on, for whoever waits. */
  say(text: string): void
  /** The lines of this run so far. */
  readonly lines: readonly Line[]
}

/** One measurement, and how busy both cores were meanwhile. */
export interface Measured {
  readonly value: number
  readonly cores: Cores
}

/** Another server under the same load. */
export interface Peer {
  readonly name: string
  readonly values: readonly number[]
}

export interface Line {
  readonly id: string
  /** What is measured, in which unit. */
  readonly what: string
  readonly unit: string
  readonly denominator: string
  /** What the ratio must be. */
  readonly reach: { readonly at: 'least' | 'most'; readonly ratio: number }
  /** By repetition: of each pair one ratio. */
  readonly hub: readonly Measured[]
  readonly against: readonly Measured[]
  readonly peers?: readonly Peer[]
  /** What else was found, and whatever makes the figures doubtful. */
  readonly notes?: readonly string[]
}

/** How a benchmark fails that found the hub wrong rather than slow. */
export class WrongResult extends Error {}

/** The value in the middle, of an even number the mean of the two. */
export const median = (values: readonly number[]): number => quantile(values, 0.5)

/** Linear between the two nearest (Hyndman and Fan, 1996, type 7). */
export const quantile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const place = (sorted.length - 1) * share
  const below = sorted[Math.floor(place)] ?? Number.NaN
  const above = sorted[Math.ceil(place)] ?? Number.NaN
  return below + (above - below) * (place - Math.floor(place))
}

const valuesOf = (measured: readonly Measured[]): number[] => measured.map(({ value }) => value)

/** What a second of the server's processor time does. */
const thriftOf = (measured: readonly Measured[]): number =>
  median(measured.map(({ value, cores }) => value / cores.server))

/** What a line comes to. */
export const summary = ({ hub, against, reach }: Line) => {
  const ratios = hub.map(({ value }, turn) => value / (against[turn]?.value ?? Number.NaN))
  const ratio = median(ratios)
  return {
    hub: median(valuesOf(hub)),
    against: median(valuesOf(against)),
    ratio,
    /** The same by processor time, of what is a rate: it holds on a busy machine too. */
    thrift: reach.at === 'least' ? thriftOf(hub) / thriftOf(against) : Number.NaN,
    lowest: Math.min(...ratios),
    highest: Math.max(...ratios),
    met: reach.at === 'least' ? ratio >= reach.ratio : ratio <= reach.ratio,
  }
}

/** Above this share of its core the driver may be what is measured. */
const driverLimit = 0.9

const mostOf = (measured: readonly Measured[], side: keyof Cores): number =>
  median(measured.map(({ cores }) => cores[side]))

/** Whether the driver, rather than the denominator, was at its limit; undefined where there is no driver. */
export const driverBound = ({ against }: Line): boolean | undefined => {
  const driver = mostOf(against, 'driver')
  return Number.isNaN(driver) ? undefined : driver > driverLimit
}

/** The share of its core that each side used, in the middle of all repetitions. */
export const load = (measured: readonly Measured[]): Cores => ({
  server: mostOf(measured, 'server'),
  driver: mostOf(measured, 'driver'),
})

/** A B A B …: what wanders over time, wanders over both. The first turn warms both up and is not counted. */
export const alternate = async (
  times: number,
  hub: () => Promise<Measured>,
  against: () => Promise<Measured>,
  { warm = true } = {},
): Promise<Pick<Line, 'hub' | 'against'>> => {
  if (warm) {
    await against()
    await hub()
  }
  const measured: { hub: Measured[]; against: Measured[] } = { hub: [], against: [] }
  for (let turn = 0; turn < times; turn++) {
    measured.hub.push(await hub())
    measured.against.push(await against())
  }
  return measured
}
