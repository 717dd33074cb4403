// How many each has at once, or how much: counts by key, with nothing kept for a key that has none.

export class Quota {
  readonly #taken = new Map<string, number>()

  /** How many are taken. */
  of(key: string): number {
    return this.#taken.get(key) ?? 0
  }

  /** Takes one of `most`, or as many as `amount` says; false if there are not so many left. */
  take(key: string, most: number, amount = 1): boolean {
    const taken = this.of(key) + amount
    if (taken > most) return false
    this.#taken.set(key, taken)
    return true
  }

  /** Gives one back, or as many. */
  give(key: string, amount = 1): void {
    const left = this.of(key) - amount
    if (left > 0) this.#taken.set(key, left)
    else this.#taken.delete(key)
  }
}
