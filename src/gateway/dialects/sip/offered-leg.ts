// A call that the hub offers to the client (RFC 3261, section 13.2): an `invite` is an INVITE, and the answer to that
// says whether the client rings, accepts or does not. The hub has the last word: a client that accepts a call which is
// somebody else's by then is told goodbye.
//
//   inviting --1xx--> ringing --2xx--> accepting --connected--> talking --ended, BYE--> over
//   inviting, ringing --3xx to 6xx--> over;   --cancel--> canceled --487--> over, or --2xx--> goodbye

import type { CallFrame, CallFrames, CallId } from '../../../protocol/index.js'
import { silentOffer } from '../silence.js'
import { uriOf } from './address.js'
import { allow, contactOf, sdpType } from './agent.js'
import { cancelReason, reasonOf, refusedBy } from './answers.js'
import { Dialog, maxForwards } from './dialogs.js'
import type { Leg, Legs } from './leg.js'
import { sdpOf } from './media.js'
import { type Field, Headers, type SipRequest, type SipResponse } from './message.js'
import { Talk } from './talk.js'
import { type ClientTransaction, newToken, newVia, type ServerTransaction } from './transactions.js'
import { isToken, quote } from './words.js'

/** A name that anybody may have chosen, as an address of the client's domain. */
const addressOf = (name: string, domain: string): string =>
  `${quote(name)} <${uriOf(name === '' ? 'anonymous' : name, domain)}>`

const inviteOf = (
  { account, contact, domain }: Legs['agent'],
  { from, params, to }: CallFrames['invite'],
  tag: string,
  body: string,
): SipRequest => {
  const custom = Object.entries(params)
    .filter(([name]) => isToken(name))
    .map(([name, value]): Field => [`X-${name}`, value])
  const headers = new Headers([
    ['Via', newVia()],
    maxForwards,
    ['From', `${addressOf(from, domain)};tag=${tag}`],
    ['To', `<${uriOf(account, domain)}>`],
    ['Call-ID', newToken()],
    ['CSeq', '1 INVITE'],
    contactOf({ domain }),
    allow,
    // Which of several numbers or names was called (RFC 7315, section 5.2).
    ['P-Called-Party-ID', `<${uriOf(to, domain)}>`],
    ...custom,
    sdpType,
  ])
  return { method: 'INVITE', uri: contact, headers, body }
}

export class OfferedLeg implements Leg {
  readonly tag = newToken()
  readonly callId: string
  readonly peer: string
  readonly call: CallId
  talk: Talk | undefined
  readonly #legs: Legs
  /** What the hub offered; where it offered no media, silence. */
  readonly #far: string
  readonly #silent: boolean
  readonly #transaction: ClientTransaction
  #rings = false
  /** Why it is given up, once it is. */
  #canceled: string | undefined
  #remoteTag: string | undefined

  constructor(legs: Legs, frame: CallFrames['invite']) {
    this.#legs = legs
    this.call = frame.call
    this.peer = frame.from
    this.#silent = frame.sdp === undefined
    this.#far = frame.sdp ?? silentOffer()
    const request = inviteOf(legs.agent, frame, this.tag, this.#far)
    this.callId = request.headers.get('Call-ID') as string
    this.#transaction = legs.agent.transactions.request(request, response => this.#heard(response))
  }

  get remoteTag(): string | undefined {
    return this.#remoteTag
  }

  hear(frame: CallFrame): void {
    if (frame.type === 'cancel') this.#cancel(cancelReason[frame.reason])
    if (frame.type === 'ended') this.#cancel(reasonOf(200, frame.message ?? frame.reason))
    if (frame.type === 'signal') this.talk?.hear(frame.data)
  }

  receive(transaction: ServerTransaction): void {
    if (this.talk === undefined) this.#legs.agent.answer(transaction, 481)
    else this.talk.receive(transaction)
  }

  drop(): void {
    this.#cancel(reasonOf(480, 'the call is over'))
  }

  #heard(response: SipResponse): void {
    if (response.status < 200) this.#ringing()
    else if (response.status < 300) this.#accepted(response)
    else this.#refused(response.status)
  }

  #ringing(): void {
    const { agent } = this.#legs
    if (this.#rings) return
    this.#rings = true
    // Before its first response an INVITE is not to be canceled (RFC 3261, section 9.1).
    if (this.#canceled === undefined) agent.ask({ type: 'ringing', call: this.call })
    else agent.transactions.cancel(this.#transaction, this.#canceled)
  }

  #accepted(response: SipResponse): void {
    const { agent } = this.#legs
    const dialog = Dialog.answeredBy(response)
    this.#remoteTag = dialog.remoteTag
    const sdp = sdpOf(response)
    const parties = { call: this.call, dialog, peer: this.peer, theirs: sdp ?? '', far: this.#far }
    const talk = new Talk(this.#legs, parties, () => this.#legs.forget(this))
    this.talk = talk
    talk.acknowledge(response)
    if (this.#canceled !== undefined) {
      talk.bye(this.#canceled)
      return
    }
    // What answers our silence is no answer to the other side.
    const media = this.#silent || sdp === undefined ? {} : { sdp }
    agent.ask({ type: 'accept', call: this.call, ...media }, reply => {
      const refused = refusedBy(reply)
      if (refused !== undefined) talk.bye(reasonOf(refused, (reply as { message: string }).message))
    })
  }

  #refused(status: number): void {
    const reason = status === 486 || status === 600 ? 'busy' : 'declined'
    if (this.#canceled === undefined) this.#legs.agent.ask({ type: 'reject', call: this.call, reason })
    this.#legs.forget(this)
  }

  #cancel(reason: string): void {
    if (this.talk !== undefined) {
      this.talk.bye(reason)
      return
    }
    this.#canceled = reason
    if (this.#rings) this.#legs.agent.transactions.cancel(this.#transaction, reason)
  }
}
