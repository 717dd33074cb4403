// What the router offers the other rooms: callers place, change and follow calls; the devices that are rung answer.
// Everything a side is told comes to it as frames: to a caller by its `Caller`, to a device by its live link.

import type { Config } from '../config.js'
import type { Result } from '../errors.js'
import type {
  AccountId,
  CallFrame,
  CallId,
  CallResource,
  CallState,
  Destination,
  EndReason,
  Explanation,
  Params,
  Party,
  QueueResource,
  RejectReason,
  TenantId,
  TimelineEntry,
} from '../protocol/index.js'
import type { KeyDigest } from '../store/index.js'
import type { ExplainRequest } from './explain.js'
import type { Routes } from './routes.js'

/** Who placed a call, and how to tell them what becomes of it. */
export interface Caller {
  /** The account whose token placed it: it may read and end the call. */
  readonly account: AccountId
  /** The device that placed it, if it was a registered one: its place is taken from then on. */
  readonly party?: Party | undefined
  /** What it can do with the call's media, or reach outside (`say`, `forward` …); absent: nothing. */
  readonly performs?: readonly string[] | undefined
  /** How many characters it keeps of what it was sent, for as long as the call is readable; absent: none. */
  readonly weight?: number
  send(frame: CallFrame): void
}

export interface CallRequest {
  readonly tenant: TenantId
  readonly to: string
  readonly from: string
  readonly params?: Params
  readonly sdp?: string
  /** An inline document or a URL that comes with the call, checked by the router; else a route is looked up. */
  readonly instructions?: unknown
  /** The tenant's application whose instructions it follows, in place of all others. */
  readonly application?: string
  /** Where to report what becomes of it, checked by the router; absent: nowhere. */
  readonly statusCallback?: unknown
  /** From outside the platform, or from one of its own devices. */
  readonly direction: 'inbound' | 'outbound-dial'
  readonly caller: Caller
  /** What names it in a retry, to be kept with its record. */
  readonly idempotency?: KeyDigest
}

/** A call as the router knows it. */
export interface CallView extends Omit<CallResource, 'timeline'> {
  readonly timeline: readonly TimelineEntry[]
  /** The account whose token placed it; not shown, used to decide who may read. */
  readonly owner: AccountId
}

/** One side of a call: the caller, or a device that is rung or has answered. */
export type Side = Caller | Party

/** What a gateway says of a step that it was asked to perform. */
export interface Report {
  readonly step: number
  /** What became of it, in a word. */
  readonly outcome: string
  /** What it gave, as the digits that were entered. */
  readonly data?: unknown
}

export interface ListQuery {
  /** Only this account's calls; absent: all of the tenant's. */
  readonly owner?: AccountId
  readonly state?: CallState
  /** Only calls received at or after this time, and before that one, milliseconds since 1970. */
  readonly since?: number
  readonly until?: number
  readonly to?: string
  readonly from?: string
  readonly reason?: EndReason
  /** Only calls that this account answered. */
  readonly by?: AccountId
  readonly limit: number
  readonly cursor?: string
}

export interface CallPage {
  readonly calls: readonly CallView[]
  /** Where to go on; absent: there are no more. */
  readonly cursor?: string
}

/** What is told of the queues in which calls wait. */
export interface QueueViews {
  /** How the queue of a group stands; undefined where there is no such group. */
  view(tenant: TenantId, group: Destination): Promise<QueueResource | undefined>
  /** The groups of a tenant in whose queues calls wait, or have waited within the last hour. */
  named(tenant: TenantId): readonly Destination[]
  /** How many calls wait, of each queue in which some do. */
  waiting(): Iterable<{ readonly tenant: TenantId; readonly queue: Destination; readonly count: number }>
}

export interface Router {
  /** Takes a call: its id at once, all else by frames. Refused: `draining`, `overloaded`, `busy` (the placing device's account is full), `invalid`, `not-found` (the application), `too-many`. */
  place(request: CallRequest): Result<CallId>
  /** A device confirms that it rings. */
  ringing(party: Party, call: CallId): void
  /** `call-gone` unless this device is being rung for the call and nobody has answered. */
  accept(party: Party, call: CallId, sdp?: string): Result<undefined>
  reject(party: Party, call: CallId, reason: RejectReason): Result<undefined>
  /** The caller gives up or hangs up, or the device that answered hangs up. */
  hangup(side: Side, call: CallId, reason?: string): Result<undefined>
  /**
   * A device passes its connected call on: to whatever answers for `to`, or, with `attended`, to the other side of that
   * second call of its. Refused `not-found` where nothing has that name, `conflict` where the calls can not be joined.
   */
  transfer(party: Party, call: CallId, to: string, attended?: CallId): Result<undefined>
  /** Sends a live call to other instructions: an inline document or a URL. `by`: who says so. */
  redirect(tenant: TenantId, call: CallId, instructions: unknown, by: AccountId): Result<undefined>
  /** Relays any JSON between the sides, in order. */
  signal(side: Side, call: CallId, data: unknown): Result<undefined>

  /** The caller's gateway is done with a step: `conflict` if it is not the one that is under way. */
  performed(side: Side, call: CallId, report: Report): Result<undefined>

  /** A side's connection was lost and may come back. */
  lost(side: Side): void
  /** It came back. */
  back(side: Side): void
  /** It will not come back: its offers and calls end. */
  gone(side: Side): void
  /** Whether this side is in a connected call. */
  talking(side: Side): boolean
  /** What a device's new session must be told again: its open offers (`invite`) and answered calls (`connected`). */
  retell(party: Party): readonly CallFrame[]

  /** A call that is live, or ended a while ago at most. */
  get(tenant: TenantId, call: CallId): CallView | undefined
  /** The same, or one that is on record. Rejects as the disk does. */
  read(tenant: TenantId, call: CallId): Promise<CallView | undefined>
  /** Calls that are not on record, the latest first; then those that are, the last to end first. Rejects as the disk does. */
  list(tenant: TenantId, query: ListQuery): Promise<Result<CallPage>>
  /** Who would be rung if a call came now, and why each other would not; reserves nothing. */
  explain(tenant: TenantId, request: ExplainRequest): Promise<Result<Explanation>>
  /** Who placed the call, for as long as it is readable. */
  callerOf(tenant: TenantId, call: CallId): Caller | undefined

  readonly queues: QueueViews

  /** Goes by these tenants and routes from now on; calls under way keep what they began with. */
  configure(tenants: Config['tenants'], routes: ReadonlyMap<TenantId, Routes>): void
  /** Takes no new calls; settles when the last one has ended, and its caller knows. */
  drain(): Promise<void>
  /** Ends every call `failed`; settles when all callers know. */
  close(): Promise<void>
  /** Why no call is taken until the disk has caught up with those that ended, if so. */
  readonly trouble: string | undefined
  readonly counts: {
    readonly live: number
    readonly placed: number
    readonly ended: Readonly<Record<EndReason, number>>
  }
}
