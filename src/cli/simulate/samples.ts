// Measured times, and what is said of them: where the middle is, where the slow ones are, and what they are on average.

/** Milliseconds; null where nothing was measured. */
export interface Quantiles {
  readonly count: number
  readonly mean: number | null
  readonly median: number | null
  readonly p90: number | null
  readonly p99: number | null
  readonly max: number | null
}

export class Samples {
  readonly #values: number[] = []
  #sum = 0

  add(ms: number): void {
    this.#values.push(ms)
    this.#sum += ms
  }

  /** In the order in which they were measured. */
  get values(): readonly number[] {
    return this.#values
  }

  /** By the nearest rank: each but the mean is a time that was measured. */
  quantiles(): Quantiles {
    const sorted = Float64Array.from(this.#values).sort()
    const count = sorted.length
    const at = (share: number): number | null => {
      const value = sorted[Math.max(0, Math.ceil(share * count) - 1)]
      return value === undefined ? null : Math.round(value)
    }
    const mean = count === 0 ? null : Math.round(this.#sum / count)
    return { count, mean, median: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) }
  }
}
