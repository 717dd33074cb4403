// What happened to a call, line by line, for people who ask why. Stamps never go back, even if the wall clock
// does; a line names the members it is about; the whole is bounded, by lines and by size.

import type { Bounds } from '../limits/index.js'
import type { TimelineEntry } from '../protocol/index.js'
import type { Clock } from '../runtime/index.js'
import type { SkipReason } from './endings.js'

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

  /** Those who were not rung, one line a reason. */
  addSkipped(destination: string, skipped: readonly { account: string; reason: SkipReason }[]): void {
    for (const reason of new Set(skipped.map(member => member.reason))) {
      this.addNotRung(
        destination,
        reason,
        skipped.filter(member => member.reason === reason),
      )
    }
  }

  /** Those who were not rung for this reason, in one line that names at most 100. */
  addNotRung(destination: string, reason: SkipReason, members: readonly { account: string }[]): void {
    const accounts = members.slice(0, namesPerLine).map(({ account }) => account)
    this.add('not-rung', { destination, reason, accounts, count: members.length })
  }

  #now(): number {
    this.#last = Math.max(this.#last, this.#clock.wall())
    return this.#last
  }
}
