// One person being rung for one call: the claim on their account, an attempt for each of their devices that ring
// together, and the time they have. It ends once, in one outcome; who is rung next is the hunt's to decide.

import type { GroupConfig } from '../config.js'
import { ok, type Result } from '../errors.js'
import type {
  AccountId,
  CallId,
  CancelReason,
  Destination,
  DeviceEntry,
  DeviceId,
  Party,
  PartyName,
  RejectReason,
} from '../protocol/index.js'
import type { Timer } from '../runtime/index.js'
import { type AttemptEvent, type AttemptState, attemptAutomaton } from './attempt.machine.js'
import type { Call } from './call.js'
import type { OfferOutcome } from './endings.js'
import type { Noun } from './instructions/index.js'
import type { Candidate } from './pick/index.js'

export interface Attempt {
  readonly party: Party
  state: AttemptState
  /** Nobody may be at the other end: its connection is lost, or it was silent before, or did not confirm ringing in time. */
  doubtful: boolean
}

/** What an offer tells the hunt that made it. */
export interface Hunter {
  /** The person is held: it is their turn. */
  claimed?(offer: Offer): void
  /** A device of theirs rings. */
  rang?(): void
  /** They have the call. */
  answered?(offer: Offer): void
  /** Every device that still rings is in doubt: time to ring the next person beside it. */
  doubted?(offer: Offer): void
  /** It is over without an answer. */
  settled(offer: Offer): void
}

export interface OfferTerms {
  readonly candidate: Candidate
  readonly noun: Noun
  readonly destination: Destination
  /** The destination's options, if it is a group. */
  readonly group: GroupConfig | undefined
  readonly timeoutMs: number
  /** Another call of theirs that they are offered this one in exchange for: it takes over the place of that one. */
  readonly replaces?: CallId
}

/** Which cool-down of a group follows on which outcome. */
export const coolDownOf = { missed: 'missed', declined: 'rejected', busy: 'busy' } as const

const nameOf = ({ party: { account, device } }: Attempt): PartyName => ({ account, device })

const isOpen = ({ state }: Attempt): boolean => state.value === 'offered' || state.value === 'ringing'

export class Offer {
  readonly account: AccountId
  outcome: OfferOutcome | 'answered' | 'canceled' | undefined
  readonly #call: Call
  readonly #hunter: Hunter
  readonly #terms: OfferTerms
  readonly #timers: Timer[] = []
  #attempts: Attempt[] = []
  #declined = false
  #missed = false
  #expiresAt = 0

  constructor(call: Call, terms: OfferTerms, hunter: Hunter) {
    this.#call = call
    this.#terms = terms
    this.#hunter = hunter
    this.account = terms.candidate.account
  }

  /** Whether someone may still answer it, and nothing speaks against it. */
  get promising(): boolean {
    return (
      this.outcome === undefined &&
      (this.#attempts.length === 0 || this.#open.some(({ doubtful }) => !doubtful))
    )
  }

  get #open(): Attempt[] {
    return this.#attempts.filter(isOpen)
  }

  get #hold() {
    return { tenant: this.#call.tenant, account: this.account, call: this.#call.id }
  }

