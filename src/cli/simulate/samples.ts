// Measured times, and what is said of them: where the middle is, and where the slow ones are.

/** Milliseconds; null where nothing was measured. */
export interface Quantiles {
  readonly count: number
  readonly median: number | null
  readonly p90: number | null
  readonly p99: number | null
  readonly max: number | null
}

export class Samples {
  readonly #values: number[] = []

  add(ms: number): void {
    this.#values.push(ms)
  }

  /** By the nearest rank: each is a time that was measured. */
  quantiles(): Quantiles {
    const sorted = Float64Array.from(this.#values).sort()
    const count = sorted.length
    const at = (share: number): number | null => {
      const value = sorted[Math.max(0, Math.ceil(share * count) - 1)]
      return value === undefined ? null : Math.round(value)
    }
    return { count, median: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) }
  }
}
