// The search for someone to answer, over one destination: reads its presence resource, picks, and rings people in
// that order until one answers or nobody is left. Its width says how many ring at once; someone in doubt leaves
// their place to the next, and may still answer.

import type { Strategy } from '../config.js'
import type { AccountId, Destination } from '../protocol/index.js'
import type { Call } from './call.js'
import type { OfferOutcome, SkipReason } from './endings.js'
import type { Noun } from './instructions/index.js'
import { Offer } from './offer.js'
import type { Candidate } from './pick.js'
import { survey } from './survey.js'

/** So many people ring at once where a strategy rings all, and so many in doubt beside them. */
export const peopleAtOnce = 10

const width: Readonly<Record<Strategy, number>> = { all: peopleAtOnce, 'longest-idle': 1 }

export interface HuntTerms {
  readonly noun: Noun
  /** How long each person is rung; absent: the group's, or the hub's. */
  readonly timeoutMs?: number
  /** Overrides the group's. */
  readonly strategy?: Strategy
  /** Whom the whole dial has rung, in this hunt or beside it. */
  readonly rung: Set<AccountId>
}

export class Hunt {
  readonly outcomes: OfferOutcome[] = []
  readonly skipped: SkipReason[] = []
  readonly #call: Call
  readonly #terms: HuntTerms
  readonly #exhausted: () => void
  readonly #offers = new Set<Offer>()
  readonly #waiting: Candidate[] = []
  /** Of those who ring now. */
  #tier = 0
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
    const { parts, settings, tenant, timeline, request } = this.#call
    const { noun, rung, strategy: asked, timeoutMs: askedMs } = this.#terms
    const destination = noun.name as Destination
    const surveyed = await survey(parts, {
      tenant,
      settings,
      destination,
      strategy: asked,
      timeoutMs: askedMs,
      caller: request.caller.party?.account,
      rung,
    })
    if (this.#over) return
    const { resource, strategy, candidates, skipped, timeoutMs } = surveyed
    timeline.add('picked', {
      destination,
      status: resource.status,
      version: resource.version,
      strategy,
      candidates: candidates.slice(0, 100).map(({ account }) => account),
    })
    timeline.addSkipped(destination, skipped)
    this.skipped.push(...skipped.map(({ reason }) => reason))
    this.#waiting.push(...candidates)
    this.#advance(width[strategy], timeoutMs)
  }

  /** Ends it from outside: nobody further is rung. */
  stop(): void {
    this.#over = true
    const left = this.#waiting.splice(0)
    if (left.length > 0) this.#call.timeline.addNotRung(this.#terms.noun.name, 'not-reached', left)
  }

  /** Rings the next people, of one tier at a time, while there is room. */
  #advance(room: number, timeoutMs: number): void {
    const { noun, rung } = this.#terms
    while (!this.#over) {
      const promising = [...this.#offers].filter(offer => offer.promising)
      const next = this.#waiting[0]
      const doubtful = this.#offers.size - promising.length
      if (next === undefined || promising.length >= room || doubtful >= peopleAtOnce) break
      if (promising.length > 0 && next.tier !== this.#tier) break
      this.#waiting.shift()
      if (rung.has(next.account)) {
        this.skipped.push('rung-already')
        this.#call.timeline.addNotRung(noun.name, 'rung-already', [next])
        continue
      }
      rung.add(next.account)
      this.#tier = next.tier
      const advance = () => this.#advance(room, timeoutMs)
      const offer = new Offer(
        this.#call,
        { candidate: next, noun, destination: noun.name as Destination, timeoutMs },
        {
          doubted: advance,
          settled: settled => {
            this.#offers.delete(settled)
            this.outcomes.push(settled.outcome as OfferOutcome)
            advance()
          },
        },
      )
      this.#offers.add(offer)
      this.#call.parts.guard(offer.begin(), this.#call)
    }
    if (!this.#over && this.#offers.size === 0 && this.#waiting.length === 0) {
      this.#over = true
      this.#exhausted()
    }
  }
}
