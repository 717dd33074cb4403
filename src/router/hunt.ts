// The search for someone to answer, over one destination: reads its presence resource, picks, and rings people in
// that order until one answers or nobody is left. Tiers join one after the other, as soon as nobody of those before is
// left or after the group's delay, and then ring side by side. How many of a tier ring at once is the strategy's to
// say; someone in doubt leaves their place to the next, and may still answer.

import type { GroupConfig, Strategy } from '../config.js'
import type { AccountId, Destination } from '../protocol/index.js'
import type { Timer } from '../runtime/index.js'
import type { Call } from './call.js'
import { endingOf, endings, type OfferOutcome, type SkipReason } from './endings.js'
import type { Noun } from './instructions/index.js'
import { Offer } from './offer.js'
import { type Candidate, peopleAtOnce, widths } from './pick/index.js'
import type { Leg } from './status-callbacks.js'
import { type Survey, survey } from './survey.js'

export interface HuntTerms {
  readonly noun: Noun
  /** How long each person is rung; absent: the group's, or the hub's. */
  readonly timeoutMs?: number
  /** Overrides the group's. */
  readonly strategy?: Strategy
  /** What whoever is rung must be able to do. */
  readonly skills?: readonly string[]
  /** Whom the whole dial has rung, in this hunt or beside it. */
  readonly rung: Set<AccountId>
  /** Told what becomes of it. */
  readonly leg?: Leg | undefined
}

/** The candidates of one tier: those from `next` to `end` are yet to be rung. */
interface Lane {
  readonly tier: number
  next: number
  end: number
}

const lanesOf = (candidates: readonly Candidate[]): Lane[] => {
  const lanes: Lane[] = []
  for (const [index, { tier }] of candidates.entries()) {
    const lane = lanes.at(-1)
    if (lane?.tier === tier) lane.end++
    else lanes.push({ tier, next: index, end: index + 1 })
  }
  return lanes
}

export class Hunt {
  readonly outcomes: OfferOutcome[] = []
  readonly skipped: SkipReason[] = []
  readonly #call: Call
  readonly #terms: HuntTerms
  readonly #exhausted: () => void
  readonly #offers = new Set<Offer>()
  #candidates: readonly Candidate[] = []
  #lanes: readonly Lane[] = []
  /** So many of the lanes have joined. */
  #joined = 0
  #joins: Timer | undefined
  #over = false

  /** `exhausted` is called once, when nobody is left to ask. */
  constructor(call: Call, terms: HuntTerms, exhausted: () => void) {
    this.#call = call
    this.#terms = terms
    this.#exhausted = exhausted
  }

  /** Those who are being rung by it. */
  get offers(): ReadonlySet<Offer> {
    return this.#offers
  }

  async begin(): Promise<void> {
    this.#terms.leg?.tell('initiated')
    const { parts, settings, tenant, timeline, request } = this.#call
    const { noun, rung, skills, strategy: asked, timeoutMs } = this.#terms
    const destination = noun.name as Destination
    const surveyed = await survey(parts, {
      tenant,
      settings,
      destination,
      strategy: asked,
      timeoutMs,
      skills,
      from: request.from,
      caller: this.#call.caller.party?.account,
      rung,
    })
    if (this.#over) return
    const { resource, strategy, candidates, skipped } = surveyed
    timeline.add('picked', {
      destination,
      status: resource.status,
      version: resource.version,
      strategy,
      candidates: candidates.slice(0, 100).map(({ account }) => account),
    })
    timeline.addSkipped(destination, skipped)
    this.skipped.push(...skipped.map(({ reason }) => reason))
    this.#candidates = candidates
    this.#lanes = lanesOf(candidates)
    this.#advance(surveyed)
  }

  /** Ends it from outside: nobody further is rung. */
  stop(): void {
    this.#over = true
    this.#joins?.cancel()
    this.#notRung(
      'not-reached',
      this.#lanes.flatMap(({ next, end }) => this.#candidates.slice(next, end)),
    )
    this.#lanes = []
  }

  /** Rings the next people while there is room. */
  #advance(surveyed: Survey): void {
    while (!this.#over) {
      const next = this.#next(surveyed)
      if (next === undefined) break
      this.#ring(next, surveyed)
    }
    if (this.#over || this.#offers.size > 0 || this.#lanes.some(({ next, end }) => next < end)) return
    this.stop()
    this.#terms.leg?.end(endings[endingOf(this.outcomes, this.skipped)].dialCallStatus)
    this.#exhausted()
  }

  /** Who is to be rung next, of the tiers that have joined, or of one that joins now since nobody else is left. */
  #next(surveyed: Survey): Candidate | undefined {
    const promising = [...this.#offers].filter(offer => offer.promising)
    const doubtful = this.#offers.size - promising.length
    if (promising.length >= peopleAtOnce || doubtful >= peopleAtOnce) return undefined
    const width = widths[surveyed.strategy]
    for (const lane of this.#lanes.slice(0, this.#joined)) {
      const ringing = promising.filter(({ tier }) => tier === lane.tier).length
      if (lane.next < lane.end && ringing < width) return surveyed.candidates[lane.next++]
    }
    return promising.length === 0 && this.#join(surveyed) ? this.#next(surveyed) : undefined
  }

  /** The next tier joins, if there is one; the one after it will after the delay, if not before. */
  #join(surveyed: Survey): boolean {
    const lane = this.#lanes[this.#joined]
    if (lane === undefined) return false
    const { timeline, parts } = this.#call
    if (this.#joined++ > 0)
      timeline.add('tier-joined', { destination: this.#terms.noun.name, tier: lane.tier })
    this.#joins?.cancel()
    if (this.#joined === this.#lanes.length) return true
    // Whoever has more tiers than one is a group.
    const { tierDelayMs } = surveyed.group as GroupConfig
    this.#joins = parts.clock.after(tierDelayMs, () => {
      this.#join(surveyed)
      this.#advance(surveyed)
    })
    return true
  }

  #ring(candidate: Candidate, surveyed: Survey): void {
    const { noun, rung, leg } = this.#terms
    if (rung.has(candidate.account)) {
      this.skipped.push('rung-already')
      this.#notRung('rung-already', [candidate])
      return
    }
    rung.add(candidate.account)
    const { tenant, request, parts } = this.#call
    const { strategy, group, timeoutMs } = surveyed
    const destination = noun.name as Destination
    const place = { tenant, group: destination }
    const offer = new Offer(
      this.#call,
      { candidate, noun, destination, group, timeoutMs },
      {
        claimed: ({ account }) => {
          if (strategy === 'round-robin' && group !== undefined) parts.memory.rang(place, account)
        },
        rang: () => leg?.tell('ringing'),
        answered: ({ account }) => {
          leg?.tell('answered')
          if (strategy === 'sticky' && group !== undefined) parts.memory.talked(place, request.from, account)
        },
        doubted: () => this.#advance(surveyed),
        settled: settled => {
          this.#offers.delete(settled)
          this.outcomes.push(settled.outcome as OfferOutcome)
          this.#advance(surveyed)
        },
      },
    )
    this.#offers.add(offer)
    parts.guard(offer.begin(), this.#call)
  }

  /** Why these candidates were not rung after all. */
  #notRung(reason: SkipReason, candidates: readonly Candidate[]): void {
    const skipped = candidates.map(({ account }) => ({ account, reason }))
    this.#call.timeline.addSkipped(this.#terms.noun.name, skipped)
  }
}
