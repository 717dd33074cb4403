// The order in which calls wait: the highest priority first, then the one that came first. Pure, and kept sorted, so
// that a place is found by halving.

export interface Waits {
  /** Higher is served first. */
  readonly priority: number
  /** Grows with each call that comes. */
  readonly ordinal: number
}

/** Negative where `a` is served before `b`; no two are equal. */
export const before = (a: Waits, b: Waits): number => b.priority - a.priority || a.ordinal - b.ordinal

export class Line<W extends Waits> {
  readonly #waiting: W[] = []

  get length(): number {
    return this.#waiting.length
  }

  /** All, in order; not to be changed. */
  get all(): readonly W[] {
    return this.#waiting
  }

  /** Whoever has waited longest, whatever their place. */
  get oldest(): W | undefined {
    let oldest: W | undefined
    for (const each of this.#waiting) if (each.ordinal < (oldest?.ordinal ?? each.ordinal + 1)) oldest = each
    return oldest
  }

  /** How many are served before it, whether it is among them or not. */
  ahead(one: Waits): number {
    let from = 0
    let to = this.#waiting.length
    while (from < to) {
      const middle = (from + to) >> 1
      if (before(this.#waiting[middle] as W, one) < 0) from = middle + 1
      else to = middle
    }
    return from
  }

  has(one: W): boolean {
    return this.#waiting[this.ahead(one)] === one
  }

  add(one: W): void {
    this.#waiting.splice(this.ahead(one), 0, one)
  }

  /** It must be among them. */
  remove(one: W): void {
    this.#waiting.splice(this.ahead(one), 1)
  }
}

/** Several lines as one, in order. They must not change meanwhile. */
export function* merged<W extends Waits>(lines: readonly Line<W>[]): Generator<W> {
  const heads = lines.map(({ all }) => ({ all, next: 0 }))
  for (;;) {
    let first: W | undefined
    let from: (typeof heads)[number] | undefined
    for (const head of heads) {
      const one = head.all[head.next]
      if (one === undefined || (first !== undefined && before(first, one) < 0)) continue
      first = one
      from = head
    }
    if (first === undefined || from === undefined) return
    from.next++
    yield first
  }
}
