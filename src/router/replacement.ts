// A call that is offered to one device in exchange for another call of that device, which is over with it: how two
// people are connected by a third who has talked to both. The person's place passes from the one call to the other, so
// that nobody else can have them between.

import type { CallId, CancelReason, Destination, DeviceEntry, Party } from '../protocol/index.js'
import type { Call } from './call.js'
import { endingOf, type OfferOutcome } from './endings.js'
import { Offer } from './offer.js'
import type { Search, SearchTerms } from './search.js'
import type { DialResult } from './verbs/dial.js'

export interface Exchange {
  readonly party: Party
  /** The call that they have, and lose. */
  readonly replaces: CallId
  /** As which they are rung. */
  readonly destination: Destination
}

export class Replacement implements Search {
  readonly terms: SearchTerms = {}
  readonly #offer: Offer
  readonly #call: Call
  #settle: ((result: DialResult) => void) | undefined

  constructor(call: Call, entry: DeviceEntry, { party: { account }, replaces, destination }: Exchange) {
    this.#call = call
    const candidate = { account, tier: 1, devices: [entry] }
    const timeoutMs = call.parts.config.calls.ringTimeoutMs
    const noun = { name: account, params: {} }
    this.#offer = new Offer(
      call,
      { candidate, noun, destination, group: undefined, timeoutMs, replaces },
      {
        settled: ({ outcome }) => this.#settle?.(endingOf([outcome as OfferOutcome], [])),
      },
    )
  }

  get offers(): readonly Offer[] {
    return [this.#offer]
  }

  /** Rings; settles once, when they have answered, or will not. */
  run(): Promise<DialResult> {
    return new Promise(resolve => {
      this.#settle = resolve
      this.#call.parts.guard(this.#offer.begin(), this.#call)
    })
  }

  answered(): void {
    this.#settle?.('answered')
  }

  stop(reason: CancelReason): void {
    this.#offer.cancel(reason)
    this.#settle?.('canceled')
  }
}
