// The calls a router knows: the live ones, and the ended ones for as long as they stay readable.

import { ok, type Result, refuse } from '../errors.js'
import type { Bounds } from '../limits/index.js'
import type { CallId, TenantId } from '../protocol/index.js'
import type { Clock } from '../runtime/index.js'
import { Call } from './call.js'
import { type EndedCall, EndedCalls } from './ended-calls.js'
import type { Caller, CallView, ListQuery } from './routing.js'

export class Calls {
  readonly live = new Map<CallId, Call>()
  readonly #ordinals = new WeakMap<Call, number>()
  readonly #clock: Clock
  readonly #bounds: Bounds
  readonly #ended = new Map<TenantId, EndedCalls>()
  #placed = 0

  constructor(clock: Clock, bounds: Bounds) {
    this.#clock = clock
    this.#bounds = bounds
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
    this.#endedOf(call.tenant).add(this.#entry(call))
  }

  view(tenant: TenantId, id: CallId): CallView | undefined {
    return this.find(tenant, id)?.view() ?? this.#endedOf(tenant).get(id)?.view
  }

  callerOf(tenant: TenantId, id: CallId): Caller | undefined {
    return this.find(tenant, id)?.request.caller ?? this.#endedOf(tenant).get(id)?.caller
  }

  /** The newest first; a page goes on below its cursor. */
  list(tenant: TenantId, { owner, state, since, limit, cursor }: ListQuery) {
    const below = cursor === undefined ? Number.POSITIVE_INFINITY : Number(cursor)
    if (Number.isNaN(below)) return refuse('invalid', 'cursor must come from an earlier answer')
    const fits = (ordinal: number, call: Pick<CallView, 'owner' | 'state' | 'createdAt'>): boolean =>
      ordinal < below &&
      (owner === undefined || call.owner === owner) &&
      (state === undefined || call.state === state) &&
      (since === undefined || Date.parse(call.createdAt) >= since)
    // Tens of thousands may be looked through for a page of fifty: only what is on it is spelled out.
    const wanted: { readonly ordinal: number; readonly call: Call | EndedCall }[] = []
    for (const call of this.live.values()) {
      const ordinal = this.#ordinalOf(call)
      const { state, createdAt, request } = call
      if (call.tenant === tenant && fits(ordinal, { owner: request.caller.account, state, createdAt })) {
        wanted.push({ ordinal, call })
      }
    }
    for (const call of this.#endedOf(tenant).all()) {
      if (fits(call.ordinal, call.view)) wanted.push({ ordinal: call.ordinal, call })
    }
    wanted.sort((a, b) => b.ordinal - a.ordinal)
    const page = wanted.slice(0, limit)
    const last = page.at(-1)
    return ok({
      calls: page.map(({ call }) => (call instanceof Call ? call.view() : call.view)),
      ...(last !== undefined && wanted.length > limit && { cursor: String(last.ordinal) }),
    }) satisfies Result<unknown>
  }

  #endedOf(tenant: TenantId): EndedCalls {
    const known = this.#ended.get(tenant)
    if (known !== undefined) return known
    const ended = new EndedCalls(this.#clock, this.#bounds)
    this.#ended.set(tenant, ended)
    return ended
  }

  #entry(call: Call): EndedCall {
    const { caller } = call.request
    const view = call.view()
    const weight = call.timeline.weight + (view.sdp?.length ?? 0) + (caller.weight ?? 0)
    return { ordinal: this.#ordinalOf(call), caller, view, weight }
  }

  #ordinalOf(call: Call): number {
    return this.#ordinals.get(call) as number
  }
}
