// One call as this device takes part in it: what it may do, and what the hub tells of it. A call holds its events
// until someone listens, so none is lost between the frame that made it and the code that awaited it.
//
//   incoming: ringing --connected--> connected --ended--> ended        ringing --cancel--> ended
//             ringing --reject, hangup--> declined --cancel--> ended
//   outgoing: trying <-> queued <-> ringing --answered--> connected --ended--> ended
//             connected --progress--> trying, where whoever answered hung up and the instructions go on

import { deferred } from './deferred.js'
import { HeldEmitter } from './emitter.js'
import type {
  CallFrameType,
  CancelReason,
  EndReason,
  HubFrames,
  Params,
  Party,
  RejectReason,
} from './frames.js'
import type { Ask } from './requests.js'
import { SwitchhookError } from './switchhook-error.js'

type NewsOfCall = { [T in Exclude<CallFrameType, 'invite'>]: HubFrames[T] }
/** What the hub tells of a call that is known. */
export type CallNews = NewsOfCall[keyof NewsOfCall]

/**
 * The hub's frames about the call. `connected`: this device has it. `cancel`: it is over for a device that did not
 * get it, and why. `ended`: it is over for the caller or the one who answered.
 */
export interface CallEvents extends NewsOfCall {
  /** It stands otherwise than before: `snapshot` is another. */
  change: CallSnapshot
}

export type CallState = 'trying' | 'queued' | 'ringing' | 'connected' | 'declined' | 'ended'

/** How a call ended for this device. */
export interface CallEnd {
  readonly reason: EndReason | CancelReason
  readonly message?: string | undefined
  /** Who answered or refused it elsewhere. */
  readonly by?: Party | undefined
}

/** How a call stands for this device: a value that is replaced, never changed in place. */
export interface CallSnapshot {
  readonly state: CallState
  /** The other side's session description, as last told. */
  readonly sdp?: string | undefined
  /** Who answered an outgoing call. */
  readonly by?: Party | undefined
  /** Who has the other on hold: this side, the other one. */
  readonly heldHere?: boolean
  readonly heldThere?: boolean
  /** How it ended. */
  readonly end?: CallEnd | undefined
}

export interface CallFacts {
  readonly id: string
  readonly direction: 'incoming' | 'outgoing'
  /** Unknown of a call that the hub told again to a softphone that began after it. */
  readonly from?: string | undefined
  readonly to?: string | undefined
  /** The group or account by which this device was found. */
  readonly destination?: string | undefined
  readonly params?: Params | undefined
  /** Another call of this device's that is over, and that this one comes in place of: someone has passed it on. */
  readonly replaces?: string | undefined
  readonly sdp?: string | undefined
  readonly expiresMs?: number | undefined
}

export interface CallLine {
  readonly ask: Ask
  /** Some call stands otherwise than before. */
  readonly changed: () => void
  readonly report: (error: unknown) => void
}

export class Call extends HeldEmitter<CallEvents> {
  readonly facts: CallFacts
  readonly #line: CallLine
  readonly #connected = deferred<boolean>()
  readonly #over = deferred<CallEnd>()
  #snapshot: CallSnapshot

  /** Made by the softphone: by its `place`, or when the hub tells of a call. */
  constructor(facts: CallFacts, line: CallLine) {
    super()
    this.facts = facts
    this.#line = line
    this.#snapshot = { state: facts.direction === 'incoming' ? 'ringing' : 'trying', sdp: facts.sdp }
  }

  get id(): string {
    return this.facts.id
  }

  get direction(): 'incoming' | 'outgoing' {
    return this.facts.direction
  }

  get from(): string | undefined {
    return this.facts.from
  }

  get to(): string | undefined {
    return this.facts.to
  }

  get params(): Params {
    return this.facts.params ?? {}
  }

  /** How it stands, all in one value; the event `change` tells of the next. */
  get snapshot(): CallSnapshot {
    return this.#snapshot
  }

  get state(): CallState {
    return this.#snapshot.state
  }

  /** Whether it rings, waits or is talked on here. */
  get live(): boolean {
    return this.state !== 'declined' && this.state !== 'ended'
  }

  /** The other side's session description, as last told. */
  get sdp(): string | undefined {
    return this.#snapshot.sdp
  }

  /** Who answered an outgoing call. */
  get by(): Party | undefined {
    return this.#snapshot.by
  }

  /** Resolves with true once the call is connected here, with false if it was over before. Never rejects. */
  get connected(): Promise<boolean> {
    return this.#connected.promise
  }

