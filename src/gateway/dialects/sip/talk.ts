// A call of the client that has a dialog: what either end does in it, and its end. Requests of the client become
// signals, a transfer, a hang-up; signals of the other side become requests. A call ends once: with a BYE from either
// end, with one that the client does not answer, or with an ACK that never came.

import type { CallId, HubFrame } from '../../../protocol/index.js'
import type { Timer } from '../../../runtime/index.js'
import { accountOf, parseNameAddr, parseUri, uriOf } from './address.js'
import type { Agent } from './agent.js'
import { reasonOf, refusedBy } from './answers.js'
import type { Dialog } from './dialogs.js'
import { maxForwards } from './dialogs.js'
import { type Field, Headers, type SipRequest, type SipResponse } from './message.js'
import { Renegotiation, type Talking } from './renegotiation.js'
import { signalOf, tonesOf } from './signals.js'
import { newToken, newVia, type ServerTransaction, transactionMs } from './transactions.js'

/** What a talk has of the calls around it. */
export interface Surroundings {
  readonly agent: Agent
  /** The call of the dialog that a Replaces names. */
  callOf(callId: string): CallId | undefined
}

export interface Parties {
  readonly call: CallId
  readonly dialog: Dialog
  /** Who is at the other side, as far as the client knows. */
  readonly peer: string
  /** What the client described, and the other side. */
  readonly theirs: string
  readonly far: string
}

/** A text in a call is a request of its own: in a dialog some clients do not know it. */
export const messageTo = (agent: Agent, from: string, type: string, content: string): SipRequest => ({
  method: 'MESSAGE',
  uri: agent.contact,
  headers: new Headers([
    ['Via', newVia()],
    maxForwards,
    ['From', `<${uriOf(from, agent.domain)}>;tag=${newToken()}`],
    ['To', `<${uriOf(agent.account, agent.domain)}>`],
    ['Call-ID', newToken()],
    ['CSeq', '1 MESSAGE'],
    ['Content-Type', type],
  ]),
  body: content,
})

export class Talk implements Talking {
  readonly agent: Agent
  readonly #around: Surroundings
  readonly #parties: Parties
  readonly #media: Renegotiation
  readonly #over: () => void
  #ackDue: Timer | undefined
  #ended = false

  /** `over` is called when nothing more is said of it. */
  constructor(around: Surroundings, parties: Parties, over: () => void) {
    this.agent = around.agent
    this.#around = around
    this.#parties = parties
    this.#over = over
    this.#media = new Renegotiation(this, parties.theirs, parties.far)
  }

  /** What the other side said beside the call. */
  hear(data: unknown): void {
    const { agent } = this
    const signal = signalOf(data)
    for (const tone of signal.dtmf ?? '') {
      const type: Field = ['Content-Type', 'application/dtmf-relay']
      this.request('INFO', [type], `Signal=${tone}\r\nDuration=160\r\n`, () => {})
    }
    if (signal.message !== undefined) {
      const { contentType, content } = signal.message
      agent.transactions.request(messageTo(agent, this.#parties.peer, contentType, content), () => {})
    }
    this.#media.hear(signal)
  }

  /** A 2xx was said: its ACK is due (RFC 3261, section 13.3.1.4). */
  awaitAck(): void {
    this.#ackDue = this.agent.agenda.after(transactionMs, () => {
      this.#hangup()
      this.bye(reasonOf(408, 'no ACK'))
    })
  }

  acked(): void {
    this.#ackDue?.cancel()
    this.#ackDue = undefined
  }

  /** Whether the client may not have heard that its call is answered. */
  get unheard(): boolean {
    return this.#ackDue !== undefined
  }

