// What an application is told while a call goes on: `initiated`, `ringing`, `answered`, `completed`, each at most once
// and in that order, with the fields that voice applications know; of a call whose caller asked for it, and of each
// destination of a dial that names an address. That it comes to them is the webhooks room's. What belongs to the end
// of a call is handed over once that is on record, and its caller hears of it once this is kept, too.

import { locate } from '../egress/index.js'
import type { CancelReason, TenantId } from '../protocol/index.js'
import type { Call } from './call.js'
import {
  type CallbackEvent,
  callbackEvents,
  type DialStep,
  type StatusCallback,
} from './instructions/index.js'

/** What is handed over. */
export interface CallbackDelivery {
  /** The same for as long as it is tried. */
  readonly id: string
  readonly tenant: TenantId
  readonly url: string
  readonly method: 'GET' | 'POST'
  readonly fields: Readonly<Record<string, string>>
  /** Those of one key are delivered in order. */
  readonly key: string
}

/** Who brings them there. */
export interface Callbacks {
  /** Returns at once. */
  deliver(delivery: CallbackDelivery): void
  /** Calls back once all that was handed over outlasts the process, or cannot for now; at once if that is so. */
  kept(then: () => void): void
}

/** There is nobody to bring them. */
export const tellNobody: Callbacks = { deliver() {}, kept: then => then() }

/** How a call or a destination's part of it ended, as applications are told. */
type Ending = 'completed' | 'busy' | 'no-answer' | 'canceled' | 'failed'

/** Of who has not answered when their dial is stopped. */
const stopped: Readonly<Record<CancelReason, Ending>> = {
  'answered-elsewhere': 'canceled',
  'rejected-elsewhere': 'busy',
  'caller-canceled': 'canceled',
  timeout: 'no-answer',
  failed: 'failed',
}

/** `CallStatus` while it goes on. */
const statuses = { initiated: 'initiated', ringing: 'ringing', answered: 'in-progress' } as const

/** RFC 2822. */
const stampOf = (wall: number): string => new Date(wall).toUTCString().replace('GMT', '+0000')

/** A call, or a destination's part of it, as one address is told of it. */
export class Leg {
  readonly #call: Call
  readonly #callback: StatusCallback
  readonly #facts: Readonly<Record<string, string>>
  /** How many events are behind it. */
  #passed = 0
  #sequence = 0
  #answeredAt: number | undefined

  /** `callback.url` is absolute. */
  constructor(call: Call, callback: StatusCallback, facts: Readonly<Record<string, string>>) {
    this.#call = call
    this.#callback = callback
    this.#facts = facts
  }

  tell(event: keyof typeof statuses): void {
    if (event === 'answered') this.#answeredAt ??= this.#call.parts.clock.now()
    this.#tell(event, { CallStatus: statuses[event] })
  }

  /** Its dial is stopped from outside. One that was answered goes on where it is the answer that stops it. */
  stop(reason: CancelReason): void {
    if (this.#answeredAt === undefined) this.end(stopped[reason])
    else if (reason !== 'answered-elsewhere') this.end(reason === 'failed' ? 'failed' : 'completed')
  }

  /** It is over. One that never began is not told of. */
  end(ending: Ending): void {
    if (this.#passed === 0) return
    const ms = this.#answeredAt === undefined ? 0 : this.#call.parts.clock.now() - this.#answeredAt
    this.#tell('completed', { CallStatus: ending, CallDuration: String(Math.round(ms / 1000)) })
  }

  #tell(event: CallbackEvent, more: Readonly<Record<string, string>>): void {
    const place = callbackEvents.indexOf(event)
    if (place < this.#passed) return
    this.#passed = place + 1
    const { url, method, events } = this.#callback
    if (!events.includes(event)) return
    const { tenant, parts, callbacks } = this.#call
    const sid = String(this.#facts.CallSid)
    const sequence = String(this.#sequence++)
    callbacks.hand({
      id: `${sid}:${sequence}`,
      tenant,
      url,
      method,
      key: sid,
      fields: {
        ...this.#facts,
        ApiVersion: '2010-04-01',
        CallbackSource: 'call-progress-events',
        SequenceNumber: sequence,
        Timestamp: stampOf(parts.clock.wall()),
        ...more,
      },
    })
  }
}

/** All that applications are told of one call. */
export class StatusCallbacks {
  readonly #call: Call
  /** The call itself, if its caller asked for it. */
  readonly #own: Leg | undefined
  /** What is handed over once the end is on record. */
  #held: CallbackDelivery[] | undefined

  constructor(call: Call, callback: StatusCallback | undefined) {
    this.#call = call
    const { id, tenant, request } = call
    this.#own =
      callback &&
      new Leg(call, callback, {
        CallSid: id,
        AccountSid: tenant,
        From: request.from,
        To: request.to,
        Direction: request.direction,
      })
  }

  /** The parts of a dial's destinations in the call, each where it is to be told of. `base`: where relative addresses begin. */
  legsOf(
    { to: nouns, callerId }: Pick<DialStep, 'to' | 'callerId'>,
    base?: string,
  ): readonly (Leg | undefined)[] {
    const { id, tenant, dials, from, timeline } = this.#call
    return nouns.map(({ name, statusCallback }, index) => {
      if (statusCallback === undefined) return undefined
      const located = locate(statusCallback.url, base)
      if (!located.ok) {
        timeline.add('warning', { warning: `the statusCallback of ${name} ${located.message}` })
        return undefined
      }
      const which = nouns.length > 1 ? `.${index + 1}` : ''
      return new Leg(
        this.#call,
        { ...statusCallback, url: located.value.href },
        {
          CallSid: `${id}.${dials + 1}${which}`,
          ParentCallSid: id,
          AccountSid: tenant,
          From: callerId ?? from,
          To: `client:${name}`,
          Direction: 'outbound-dial',
        },
      )
    })
  }

  tell(event: keyof typeof statuses): void {
    this.#own?.tell(event)
  }

  /** The call ends: what is handed over from now on waits until that is on record. */
  hold(): void {
    this.#held = []
  }

  end(ending: Ending): void {
    this.#own?.end(ending)
  }

  /** The end is on record, or will not be for now; `then` is called when the caller may hear of it. */
  release(then: () => void): void {
    const held = this.#held as CallbackDelivery[]
    this.#held = undefined
    for (const delivery of held) this.hand(delivery)
    this.#call.parts.callbacks.kept(then)
  }

  hand(delivery: CallbackDelivery): void {
    if (this.#held === undefined) this.#call.parts.callbacks.deliver(delivery)
    else this.#held.push(delivery)
  }
}
