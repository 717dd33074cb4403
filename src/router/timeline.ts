// What happened to a call, line by line, for people who ask why. Stamps never go back, even if the wall clock
// does; a line names the members it is about; the whole is bounded.

import type { TimelineEntry } from '../protocol/index.js'
import type { Clock } from '../runtime/index.js'
import type { SkipReason } from './endings.js'

const longest = 1000
const namesPerLine = 100

export class Timeline {
  readonly #clock: Clock
  readonly #lines: TimelineEntry[] = []
  #last = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get lines(): readonly TimelineEntry[] {
    return this.#lines
  }

  /** The stamp of something that happens now: ISO 8601, never before the last. */
  stamp(): string {
    this.#last = Math.max(this.#last, this.#clock.wall())
    return new Date(this.#last).toISOString()
  }

  add(event: string, facts: object = {}): void {
    if (this.#lines.length > longest) return
    const at = this.stamp()
    this.#lines.push(this.#lines.length === longest ? { at, event: 'cut' } : { at, event, ...facts })
  }

  /** Those who were not rung, one line a reason, each naming at most 100. */
  addSkipped(destination: string, skipped: readonly { account: string; reason: SkipReason }[]): void {
    for (const reason of new Set(skipped.map(member => member.reason))) {
      const members = skipped.filter(member => member.reason === reason).map(({ account }) => account)
      this.add('not-rung', {
        destination,
        reason,
        accounts: members.slice(0, namesPerLine),
        count: members.length,
      })
    }
  }
}
