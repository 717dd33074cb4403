// The calls of one softphone: makes a Call of what is placed, offered or told again, and hands each frame to its
// call. After a session that could not be resumed the hub tells again what it still knows; the rest has failed.

import { Call, type CallFacts, type CallLine, type CallNews } from './call.js'
import type { CallFrame, Fields, HubFrames } from './frames.js'

export interface CallsOptions extends Omit<CallLine, 'changed'> {
  /** Confirm each offered call as ringing. */
  readonly confirmRinging: boolean
  /** A call came, went or stands otherwise: those that are live, in a new list. */
  readonly changed: (live: readonly Call[]) => void
  readonly invited: (call: Call) => void
  /** The hub told of a call that this softphone did not know: one of its device's, from before. */
  readonly restored: (call: Call) => void
}

/** Which side of an unknown call a device is on, by what it is told. */
const sides: Partial<Record<CallNews['type'], CallFacts['direction']>> = {
  connected: 'incoming',
  answered: 'outgoing',
  progress: 'outgoing',
  perform: 'outgoing',
}

export class Calls {
  readonly #options: CallsOptions
  readonly #line: CallLine
  readonly #calls = new Map<string, Call>()
  #live: readonly Call[] = []
  /** From before the session began, and not told again so far. */
  readonly #untold = new Set<string>()
  /** Requests to place a call under way: the frames about it may come before its id does. */
  #placing = 0
  #early: CallFrame[] = []

  constructor(options: CallsOptions) {
    this.#options = options
    this.#line = { ask: options.ask, report: options.report, changed: () => this.#changed() }
  }

  /** Those that ring, wait or are talked on: another list after each change. */
  get live(): readonly Call[] {
    return this.#live
  }

  async place(request: Fields<'place'>): Promise<Call> {
    this.#placing += 1
    try {
      const { call: id } = await this.#options.ask('place', request)
      const { to, from, params } = request
      return this.#add({ id, direction: 'outgoing', to, from, params })
    } finally {
      this.#placing -= 1
      const early = this.#early
      this.#early = []
      for (const frame of early) this.receive(frame)
    }
  }

  receive(frame: CallFrame): void {
    this.#untold.delete(frame.call)
    const known = this.#calls.get(frame.call)
    if (frame.type === 'invite') this.#invite(frame, known)
    else if (known !== undefined) this.#tell(known, frame)
    else if (this.#placing > 0) this.#early.push(frame)
    else this.#restore(frame)
  }

  /** There is a connection again. */
  resume(resumed: boolean): void {
    if (!resumed) for (const id of this.#calls.keys()) this.#untold.add(id)
    if (this.#untold.size > 0) void this.#reconcile()
  }

  /** No connection will come again by itself: no call can go on here. */
  end(message: string): void {
    for (const call of this.#calls.values()) this.#fail(call, message)
  }

  #add(facts: CallFacts): Call {
    const call = new Call(facts, this.#line)
    this.#calls.set(facts.id, call)
    this.#changed()
    return call
  }

  #changed(): void {
    this.#live = [...this.#calls.values()].filter(call => call.live)
    this.#options.changed(this.#live)
  }

  /** A call that was declined, and is offered once more, is a new one to its user. */
  #invite(frame: HubFrames['invite'], known: Call | undefined): void {
    const { call: id, from, to, destination, params, replaces, sdp, expiresMs } = frame
    const again = known?.live === true
    const call = again
      ? known
      : this.#add({ id, direction: 'incoming', from, to, destination, params, replaces, sdp, expiresMs })
    // Should it be gone, `cancel` says so.
    if (this.#options.confirmRinging) call.ringing().catch(() => {})
    if (!again) this.#options.invited(call)
  }

  #restore(frame: CallNews): void {
    const direction = sides[frame.type]
    if (direction === undefined) return
    const call = this.#add({ id: frame.call, direction })
    call.apply(frame)
    this.#options.restored(call)
  }

  #tell(call: Call, frame: CallNews): void {
    if (frame.type === 'cancel' || frame.type === 'ended') this.#calls.delete(call.id)
    call.apply(frame)
  }

  #fail(call: Call, message: string): void {
    this.#tell(call, { type: 'ended', call: call.id, reason: 'failed', message })
  }

  /** The hub tells calls again before it answers anything else. */
  async #reconcile(): Promise<void> {
    try {
      await this.#options.ask('ping', {})
    } catch {
      return // Lost again: the next welcome comes here once more.
    }
    for (const id of this.#untold) {
      const call = this.#calls.get(id)
      if (call !== undefined) this.#fail(call, 'the hub no longer knows this call')
    }
    this.#untold.clear()
  }
}
