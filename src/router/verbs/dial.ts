// Dial: rings the destinations that the instructions name, side by side or one after the other, until someone
// answers, nobody is left, or the time for the whole is over.

import type { AccountId, CancelReason, EndReason, PartyName } from '../../protocol/index.js'
import type { Call } from '../call.js'
import { endingOf, type OfferOutcome } from '../endings.js'
import { Hunt } from '../hunt.js'
import type { DialStep } from '../instructions/index.js'
import type { Offer } from '../offer.js'
import type { Next } from '../plan.js'

/** How a dial ended: answered, or as the call would end if nothing followed. */
export type DialResult = 'answered' | EndReason

export class Dialing {
  readonly #call: Call
  readonly #hunts: Hunt[]
  readonly #sequential: boolean
  #settle: ((result: DialResult) => void) | undefined
  #left: number

  constructor(call: Call, step: DialStep) {
    this.#call = call
    this.#sequential = step.sequential
    const rung = new Set<AccountId>()
    this.#hunts = step.to.map(
      noun =>
        new Hunt(
          call,
          {
            noun,
            rung,
            ...(step.timeoutMs !== undefined && { timeoutMs: step.timeoutMs }),
            ...(step.strategy !== undefined && { strategy: step.strategy }),
            ...(step.skills !== undefined && { skills: step.skills }),
          },
          () => this.#exhausted(),
        ),
    )
    this.#left = this.#hunts.length
  }

  /** Everyone who is being rung. */
  get offers(): Offer[] {
    return this.#hunts.flatMap(({ offers }) => [...offers])
  }

  /** Rings; settles once, when the dial is over. */
  run(): Promise<DialResult> {
    return new Promise(resolve => {
      this.#settle = resolve
      for (const hunt of this.#sequential ? this.#hunts.slice(0, 1) : this.#hunts) this.#start(hunt)
    })
  }

  /** Someone answered: all others stop ringing. */
  answered(by: PartyName): void {
    this.#stop('answered-elsewhere', by)
    this.#settle?.('answered')
  }

  /** Ends it from outside, telling every device that rings why. */
  stop(reason: CancelReason): void {
    this.#stop(reason)
    this.#settle?.(this.#ending)
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
  }

  #exhausted(): void {
    this.#left--
    const next = this.#hunts[this.#hunts.length - this.#left]
    if (this.#left === 0) this.#settle?.(this.#ending)
    else if (this.#sequential && next !== undefined) this.#start(next)
  }

  get #ending(): EndReason {
    return endingOf(
      this.#hunts.flatMap(({ outcomes }) => outcomes),
      this.#hunts.flatMap(({ skipped }) => skipped),
    )
  }
}

/** Rings; with nobody's answer the next verb follows. */
export const dial = async (call: Call, step: DialStep): Promise<Next> => {
  const dialing = new Dialing(call, step)
  call.dial(dialing, step)
  const bound = call.parts.clock.after(step.totalTimeoutMs ?? call.parts.config.calls.totalTimeoutMs, () =>
    dialing.stop('timeout'),
  )
  const result = await dialing.run()
  bound.cancel()
  if (result === 'answered' || call.over) return { next: 'nothing' }
  call.unanswered(result)
  return { next: 'verb' }
}
