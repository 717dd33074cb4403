// The registration of one client (RFC 3261, section 10): while it lasts its device is there for others, and not before
// or after. There is one address, the client's own: what is sent to it takes the connection it came by. Each REGISTER
// proves anew who it is, and with it the session goes on.

import type { Timer } from '../../../runtime/index.js'
import { accountOf, formatNameAddr, type NameAddr, parseNameAddr } from './address.js'
import type { Agent, Request } from './agent.js'
import { refusedBy } from './answers.js'
import type { Proof } from './door.js'
import { lifetimeOf } from './lifetimes.js'
import type { Field, SipRequest } from './message.js'
import type { ServerTransaction } from './transactions.js'

/** Nobody registers for less. */
export const shortestSeconds = 60

/** What a REGISTER wants: to hear what there is, or to be there at an address for so long, 0 to be gone. */
export interface Wish {
  readonly contact: NameAddr | undefined
  readonly seconds: number
}

/** What a REGISTER wants; undefined where that is no wish. */
export const wishOf = ({ headers }: SipRequest): Wish | undefined => {
  const expires = headers.get('Expires')
  const first = headers.get('Contact')
  if (first === '*')
    return expires === '0' ? { contact: { uri: '*', params: new Map() }, seconds: 0 } : undefined
  const contact = parseNameAddr(first ?? '')
  return { contact, seconds: lifetimeOf(contact?.params.get('expires') ?? expires) }
}

/** Whether a request has its client there for others once it is granted. */
export const registers = (request: SipRequest): boolean => {
  const wish = request.method === 'REGISTER' ? wishOf(request) : undefined
  return wish?.contact !== undefined && wish.seconds >= shortestSeconds
}

export class Registrar {
  readonly #agent: Agent
  readonly #prove: (request: SipRequest) => Proof
  #bound: { readonly contact: NameAddr; readonly until: number } | undefined
  #timer: Timer = { cancel() {} }
  #there: boolean

  /** `there`: whether its device is there for others already. */
  constructor(agent: Agent, prove: (request: SipRequest) => Proof, there: boolean) {
    this.#agent = agent
    this.#prove = prove
    this.#there = there
  }

  get there(): boolean {
    return this.#there
  }

  /** The client has come back, and its device is there or not as it said then. */
  resume(there: boolean): void {
    this.#there = there
  }

  /** The request with which the session began has been served: one that was refused leaves nobody there. */
  settle(): void {
    if (this.#bound === undefined) this.#declare(false)
  }

  /** A REGISTER; `proven`: with it the session began. */
  receive(transaction: ServerTransaction, proven: boolean): void {
    const agent = this.#agent
    const { request } = transaction
    const { uri } = parseNameAddr(request.headers.get('To') as string) as NameAddr
    const wish = wishOf(request)
    if (accountOf(uri) !== agent.account) {
      agent.answer(transaction, 403)
      return
    }
    if (wish === undefined) {
      agent.answer(transaction, 400)
      return
    }
    if (wish.seconds > 0 && wish.seconds < shortestSeconds) {
      agent.answer(transaction, 423, { headers: [['Min-Expires', String(shortestSeconds)]] })
      return
    }
    if (proven) {
      this.#grant(transaction, wish)
      return
    }
    const proof = this.#prove(request)
    if (!proof.ok) {
      agent.transactions.respond(transaction, proof.response)
      return
    }
    const { grant, token } = proof
    if (grant !== undefined && grant.account !== agent.account) {
      agent.answer(transaction, 403)
      return
    }
    agent.ask({ type: 'token', token, ...(grant && { grant }) }, reply => {
      const refused = refusedBy(reply)
      if (refused === undefined) this.#grant(transaction, wish)
      else agent.answer(transaction, refused)
    })
  }

  #grant(transaction: ServerTransaction, { contact, seconds }: Wish): void {
    const agent = this.#agent
    if (contact !== undefined) {
      this.#timer.cancel()
      this.#bound = seconds === 0 ? undefined : { contact, until: agent.wall() + seconds * 1000 }
      this.#declare(seconds > 0)
    }
    if (this.#bound !== undefined && contact !== undefined) {
      this.#timer = agent.agenda.after(seconds * 1000, () => {
        this.#bound = undefined
        this.#declare(false)
      })
    }
    const date: Field = ['Date', new Date(agent.wall()).toUTCString()]
    agent.answer(transaction, 200, { headers: [...this.#listed(), date] })
  }

  /** Says whether the device is there, if that is news: what the client declares otherwise stays. */
  #declare(there: boolean): void {
    if (there === this.#there) return
    this.#there = there
    const status: Request = { type: 'status', status: there ? 'available' : 'offline' }
    this.#agent.ask(status)
  }

  /** The client's address, with what is left of its time. */
  #listed(): Field[] {
    if (this.#bound === undefined) return []
    const { contact, until } = this.#bound
    const left = Math.ceil((until - this.#agent.wall()) / 1000)
    const params = new Map([...contact.params, ['expires', String(left)]])
    return [['Contact', formatNameAddr({ ...contact, params })]]
  }
}
