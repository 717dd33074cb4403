// Other descriptions of media within a call (RFC 3264, section 8; RFC 3261, section 14; RFC 3311). An offer of the
// client goes to the other side as a signal, and is answered as that answers it; one that asks for nothing new, and one
// of another direction that the other side leaves unanswered, is answered with what that side said before. One offer
// at a time: a second one, from either end, is told to wait (491), or is refused.

import type { HubFrame } from '../../../protocol/index.js'
import type { Timer } from '../../../runtime/index.js'
import { type Agent, contactOf, sdpType, timerOf } from './agent.js'
import { refusedBy } from './answers.js'
import { answerAgain, holds, sameTransport, sdpOf, unchanged } from './media.js'
import type { Field, SipResponse } from './message.js'
import type { Signal } from './signals.js'
import type { ServerTransaction } from './transactions.js'

/** How long the other side has for its answer. */
export const answerMs = 5_000

/** The call that it is about. */
export interface Talking {
  readonly agent: Agent
  /** A request in the dialog; `heard` is told of its final response. */
  request(
    method: string,
    fields: readonly Field[],
    body: string,
    heard: (response: SipResponse) => void,
  ): void
  acknowledge(response: SipResponse): void
  signal(data: unknown, answered?: (reply: HubFrame) => void): void
}

export class Renegotiation {
  readonly #talk: Talking
  /** What the client described last, and the other side. */
  #theirs: string
  #far: string
  #held = false
  #pending: ServerTransaction | undefined
  #deadline: Timer = { cancel() {} }
  #offering = false

  constructor(talk: Talking, theirs: string, far: string) {
    this.#talk = talk
    this.#theirs = theirs
    this.#far = far
  }

  /** A re-INVITE or an UPDATE. */
  receive(transaction: ServerTransaction): void {
    const { agent } = this.#talk
    const { request } = transaction
    const offer = sdpOf(request)
    if (this.#pending !== undefined || this.#offering) agent.answer(transaction, 491)
    else if (offer === undefined)
      this.#accept(transaction, request.method === 'INVITE' ? this.#far : undefined)
    else if (unchanged(offer, this.#theirs)) {
      this.#accept(transaction, answerAgain(this.#far, this.#theirs, offer))
    } else this.#relay(transaction, offer)
  }

  /** What the other side says of media. */
  hear({ offer, answer, refused }: Signal): void {
    if (offer !== undefined) this.#offer(offer)
    if (answer !== undefined) this.#settle(answer)
    if (refused) this.#settle(undefined)
  }

  /** The call is over. */
  stop(): void {
    this.#deadline.cancel()
    if (this.#pending !== undefined) this.#talk.agent.answer(this.#pending, 487)
    this.#pending = undefined
  }

  #relay(transaction: ServerTransaction, offer: string): void {
    const { agent } = this.#talk
    this.#pending = transaction
    const held = holds(offer)
    if (held !== this.#held) this.#talk.signal({ hold: held })
    this.#held = held
    this.#deadline = agent.agenda.after(answerMs, () => this.#settle(undefined))
    this.#talk.signal({ offer }, reply => {
      if (refusedBy(reply) !== undefined) this.#settle(undefined)
    })
  }

  #settle(answer: string | undefined): void {
    const { agent } = this.#talk
    const transaction = this.#pending
    if (transaction === undefined) return
    this.#deadline.cancel()
    this.#pending = undefined
    const offer = transaction.request.body
    if (answer === undefined && !sameTransport(offer, this.#theirs)) agent.answer(transaction, 488)
    else {
      this.#accept(transaction, answer ?? answerAgain(this.#far, this.#theirs, offer))
      this.#theirs = offer
      this.#far = answer ?? this.#far
    }
  }

  #offer(offer: string): void {
    const talk = this.#talk
    if (this.#pending !== undefined || this.#offering) {
      talk.signal({ refused: true })
      return
    }
    this.#offering = true
    talk.request('INVITE', [contactOf(talk.agent), sdpType], offer, response => {
      this.#offering = false
      if (response.status < 300) talk.acknowledge(response)
      const answer = sdpOf(response)
      if (response.status >= 300 || answer === undefined) return talk.signal({ refused: true })
      this.#theirs = answer
      this.#far = offer
      talk.signal({ answer })
    })
  }

  #accept(transaction: ServerTransaction, sdp: string | undefined): void {
    const { agent } = this.#talk
    const fields = [contactOf(agent), ...timerOf(transaction.request)]
    if (sdp === undefined) agent.answer(transaction, 200, { headers: fields })
    else agent.answer(transaction, 200, { headers: [...fields, sdpType], body: sdp })
  }
}
