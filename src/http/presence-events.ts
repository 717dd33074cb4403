// One reader of a destination's feed over HTTP: a snapshot first, then each diff, as on the socket. What a reader has
// no room for is not kept: it is made up for by a fresh snapshot once there is room. It ends with the reader's token.

import type { Grant } from '../gateway/token/index.js'
import type { Link, Presence, Query, Subscriptions } from '../presence/index.js'
import type { Destination, HubFrame } from '../protocol/index.js'
import { atWall, type Clock } from '../runtime/index.js'
import { type EventSource, eventText } from './event-stream.js'

export class PresenceEvents implements EventSource, Link {
  readonly #subscriptions: Subscriptions
  readonly #destination: Destination
  readonly #query: Query
  readonly #clock: Clock
  readonly #expires: number
  /** The frame that is to go out next: there is never more than one. */
  #frame: HubFrame | undefined
  #missed = true
  #wake: (() => void) | undefined

  constructor(presence: Presence, grant: Grant, destination: Destination, query: Query, clock: Clock) {
    this.#subscriptions = presence.subscriptions(grant.tenant, this)
    this.#destination = destination
    this.#query = query
    this.#clock = clock
    this.#expires = grant.expires
  }

  get over(): boolean {
    return this.#clock.wall() >= this.#expires
  }

  next(): string | undefined {
    if (this.over) return undefined
    if (this.#missed) {
      // Subscribing sends the snapshot at once, which wakes the reader, who takes it then and there.
      this.#missed = false
      this.#frame = undefined
      this.#subscriptions.subscribe(this.#destination, this.#query)
    }
    const frame = this.#frame
    this.#frame = undefined
    return frame && eventText(frame.type, frame)
  }

  watch(wake: () => void): () => void {
    this.#wake = wake
    const timer = atWall(this.#clock, this.#expires, wake)
    return () => {
      timer.cancel()
      this.#wake = undefined
      this.#subscriptions.close()
    }
  }

  send(frame: HubFrame): void {
    if (this.#frame !== undefined) this.#missed = true
    this.#frame = frame
    this.#wake?.()
  }

  probe(): void {}
}
