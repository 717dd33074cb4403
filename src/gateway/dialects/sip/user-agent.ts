// The hub as a user agent of one client that is let in: what its requests are for, and what frames of the hub say to it.
// It outlives a connection: where the same application comes back over another, it goes on with its dialogs.

import type { HubFrame } from '../../../protocol/index.js'
import { isCallFrame } from '../../../protocol/index.js'
import type { Clock } from '../../../runtime/index.js'
import { tagOf } from './address.js'
import { Agenda } from './agenda.js'
import { type Agent, allow, type Extras, extensions, type Request } from './agent.js'
import { Calls } from './calls.js'
import type { Proof } from './door.js'
import { isRequest, type SipMessage, type SipRequest } from './message.js'
import { Publication } from './publication.js'
import { Registrar } from './registrar.js'
import { responseTo } from './response.js'
import { Subscriptions } from './subscriptions.js'
import { newToken, type ServerTransaction, Transactions } from './transactions.js'

/** The connection that there is. */
export interface Wire {
  send(message: SipMessage): void
  ask(frame: Request, answered?: (reply: HubFrame) => void): void
}

export interface Identity {
  readonly account: string
  readonly domain: string
  readonly contact: string
  /** Whether its device is there for others. */
  readonly there: boolean
}

/** The methods that are only for a dialog there is. */
const ofDialogs: ReadonlySet<string> = new Set(['BYE', 'INFO', 'UPDATE', 'REFER'])

export class UserAgent implements Agent {
  readonly account: string
  readonly domain: string
  readonly contact: string
  readonly agenda: Agenda
  readonly transactions: Transactions
  readonly #clock: Clock
  readonly #tag = newToken()
  readonly #calls: Calls
  readonly #registrar: Registrar
  readonly #subscriptions: Subscriptions
  readonly #publication: Publication
  #wire: Wire

  constructor(clock: Clock, wire: Wire, prove: (request: SipRequest) => Proof, identity: Identity) {
    this.#clock = clock
    this.#wire = wire
    this.account = identity.account
    this.domain = identity.domain
    this.contact = identity.contact
    this.agenda = new Agenda(clock)
    this.transactions = new Transactions(message => this.send(message), this.agenda)
    this.#calls = new Calls(this)
    this.#registrar = new Registrar(this, prove, identity.there)
    this.#subscriptions = new Subscriptions(this)
    this.#publication = new Publication(this)
  }

  /** How much it remembers: dialogs, transactions, what is to happen later. */
  get size(): number {
    return this.#calls.size + this.#subscriptions.size + this.transactions.size + this.agenda.size
  }

  wall(): number {
    return this.#clock.wall()
  }

  send(message: SipMessage): void {
    this.#wire.send(message)
  }

  ask(frame: Request, answered?: (reply: HubFrame) => void): void {
    this.#wire.ask(frame, answered)
  }

  answer(
    transaction: ServerTransaction,
    status: number,
    { tag = this.#tag, headers, body }: Extras = {},
  ): void {
    const response = responseTo(transaction.request, status, {
      ...(status > 100 && { toTag: tag }),
      ...(headers && { headers }),
      ...(body !== undefined && { body }),
    })
    this.transactions.respond(transaction, response)
  }

  /** A message of the client; `proven`: the request with which its session began. */
  receive(message: SipMessage, proven = false): void {
    if (!isRequest(message)) this.transactions.heard(message)
    else if (message.method === 'ACK') {
      if (!this.transactions.acknowledge(message)) this.#calls.acked(message)
    } else {
      const transaction = this.transactions.begin(message)
      if (transaction !== undefined) this.#serve(transaction, proven)
    }
    if (proven) this.#registrar.settle()
  }

  /** A frame of the hub that answers none of ours. */
  hear(frame: HubFrame): void {
    if (frame.type === 'presence') this.#subscriptions.hear(frame)
    if (isCallFrame(frame)) this.#calls.hear(frame)
  }

  /** The connection is lost. */
  rest(): void {
    this.agenda.stop()
  }

  /** Goes on over this connection, in a new session, as the client that it was. */
  resume(wire: Wire, there: boolean): void {
    this.#wire = wire
    this.agenda.resume()
    // After the answer to what it comes back with.
    this.agenda.after(0, () => this.transactions.resume())
    this.#registrar.resume(there)
    this.#calls.resume()
    this.#subscriptions.resume()
    const { frame } = this.#publication
    if (there && frame !== undefined) this.ask(frame)
  }

  #serve(transaction: ServerTransaction, proven: boolean): void {
    const { request } = transaction
    const { headers, method } = request
    const unknown = [...headers.all('Require'), ...headers.all('Proxy-Require')].filter(
      name => !extensions.has(name),
    )
    if (method === 'CANCEL') this.#cancel(transaction)
    else if (headers.get('Max-Forwards') === '0') this.answer(transaction, 483)
    else if (unknown.length > 0) {
      this.answer(transaction, 420, { headers: [['Unsupported', unknown.join(', ')]] })
    } else if (method === 'REGISTER') this.#registrar.receive(transaction, proven)
    else if (method === 'OPTIONS') this.#options(transaction)
    else if (method === 'SUBSCRIBE') this.#subscriptions.receive(transaction)
    else if (method === 'PUBLISH') this.#publish(transaction)
    else if (method === 'INVITE' || method === 'MESSAGE' || ofDialogs.has(method)) this.#call(transaction)
    else this.answer(transaction, 405, { headers: [allow] })
  }

  #cancel(transaction: ServerTransaction): void {
    const invited = this.transactions.canceledBy(transaction.request)
    this.answer(transaction, invited === undefined ? 481 : 200)
    if (invited !== undefined) this.#calls.cancel(invited)
  }

  #call(transaction: ServerTransaction): void {
    const { headers, method } = transaction.request
    const begins = tagOf(headers.get('To') as string) === undefined
    if (begins && method === 'INVITE') this.#calls.place(transaction)
    else if (begins && method === 'MESSAGE') this.#calls.message(transaction)
    else this.#calls.receive(transaction)
  }

  #publish(transaction: ServerTransaction): void {
    if (this.#registrar.there) this.#publication.receive(transaction)
    else this.answer(transaction, 403)
  }

  #options(transaction: ServerTransaction): void {
    this.answer(transaction, 200, {
      headers: [
        allow,
        ['Accept', 'application/sdp, application/pidf+xml, application/dtmf-relay, text/plain'],
        ['Allow-Events', 'presence'],
        ['Supported', [...extensions].join(', ')],
      ],
    })
  }
}
