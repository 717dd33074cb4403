// The ended calls of one tenant, for as long as they stay readable: a quarter of an hour, or until newer ones need the
// room, by number and by size.

import type { Bounds } from '../limits/index.js'
import type { CallId } from '../protocol/index.js'
import type { Clock } from '../runtime/index.js'
import type { Position } from '../store/index.js'
import type { Caller, CallView } from './routing.js'

const readableMs = 15 * 60_000

/** A call as it was when it ended. */
export interface EndedCall {
  readonly ordinal: number
  readonly caller: Caller
  readonly view: CallView
  /** About how many characters it takes. */
  readonly weight: number
  /** Where its record is; undefined: there is none, or not yet. */
  position?: Position
}

interface Kept extends EndedCall {
  readonly until: number
  /** The one that ended after it. */
  next: Kept | undefined
}

export class EndedCalls {
  readonly #clock: Pick<Clock, 'now'>
  readonly #bounds: Bounds
  readonly #calls = new Map<CallId, Kept>()
  // A map is not asked for its first entry: it looks for it among the places of all that were deleted before.
  #first: Kept | undefined
  #last: Kept | undefined
  #weight = 0

  constructor(clock: Pick<Clock, 'now'>, bounds: Bounds) {
    this.#clock = clock
    this.#bounds = bounds
  }

  add(call: EndedCall): void {
    this.#forgetOld()
    const kept: Kept = { ...call, until: this.#clock.now() + readableMs, next: undefined }
    this.#calls.set(call.view.call, kept)
    if (this.#last === undefined) this.#first = kept
    else this.#last.next = kept
    this.#last = kept
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
    while (this.#first !== undefined && this.#first.until <= now) this.#forget(this.#first)
  }

  #forgetWhile(limit: 'endedCallsPerTenant' | 'endedCallBytesPerTenant', crowded: () => boolean): void {
    while (this.#first !== undefined && crowded()) {
      this.#forget(this.#first)
      this.#bounds.note(limit)
    }
  }

  #forget({ next, view, weight }: Kept): void {
    this.#calls.delete(view.call)
    this.#weight -= weight
    this.#first = next
    if (next === undefined) this.#last = undefined
  }
}
