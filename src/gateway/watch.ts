// What one session watches. Presence heals by versions: a frame that cannot go out now (the client is away, or
// does not keep up) is not kept but noted, and a fresh snapshot replaces all that was missed once there is room.
// After a resume every destination counts as missed, since nobody knows what the lost connection still delivered.

import type { Result } from '../errors.js'
import type { Query, Subscriptions } from '../presence/index.js'
import type { Destination, ViewName } from '../protocol/index.js'

export class Watch {
  readonly #subscriptions: Subscriptions
  readonly #queries = new Map<Destination, Query>()
  readonly #missed = new Set<Destination>()

  constructor(subscriptions: Subscriptions) {
    this.#subscriptions = subscriptions
  }

  get size(): number {
    return this.#queries.size
  }

  has(destination: Destination): boolean {
    return this.#queries.has(destination)
  }

  /** Sends a snapshot, then every change; again: a fresh snapshot, with the query given now. */
  subscribe(destination: Destination, query: Query): void {
    this.#queries.set(destination, query)
    this.#missed.delete(destination)
    this.#subscriptions.subscribe(destination, query)
  }

  unsubscribe(destination: Destination): void {
    this.#queries.delete(destination)
    this.#missed.delete(destination)
    this.#subscriptions.unsubscribe(destination)
  }

  /** Ends what may no longer be read, and goes on with less where less may be read. */
  review(queryOf: (destination: Destination, view: ViewName) => Result<Query>): void {
    for (const [destination, { view, devices }] of this.#queries) {
      const query = queryOf(destination, view)
      if (!query.ok) this.unsubscribe(destination)
      else if (query.value.devices !== devices) this.subscribe(destination, query.value)
    }
  }

  /** Whether its reader is to be sent a snapshot before anything else of it. */
  owes(destination: Destination): boolean {
    return this.#missed.has(destination)
  }

  /** A frame about this destination did not go out. */
  miss(destination: Destination): void {
    if (this.#queries.has(destination)) this.#missed.add(destination)
  }

  missAll(): void {
    for (const destination of this.#queries.keys()) this.#missed.add(destination)
  }

  /** Sends snapshots of what was missed, for as long as there is room. */
  heal(hasRoom: () => boolean): void {
    for (const destination of [...this.#missed]) {
      if (!hasRoom()) return
      this.#missed.delete(destination)
      this.#subscriptions.subscribe(destination, this.#queries.get(destination) as Query)
    }
  }

  close(): void {
    this.#queries.clear()
    this.#missed.clear()
    this.#subscriptions.close()
  }
}
