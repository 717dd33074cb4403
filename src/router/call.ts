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
import { CallerSide } from './caller-side.js'
import { endings } from './endings.js'
import { Errand } from './errand.js'
import type { DialStep, GatewayVerb, InstructionSource, StatusCallback } from './instructions/index.js'
import type { Attempt, Offer } from './offer.js'
import { Outcome } from './outcome.js'
import type { Parts } from './parts.js'
import { Performing } from './performing.js'
import type { Standing } from './plan.js'
import { Attempts } from './record.js'
import type { MatchRoute } from './routes.js'
import type { CallRequest, CallView, Report, Side } from './routing.js'
import type { Search } from './search.js'
import { isParty, sameParty } from './sides.js'
import { StatusCallbacks } from './status-callbacks.js'
import { Talk } from './talk.js'
import { Timeline } from './timeline.js'

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
  /** What became of each device it was offered to, for its record; undefined where none is kept. */
  readonly attempts: Attempts | undefined
  /** What applications are told of it. */
  readonly callbacks: StatusCallbacks
  readonly #caller: CallerSide
  readonly #outcome: Outcome
  #state = callAutomaton.initial
  #errand: Errand | undefined
  #search: Search | undefined
  #dials = 0
  #performing: Performing | undefined
  #dialled: EndReason | undefined
  /** With whoever has answered and is in it still. */
  #talk: Talk | undefined

  constructor(
    id: CallId,
    request: CallRequest,
    source: InstructionSource | undefined,
    { settings, route }: Standing,
    parts: Parts,
    callback?: StatusCallback,
  ) {
    this.id = id
    this.request = request
    this.source = source
    this.settings = settings
    this.route = route
    this.parts = parts
    this.timeline = new Timeline(parts.clock, parts.bounds)
    this.#outcome = new Outcome(this)
    this.attempts = parts.keep && new Attempts(() => this.timeline.stamp())
    this.timeline.add('received', { from: request.from, to: request.to, direction: request.direction })
    this.#caller = new CallerSide(this)
    this.callbacks = new StatusCallbacks(this, callback)
    this.callbacks.tell('initiated')
  }

  get tenant(): TenantId {
    return this.request.tenant
  }

  get state(): CallState {
    return this.#state.value
  }

  /** Who calls: whoever placed it, or whom they passed it on to. */
  get caller(): Pick<CallerSide, 'party' | 'performs' | 'sdp'> {
    return this.#caller
  }

  get createdAt(): string {
    return this.#outcome.createdAt
  }

  get over(): boolean {
    return this.state === 'ended'
  }

  get reason(): EndReason | undefined {
    return this.#outcome.reason
  }

  /** Who calls, as those who are rung are told. */
  get from(): string {
    return this.#search?.terms.callerId ?? this.#caller.from
  }

  /** How many dials there have been. */
  get dials(): number {
    return this.#dials
  }

  /** A gateway has done something for the caller. */
  get served(): boolean {
    return this.#performing?.served === true
  }

  /** Who has answered last. */
  get by(): PartyName | undefined {
    return this.#outcome.answer?.by
  }

  /** How the last dial ended that did not end the call. */
  get dialled(): EndReason | undefined {
    return this.#dialled
  }

  /** Instructions are being fetched or followed, and nobody rings. */
  plan(): Errand {
    const errand = new Errand()
    this.#step('plan')
    this.#errand?.leave()
    this.#errand = errand
    // It may have ended before its turn came.
    if (this.over) errand.leave()
    return errand
  }

  /** A dial is over, and the call is not: back to the instructions. */
  dialledAs(reason: EndReason, facts: object = {}): void {
    const { dialCallStatus } = endings[reason]
    this.timeline.add('dialled', { outcome: reason, dialCallStatus, ...facts })
    this.passed(reason)
  }

  /** A search is over, and the call is not: it ends like this if nothing else follows. */
  passed(reason: EndReason): void {
    this.#dialled = reason
    this.#step('plan')
  }

  /** Asks the caller's gateway for a step; settles with what it says of it, or with nothing once the call is over. */
  perform(verb: GatewayVerb, told: Readonly<Record<string, unknown>>): Promise<Report | undefined> {
    this.#performing ??= new Performing(this)
    return this.#performing.ask(verb, told)
  }

  /** The gateway is done with a step. */
  performed(side: Side, report: Report): Result<undefined> {
    if (!this.#caller.is(side)) return callGone
    this.#performing ??= new Performing(this)
    return this.#performing.report(report)
  }

  /** Someone is being found; the caller hears that it is under way. */
  dial(search: Search, step: Pick<DialStep, 'to' | 'sequential'>): void {
    this.#search = search
    this.#dials++
    this.#step('place')
    this.timeline.add('dial', { to: step.to.map(({ name }) => name), sequential: step.sequential })
    this.tellProgress()
  }

  /** It waits for someone, and its caller hears where it stands. */
  enqueue(search: Search): void {
    this.#search = search
    this.waits()
  }

  /** Nobody rings any more who might have answered it: it waits for others. */
  waits(): void {
    if (this.#step('queue')) this.tellProgress()
  }

  /** A device rings; the caller hears of the first. */
  rings(): void {
    if (!this.#step('ring')) return
    this.tellProgress()
    this.callbacks.tell('ringing')
  }

  /** How it gets on, to its caller. */
  tellProgress(): void {
    this.tell(this.#progress)
  }

  /** Tells the caller. */
  tell(frame: CallFrame): void {
    this.#caller.tell(frame)
  }

  ringing(party: Party): void {
    this.#withAttempt(party, (offer, attempt) => offer.confirm(attempt))
  }

  accept(party: Party, sdp?: string): Result<undefined> {
    return this.#withAttempt(party, (offer, attempt) => {
      this.#step('connect')
      this.#talk = new Talk(this, { party, wrapupMs: this.#wrapupMs(offer), limit: this.#limit })
      const { by } = this.#talk
      this.#outcome.answered(by, sdp)
      this.timeline.add('answered', { ...by })
      offer.win(attempt)
      this.#search?.answered(by)
      this.parts.presence.send(party, { type: 'connected', call: this.id })
      this.tell(this.#answerOf(this.#talk))
      this.callbacks.tell('answered')
    })
  }

  reject(party: Party, reason: RejectReason): Result<undefined> {
    return this.#withAttempt(party, (offer, attempt) => offer.reject(attempt, reason))
  }

  /** The caller gives up or hangs up, the winner hangs up; a device that only rings declines. */
  hangup(side: Side, note?: string): Result<undefined> {
    const said = note === undefined ? {} : { note }
    if (this.#isWinner(side)) this.#left('completed', { by: this.#talk?.by, ...said })
    // Whoever placed it ends it, though they have passed it on.
    else if (this.#caller.is(side) || side === this.request.caller)
      this.end(this.#answered ? 'completed' : 'canceled', { by: 'caller', ...said })
    else return isParty(side) ? this.reject(side, 'declined') : callGone
    return ok(undefined)
  }

  signal(side: Side, data: unknown): Result<undefined> {
    const frame = { type: 'signal' as const, call: this.id, data }
    if (this.#caller.is(side)) {
      const to = this.#talk ? [this.#talk.party] : this.#offers.flatMap(({ ringing }) => ringing)
      for (const party of to) this.parts.presence.send(party, frame)
      return ok(undefined)
    }
    if (this.#isWinner(side)) {
      this.tell({ ...frame, ...(this.#talk && { from: this.#talk.by }) })
      return ok(undefined)
    }
    if (!isParty(side)) return callGone
    return this.#withAttempt(side, () =>
      this.tell({ ...frame, from: { account: side.account, device: side.device } }),
    )
  }

  lost(side: Side): void {
    if (isParty(side)) this.#withAttempt(side, (offer, attempt) => offer.lost(attempt))
    if (this.talks(side)) this.timeline.add('lost', { side: this.nameOf(side) })
  }

  back(side: Side): void {
    if (isParty(side)) this.#withAttempt(side, (offer, attempt) => offer.back(attempt))
    if (this.talks(side)) this.timeline.add('back', { side: this.nameOf(side) })
  }

  gone(side: Side): void {
    const lost = { by: this.nameOf(side), message: 'a connected side was lost for good' }
    if (this.talks(side)) {
      if (this.#isWinner(side)) this.#left('failed', lost)
      else this.end('failed', lost)
    } else if (this.#caller.is(side)) {
      this.end(this.#answered ? 'completed' : 'canceled', { by: 'caller', message: 'the caller was lost' })
    } else if (isParty(side)) this.#withAttempt(side, (offer, attempt) => offer.gone(attempt))
  }

  /** What it is at is left: nobody rings any more, and whoever answered is out of it. It is to be sent elsewhere. */
  divert(facts: { by: unknown; to: string }): void {
    this.timeline.add('diverted', facts)
    if (this.#talk) this.#part(this.#talk, { type: 'ended', call: this.id, reason: 'completed' })
    this.#leaveSearch()
  }

  /** One side of the connected call passes it on, and is out of it; the other is the caller from now on. */
  passOn(side: Party, to: string): void {
    const talk = this.#talk as Talk
    if (!this.#caller.is(side)) {
      this.divert({ by: talk.by, to })
      return
    }
    this.timeline.add('diverted', { by: 'caller', to })
    this.tell({ type: 'ended', call: this.id, reason: 'completed' })
    const before = this.#outcome.talkMs ?? 0
    this.#outcome.talked(talk.stop())
    this.#caller.leave(this.#outcome.talkMs)
    this.#caller.become(talk.party, talk.wrapupMs, before)
    this.#talk = undefined
    this.#leaveSearch()
  }

  /** The device at the other end of a call that this one is connected in; undefined: it is no device's. */
  opposite(party: Party): Party | undefined {
    return this.#caller.is(party) ? this.#talk?.party : this.#caller.party
  }

  /** Whether this side is in the connected call. */
  talks(side: Side): boolean {
    return this.state === 'connected' && (this.#caller.is(side) || this.#isWinner(side))
  }

  /** What a new session of this device must be told of the call as it stands. */
  retell(party: Party): readonly CallFrame[] {
    if (this.#isWinner(party)) return [{ type: 'connected', call: this.id }]
    if (this.#caller.is(party)) {
      return [this.#talk ? this.#answerOf(this.#talk) : this.#progress, ...(this.#performing?.asked ?? [])]
    }
    return this.#offers.flatMap(offer => offer.again(party))
  }

  /**
   * Ends the call, once: every side hears the reason, and every person is free again, at once. Only the caller, who
   * may forget the call then, hears of it when it is on record.
   */
  end(reason: EndReason, facts: { by?: unknown; note?: string; message?: string } = {}): void {
    if (!this.#step('end')) return
    const { message } = facts
    this.#outcome.ended(reason, message)
    this.#errand?.leave()
    this.callbacks.hold()
    this.#search?.stop(endings[reason].cancel)
    this.#performing?.stop()
    this.timeline.add('ended', { reason, ...facts })
    const ended = { type: 'ended' as const, call: this.id, reason, ...(message !== undefined && { message }) }
    if (this.#talk) this.#part(this.#talk, ended)
    this.callbacks.end(endings[reason].dialCallStatus)
    const tell = (told: () => void): void =>
      this.callbacks.release(() => {
        this.tell(ended)
        told()
      })
    const { keep } = this.parts
    if (keep === undefined) tell(() => {})
    else keep(this.#outcome.record(this.attempts as Attempts), tell)
    this.#caller.leave(this.#outcome.talkMs)
    this.parts.ended(this)
  }

  view(): CallView {
    return this.#outcome.view()
  }

  get #progress(): CallFrame {
    const { id: call, state } = this
    if (state === 'queued') return { type: 'progress', call, state, ...this.#search?.place }
    return { type: 'progress', call, state: state === 'ringing' ? 'ringing' : 'trying' }
  }

  get #answered(): boolean {
    return this.#outcome.answer !== undefined
  }

  #answerOf({ by }: Talk): CallFrame {
    const sdp = this.#outcome.answer?.sdp
    return { type: 'answered', call: this.id, ...(sdp !== undefined && { sdp }), by }
  }

  get #offers(): readonly Offer[] {
    return this.#search?.offers ?? []
  }

  #isWinner(side: Side): boolean {
    return isParty(side) && sameParty(side, this.#talk?.party)
  }

  /** As the timeline calls a side. */
  nameOf(side: Side): unknown {
    return this.#caller.is(side) ? 'caller' : this.#talk?.by
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

  /** The time that those who are connected by this search have. */
  get #limit() {
    const ms = this.#search?.terms.timeLimitMs
    if (ms === undefined) return undefined
    const message = `the time limit of ${ms / 1000} s is over`
    return { ms, over: () => this.#left('completed', { by: 'time-limit', message }) }
  }

  /** Whoever answered is out of it: the end, unless their search has an action, which then says how the call goes on. */
  #left(reason: EndReason, facts: { by?: unknown; note?: string; message?: string }): void {
    const search = this.#search
    if (search?.terms.action === undefined || this.#talk === undefined) {
      this.end(reason, facts)
      return
    }
    const { message } = facts
    const talkMs = this.#part(this.#talk, {
      type: 'ended',
      call: this.id,
      reason,
      ...(message !== undefined && { message }),
    })
    this.#search = undefined
    this.dialledAs(reason, { ...facts, talkMs })
    this.tellProgress()
    search.parted?.({ reason, talkMs })
  }

  #leaveSearch(): void {
    const talked = this.#answered
    this.#search?.stop('caller-canceled')
    this.#search = undefined
    this.#performing?.stop()
    this.#dialled = talked ? 'completed' : undefined
    if (talked) this.tell({ type: 'progress', call: this.id, state: 'trying' })
  }

  #part(talk: Talk, frame: CallFrame): number {
    const talkMs = talk.end(frame)
    this.#outcome.talked(talkMs)
    this.#talk = undefined
    return talkMs
  }

  /** The person's own, else the group's that they were rung as one of, else the tenant's. */
  #wrapupMs({ account, group }: Offer): number {
    const { accounts, wrapupMs } = this.settings
    return accounts.get(account)?.wrapupMs ?? group?.wrapupMs ?? wrapupMs
  }

  #step(event: CallEvent): boolean {
    const next = callAutomaton.next(this.#state, event)
    if (next === undefined) return false
    this.#state = next
    return true
  }
}
