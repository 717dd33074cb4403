// What happened to a call, line by line, for people who ask why. Stamps never go back, even if the wall clock
// does; a line names the members it is about; the whole is bounded, by lines and by size.

import type { Bounds } from '../limits/index.js'
import type { TimelineEntry } from '../protocol/index.js'
import type { Clock } from '../runtime/index.js'
import type { Skipped } from './pick/index.js'

const longest = 1000
const namesPerLine = 100

/** About how many characters a line takes. */
const weightOf = (facts: object): number => {
  let weight = 64
  for (const value of Object.values(facts)) {
    if (typeof value === 'string') weight += value.length
    else if (Array.isArray(value)) for (const name of value) weight += String(name).length
    else weight += 16
  }
  return weight
}

/** A line as it is kept: most are never read, so nothing is spelled out before. */
interface Line {
  readonly at: number
  readonly event: string
  readonly facts: object
}

export class Timeline {
  readonly #clock: Clock
  readonly #bounds: Bounds
  readonly #lines: Line[] = []
  #last = 0
  #weight = 0
  #cut = false

  constructor(clock: Clock, bounds: Bounds) {
    this.#clock = clock
    this.#bounds = bounds
  }

  /** About how many characters it has. */
  get weight(): number {
    return this.#weight
  }

  get lines(): readonly TimelineEntry[] {
    return this.#lines.map(({ at, event, facts }) => ({ at: new Date(at).toISOString(), event, ...facts }))
  }

  /** The stamp of something that happens now: ISO 8601, never before the last. */
  stamp(): string {
    return new Date(this.#now()).toISOString()
  }

  add(event: string, facts: object = {}): void {
    if (this.#cut) return
    const at = this.#now()
    const weight = weightOf(facts)
    this.#cut = this.#lines.length === longest || this.#weight + weight > this.#bounds.of.callBytes
    if (this.#cut) this.#bounds.note('callBytes')
    else this.#weight += weight
    this.#lines.push(this.#cut ? { at, event: 'cut', facts: {} } : { at, event, facts })
  }

  /** Those who were not rung, one line for each reason and note, each naming at most 100. */
  addSkipped(destination: string, skipped: readonly Skipped[]): void {
    const lines = new Map<string, { why: Omit<Skipped, 'account'>; accounts: string[]; count: number }>()
    for (const { account, ...why } of skipped) {
      const key = why.note === undefined ? why.reason : `${why.reason} ${why.note}`
      const line = lines.get(key)
      if (line === undefined) lines.set(key, { why, accounts: [account], count: 1 })
      else if (++line.count <= namesPerLine) line.accounts.push(account)
    }
    for (const { why, ...whom } of lines.values()) this.add('not-rung', { destination, ...why, ...whom })
  }

  #now(): number {
    this.#last = Math.max(this.#last, this.#clock.wall())
    return this.#last
  }
}