  /** Resolves when the call is over for this device, by `cancel` or `ended`. Never rejects. */
  get over(): Promise<CallEnd> {
    return this.#over.promise
  }

  /** Confirms that the device rings. The softphone does so by itself, unless told not to. */
  async ringing(): Promise<void> {
    await this.#line.ask('ringing', { call: this.id })
  }

  /** Takes the call. Rejects with `call-gone` if someone else has it, or the caller gave up. */
  async accept({ sdp }: { sdp?: string | undefined } = {}): Promise<void> {
    try {
      await this.#line.ask('accept', { call: this.id, sdp })
    } catch (error) {
      // Asked twice, when the connection was lost before the answer: the first was heard.
      if (this.state !== 'connected') throw error
    }
  }

  /** Refuses the call on this device. `cancel` says later what became of it. */
  async reject(reason: RejectReason = 'declined'): Promise<void> {
    await this.#finish(this.#line.ask('reject', { call: this.id, reason }))
    this.#decline()
  }

  /** Gives the call up, or hangs up; declines one that rings here. That it is over already is no error. */
  async hangup(reason?: string): Promise<void> {
    await this.#finish(this.#line.ask('hangup', { call: this.id, reason }))
    this.#decline()
  }

  /**
   * Hands the other side on to `to`, a destination; `attended`: another call of this device's, with whom it was
   * agreed, and who is offered this one in exchange. `ended` says when it is done here. Rejects with `not-found` where
   * nothing has that name, with `call-gone` unless the call is connected.
   */
  async transfer(to: string, { attended }: { attended?: Call | undefined } = {}): Promise<void> {
    await this.#line.ask('transfer', { call: this.id, to, attended: attended?.id })
  }

  /** Has the other side on hold, or no more: a signal that both sides see (`heldHere`, `heldThere`). */
  async hold(on = true): Promise<void> {
    await this.signal({ hold: on })
    this.#change({ heldHere: on })
  }

  /**
   * Relays `data`, any JSON of at most 16 KiB, to the other side. Rejects with `disconnected` if the connection was
   * lost before the hub confirmed it: it may have arrived, and is not sent twice.
   */
  async signal(data: unknown): Promise<void> {
    await this.#line.ask('signal', { call: this.id, data })
  }

  /**
   * Gateways: says what became of a step that `perform` asked for; `data` is what it gave, as `{ digits }` of a `gather`.
   * Rejects with `conflict` if that step is not the one under way.
   */
  async performed(step: number, outcome: string, data?: unknown): Promise<void> {
    await this.#line.ask('performed', { call: this.id, step, outcome, data })
  }

  /** The softphone's: what the hub tells of the call. What is told again changes nothing. */
  apply(frame: CallNews): void {
    switch (frame.type) {
      case 'progress':
        // Who had answered has hung up, and the call goes on.
        if (this.state === 'connected')
          this.#change(
            { state: frame.state, sdp: undefined, by: undefined, heldHere: false, heldThere: false },
            frame,
          )
        else this.#change({ state: frame.state }, frame)
        break
      case 'connected':
      case 'answered':
        if (this.state === 'connected') return
        this.#connected.resolve(true)
        this.#change(
          {
            state: 'connected',
            sdp: frame.sdp ?? this.sdp,
            ...(frame.type === 'answered' && { by: frame.by }),
          },
          frame,
        )
        break
      case 'cancel':
      case 'ended':
        this.#connected.resolve(false)
        this.#over.resolve(frame)
        this.#change({ state: 'ended', end: frame }, frame)
        break
      case 'signal': {
        const { hold } = Object(frame.data) as { hold?: unknown }
        if (typeof hold === 'boolean') this.#change({ heldThere: hold }, frame)
        else this.emit('signal', frame)
        break
      }
      default:
        this.emit(frame.type, frame)
    }
  }

  protected override report(error: unknown): void {
    this.#line.report(error)
  }

  #change(change: Partial<CallSnapshot>, frame?: CallNews): void {
    this.#snapshot = { ...this.#snapshot, ...change }
    if (frame !== undefined) this.emit(frame.type, frame)
    this.emit('change', this.#snapshot)
    this.#line.changed()
  }

  #decline(): void {
    if (this.direction === 'incoming' && this.state === 'ringing') this.#change({ state: 'declined' })
  }

  async #finish(asked: Promise<unknown>): Promise<void> {
    try {
      await asked
    } catch (error) {
      if (!(error instanceof SwitchhookError) || error.code !== 'call-gone') throw error
    }
  }
}
