// The ended calls of one tenant, for as long as they stay readable: a quarter of an hour, or until newer ones need the
// room, by number and by size.

import type { Bounds } from '../limits/index.js'
import type { CallId } from '../protocol/index.js'
import type { Clock } from '../runtime/index.js'
import type { Caller, CallView } from './routing.js'

const readableMs = 15 * 60_000

/** A call as it was when it ended. */
export interface EndedCall {
  readonly ordinal: number
  readonly caller: Caller
  readonly view: CallView
  /** About how many characters it takes. */
  readonly weight: number
}

interface Kept extends EndedCall {
  readonly until: number
}

export class EndedCalls {
  readonly #clock: Pick<Clock, 'now'>
  readonly #bounds: Bounds
  /** The one that ended first comes first. */
  readonly #calls = new Map<CallId, Kept>()
  #weight = 0

  constructor(clock: Pick<Clock, 'now'>, bounds: Bounds) {
    this.#clock = clock
    this.#bounds = bounds
  }

  add(call: EndedCall): void {
    this.#forgetOld()
    this.#calls.set(call.view.call, { ...call, until: this.#clock.now() + readableMs })
    this.#weight += call.weight
    const { endedCallBytesPerTenant, endedCallsPerTenant } = this.#bounds.of
    this.#forgetWhile('endedCallsPerTenant', () => this.#calls.size > endedCallsPerTenant)
    this.#forgetWhile('endedCallBytesPerTenant', () => this.#weight > endedCallBytesPerTenant)
  }

  get(id: CallId): EndedCall | undefined {
    this.#forgetOld()
    return this.#calls.get(id)
  }

  all(): readonly EndedCall[] {
    this.#forgetOld()
    return [...this.#calls.values()]
  }

  #forgetOld(): void {
    const now = this.#clock.now()
    for (const [id, call] of this.#calls) {
      if (call.until > now) break
      this.#forget(id, call)
    }
  }

  #forgetWhile(limit: 'endedCallsPerTenant' | 'endedCallBytesPerTenant', crowded: () => boolean): void {
    for (const [id, call] of this.#calls) {
      if (!crowded()) break
      this.#forget(id, call)
      this.#bounds.note(limit)
    }
  }

  #forget(id: CallId, { weight }: EndedCall): void {
    this.#calls.delete(id)
    this.#weight -= weight
  }
}
