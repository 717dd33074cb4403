// One call: its machine, who is on which side of it, and what each side is told. Every method is one synchronous
// turn, so that of two that race one comes first, and the machine refuses the other.

import type { TenantConfig } from '../config.js'
import { ok, type Refusal, type Result, refuse } from '../errors.js'
import type {
  CallFrame,
  CallId,
  CallState,
  EndReason,
  Party,
  PartyName,
  RejectReason,
  TenantId,
} from '../protocol/index.js'
import { type CallEvent, callAutomaton } from './call.machine.js'
import { endings } from './endings.js'
import type { DialStep, InstructionSource } from './instructions/index.js'
import type { Attempt, Offer } from './offer.js'
import type { Parts } from './parts.js'
import type { Standing } from './plan.js'
import type { MatchRoute } from './routes.js'
import type { CallRequest, CallView, Side } from './routing.js'
import { isParty, partyOf, sameParty } from './sides.js'
import { Timeline } from './timeline.js'
import type { Dialing } from './verbs/dial.js'

interface Winner {
  readonly party: Party
  readonly name: PartyName
  /** Monotonic milliseconds. */
  readonly since: number
  /** How long the person is in wrap-up afterwards. */
  readonly wrapupMs: number
  lost: boolean
}

export const callGone: Refusal = refuse('call-gone', 'no such call, or it is not yours to answer any more')

export class Call {
  readonly id: CallId
  readonly request: CallRequest
  /** Instructions that came with the call. */
  readonly source: InstructionSource | undefined
  /** The tenant's, as they were when the call came. */
  readonly settings: TenantConfig
  readonly route: MatchRoute
  readonly parts: Parts
  readonly timeline: Timeline
  readonly createdAt: string
  #ending: AbortController | undefined
  #state = callAutomaton.initial
  #dialing: Dialing | undefined
  #dialled: EndReason | undefined
  #winner: Winner | undefined
  #sdp: string | undefined
  #end: { reason: EndReason; message?: string; at: string } | undefined

  constructor(
    id: CallId,
    request: CallRequest,
    source: InstructionSource | undefined,
    { settings, route }: Standing,
    parts: Parts,
  ) {
    this.id = id
    this.request = request
    this.source = source
    this.settings = settings
    this.route = route
    this.parts = parts
    this.timeline = new Timeline(parts.clock, parts.bounds)
    this.createdAt = this.timeline.stamp()
    this.timeline.add('received', { from: request.from, to: request.to, direction: request.direction })
    parts.sides.add(request.caller, this)
  }

  get tenant(): TenantId {
    return this.request.tenant
  }

  get state(): CallState {
    return this.#state.value
  }

  get over(): boolean {
    return this.state === 'ended'
  }

  /** Aborted when the call ends: for what waits meanwhile. */
  get ending(): AbortSignal {
    this.#ending ??= new AbortController()
    return this.#ending.signal
  }

  get reason(): EndReason | undefined {
    return this.#end?.reason
  }

  /** How the last dial ended that nobody answered. */
  get dialled(): EndReason | undefined {
    return this.#dialled
  }

  /** Instructions are being fetched or followed, and nobody rings. */
  plan(): void {
    this.#step('plan')
  }

  /** Nobody answered a dial: back to the instructions. */
  unanswered(reason: EndReason): void {
    this.#dialled = reason
    this.timeline.add('dialled', { outcome: reason, dialCallStatus: endings[reason].dialCallStatus })
    this.plan()
  }

  /** Someone is being found; the caller hears that it is under way. */
  dial(dialing: Dialing, step: DialStep): void {
    this.#dialing = dialing
    this.#step('place')
    this.timeline.add('dial', { to: step.to.map(({ name }) => name), sequential: step.sequential })
    this.tell({ type: 'progress', call: this.id, state: 'trying' })
  }

