// The calls a router knows: the live ones, the ended ones for as long as they stay readable, and those that are on
// record. A list of them begins with what is in memory, by when it came; what is on record already when its first page
// is asked for comes after that. So a call that ends while someone turns the pages is neither missed nor shown twice.

import { ok, type Result, refuse } from '../errors.js'
import type { Bounds } from '../limits/index.js'
import type { CallId, TenantId } from '../protocol/index.js'
import type { Clock } from '../runtime/index.js'
import type { CallRecords, Position } from '../store/index.js'
import { Call } from './call.js'
import { type EndedCall, EndedCalls } from './ended-calls.js'
import { viewOf } from './record.js'
import type { Caller, CallPage, CallView, ListQuery } from './routing.js'

/** Where a list goes on: below this one of those in memory, if not past them, and below this position on record. */
interface Place {
  readonly ordinal: number
  readonly position: Position
}

const cursorOf = ({ ordinal, position }: Place): string => `${ordinal}-${position}`

const placeOf = (cursor: string): Place | undefined => {
  const [, ordinal, position] = /^(\d{1,15})-(\d{1,16})$/.exec(cursor) ?? []
  return ordinal === undefined ? undefined : { ordinal: Number(ordinal), position: Number(position) }
}

/** What a list may be asked for. */
type Sought = Pick<CallView, 'owner' | 'state' | 'createdAt' | 'to' | 'from' | 'reason' | 'by'>

/** One of those in memory. */
interface Remembered {
  readonly ordinal: number
  readonly call: Call | EndedCall
}

const soughtIn = ({ request, state, createdAt, by }: Call): Sought => ({
  owner: request.caller.account,
  state,
  createdAt,
  to: request.to,
  from: request.from,
  ...(by && { by }),
})

/** What a list is asked for, but for what is looked up anyway. */
const wantedBy =
  ({ owner, state, since, until, to, from, reason, by }: ListQuery) =>
  (view: Sought): boolean =>
    (owner === undefined || view.owner === owner) &&
    (state === undefined || view.state === state) &&
    (to === undefined || view.to === to) &&
    (from === undefined || view.from === from) &&
    (reason === undefined || view.reason === reason) &&
    (by === undefined || view.by?.account === by) &&
    (since === undefined || Date.parse(view.createdAt) >= since) &&
    (until === undefined || Date.parse(view.createdAt) < until)

export class Calls {
  readonly live = new Map<CallId, Call>()
  readonly #ordinals = new WeakMap<Call, number>()
  readonly #clock: Clock
  readonly #bounds: Bounds
  readonly #records: CallRecords | undefined
  readonly #ended = new Map<TenantId, EndedCalls>()
  #placed = 0

  constructor(clock: Clock, bounds: Bounds, records?: CallRecords) {
    this.#clock = clock
    this.#bounds = bounds
    this.#records = records
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

  /** The call is on record from now on. */
  recorded(tenant: TenantId, id: CallId, position: Position): void {
    const ended = this.#endedOf(tenant).get(id)
    if (ended !== undefined) ended.position = position
  }

  view(tenant: TenantId, id: CallId): CallView | undefined {
    const live = this.find(tenant, id)
    if (live !== undefined) return live.view()
    const ended = this.#endedOf(tenant).get(id)
    return ended && this.#viewOf(ended)
  }

  /** As `view`, and of those on record. */
  async read(tenant: TenantId, id: CallId): Promise<CallView | undefined> {
    const view = this.view(tenant, id)
    if (view !== undefined) return view
    const record = await this.#records?.find(tenant, id)
    return record && viewOf(record)
  }

  callerOf(tenant: TenantId, id: CallId): Caller | undefined {
    return this.find(tenant, id)?.request.caller ?? this.#endedOf(tenant).get(id)?.caller
  }

  /** The newest first; a page goes on below its cursor. */
  async list(tenant: TenantId, query: ListQuery): Promise<Result<CallPage>> {
    const { cursor, limit } = query
    const place =
      cursor === undefined
        ? { ordinal: Number.MAX_SAFE_INTEGER, position: this.#records?.top ?? 0 }
        : placeOf(cursor)
    if (place === undefined) return refuse('invalid', 'cursor must come from an earlier answer')
    const wanted = this.#remembered(tenant, query, place)
    const page = wanted.slice(0, limit)
    const calls = page.map(({ call }) => this.#viewOf(call))
    const last = page.at(-1)
    if (last !== undefined && wanted.length > limit) {
      return ok({ calls, cursor: cursorOf({ ...place, ordinal: last.ordinal }) })
    }
    const { records, next } = await this.#recorded(tenant, query, place.position, limit - calls.length)
    return ok({
      calls: [...calls, ...records.map(viewOf)],
      ...(next !== undefined && { cursor: cursorOf({ ordinal: 0, position: next }) }),
    })
  }

  /**
   * Those in memory that are not among the records below the place, the latest first. Tens of thousands may be looked
   * through for a page of fifty: only what is on it is spelled out.
   */
  #remembered(tenant: TenantId, query: ListQuery, { ordinal: below, position: top }: Place): Remembered[] {
    const wants = wantedBy(query)
    const found: Remembered[] = []
    for (const call of this.live.values()) {
      const ordinal = this.#ordinalOf(call)
      if (call.tenant === tenant && ordinal < below && wants(soughtIn(call))) found.push({ ordinal, call })
    }
    for (const call of this.#endedOf(tenant).all()) {
      const { ordinal, view, position = Number.POSITIVE_INFINITY } = call
      if (ordinal < below && position >= top && wants(view)) found.push({ ordinal, call })
    }
    return found.sort((a, b) => b.ordinal - a.ordinal)
  }

  async #recorded(tenant: TenantId, query: ListQuery, below: Position, limit: number) {
    const { state, owner, since, until } = query
    const none = { records: [], next: undefined }
    if (this.#records === undefined || (state !== undefined && state !== 'ended')) return none
    const wants = wantedBy(query)
    return this.#records.page({
      tenant,
      owner,
      since,
      until,
      below,
      limit,
      wants: record => wants(viewOf(record)),
    })
  }

  /** As it is shown: whether it is on record is known later than all else of it. */
  #viewOf(call: Call | EndedCall): CallView {
    if (call instanceof Call) return call.view()
    const { view, position } = call
    return this.#records === undefined ? view : { ...view, recorded: position !== undefined }
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
