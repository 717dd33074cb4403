// One call that waits in a queue: whom it rings, round after round, until someone takes it or its wait is over. Within one
// round nobody is rung twice; the next one begins once nobody is left who is free and was not rung, with those who did
// not take it a while ago. It keeps its place all the while.

import type { AccountId, CallId, CancelReason, Party, PartyName } from '../../protocol/index.js'
import type { Timer } from '../../runtime/index.js'
import type { Call } from '../call.js'
import type { OfferOutcome } from '../endings.js'
import type { EnqueueStep } from '../instructions/index.js'
import { coolDownOf, Offer } from '../offer.js'
import { type Candidate, peopleAtOnce, widths } from '../pick/index.js'
import type { Parting, Place, Search } from '../search.js'
import { entryOf } from '../sides.js'
import type { Waits } from './line.js'
import type { Queue } from './queue.js'
import { type Way, ways } from './ways.js'

/** Who did not take a call is not offered the same one again sooner than this, whatever their group says. */
export const againMs = 5_000

/** How a wait was over. */
export interface Departed extends Way {
  readonly waitMs: number
}

export class Waiting implements Search, Waits {
  readonly terms: EnqueueStep
  readonly call: Call
  readonly priority: number
  readonly ordinal: number
  /** Since when it waits, monotonic milliseconds. */
  readonly since: number
  /** Settles when the wait is over. */
  readonly over: Promise<Departed>
  /** Settles when those who are connected come apart; without a value if the call is over. */
  readonly talk: Promise<Parting | undefined>
  readonly #queue: Queue
  readonly #offers = new Set<Offer>()
  /** Whom this round has rung. */
  #rung = new Set<AccountId>()
  /** When those who did not take it may be rung again, monotonic milliseconds. */
  readonly #notBefore = new Map<AccountId, number>()
  /** The highest tier that has joined in this round, and over how many of them it may ring side by side. */
  #tier = 0
  #reach = 1
  #joins: Timer | undefined
  #limit: Timer | undefined
  #told = 0
  #departed = false
  #settle: ((departed: Departed) => void) | undefined
  #part: ((parting?: Parting) => void) | undefined

  constructor(call: Call, step: EnqueueStep, queue: Queue, ordinal: number) {
    this.call = call
    this.terms = step
    this.priority = step.priority
    this.ordinal = ordinal
    this.since = call.parts.clock.now()
    this.#queue = queue
    this.over = new Promise(resolve => {
      this.#settle = resolve
    })
    this.talk = new Promise(resolve => {
      this.#part = resolve
    })
  }

