// The calls of one client, as far as its language needs them remembered: under which names it knows them, what it was
// offered, and whether it is at such a point of one that words about another would be taken for words about this one.

import type { CallId } from '../../../protocol/index.js'

export interface VoiceCall {
  /** The hub's id; absent until a call that the client placed has one. */
  call?: CallId
  /** The name that its caller gave it; the hub's is told by the first word about it. */
  readonly name?: string
  /** What its caller offered, until it is answered. */
  offer?: string | undefined
  /** Whether the offer it rings with was made here, for want of another. */
  readonly silent?: boolean
  /** Whether that offer took the place of one that was made over a lost connection. */
  readonly anew?: boolean
  state: 'placed' | 'ringing' | 'rung' | 'taken' | 'up'
  /** Its caller has hung up before the hub had said how it is called. */
  left?: boolean
  /** A new offer of the client's waits for its answer. */
  reoffered?: boolean
}

export class VoiceCalls {
  readonly #byName = new Map<string, VoiceCall>()

  /** By the hub's id, or by its caller's name for it. */
  find(callsid: string): VoiceCall | undefined {
    return this.#byName.get(callsid)
  }

  add(call: VoiceCall): VoiceCall {
    for (const name of [call.name, call.call]) if (name !== undefined) this.#byName.set(name, call)
    return call
  }

  /** Ends it here; what is said of it from now on is said of nothing. */
  drop(call: VoiceCall): void {
    for (const name of [call.name, call.call]) if (name !== undefined) this.#byName.delete(name)
  }

  /**
   * Whether the client is offered a call that it has not answered: it takes `ringing` of another for a word about that
   * one, too, and the name in it for that one's name.
   */
  get offered(): boolean {
    return [...this.#byName.values()].some(({ state }) => state === 'rung')
  }

  /** A client that places a call rings no more, and says nothing of it. */
  ignored(): void {
    for (const call of this.#byName.values()) if (call.state === 'rung') call.state = 'taken'
  }
}
