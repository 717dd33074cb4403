// A call that the client places (RFC 3261, section 13.3): its INVITE is a `place`, and what becomes of that is the
// INVITE's answer. It is answered once: whoever is first of a final word of the hub, a CANCEL and a BYE.
//
//   placing --placed--> early --answered--> talking --ended, BYE--> over
//   placing --refused--> over;   placing, early --CANCEL, BYE, ended--> over

import type { CallFrame, CallFrames, CallId, HubFrame } from '../../../protocol/index.js'
import { silentAnswer, silentOffer } from '../silence.js'
import { contactOf, sdpType, timerOf } from './agent.js'
import { endStatus, reasonOf, refusedBy } from './answers.js'
import { Dialog } from './dialogs.js'
import type { Leg, Legs } from './leg.js'
import { sdpOf } from './media.js'
import type { SipResponse } from './message.js'
import { Talk } from './talk.js'
import { newToken, type ServerTransaction } from './transactions.js'

/** What a client may say of a call in header fields of its own: a parameter each. */
const custom = /^X-([\w\-.]{1,64})$/i

export class PlacedLeg implements Leg {
  readonly tag = newToken()
  readonly callId: string
  readonly peer: string
  call: CallId | undefined
  talk: Talk | undefined
  readonly #legs: Legs
  readonly #invite: ServerTransaction
  readonly #dialog: Dialog
  #over = false

  constructor(legs: Legs, transaction: ServerTransaction, to: string) {
    this.#legs = legs
    this.#invite = transaction
    this.peer = to
    const { request } = transaction
    this.#dialog = Dialog.begunBy(request, this.tag)
    this.callId = this.#dialog.callId
    const params: Record<string, string> = {}
    for (const [name, value] of request.headers) {
      const [, param] = custom.exec(name) ?? []
      if (param !== undefined) params[param] = value
    }
    const sdp = sdpOf(request)
    legs.agent.answer(transaction, 100)
    const place = { type: 'place', to, ...(sdp !== undefined && { sdp }), params }
    legs.agent.ask(place, reply => this.#placed(reply))
  }

  get remoteTag(): string | undefined {
    return this.#dialog.remoteTag
  }

  hear(frame: CallFrame): void {
    if (this.#over) return
    if (frame.type === 'progress') this.#progress(frame)
    if (frame.type === 'answered') this.#answered(frame)
    if (frame.type === 'ended') this.#ended(frame)
    if (frame.type === 'signal') this.talk?.hear(frame.data)
  }

  /** The client gives up (RFC 3261, section 9.2). */
  cancel(): void {
    if (this.talk !== undefined || this.#over) return
    this.#refuse(487, 'canceled')
    if (this.call !== undefined) this.#hangup()
  }

  receive(transaction: ServerTransaction): void {
    const { agent } = this.#legs
    if (this.talk !== undefined) this.talk.receive(transaction)
    else if (transaction.request.method === 'BYE') {
      agent.answer(transaction, 200)
      this.cancel()
    } else agent.answer(transaction, 491)
  }

  drop(): void {
    if (this.talk === undefined) this.#refuse(480, 'the call is over')
    else this.talk.bye(reasonOf(480, 'the call is over'))
  }

  #placed(reply: HubFrame): void {
    const refused = refusedBy(reply)
    if (refused !== undefined) {
      this.#refuse(refused, (reply as { message: string }).message)
      return
    }
    this.call = (reply as { call: CallId }).call
    this.#legs.name(this.call, this)
    if (this.#over) this.#hangup()
  }

  #hangup(): void {
    this.#legs.agent.ask({ type: 'hangup', call: this.call })
  }

  #progress({ state }: CallFrames['progress']): void {
    if (this.talk === undefined && state !== 'trying') this.#respond(state === 'queued' ? 182 : 180)
  }

  #answered({ sdp }: CallFrames['answered']): void {
    if (this.talk !== undefined) {
      if (this.talk.unheard) this.#legs.agent.send(this.#invite.response as SipResponse)
      return
    }
    const offer = sdpOf(this.#invite.request)
    const far = sdp ?? (offer === undefined ? silentOffer() : silentAnswer(offer))
    this.talk = new Talk(
      this.#legs,
      { call: this.call as CallId, dialog: this.#dialog, peer: this.peer, theirs: offer ?? '', far },
      () => this.#legs.forget(this),
    )
    this.#legs.agent.answer(this.#invite, 200, {
      tag: this.tag,
      headers: [contactOf(this.#legs.agent), ...timerOf(this.#invite.request), sdpType],
      body: far,
    })
    this.talk.awaitAck()
  }

  #ended({ reason, message }: CallFrames['ended']): void {
    const status = endStatus(reason)
    if (this.talk === undefined) this.#refuse(status, message ?? reason)
    else this.talk.bye(reasonOf(reason === 'completed' ? 200 : status, message ?? reason))
  }

  #refuse(status: number, why: string): void {
    this.#respond(status, reasonOf(status, why))
    this.#over = true
    this.#legs.forget(this)
  }

  #respond(status: number, reason?: string): void {
    const { agent } = this.#legs
    agent.answer(this.#invite, status, {
      tag: this.tag,
      headers: [contactOf(agent), ...(reason === undefined ? [] : [['Reason', reason] as const])],
    })
  }
}