  get offers(): readonly Offer[] {
    return [...this.#offers]
  }

  get place(): Place {
    return this.#queue.placeOf(this)
  }

  /** It is in line from now on, for at most so long. */
  begin(maxWaitMs: number): void {
    const { group: queue, priority, skills } = this.terms
    const { timeline, parts } = this.call
    timeline.add('queued', { queue, ...this.place, priority, skills })
    this.#tellWhy()
    this.#limit = parts.clock.after(maxWaitMs, () => {
      this.#tellWhy()
      this.leave(ways.late)
    })
    this.#told = this.place.position
    this.call.enqueue(this)
  }

  /** Rings whom it may of those who are free. */
  serve(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) this.#ring(next)
  }

  /** It stands there now: its caller hears of it while nobody rings. */
  moved(position: number): void {
    if (position === this.#told || this.call.state !== 'queued') return
    this.#told = position
    this.call.tellProgress()
  }

  answered(by: PartyName): void {
    this.#depart(ways.answered, 'answered-elsewhere', by)
  }

  stop(reason: CancelReason): void {
    const { over, reason: ending } = this.call
    this.#depart(over ? (ending === 'failed' ? ways.failed : ways.canceled) : ways.redirected, reason)
    this.#part?.()
  }

  parted(parting: Parting): void {
    this.#part?.(parting)
  }

  /** The wait is over, and the call is not. */
  leave(way: Way): void {
    // Who rings for a group that is no more has missed nothing.
    this.#depart(way, way.reason === 'failed' ? 'failed' : 'timeout')
  }

  /** Why each person who can not take it now cannot. */
  #tellWhy(): void {
    this.call.timeline.addSkipped(this.terms.group, this.#queue.survey(this).skipped)
  }

  #depart(way: Way, reason: CancelReason, by?: PartyName): void {
    if (this.#departed) return
    this.#departed = true
    this.#limit?.cancel()
    this.#joins?.cancel()
    for (const offer of this.#offers) offer.cancel(reason, by)
    this.#offers.clear()
    const waitMs = Math.round(this.call.parts.clock.now() - this.since)
    const { group: queue } = this.terms
    const { result, message } = way
    this.call.timeline.add('dequeued', { queue, result, waitMs, ...(message !== undefined && { message }) })
    this.#queue.departed(this, way.how, waitMs)
    this.#settle?.({ ...way, waitMs })
  }

  /** Whom to ring next, if anyone. */
  #next(): Candidate | undefined {
    const free = this.#queue.able(this.terms.skills)
    if (free.length === 0) return undefined
    const promising = [...this.#offers].filter(offer => offer.promising).length
    const doubtful = this.#offers.size - promising
    if (promising >= peopleAtOnce || doubtful >= peopleAtOnce) return undefined
    const [candidate] = this.#queue.pick(this, free, this.#rung).candidates
    if (promising > 0) {
      const most = widths[this.#queue.config.strategy] * this.#reach
      return candidate !== undefined && promising < most && candidate.tier <= this.#tier
        ? candidate
        : undefined
    }
    if (candidate !== undefined || this.#notBefore.size === 0) return candidate
    return this.#nextRound(free)
  }

  /** The first of another round, if someone may be rung again. */
  #nextRound(free: ReturnType<Queue['able']>): Candidate | undefined {
    const now = this.call.parts.clock.now()
    const rung = new Set([...this.#offers].map(({ account }) => account))
    for (const [account, notBefore] of this.#notBefore) if (notBefore > now) rung.add(account)
    const [candidate] = this.#queue.pick(this, free, rung).candidates
    if (candidate === undefined) return undefined
    this.#rung = rung
    this.#tier = 0
    this.#reach = 1
    this.call.timeline.add('round', { queue: this.terms.group })
    return candidate
  }

  /** Offers it to a device in exchange for another call of that one. */
  offerTo(party: Party, replaces: CallId): void {
    const { account } = party
    this.#rung.add(account)
    const devices = [entryOf(this.call.parts, party)]
    this.#offer({ account, tier: this.#tier, devices }, { replaces })
  }

  #ring(candidate: Candidate): void {
    const { account, tier } = candidate
    if (tier > this.#tier) this.#join(tier)
    this.#rung.add(account)
    this.#queue.take(account)
    this.#offer(candidate, {})
  }

  #offer(candidate: Candidate, more: { readonly replaces?: CallId }): void {
    const { account } = candidate
    const { call, terms } = this
    const queue = this.#queue
    const { config, group } = queue
    const offer = new Offer(
      call,
      {
        candidate,
        noun: { name: terms.group, params: {} },
        destination: group,
        group: config,
        timeoutMs: config.ringTimeoutMs,
        ...more,
      },
      {
        claimed: () => queue.rang(account),
        answered: () => queue.talked(call.request.from, account),
        doubted: () => queue.changed(),
        settled: settled => this.#settled(settled, settled.outcome as OfferOutcome),
      },
    )
    this.#offers.add(offer)
    call.parts.guard(offer.begin(), call)
  }

  /** Someone has not taken it. Whose claim was refused was not rung. */
  #settled(offer: Offer, outcome: OfferOutcome): void {
    const { account } = offer
    this.#offers.delete(offer)
    if (outcome === 'refused' || outcome === 'gone') this.#rung.delete(account)
    else {
      const { clock } = this.call.parts
      const ms = Math.max(againMs, this.#queue.config.coolDownMs[coolDownOf[outcome]])
      this.#notBefore.set(account, clock.now() + ms)
      clock.after(ms, () => this.#queue.changed())
    }
    if (this.#offers.size === 0) {
      this.#told = this.place.position
      this.call.waits()
    }
    this.#queue.changed()
  }

  /** A tier joins. While nobody takes the call the one after it does, too, after the group's delay. */
  #join(tier: number): void {
    const { timeline, parts } = this.call
    if (this.#tier > 0) timeline.add('tier-joined', { destination: this.terms.group, tier })
    this.#tier = tier
    this.#joins?.cancel()
    const next = this.#queue.tierAfter(tier)
    if (next === undefined) return
    this.#joins = parts.clock.after(this.#queue.config.tierDelayMs, () => {
      this.#reach++
      this.#join(next)
      this.#queue.changed()
    })
  }
}