  /** Claims the person, then offers the call to their devices. */
  async begin(): Promise<void> {
    const { presence, clock, config } = this.#call.parts
    const { timeoutMs } = this.#terms
    const claimed = await this.#claim()
    if (!claimed.ok) {
      if (this.outcome !== undefined) return
      const { code: reason, message } = claimed
      this.#call.timeline.add('claim-refused', { account: this.account, reason, message })
      this.#settle(claimed.code === 'not-found' ? 'gone' : 'refused')
      return
    }
    if (this.outcome !== undefined) {
      presence.release(this.#hold)
      return
    }
    this.#hunter.claimed?.(this)
    const { tenant } = this.#call
    this.#expiresAt = clock.now() + timeoutMs
    this.#attempts = claimed.value.map(device => ({
      party: { tenant, account: this.account, device },
      state: attemptAutomaton.initial,
      doubtful: Number(this.#entryOf(device).rank) > 0,
    }))
    this.#timers.push(clock.after(timeoutMs, () => this.#expire()))
    this.#timers.push(clock.after(config.calls.confirmMs, () => this.#unconfirmed()))
    for (const attempt of this.#attempts) this.#offer(attempt)
    if (this.#open.length === 0) this.#over('timeout')
    else if (!this.promising) this.#hunter.doubted?.(this)
  }

  async #claim(): Promise<Result<readonly DeviceId[]>> {
    const { presence } = this.#call.parts
    const { candidate, replaces } = this.#terms
    const devices = candidate.devices.map(({ device }) => device)
    if (replaces === undefined) return presence.claim(this.#hold, devices)
    presence.pass({ ...this.#hold, call: replaces }, this.#hold.call)
    return ok(devices)
  }

  #offer(attempt: Attempt): void {
    this.#move(attempt, 'offer')
    this.#call.timeline.add('offered', { account: this.account, device: attempt.party.device })
    this.#call.parts.sides.add(attempt.party, this.#call)
    if (!this.#call.parts.presence.send(attempt.party, this.#invite())) this.#close(attempt, 'fail')
    else if (!this.#confirms(attempt)) this.#rings()
  }

  #rings(): void {
    this.#call.rings()
    this.#hunter.rang?.()
  }

  #invite() {
    const { request, id, from, caller } = this.#call
    const { replaces } = this.#terms
    return {
      type: 'invite' as const,
      call: id,
      from,
      to: request.to,
      destination: this.#terms.destination,
      params: { ...request.params, ...this.#terms.noun.params },
      ...(caller.sdp !== undefined && { sdp: caller.sdp }),
      ...(replaces !== undefined && { replaces }),
      expiresMs: Math.max(0, Math.round(this.#expiresAt - this.#call.parts.clock.now())),
    }
  }

  /** Of the tiers that are rung. */
  get tier(): number {
    return this.#terms.candidate.tier
  }

  /** The options of the group that they are rung as one of; none where it is for their own name. */
  get group(): GroupConfig | undefined {
    return this.#terms.group
  }

  attemptOf(party: Party): Attempt | undefined {
    return this.#open.find(attempt => attempt.party.device === party.device && this.account === party.account)
  }

  /** The devices that may still answer. */
  get ringing(): readonly Party[] {
    return this.#open.map(({ party }) => party)
  }

  /** The invite again, for a new session of a device that is being rung. */
  again(party: Party) {
    return this.attemptOf(party) ? [this.#invite()] : []
  }

  confirm(attempt: Attempt): void {
    attempt.doubtful = false
    if (!this.#move(attempt, 'confirm')) return
    this.#call.timeline.add('ringing', { account: this.account, device: attempt.party.device })
    this.#rings()
  }

  reject(attempt: Attempt, reason: RejectReason): void {
    this.#call.timeline.add('rejected', { account: this.account, device: attempt.party.device, reason })
    if (reason === 'declined') this.#declined = true
    this.#close(attempt, 'reject')
    this.#stopped(attempt, 'rejected-elsewhere', nameOf(attempt))
  }

  lost(attempt: Attempt): void {
    this.#call.timeline.add('lost', { account: this.account, device: attempt.party.device })
    this.#doubt(attempt)
  }

  back(attempt: Attempt): void {
    attempt.doubtful = false
    this.#call.timeline.add('back', { account: this.account, device: attempt.party.device })
  }

  gone(attempt: Attempt): void {
    this.#missed = true
    this.#call.timeline.add('gone', { account: this.account, device: attempt.party.device })
    this.#close(attempt, 'fail')
    this.#stopped(attempt, 'timeout')
  }

  /** This device has won the call: its siblings stop ringing, the person is engaged. */
  win(attempt: Attempt): void {
    this.outcome = 'answered'
    this.#move(attempt, 'win')
    this.#silence('cancel', 'answered-elsewhere', nameOf(attempt))
    this.#stop()
    this.#call.parts.presence.engage(this.#hold, attempt.party.device)
    this.#hunter.answered?.(this)
  }

  /** Ends it from outside: answered elsewhere, the caller gave up, the time of the whole is over. */
  cancel(reason: CancelReason, by?: PartyName): void {
    if (this.outcome !== undefined) return
    const held = this.#attempts.length > 0
    const outcome = reason === 'timeout' && held ? 'missed' : 'canceled'
    this.outcome = outcome
    this.#silence(reason === 'timeout' ? 'time-out' : 'cancel', reason, by)
    this.#stop()
    if (held) this.#release(outcome)
  }

  #expire(): void {
    this.#missed = true
    for (const { party } of this.#open) {
      this.#call.timeline.add('timed-out', { account: this.account, device: party.device })
    }
    this.#over('timeout')
  }

  #unconfirmed(): void {
    for (const attempt of this.#open) {
      if (attempt.state.value === 'ringing' || attempt.doubtful || !this.#confirms(attempt)) continue
      this.#call.timeline.add('suspect', { account: this.account, device: attempt.party.device })
      this.#call.parts.presence.suspect(attempt.party)
      this.#doubt(attempt)
    }
  }

  #confirms({ party }: Attempt): boolean {
    return this.#entryOf(party.device).confirms !== false
  }

  /** What the presence resource said of one of the devices. */
  #entryOf(id: DeviceId): DeviceEntry {
    return this.#terms.candidate.devices.find(({ device }) => device === id) as DeviceEntry
  }

  #doubt(attempt: Attempt): void {
    attempt.doubtful = true
    if (!this.promising) this.#hunter.doubted?.(this)
  }

  /** A device rings no more: over if it was the last, in doubt if all others are. */
  #stopped({ party }: Attempt, reason: CancelReason, by?: PartyName): void {
    if (this.#open.length === 0) {
      this.#over(reason, by)
      return
    }
    this.#call.parts.presence.quiet(this.#hold, party.device)
    if (!this.promising) this.#hunter.doubted?.(this)
  }

  /** The last word about the call to the devices that ring, and to those that have rejected it. */
  #silence(event: 'cancel' | 'time-out', reason: CancelReason, by?: PartyName): void {
    for (const attempt of this.#attempts) {
      if (isOpen(attempt)) this.#close(attempt, event)
      else if (attempt.state.value !== 'rejected') continue
      this.#call.parts.presence.send(attempt.party, {
        type: 'cancel',
        call: this.#call.id,
        reason,
        ...(by && { by }),
      })
    }
  }

  #over(reason: CancelReason, by?: PartyName): void {
    this.#silence('time-out', reason, by)
    this.#settle(this.#missed ? 'missed' : this.#declined ? 'declined' : 'busy')
  }

  #settle(outcome: OfferOutcome): void {
    this.outcome = outcome
    this.#stop()
    if (outcome !== 'refused' && outcome !== 'gone') this.#release(outcome)
    this.#hunter.settled(this)
  }

  /** Gives the place back. What follows for the person is the group's to say; a call for their own name has no sequel. */
  #release(outcome: 'missed' | 'declined' | 'busy' | 'canceled'): void {
    const { group } = this.#terms
    const missed = outcome === 'missed'
    const coolDownMs = outcome === 'canceled' ? undefined : group?.coolDownMs[coolDownOf[outcome]]
    const awayAfterMisses = missed ? group?.awayAfterMisses : undefined
    this.#call.parts.presence.release(this.#hold, {
      missed,
      ...(coolDownMs !== undefined && { coolDownMs }),
      ...(awayAfterMisses !== undefined && { awayAfterMisses }),
    })
  }

  /** One device's part ends: it is no longer one of the call's sides. */
  #close(attempt: Attempt, event: AttemptEvent): void {
    this.#move(attempt, event)
    this.#call.parts.sides.remove(attempt.party, this.#call)
  }

  #move(attempt: Attempt, event: AttemptEvent): boolean {
    const next = attemptAutomaton.next(attempt.state, event)
    if (next === undefined) return false
    attempt.state = next
    this.#call.attempts?.moved(attempt.party, next.value)
    return true
  }

  #stop(): void {
    for (const timer of this.#timers) timer.cancel()
  }
}
