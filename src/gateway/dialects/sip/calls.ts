// The calls of one client: which leg a request, or a frame of the hub, is for. When the client comes back over another
// connection, what the hub tells again of is gone on with, and what it does not is over.

import type { CallFrame, CallId } from '../../../protocol/index.js'
import { accountOf, tagOf } from './address.js'
import type { Agent } from './agent.js'
import type { Leg, Legs } from './leg.js'
import type { SipRequest } from './message.js'
import { OfferedLeg } from './offered-leg.js'
import { PlacedLeg } from './placed-leg.js'
import type { ServerTransaction } from './transactions.js'

/** So many calls a client has at once. */
export const callLimit = 64

export class Calls implements Legs {
  readonly agent: Agent
  readonly #byTag = new Map<string, Leg>()
  readonly #byCall = new Map<CallId, Leg>()
  readonly #placed = new WeakMap<ServerTransaction, PlacedLeg>()
  /** Those that the hub has not told of since the client came back. */
  #untold = new Set<Leg>()

  constructor(agent: Agent) {
    this.agent = agent
  }

  get size(): number {
    return this.#byTag.size
  }

  name(call: CallId, leg: Leg): void {
    this.#byCall.set(call, leg)
  }

  forget(leg: Leg): void {
    this.#byTag.delete(leg.tag)
  }

  callOf(callId: string): CallId | undefined {
    return [...this.#byTag.values()].find(leg => leg.callId === callId)?.call
  }

  /** An INVITE without a dialog. */
  place(transaction: ServerTransaction): void {
    const { agent } = this
    const to = accountOf(transaction.request.uri)
    if (to === undefined) {
      agent.answer(transaction, 484)
      return
    }
    if (this.#byTag.size >= callLimit) {
      agent.answer(transaction, 503, { headers: [['Retry-After', '5']] })
      return
    }
    const leg = new PlacedLeg(this, transaction, to)
    this.#byTag.set(leg.tag, leg)
    this.#placed.set(transaction, leg)
  }

  /** A CANCEL of the INVITE that `invited` is. */
  cancel(invited: ServerTransaction): void {
    this.#placed.get(invited)?.cancel()
  }

  /** A request in a dialog. */
  receive(transaction: ServerTransaction): void {
    const leg = this.#legOf(transaction.request)
    if (leg === undefined) this.agent.answer(transaction, 481)
    else leg.receive(transaction)
  }

  acked(ack: SipRequest): void {
    this.#legOf(ack)?.talk?.acked()
  }

  /** A text without a dialog: for whoever the client has a call with. */
  message(transaction: ServerTransaction): void {
    const to = accountOf(transaction.request.uri)
    const leg = [...this.#byTag.values()].find(({ peer, talk }) => talk !== undefined && peer === to)
    if (leg?.talk === undefined) this.agent.answer(transaction, 404)
    else leg.talk.message(transaction)
  }

  hear(frame: CallFrame): void {
    const leg = this.#byCall.get(frame.call)
    if (frame.type === 'ended' || frame.type === 'cancel') this.#byCall.delete(frame.call)
    if (leg !== undefined) {
      this.#untold.delete(leg)
      leg.hear(frame)
    } else if (frame.type === 'invite') {
      const offered = new OfferedLeg(this, frame)
      this.#byTag.set(offered.tag, offered)
      this.#byCall.set(offered.call, offered)
    } else if (frame.type === 'connected' || frame.type === 'answered' || frame.type === 'progress') {
      // Somebody else's dialog, or one that the client had before it was loaded anew.
      this.agent.ask({ type: 'hangup', call: frame.call })
    }
  }

  /** The client is back: the hub tells of its calls, in this turn. */
  resume(): void {
    const untold = new Set([...this.#byTag.values(), ...this.#byCall.values()])
    this.#untold = untold
    this.agent.agenda.after(0, () => {
      for (const leg of untold) {
        if (leg.call !== undefined) this.#byCall.delete(leg.call)
        leg.drop()
      }
    })
  }

  #legOf({ headers }: SipRequest): Leg | undefined {
    const leg = this.#byTag.get(tagOf(headers.get('To') as string) as string)
    const isItsOwn =
      leg?.callId === headers.get('Call-ID') && leg?.remoteTag === tagOf(headers.get('From') as string)
    return isItsOwn ? leg : undefined
  }
}