  /** A device rings; the caller hears of the first. */
  rings(): void {
    if (this.#step('ring')) this.tell({ type: 'progress', call: this.id, state: 'ringing' })
  }

  /** Tells the caller, through whatever connection their device has now. */
  tell(frame: CallFrame): void {
    const { caller } = this.request
    if (caller.party === undefined) caller.send(frame)
    else this.parts.presence.send(caller.party, frame)
  }

  ringing(party: Party): void {
    this.#withAttempt(party, (offer, attempt) => offer.confirm(attempt))
  }

  accept(party: Party, sdp?: string): Result<undefined> {
    return this.#withAttempt(party, (offer, attempt) => {
      this.#step('connect')
      const by: PartyName = { account: party.account, device: party.device }
      const wrapupMs = this.#wrapupMs(offer)
      this.#winner = { party, name: by, since: this.parts.clock.now(), wrapupMs, lost: false }
      this.#sdp = sdp
      this.timeline.add('answered', { ...by })
      offer.win(attempt)
      this.#dialing?.answered(by)
      this.parts.presence.send(party, { type: 'connected', call: this.id })
      this.tell({ type: 'answered', call: this.id, ...(sdp !== undefined && { sdp }), by })
    })
  }

  reject(party: Party, reason: RejectReason): Result<undefined> {
    return this.#withAttempt(party, (offer, attempt) => offer.reject(attempt, reason))
  }

  /** The caller gives up or hangs up, the winner hangs up; a device that only rings declines. */
  hangup(side: Side, note?: string): Result<undefined> {
    const said = note === undefined ? {} : { note }
    const connected = this.state === 'connected'
    if (this.#isWinner(side)) this.end('completed', { by: this.#winner?.name, ...said })
    else if (this.#isCaller(side)) this.end(connected ? 'completed' : 'canceled', { by: 'caller', ...said })
    else return isParty(side) ? this.reject(side, 'declined') : callGone
    return ok(undefined)
  }

  signal(side: Side, data: unknown): Result<undefined> {
    const frame = { type: 'signal' as const, call: this.id, data }
    if (this.#isCaller(side)) {
      const to = this.#winner ? [this.#winner.party] : this.#offers.flatMap(({ ringing }) => ringing)
      for (const party of to) this.parts.presence.send(party, frame)
      return ok(undefined)
    }
    if (this.#isWinner(side)) {
      this.tell({ ...frame, ...(this.#winner && { from: this.#winner.name }) })
      return ok(undefined)
    }
    if (!isParty(side)) return callGone
    return this.#withAttempt(side, () =>
      this.tell({ ...frame, from: { account: side.account, device: side.device } }),
    )
  }

  lost(side: Side): void {
    if (isParty(side)) this.#withAttempt(side, (offer, attempt) => offer.lost(attempt))
    if (this.talks(side)) this.timeline.add('lost', { side: this.#nameOf(side) })
  }

  back(side: Side): void {
    if (isParty(side)) this.#withAttempt(side, (offer, attempt) => offer.back(attempt))
    if (this.talks(side)) this.timeline.add('back', { side: this.#nameOf(side) })
  }

  gone(side: Side): void {
    if (this.talks(side))
      this.end('failed', { by: this.#nameOf(side), message: 'a connected side was lost for good' })
    else if (this.#isCaller(side)) this.end('canceled', { by: 'caller', message: 'the caller was lost' })
    else if (isParty(side)) this.#withAttempt(side, (offer, attempt) => offer.gone(attempt))
  }

  /** Whether this side is in the connected call. */
  talks(side: Side): boolean {
    return this.state === 'connected' && (this.#isCaller(side) || this.#isWinner(side))
  }

  /** What a new session of this device must be told of the call as it stands. */
  retell(party: Party): readonly CallFrame[] {
    if (this.#isWinner(party)) return [{ type: 'connected', call: this.id }]
    if (this.#isCaller(party)) {
      return [
        this.#winner
          ? {
              type: 'answered',
              call: this.id,
              ...(this.#sdp !== undefined && { sdp: this.#sdp }),
              by: this.#winner.name,
            }
          : { type: 'progress', call: this.id, state: this.state === 'ringing' ? 'ringing' : 'trying' },
      ]
    }
    return this.#offers.flatMap(offer => offer.again(party))
  }

  /** Ends the call, once: every side hears the reason, and every person is free again. */
  end(reason: EndReason, facts: { by?: unknown; note?: string; message?: string } = {}): void {
    const connected = this.state === 'connected'
    if (!this.#step('end')) return
    const { caller } = this.request
    const { message } = facts
    this.#end = { reason, ...(message !== undefined && { message }), at: this.timeline.stamp() }
    this.#ending?.abort()
    this.#dialing?.stop(endings[reason].cancel)
    this.timeline.add('ended', { reason, ...facts })
    const ended = { type: 'ended' as const, call: this.id, reason, ...(message !== undefined && { message }) }
    const talkMs =
      this.#winner && connected ? Math.round(this.parts.clock.now() - this.#winner.since) : undefined
    if (this.#winner) {
      this.parts.presence.send(this.#winner.party, ended)
      this.parts.sides.remove(this.#winner.party, this)
      this.#release(this.#winner.party, talkMs, this.#winner.wrapupMs)
    }
    this.tell(ended)
    this.parts.sides.remove(caller, this)
    if (caller.party) this.#release(caller.party, talkMs, 0)
    this.parts.ended(this)
  }

  view(): CallView {
    const { to, from, caller } = this.request
    const { timeline } = this
    return {
      call: this.id,
      to,
      from,
      state: this.state,
      createdAt: this.createdAt,
      ...(this.#end && { endedAt: this.#end.at, reason: this.#end.reason }),
      ...(this.#end?.message !== undefined && { message: this.#end.message }),
      ...(this.#winner && { by: this.#winner.name }),
      ...(this.#sdp !== undefined && { sdp: this.#sdp }),
      get timeline() {
        return timeline.lines
      },
      owner: caller.account,
    }
  }

  get #offers(): Offer[] {
    return this.#dialing?.offers ?? []
  }

  #isCaller(side: Side): boolean {
    const { caller } = this.request
    const party = partyOf(side)
    return side === caller || (party !== undefined && sameParty(party, caller.party))
  }

  #isWinner(side: Side): boolean {
    return isParty(side) && sameParty(side, this.#winner?.party)
  }

  #nameOf(side: Side): unknown {
    return this.#isCaller(side) ? 'caller' : this.#winner?.name
  }

  #withAttempt(party: Party, act: (offer: Offer, attempt: Attempt) => void): Result<undefined> {
    for (const offer of this.#offers) {
      const attempt = offer.attemptOf(party)
      if (attempt !== undefined) {
        act(offer, attempt)
        return ok(undefined)
      }
    }
    return callGone
  }

  /** The person's own, else the group's that they were rung as one of, else the tenant's. */
  #wrapupMs({ account, group }: Offer): number {
    const { accounts, wrapupMs } = this.settings
    return accounts.get(account)?.wrapupMs ?? group?.wrapupMs ?? wrapupMs
  }

  #release({ account }: Party, talkMs: number | undefined, wrapupMs: number): void {
    this.parts.presence.release(
      { tenant: this.tenant, account, call: this.id },
      talkMs === undefined ? {} : { talkMs, wrapupMs },
    )
  }

  #step(event: CallEvent): boolean {
    const next = callAutomaton.next(this.#state, event)
    if (next === undefined) return false
    this.#state = next
    return true
  }
}
