// The transactions of one client (RFC 3261, section 17) over a transport that loses nothing: a request that comes again
// is answered as before, a response finds its request, and each is over after 64 times T1 at the latest, whether its
// ACK or its answer came or not. There are so many and no more; those that are answered already make room.

import { randomBytes } from 'node:crypto'
import type { Timer } from '../../../runtime/index.js'
import { tagOf } from './address.js'
import type { Agenda } from './agenda.js'
import { Headers, type SipMessage, type SipRequest, type SipResponse } from './message.js'
import { responseTo } from './response.js'
import { parseCseq, parseVia } from './via.js'

/** 64 times T1: timers B, F, H and J of RFC 3261. */
export const transactionMs = 32_000

/** So many requests of one client are remembered at once. */
export const transactionLimit = 256

/** So many requests of ours wait for one client's answers at once. */
export const askedLimit = 1024

/** A request of the client. */
export interface ServerTransaction {
  readonly request: SipRequest
  /** What was answered last. */
  response?: SipResponse
  timer?: Timer
}

/** A request of ours. */
export interface ClientTransaction {
  readonly request: SipRequest
  readonly heard: (response: SipResponse) => void
  /** Until a final response, or of an INVITE that begins a dialog any. */
  timer: Timer
}

const branchOf = ({ headers }: SipMessage): string =>
  parseVia(headers.get('Via') as string)?.params.get('branch') as string

const methodOf = ({ headers }: SipMessage): string =>
  parseCseq(headers.get('CSeq') as string)?.method as string

/** By the method of CSeq: that of a response is its request's. */
const keyOf = (message: SipMessage): string => `${methodOf(message)} ${branchOf(message)}`

/** A branch of RFC 3261's form, or a tag: nobody else's, and not to be guessed. */
export const newToken = (): string => randomBytes(12).toString('hex')

/** Where our own requests come from: a client reaches us over its connection only (RFC 7118, section 5). */
const sentBy = 'switchhook.invalid'

export const newVia = (): string => `SIP/2.0/WS ${sentBy};branch=z9hG4bK${newToken()}`

export class Transactions {
  readonly #send: (message: SipMessage) => void
  readonly #agenda: Agenda
  readonly #served = new Map<string, ServerTransaction>()
  readonly #asked = new Map<string, ClientTransaction>()

  constructor(send: (message: SipMessage) => void, agenda: Agenda) {
    this.#send = send
    this.#agenda = agenda
  }

  get size(): number {
    return this.#served.size + this.#asked.size
  }

  /** A request, other than ACK, that came; undefined if it came before, and has been answered again. */
  begin(request: SipRequest): ServerTransaction | undefined {
    const key = keyOf(request)
    const known = this.#served.get(key)
    if (known !== undefined) {
      if (known.response !== undefined) this.#send(known.response)
      return undefined
    }
    if (this.#served.size >= transactionLimit && !this.#forgetOne()) {
      this.#send(responseTo(request, 503, { toTag: newToken(), headers: [['Retry-After', '5']] }))
      return undefined
    }
    const transaction: ServerTransaction = { request }
    this.#served.set(key, transaction)
    return transaction
  }

  /** The INVITE that this CANCEL is about. */
  canceledBy(request: SipRequest): ServerTransaction | undefined {
    return this.#served.get(`INVITE ${branchOf(request)}`)
  }

  /** Whether this ACK is to a refusal, whose transaction is over with it. */
  acknowledge(ack: SipRequest): boolean {
    const key = `INVITE ${branchOf(ack)}`
    const known = this.#served.get(key)
    if (known?.timer === undefined) return false
    known.timer.cancel()
    return this.#served.delete(key)
  }

  /** The client is there again, over another connection: what it has not answered may never have reached it. */
  resume(): void {
    for (const { request } of this.#asked.values()) this.#send(request)
  }

  /** Answers; what comes after a final response is not said. */
  respond(transaction: ServerTransaction, response: SipResponse): void {
    if (transaction.timer !== undefined) return
    transaction.response = response
    this.#send(response)
    if (response.status < 200) return
    const { request } = transaction
    transaction.timer = this.#agenda.after(transactionMs, () => this.#served.delete(keyOf(request)))
  }

  /**
   * Sends a request. `heard` is told of each response; one that does not come is a 408. Where the client owes too many
   * already it is not sent, and is a 503.
   */
  request(request: SipRequest, heard: (response: SipResponse) => void): ClientTransaction {
    if (this.#asked.size >= askedLimit) {
      return { request, heard, timer: this.#agenda.after(0, () => heard(responseTo(request, 503))) }
    }
    const transaction: ClientTransaction = { request, heard, timer: this.#deadline(request, heard) }
    this.#asked.set(keyOf(request), transaction)
    this.#send(request)
    return transaction
  }

  /** A response that came; one that nobody waits for is passed over. */
  heard(response: SipResponse): void {
    const key = keyOf(response)
    const transaction = this.#asked.get(key)
    if (transaction === undefined) return
    const { request } = transaction
    if (response.status < 200) {
      // An INVITE may ring for as long as whoever called likes; within a dialog nothing rings.
      const begins = tagOf(request.headers.get('To') as string) === undefined
      if (request.method === 'INVITE' && begins) transaction.timer.cancel()
    } else {
      transaction.timer.cancel()
      this.#asked.delete(key)
      if (request.method === 'INVITE' && response.status >= 300) this.#send(this.#ackTo(request, response))
    }
    transaction.heard(response)
  }

  /** Gives up an INVITE that nothing but a provisional response was heard of (RFC 3261, section 9.1). */
  cancel(invite: ClientTransaction, reason: string): void {
    const { heard, request } = invite
    invite.timer = this.#deadline(request, heard)
    const headers = this.#follow(request, 'CANCEL').add('Reason', reason)
    this.request({ ...request, method: 'CANCEL', headers, body: '' }, () => {})
  }

  #deadline(request: SipRequest, heard: ClientTransaction['heard']): Timer {
    return this.#agenda.after(transactionMs, () => {
      this.#asked.delete(keyOf(request))
      heard(responseTo(request, 408))
    })
  }

  /** The ACK to a refusal, which is of the INVITE's transaction (section 17.1.1.3). */
  #ackTo(request: SipRequest, response: SipResponse): SipRequest {
    const headers = this.#follow(request, 'ACK').set('To', response.headers.get('To') as string)
    return { ...request, method: 'ACK', headers, body: '' }
  }

  #follow({ headers }: SipRequest, method: string): Headers {
    const { seq } = parseCseq(headers.get('CSeq') as string) as { seq: number }
    return new Headers([
      ...(['Via', 'From', 'To', 'Call-ID', 'Max-Forwards'] as const).map(
        name => [name, headers.get(name) as string] as const,
      ),
      ['CSeq', `${seq} ${method}`],
    ])
  }

  /** Forgets the oldest request that is answered; false if there is none: many waited for one answer of the hub. */
  #forgetOne(): boolean {
    for (const [key, { timer }] of this.#served) {
      if (timer === undefined) continue
      timer.cancel()
      return this.#served.delete(key)
    }
    return false
  }
}
