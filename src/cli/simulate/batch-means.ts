// How sure a mean is that was measured in one long run, where each value depends on those before it (a call waits long
// after one that did): the run is cut into batches so long that their means hardly depend on each other, and these
// are taken as independent. The first batch is the time until the run has settled, and is left out.

/** Batches that count. */
const BATCHES = 30
/** Student's t for one less than these, at 99 % on both sides together. */
const STUDENT_T = 2.756
/** Of shorter batches nothing is said. */
const LEAST = 10

/** The true mean is within `mean - halfWidth` and `mean + halfWidth` in 99 runs of 100. */
export interface Interval {
  readonly mean: number
  readonly halfWidth: number
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, each) => sum + each, 0) / values.length

/** The 99 % confidence interval of the mean of values as they came; undefined where there are too few of them. */
export const batchMeans = (values: readonly number[]): Interval | undefined => {
  const size = Math.floor(values.length / (BATCHES + 1))
  if (size < LEAST) return undefined
  const from = values.length - BATCHES * size
  const means = Array.from({ length: BATCHES }, (_, at) =>
    meanOf(values.slice(from + at * size, from + (at + 1) * size)),
  )
  const mean = meanOf(means)
  const variance = means.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (BATCHES - 1)
  return { mean, halfWidth: STUDENT_T * Math.sqrt(variance / BATCHES) }
}
