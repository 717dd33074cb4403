// The inboxes of the calls placed over HTTP: of live ones all, of ended ones as many and for as long as the router
// keeps ended calls readable.

import { LRUCache } from 'lru-cache'
import type { CallId } from '../protocol/index.js'
import type { Clock } from '../runtime/index.js'
import type { Inbox } from './inbox.js'

const keptMs = 15 * 60_000
const keptInboxes = 10_000

export class Inboxes {
  readonly #live = new Map<CallId, Inbox>()
  readonly #ended: LRUCache<CallId, Inbox>

  constructor(clock: Pick<Clock, 'wall'>) {
    this.#ended = new LRUCache({
      max: keptInboxes,
      ttl: keptMs,
      ttlResolution: 0,
      perf: { now: () => clock.wall() },
    })
  }

  /** Keeps the inbox of a call. */
  keep(call: CallId, inbox: Inbox): void {
    this.#live.set(call, inbox)
    inbox.ended.then(() => {
      this.#live.delete(call)
      this.#ended.set(call, inbox)
    })
  }

  /** Undefined for a call that was not placed over HTTP, or is forgotten. */
  of(call: CallId): Inbox | undefined {
    return this.#live.get(call) ?? this.#ended.get(call)
  }
}
