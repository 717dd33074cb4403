// What came of a simulation, counted as it goes, and the rules that nothing may break: every call has one end, every
// device that was offered it is told that end, and nobody is offered two calls at once.

import { type Bin, histogram } from './histogram.js'
import { type Quantiles, Samples } from './samples.js'

/** What one phone has done. */
export interface PhoneTally {
  readonly phone: string
  offered: number
  answered: number
  rejected: number
  /** It would have answered, and the caller, or another device, was faster. */
  late: number
  /** For so long its person was signed in, and of that rung, on a call or in wrap-up. */
  signedInMs: number
  takenMs: number
}

/** How many of each kind. */
export type Counter = Record<string, number>

export const count = (counter: Counter, kind: string): void => {
  counter[kind] = (counter[kind] ?? 0) + 1
}

/** So many broken rules are told in words; all are counted. */
const TOLD_FAULTS = 20

/** To four digits; null where there is no whole. */
const shareOf = (part: number, whole: number): number | null =>
  whole === 0 ? null : Math.round((10_000 * part) / whole) / 10_000

export class Tally {
  placed = 0
  /** Placed, and not over. */
  open = 0
  answered = 0
  /** How calls ended, by reason: those that nobody answered, and the others. */
  readonly unanswered: Counter = {}
  readonly ended: Counter = {}
  /** Calls that the hub did not take, by its code. */
  readonly refused: Counter = {}
  /** How much later than the script has it calls are placed: more than a little, and this machine is the limit. */
  readonly lag = new Samples()
  /** From the request to the first phone that rings; to the answer; from the first ringing to the answer. */
  readonly dispatch = new Samples()
  readonly wait = new Samples()
  readonly ring = new Samples()
  /** From the answer until the caller knows that it is over. */
  readonly talk = new Samples()
  /** Of each call that was rung somewhere 0, of each that found everyone busy 1, as that became known. */
  readonly turnedAway: number[] = []
  readonly phones: PhoneTally[] = []
  readonly connections = { online: 0, lost: 0, resumed: 0, renewed: 0, signedOut: 0 }
  /** What failed in the background, by code. */
  readonly errors: Counter = {}
  readonly faults: string[] = []
  faultCount = 0

  phone(phone: string): PhoneTally {
    const tally = { phone, offered: 0, answered: 0, rejected: 0, late: 0, signedInMs: 0, takenMs: 0 }
    this.phones.push(tally)
    return tally
  }

  /** A rule was broken. */
  fault(text: string): void {
    this.faultCount += 1
    if (this.faults.length < TOLD_FAULTS) this.faults.push(text)
  }

  /** A phone rings, the first for its call, so long after that was placed. */
  rang(afterMs: number): void {
    this.dispatch.add(afterMs)
    this.turnedAway.push(0)
  }

  /** The caller has heard all that there is to hear: so many answers, and these ends. */
  over(call: string, answers: number, ends: readonly string[]): void {
    this.open -= 1
    if (ends.length !== 1) this.fault(`call ${call} has ${ends.length} ends`)
    if (answers > 1) this.fault(`call ${call} was answered ${answers} times`)
    if (answers === 0 && ends[0] === 'busy') this.turnedAway.push(1)
    for (const reason of ends) count(answers > 0 ? this.ended : this.unanswered, reason)
  }

  /** `withinMs`: calls that are answered so soon count for the service level. */
  summary(seed: number, tookMs: number, withinMs = 20_000): Summary {
    const sum = (what: 'signedInMs' | 'takenMs'): number =>
      this.phones.reduce((all, phone) => all + phone[what], 0)
    const { canceled = 0, ...unanswered } = this.unanswered
    const { online: _, ...connections } = this.connections
    return {
      ok: this.faultCount === 0,
      seed,
      tookMs: Math.round(tookMs),
      calls: {
        placed: this.placed,
        answered: this.answered,
        abandoned: canceled,
        unanswered,
        refused: this.refused,
        ended: this.ended,
      },
      serviceLevel: {
        withinMs,
        share: shareOf(this.wait.values.filter(ms => ms <= withinMs).length, this.placed),
      },
      occupancy: shareOf(sum('takenMs'), sum('signedInMs')),
      lagMs: this.lag.quantiles(),
      dispatchMs: this.dispatch.quantiles(),
      waitMs: this.wait.quantiles(),
      ringMs: this.ring.quantiles(),
      talkMs: this.talk.quantiles(),
      waits: histogram(this.wait.values),
      connections,
      phones: this.phones,
      errors: this.errors,
      faults: this.faults,
      faultCount: this.faultCount,
    }
  }
}

/** The whole of it. Every call that was placed was answered, abandoned, left unanswered, or refused. */
export interface Summary {
  /** No rule was broken. */
  readonly ok: boolean
  readonly seed: number
  readonly tookMs: number
  readonly calls: {
    readonly placed: number
    readonly answered: number
    /** The caller gave up first. */
    readonly abandoned: number
    /** All others that the hub took, by the reason they ended for. */
    readonly unanswered: Counter
    /** By the hub's code. */
    readonly refused: Counter
    /** How those ended that were answered. */
    readonly ended: Counter
  }
  /** The share of all calls that were answered within this time; null where there was none. */
  readonly serviceLevel: { readonly withinMs: number; readonly share: number | null }
  /** The share of their time signed in that people were rung, on a call or in wrap-up. */
  readonly occupancy: number | null
  readonly lagMs: Quantiles
  readonly dispatchMs: Quantiles
  readonly waitMs: Quantiles
  readonly ringMs: Quantiles
  readonly talkMs: Quantiles
  /** How many of those that were answered had waited for how long. */
  readonly waits: readonly Bin[]
  readonly connections: {
    readonly lost: number
    readonly resumed: number
    readonly renewed: number
    /** How often someone's shift was over. */
    readonly signedOut: number
  }
  readonly phones: readonly PhoneTally[]
  readonly errors: Counter
  readonly faults: readonly string[]
  readonly faultCount: number
}
