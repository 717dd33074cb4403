// What a queue remembers of the calls that have left it: counts of the last hour, by minutes, and how long it lately took
// from one answer to the next, from which the wait of those in it is told. Pure but for the time it is given.

/** So far back counts go, to the minute. */
export const windowMs = 3_600_000

const minuteMs = 60_000
const minutes = windowMs / minuteMs

/** The share of the latest pace in the mean of all: an answer matters half as much after three others. */
const share = 0.2

/** How a wait was over: answered; the caller gave up; or neither, since it lasted too long or nobody was left. */
export type Departure = 'answered' | 'abandoned' | 'unanswered'

export interface Counts {
  readonly answered: number
  readonly abandoned: number
  readonly unanswered: number
  /** Of those that were answered: within the service level's time. */
  readonly inTime: number
  /** How long those that were answered had waited, in all. */
  readonly waitedMs: number
}

type Minute = { -readonly [K in keyof Counts]: number } & { readonly at: number }

const noCounts: Counts = { answered: 0, abandoned: 0, unanswered: 0, inTime: 0, waitedMs: 0 }

export class Statistics {
  /** Those in which something happened, the latest last. */
  #minutes: Minute[] = []
  #paceMs: number | undefined
  /** Since when the next answer has been awaited. */
  #since = 0

  /** Someone waits, and nobody did before. */
  begun(now: number): void {
    this.#since = now
  }

  left(how: Departure, waitMs: number, serviceLevelMs: number, now: number): void {
    const minute = this.#minute(now)
    minute[how]++
    if (how !== 'answered') return
    minute.waitedMs += waitMs
    if (waitMs <= serviceLevelMs) minute.inTime++
    const paceMs = now - this.#since
    this.#paceMs = this.#paceMs === undefined ? paceMs : this.#paceMs + share * (paceMs - this.#paceMs)
    this.#since = now
  }

  /** Of the last hour. */
  counts(now: number): Counts {
    const oldest = Math.floor(now / minuteMs) - minutes
    const counts = { ...noCounts }
    for (const { at, ...minute } of this.#minutes) {
      if (at <= oldest) continue
      for (const name of Object.keys(counts) as (keyof Counts)[]) counts[name] += minute[name]
    }
    return counts
  }

  /**
   * How long the one at this place (from 1) will probably wait: as many times as long as it took from one answer to the
   * next, or as the next one has been awaited, if that is longer. Undefined while nobody has been answered.
   */
  expectedWaitMs(position: number, now: number): number | undefined {
    return this.#paceMs === undefined
      ? undefined
      : Math.round(position * Math.max(this.#paceMs, now - this.#since))
  }

  #minute(now: number): Minute {
    const at = Math.floor(now / minuteMs)
    const last = this.#minutes.at(-1)
    if (last?.at === at) return last
    const minute = { at, ...noCounts }
    this.#minutes = [...this.#minutes.slice(1 - minutes), minute]
    return minute
  }
}
