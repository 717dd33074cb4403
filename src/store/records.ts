// What is kept of calls that are over: one record for each, and the port by which they are handed over, found again
// and read page by page. Handing over never fails; what becomes of a record is told, once it is known.

import type {
  AccountId,
  CallId,
  DeviceId,
  EndReason,
  PartyName,
  TenantId,
  TimelineEntry,
} from '../protocol/index.js'

/** One device that the call was offered to. Times are ISO 8601, UTC. */
export interface AttemptRecord {
  readonly account: AccountId
  readonly device: DeviceId
  readonly offeredAt: string
  /** When it confirmed that it rings. */
  readonly ringingAt?: string
  readonly endedAt?: string
  /** Where its attempt came to: `won`, `rejected`, `timed-out`, `failed`, `canceled`. */
  readonly outcome: string
}

/** What an Idempotency-Key was given with, digested: what it names goes no further than this. */
export interface KeyDigest {
  readonly key: string
  /** Of what was asked for with it. */
  readonly asked: string
}

/** A call that is over. */
export interface CallRecord {
  readonly call: CallId
  readonly tenant: TenantId
  /** The account whose token placed it. */
  readonly owner: AccountId
  readonly to: string
  readonly from: string
  readonly direction: 'inbound' | 'outbound-dial'
  readonly createdAt: string
  readonly answeredAt?: string
  readonly endedAt: string
  readonly reason: EndReason
  readonly message?: string
  /** Who answered. */
  readonly by?: PartyName
  /** How long the two sides were connected. */
  readonly talkMs?: number
  readonly attempts: readonly AttemptRecord[]
  readonly timeline: readonly TimelineEntry[]
  readonly idempotency?: KeyDigest
}

/** Where a record is: later ones are larger, over restarts too. */
export type Position = number

/** A key whose call is on record. */
export interface KeptKey extends KeyDigest {
  readonly call: CallId
  /** When the call came, in milliseconds since 1970. */
  readonly at: number
}

export interface RecordQuery {
  readonly tenant: TenantId
  readonly owner?: AccountId | undefined
  /** When the call came, in milliseconds since 1970: at or after, and before. */
  readonly since?: number | undefined
  readonly until?: number | undefined
  /** Only records before this position. */
  readonly below: Position
  readonly limit: number
  /** What else they must be. */
  wants(record: CallRecord): boolean
}

export interface RecordPage {
  /** The newest first. Fewer than `limit` where there are no more, or after so many that did not fit. */
  readonly records: readonly CallRecord[]
  /** Where to go on, as `below`; undefined: there are no more. */
  readonly next: Position | undefined
}

export interface CallRecords {
  /**
   * Keeps a record. `settled` is called, never at once: with its position when it is where it outlasts the process;
   * and, at most once before that, with undefined when whoever waits for it has waited long enough.
   */
  append(record: CallRecord, settled: (position: Position | undefined) => void): void
  /** The record of one call. Rejects as the disk does. */
  find(tenant: TenantId, call: CallId): Promise<CallRecord | undefined>
  /** Some of them, with a bounded amount of work. Rejects as the disk does. */
  page(query: RecordQuery): Promise<RecordPage>
  /** The keys of a tenant's calls of the last day before this start, in the order in which those ended. */
  keys(tenant: TenantId): readonly KeptKey[]
  /** All records there are now are below it. */
  readonly top: Position
  /** How many are not on the disk yet. */
  readonly waiting: number
  /** Why the disk takes none, while that is so: a text without secrets. */
  readonly trouble: string | undefined
  readonly counts: RecordCounts
}

export interface RecordCounts {
  readonly written: number
  /** Calls whose end was told before it was on the disk. */
  readonly late: number
  /** Records that the disk refused to the end of the process. */
  readonly lost: number
  /** Lines that could not be understood at the start. */
  readonly damaged: number
  /** Files that ended within a line at the start. */
  readonly torn: number
}
