// One call as this device takes part in it: what it may do, and what the hub tells of it. A call holds its events
// until someone listens, so none is lost between the frame that made it and the code that awaited it.
//
//   incoming: ringing --connected--> connected --ended--> ended        ringing --cancel--> ended
//             ringing --reject--> declined --cancel--> ended
//   outgoing: trying <-> queued <-> ringing --answered--> connected --ended--> ended

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

/**
 * The hub's frames about the call. `connected`: this device has it. `cancel`: it is over for a device that did not
 * get it, and why. `ended`: it is over for the caller or the one who answered.
 */
export type CallEvents = { [T in Exclude<CallFrameType, 'invite'>]: HubFrames[T] }
/** What the hub tells of a call that is known. */
export type CallNews = CallEvents[keyof CallEvents]

export type CallState = 'trying' | 'queued' | 'ringing' | 'connected' | 'declined' | 'ended'

/** How a call ended for this device. */
export interface CallEnd {
  readonly reason: EndReason | CancelReason
  readonly message?: string | undefined
  /** Who answered or refused it elsewhere. */
  readonly by?: Party | undefined
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
  readonly sdp?: string | undefined
  readonly expiresMs?: number | undefined
}

export interface CallLine {
  readonly ask: Ask
  /** The call no longer takes the device's place. */
  readonly settled: () => void
  readonly report: (error: unknown) => void
}

export class Call extends HeldEmitter<CallEvents> {
  readonly facts: CallFacts
  readonly #line: CallLine
  readonly #connected = deferred<boolean>()
  readonly #over = deferred<CallEnd>()
  #state: CallState
  #sdp: string | undefined
  #by: Party | undefined

  /** Made by the softphone: by its `place`, or when the hub tells of a call. */
  constructor(facts: CallFacts, line: CallLine) {
    super()
    this.facts = facts
    this.#line = line
    this.#state = facts.direction === 'incoming' ? 'ringing' : 'trying'
    this.#sdp = facts.sdp
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

  get state(): CallState {
    return this.#state
  }

  /** Whether it rings, waits or is talked on here. */
  get live(): boolean {
    return this.#state !== 'declined' && this.#state !== 'ended'
  }

  /** The other side's session description, as last told. */
  get sdp(): string | undefined {
    return this.#sdp
  }

  /** Who answered an outgoing call. */
  get by(): Party | undefined {
    return this.#by
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
      if (this.#state !== 'connected') throw error
    }
  }

  /** Refuses the call on this device. `cancel` says later what became of it. */
  async reject(reason: RejectReason = 'declined'): Promise<void> {
    await this.#finish(this.#line.ask('reject', { call: this.id, reason }))
    if (this.#state !== 'ringing') return
    this.#state = 'declined'
    this.#line.settled()
  }

  /** Gives the call up, or hangs up. That it is over already is no error. */
  async hangup(reason?: string): Promise<void> {
    await this.#finish(this.#line.ask('hangup', { call: this.id, reason }))
  }

  /**
   * Relays `data`, any JSON of at most 16 KiB, to the other side. Rejects with `disconnected` if the connection was
   * lost before the hub confirmed it: it may have arrived, and is not sent twice.
   */
  async signal(data: unknown): Promise<void> {
    await this.#line.ask('signal', { call: this.id, data })
  }

  /** The softphone's: what the hub tells of the call. What is told again changes nothing. */
  apply(frame: CallNews): void {
    switch (frame.type) {
      case 'progress':
        this.#state = frame.state
        break
      case 'connected':
      case 'answered':
        if (this.#state === 'connected') return
        this.#state = 'connected'
        this.#connected.resolve(true)
        this.#sdp = frame.sdp ?? this.#sdp
        if (frame.type === 'answered') this.#by = frame.by
        break
      case 'cancel':
      case 'ended':
        this.#state = 'ended'
        this.#connected.resolve(false)
        this.#over.resolve(frame)
    }
    this.emit(frame.type, frame)
    if (this.#state === 'ended') this.#line.settled()
  }

  protected override report(error: unknown): void {
    this.#line.report(error)
  }

  async #finish(asked: Promise<unknown>): Promise<void> {
    try {
      await asked
    } catch (error) {
      if (!(error instanceof SwitchhookError) || error.code !== 'call-gone') throw error
    }
  }
}