  /** A request of the client in this dialog. */
  receive(transaction: ServerTransaction): void {
    const { agent } = this
    const { request } = transaction
    if (!this.#parties.dialog.takes(request)) {
      agent.answer(transaction, 500, { headers: [['Retry-After', '1']] })
    } else if (request.method === 'BYE') this.#goodbye(transaction)
    else if (this.#ended) agent.answer(transaction, 481)
    else if (request.method === 'INFO') this.#info(transaction)
    else if (request.method === 'MESSAGE') this.message(transaction)
    else if (request.method === 'REFER') this.#refer(transaction)
    else this.#media.receive(transaction)
  }

  /** A text for the other side. */
  message(transaction: ServerTransaction): void {
    const { body, headers } = transaction.request
    const contentType = headers.get('Content-Type') ?? 'text/plain'
    this.#relay(transaction, { message: { content: body, contentType } })
  }

  /** Ends it, from the hub's side. */
  bye(reason: string): void {
    if (this.#ended) return
    this.#finish()
    const request = this.#parties.dialog.request('BYE', [['Reason', reason]])
    this.agent.transactions.request(request, response => {
      if (response.status >= 200) this.#over()
    })
  }

  request(
    method: string,
    fields: readonly Field[],
    body: string,
    heard: (response: SipResponse) => void,
  ): void {
    this.agent.transactions.request(this.#parties.dialog.request(method, fields, body), response => {
      if (response.status < 200) return
      // RFC 3261, section 12.2.1.2: the client knows nothing of this dialog, or is not there.
      if (response.status === 408 || response.status === 481) this.#gone()
      heard(response)
    })
  }

  acknowledge(response: SipResponse): void {
    this.agent.send(this.#parties.dialog.ack(response))
  }

  signal(data: unknown, answered?: (reply: HubFrame) => void): void {
    this.agent.ask({ type: 'signal', call: this.#parties.call, data }, answered)
  }

  #hangup(): void {
    this.agent.ask({ type: 'hangup', call: this.#parties.call })
  }

  #finish(): void {
    this.#ended = true
    this.acked()
    this.#media.stop()
  }

  #goodbye(transaction: ServerTransaction): void {
    this.agent.answer(transaction, 200)
    this.#gone()
  }

  /** The client has left it. Where a BYE of ours crosses that, its answer is the end. */
  #gone(): void {
    if (this.#ended) return
    this.#finish()
    this.#hangup()
    this.#over()
  }

  #relay(transaction: ServerTransaction, data: unknown): void {
    this.signal(data, reply => this.agent.answer(transaction, refusedBy(reply) ?? 200))
  }

  #info(transaction: ServerTransaction): void {
    const { body, headers } = transaction.request
    const dtmf = tonesOf(headers.get('Content-Type') ?? '', body)
    if (dtmf !== undefined) {
      this.#relay(transaction, { dtmf })
      return
    }
    this.agent.answer(transaction, 415, { headers: [['Accept', 'application/dtmf-relay, application/dtmf']] })
  }

  /** Passes the call on (RFC 3515), or connects its other side with that of another call (RFC 3891). */
  #refer(transaction: ServerTransaction): void {
    const { agent } = this
    const { call, dialog } = this.#parties
    const target = parseNameAddr(transaction.request.headers.get('Refer-To') ?? '')
    const to = target && accountOf(target.uri)
    if (target === undefined || to === undefined) {
      agent.answer(transaction, 400)
      return
    }
    const [replaced] = parseUri(target.uri)?.headers.get('Replaces')?.split(';') ?? []
    const attended = replaced === undefined ? undefined : (this.#around.callOf(replaced) ?? '-')
    agent.ask({ type: 'transfer', call, to, ...(attended !== undefined && { attended }) }, reply => {
      const refused = refusedBy(reply)
      if (refused !== undefined) return agent.answer(transaction, refused)
      agent.answer(transaction, 202)
      // What becomes of it is not this client's any more: it is told that it is done, and no more (RFC 3515, section 2.4.5).
      const fields: Field[] = [
        ['Event', 'refer'],
        ['Subscription-State', 'terminated;reason=noresource'],
        ['Content-Type', 'message/sipfrag;version=2.0'],
      ]
      agent.transactions.request(dialog.request('NOTIFY', fields, 'SIP/2.0 200 OK\r\n'), () => {})
    })
  }
}
