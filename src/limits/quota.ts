// How many each has at once: counts by key, with nothing kept for a key that has none.

export class Quota {
  readonly #taken = new Map<string, number>()

  /** How many are taken. */
  of(key: string): number {
    return this.#taken.get(key) ?? 0
  }

  /** Takes one of `most`; false if there is none left. */
  take(key: string, most: number): boolean {
    const taken = this.of(key)
    if (taken >= most) return false
    this.#taken.set(key, taken + 1)
    return true
  }

  /** Gives one back. */
  give(key: string): void {
    const left = this.of(key) - 1
    if (left > 0) this.#taken.set(key, left)
    else this.#taken.delete(key)
  }
}
