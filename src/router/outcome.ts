// What has become of a call so far, as it is shown and goes on record: who answered it last, how long there was talk in
// it, and how it ended.

import type { EndReason, PartyName } from '../protocol/index.js'
import type { CallRecord } from '../store/index.js'
import type { Call } from './call.js'
import { type Attempts, recordOf } from './record.js'
import type { CallView } from './routing.js'

interface Answer {
  readonly by: PartyName
  readonly at: string
  /** Their description of media. */
  readonly sdp?: string | undefined
}

export class Outcome {
  readonly #call: Call
  readonly #createdAt: string
  #answer: Answer | undefined
  #talkMs: number | undefined
  #end: { readonly reason: EndReason; readonly message?: string; readonly at: string } | undefined

  constructor(call: Call) {
    this.#call = call
    this.#createdAt = call.timeline.stamp()
  }

  get createdAt(): string {
    return this.#createdAt
  }

  /** Who has answered last. */
  get answer(): Answer | undefined {
    return this.#answer
  }

  /** How long all who answered have talked, in milliseconds. */
  get talkMs(): number | undefined {
    return this.#talkMs
  }

  get reason(): EndReason | undefined {
    return this.#end?.reason
  }

  answered(by: PartyName, sdp: string | undefined): void {
    this.#answer = { by, at: this.#call.timeline.stamp(), sdp }
  }

  talked(ms: number): void {
    this.#talkMs = (this.#talkMs ?? 0) + ms
  }

  ended(reason: EndReason, message: string | undefined): void {
    this.#end = { reason, ...(message !== undefined && { message }), at: this.#call.timeline.stamp() }
  }

  view(): CallView {
    const { id, request, state, timeline } = this.#call
    const { sdp, by, at } = this.#answer ?? {}
    const { at: endedAt, ...end } = this.#end ?? {}
    return {
      call: id,
      to: request.to,
      from: request.from,
      state,
      createdAt: this.#createdAt,
      ...(endedAt !== undefined && { endedAt, ...end }),
      ...(by && at !== undefined && { by, answeredAt: at }),
      ...(this.#end && this.#talkMs !== undefined && { talkMs: this.#talkMs }),
      ...(sdp !== undefined && { sdp }),
      get timeline() {
        return timeline.lines
      },
      owner: request.caller.account,
    }
  }

  /** As it goes on record; `attempts`: what became of each device that it was offered to. */
  record({ all: attempts }: Attempts): CallRecord {
    const { tenant, direction, idempotency } = this.#call.request
    return recordOf(this.view(), { tenant, direction, attempts, ...(idempotency && { idempotency }) })
  }
}
