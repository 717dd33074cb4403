// The side of a call that called: who that is, how they are told things, and how their place is free again. It is
// whoever placed the call, until they pass it on to someone else: then it is the one who had answered them.

import type { CallFrame, Party } from '../protocol/index.js'
import type { Call } from './call.js'
import type { Caller, Side } from './routing.js'
import { isParty, partyOf, sameParty } from './sides.js'

export class CallerSide {
  readonly #call: Call
  #side: Side
  /** Of someone who had answered first, as one of a group. */
  #wrapupMs = 0
  /** How long others had talked in the call before they came into it. */
  #before = 0

  constructor(call: Call) {
    this.#call = call
    this.#side = call.request.caller
    call.parts.sides.add(this.#side, call)
  }

  /** The device, where it is one of the tenant's own; its account has a place taken for the call. */
  get party(): Party | undefined {
    return partyOf(this.#side)
  }

  /** Who calls, as whoever is rung is told. */
  get from(): string {
    return isParty(this.#side) ? this.#side.account : this.#call.request.from
  }

  /** What their gateway can do with the call's media. */
  get performs(): readonly string[] {
    return isParty(this.#side) ? [] : (this.#side.performs ?? [])
  }

  /** The description of media that they called with. */
  get sdp(): string | undefined {
    return isParty(this.#side) ? undefined : this.#call.request.sdp
  }

  is(side: Side): boolean {
    const party = partyOf(side)
    return side === this.#side || (party !== undefined && sameParty(party, this.party))
  }

  /** Through whatever connection their device has now. */
  tell(frame: CallFrame): void {
    const { party } = this
    if (party === undefined) (this.#side as Caller).send(frame)
    else this.#call.parts.presence.send(party, frame)
  }

  /** They are out of it; `talkMs`: how long there was talk in the call, absent if there was none. */
  leave(talkMs: number | undefined): void {
    const { id, parts, tenant } = this.#call
    parts.sides.remove(this.#side, this.#call)
    const { party } = this
    if (party === undefined) return
    const hold = { tenant, account: party.account, call: id }
    const wrapupMs = this.#wrapupMs
    parts.presence.release(hold, talkMs === undefined ? {} : { talkMs: talkMs - this.#before, wrapupMs })
  }

  /** Whoever answered them is the caller from now on; `before`: how long there had been talk when they did. */
  become(party: Party, wrapupMs: number, before: number): void {
    this.#side = party
    this.#wrapupMs = wrapupMs
    this.#before = before
  }
}
