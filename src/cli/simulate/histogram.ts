// A histogram: how many of the measured times fall into each of a few spans of equal width, a round number, and how
// many are longer than all of them. Pure; how it is drawn is the report's.

/** From `fromMs`, up to and without `toMs`; without an end where that is null. */
export interface Bin {
  readonly fromMs: number
  readonly toMs: number | null
  readonly count: number
}

/** At most so many bins, the last one beside them. */
const MOST = 10

/** Widths that people read at a glance, in milliseconds. */
const WIDTHS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 20, 30].map(seconds => 1000 * seconds),
  ...[1, 2, 5, 10, 20, 30, 60, 120, 360, 1440].map(minutes => 60_000 * minutes),
]

/** The bins of `values`; as many as it takes to hold all but the longest hundredth. */
export const histogram = (values: readonly number[]): readonly Bin[] => {
  const sorted = Float64Array.from(values).sort()
  const most = sorted[Math.ceil(0.99 * sorted.length) - 1]
  if (most === undefined) return []
  const width = WIDTHS.find(each => most < MOST * each) ?? Math.ceil((most + 1) / MOST)
  const counts = new Array<number>(Math.floor(most / width) + 2).fill(0)
  for (const value of sorted) {
    const at = Math.min(Math.floor(value / width), counts.length - 1)
    counts[at] = Number(counts[at]) + 1
  }
  const last = counts.length - 1
  return counts
    .map((count, at) => ({ fromMs: at * width, toMs: at === last ? null : (at + 1) * width, count }))
    .filter(({ toMs, count }) => toMs !== null || count > 0)
}
