// The calls a router knows: the live ones, and the ended ones for as long as they stay readable.

import { LRUCache } from 'lru-cache'
import { ok, type Result, refuse } from '../errors.js'
import type { CallId, TenantId } from '../protocol/index.js'
import type { Clock } from '../runtime/index.js'
import type { Call } from './call.js'
import type { Caller, CallView, ListQuery } from './routing.js'

/** An ended call stays readable for so long, or until 10,000 newer ones have ended. */
const readableMs = 15 * 60_000
const readableCalls = 10_000

interface Entry {
  readonly tenant: TenantId
  readonly ordinal: number
  readonly caller: Caller
  readonly view: CallView
}

export class Calls {
  readonly live = new Map<CallId, Call>()
  readonly #ordinals = new WeakMap<Call, number>()
  readonly #ended: LRUCache<CallId, Entry>
  #placed = 0

  constructor(clock: Clock) {
    this.#ended = new LRUCache<CallId, Entry>({
      max: readableCalls,
      ttl: readableMs,
      ttlResolution: 0,
      perf: { now: () => clock.wall() },
    })
  }

  /** How many there have been. */
  get placed(): number {
    return this.#placed
  }

  add(call: Call): void {
    this.live.set(call.id, call)
    this.#ordinals.set(call, ++this.#placed)
  }

  /** A live call of this tenant; another tenant's is as unknown as none. */
  find(tenant: TenantId, id: CallId): Call | undefined {
    const call = this.live.get(id)
    return call?.tenant === tenant ? call : undefined
  }

  end(call: Call): void {
    this.live.delete(call.id)
    this.#ended.set(call.id, this.#entry(call))
  }

  view(tenant: TenantId, id: CallId): CallView | undefined {
    return this.find(tenant, id)?.view() ?? this.#past(tenant, id)?.view
  }

  callerOf(tenant: TenantId, id: CallId): Caller | undefined {
    return this.find(tenant, id)?.request.caller ?? this.#past(tenant, id)?.caller
  }

  /** The newest first; a page goes on below its cursor. */
  list(tenant: TenantId, { owner, state, since, limit, cursor }: ListQuery) {
    const below = cursor === undefined ? Number.POSITIVE_INFINITY : Number(cursor)
    if (Number.isNaN(below)) return refuse('invalid', 'cursor must come from an earlier answer')
    const found = [...[...this.live.values()].map(call => this.#entry(call)), ...this.#ended.values()]
    const wanted = found
      .filter(
        ({ tenant: its, ordinal, view }) =>
          its === tenant &&
          ordinal < below &&
          (owner === undefined || view.owner === owner) &&
          (state === undefined || view.state === state) &&
          (since === undefined || Date.parse(view.createdAt) >= since),
      )
      .sort((a, b) => b.ordinal - a.ordinal)
    const page = wanted.slice(0, limit)
    const last = page.at(-1)
    return ok({
      calls: page.map(({ view }) => view),
      ...(last !== undefined && wanted.length > limit && { cursor: String(last.ordinal) }),
    }) satisfies Result<unknown>
  }

  #past(tenant: TenantId, id: CallId): Entry | undefined {
    const ended = this.#ended.get(id)
    return ended?.tenant === tenant ? ended : undefined
  }

  #entry(call: Call): Entry {
    const { tenant, request } = call
    return { tenant, ordinal: this.#ordinals.get(call) as number, caller: request.caller, view: call.view() }
  }
}
