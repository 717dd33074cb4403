// What finds someone for a call, as the call knows it: whoever is being rung, and what is to be said to them. A dial is
// one, and so is whatever else rings people for a call.

import type { CancelReason, EndReason, PartyName } from '../protocol/index.js'
import type { Offer } from './offer.js'

/** How those who were connected came apart. */
export interface Parting {
  readonly reason: EndReason
  readonly talkMs: number
}

export interface SearchTerms {
  /** Whom the devices are told that calls; absent: who does. */
  readonly callerId?: string
  /** How long those connected by it may talk; absent: as long as they like. */
  readonly timeLimitMs?: number
  /** What is asked when whoever answered is out of the call, which goes on then; absent: the call is over with them. */
  readonly action?: string
}

/** Where a call stands in a queue. */
export interface Place {
  /** From 1. */
  readonly position: number
  /** How long it will probably wait; absent while nothing is known of that. */
  readonly expectedWaitMs?: number
}

export interface Search {
  readonly terms: SearchTerms
  /** Where the call stands, if it waits its turn. */
  readonly place?: Place
  /** Everyone who is being rung. */
  readonly offers: readonly Offer[]
  /** Someone answered: all others stop ringing. */
  answered(by: PartyName): void
  /** Ends it from outside, telling every device that rings why. */
  stop(reason: CancelReason): void
  /** Whoever answered is out of the call again, which goes on: asked of a search with an `action`. */
  parted?(parting: Parting): void
}
