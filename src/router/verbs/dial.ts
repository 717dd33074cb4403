// Dial: rings the destinations that the instructions name, side by side or one after the other, until someone
// answers, nobody is left, or the time for the whole is over. Then its `action` is asked, or the next verb follows;
// without an `action` an answered call is over when either side hangs up.

import type { AccountId, CancelReason, Destination, EndReason, PartyName } from '../../protocol/index.js'
import type { Call } from '../call.js'
import { endingOf, endings, type OfferOutcome } from '../endings.js'
import { Hunt } from '../hunt.js'
import { type DialStep, forwardOf, type PerformStep } from '../instructions/index.js'
import type { Offer } from '../offer.js'
import type { Course, Next } from '../plan.js'
import type { Parting, Search } from '../search.js'
import type { Leg } from '../status-callbacks.js'
import { actionOf, dialFields, toAction } from './action.js'
import { dialQueue } from './dial-queue.js'
import { fail } from './fail.js'
import { perform } from './perform.js'

/** How a dial ended: answered, or as the call would end if nothing followed. */
export type DialResult = 'answered' | EndReason

export class Dialing implements Search {
  readonly terms: DialStep
  readonly #call: Call
  readonly #hunts: Hunt[]
  /** Those that an application is told of. */
  readonly #legs: readonly Leg[]
  #settle: ((result: DialResult) => void) | undefined
  #talk: Promise<Parting | undefined> | undefined
  #part: ((parting?: Parting) => void) | undefined
  #left: number

  /** `base`: where relative addresses begin. */
  constructor(call: Call, step: DialStep, base?: string) {
    this.#call = call
    this.terms = step
    if (step.action !== undefined) {
      this.#talk = new Promise(resolve => {
        this.#part = resolve
      })
    }
    const rung = new Set<AccountId>()
    const legs = call.callbacks.legsOf(step, base)
    this.#legs = legs.filter(leg => leg !== undefined)
    this.#hunts = step.to.map(
      (noun, index) =>
        new Hunt(
          call,
          {
            noun,
            rung,
            leg: legs[index],
            ...(step.timeoutMs !== undefined && { timeoutMs: step.timeoutMs }),
            ...(step.strategy !== undefined && { strategy: step.strategy }),
            ...(step.skills !== undefined && { skills: step.skills }),
          },
          () => this.#exhausted(),
        ),
    )
    this.#left = this.#hunts.length
  }

  get offers(): Offer[] {
    return this.#hunts.flatMap(({ offers }) => [...offers])
  }

  /** Rings; settles once, when the dial is over. */
  run(): Promise<DialResult> {
    return new Promise(resolve => {
      this.#settle = resolve
      for (const hunt of this.terms.sequential ? this.#hunts.slice(0, 1) : this.#hunts) this.#start(hunt)
    })
  }

  answered(by: PartyName): void {
    this.#stop('answered-elsewhere', by)
    this.#settle?.('answered')
  }

  stop(reason: CancelReason): void {
    this.#stop(reason)
    this.#settle?.(this.#ending)
    this.#part?.()
  }

  parted(parting: Parting): void {
    for (const leg of this.#legs) leg.end(endings[parting.reason].dialCallStatus)
    this.#part?.(parting)
  }

  /** Of a dial with an action: settles when those who are connected come apart; without a value if the call is over. */
  get talk(): Promise<Parting | undefined> | undefined {
    return this.#talk
  }

  #start(hunt: Hunt): void {
    this.#call.parts.guard(hunt.begin(), this.#call)
  }

  #stop(reason: CancelReason, by?: PartyName): void {
    for (const hunt of this.#hunts) {
      hunt.stop()
      for (const offer of hunt.offers) {
        offer.cancel(reason, by)
        if (offer.outcome === 'missed') hunt.outcomes.push(offer.outcome satisfies OfferOutcome)
      }
    }
    for (const leg of this.#legs) leg.stop(reason)
  }

  #exhausted(): void {
    this.#left--
    const next = this.#hunts[this.#hunts.length - this.#left]
    if (this.#left === 0) this.#settle?.(this.#ending)
    else if (this.terms.sequential && next !== undefined) this.#start(next)
  }

  get #ending(): EndReason {
    return endingOf(
      this.#hunts.flatMap(({ outcomes }) => outcomes),
      this.#hunts.flatMap(({ skipped }) => skipped),
    )
  }
}

/** What a gateway is to do: the text of the dial is a number, and no destination's name. */
const forwarded = ({ parts, tenant }: Call, step: DialStep): PerformStep | undefined => {
  const [noun] = step.to
  if (step.number !== true || noun === undefined) return undefined
  const known = parts.presence.knows(tenant, noun.name as Destination)
  return known ? undefined : forwardOf([{ number: noun.name }], step)
}

/** Rings, and follows what comes of it. */
export const dial = async (call: Call, step: DialStep, course: Course): Promise<Next> => {
  const forward = forwarded(call, step)
  if (forward !== undefined) return perform(call, forward, course)
  const action = actionOf(step, course)
  if (!action.ok) return fail(call, `Dial action: ${action.message}`)
  if (step.queue !== undefined) return dialQueue(call, step.queue.name, action.value)
  const dialing = new Dialing(call, step, course.base)
  call.dial(dialing, step)
  const bound = call.parts.clock.after(step.totalTimeoutMs ?? call.parts.config.calls.totalTimeoutMs, () =>
    dialing.stop('timeout'),
  )
  const result = await dialing.run()
  bound.cancel()
  const over = result === 'answered' ? action.value && (await dialing.talk) : { reason: result, talkMs: 0 }
  if (over === undefined || course.errand.over) return { next: 'nothing' }
  if (result !== 'answered') call.dialledAs(result)
  if (action.value === undefined) return { next: 'verb' }
  return toAction(call, action.value, dialFields(call, over))
}
