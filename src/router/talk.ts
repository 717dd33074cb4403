// Whoever has answered a call, for as long as they are in it: since when they talk, how long they may, and how they are
// free again.

import type { CallFrame, Party, PartyName } from '../protocol/index.js'
import type { Timer } from '../runtime/index.js'
import type { Call } from './call.js'

export interface TalkTerms {
  readonly party: Party
  /** How long the person is in wrap-up afterwards. */
  readonly wrapupMs: number
  /** How long it may last, and what happens then; absent: as long as they like. */
  readonly limit?: { readonly ms: number; readonly over: () => void } | undefined
}

export class Talk {
  readonly party: Party
  readonly by: PartyName
  readonly #call: Call
  /** Monotonic milliseconds. */
  readonly #since: number
  readonly wrapupMs: number
  readonly #limit: Timer | undefined

  constructor(call: Call, { party, wrapupMs, limit }: TalkTerms) {
    const { clock } = call.parts
    this.party = party
    this.by = { account: party.account, device: party.device }
    this.#call = call
    this.#since = clock.now()
    this.wrapupMs = wrapupMs
    this.#limit = limit && clock.after(limit.ms, limit.over)
  }

  /** It is over; how long it lasted, in milliseconds. */
  stop(): number {
    this.#limit?.cancel()
    return Math.round(this.#call.parts.clock.now() - this.#since)
  }

  /** The last word to who answered, who is free again; how long they talked, in milliseconds. */
  end(frame: CallFrame): number {
    const { id, parts, tenant } = this.#call
    const { party } = this
    const talkMs = this.stop()
    parts.presence.send(party, frame)
    parts.sides.remove(party, this.#call)
    parts.presence.release({ tenant, account: party.account, call: id }, { talkMs, wrapupMs: this.wrapupMs })
    return talkMs
  }
}
