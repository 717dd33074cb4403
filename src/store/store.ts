// The port to what must last: what the rooms hand over to be kept, and get back at the next start. Handing over is
// synchronous and never fails; the engine behind (files, or nothing at all) does the writing, and says how it fares.
// Who may answer only when something is kept waits for `written`.

import type { GroupInput } from '../config.js'
import { ok, type Result } from '../errors.js'
import type { AccountId, Declared, Destination, TenantId } from '../protocol/index.js'
import { type DeliveryQueue, unkeptDeliveries } from './deliveries.js'
import type { CallRecords } from './records.js'

/** What is kept of one kind: values by tenant and name, in the order in which they were saved. */
export interface Table<Name extends string, Value> {
  /** Who has anything in it. */
  tenants(): readonly TenantId[]
  /** What a tenant has in it. */
  load(tenant: TenantId): readonly (readonly [Name, Value])[]
  /** Keeps a value under its name from now on; undefined: there is none. */
  save(tenant: TenantId, name: Name, value: Value | undefined): void
  /**
   * Settles once all that was handed over is where it outlasts the process; refused with `overloaded` where the disk
   * refuses it. Then it is still in memory, and written as soon as the disk allows it.
   */
  written(): Promise<Result<undefined>>
}

/** A person's word for all their devices, as it is kept. */
export interface KeptOverride {
  readonly status: Declared
  readonly note?: string
  /** ISO 8601, UTC; absent: until it is changed. */
  readonly until?: string
  /** Who said so; `systemName` where the hub did. */
  readonly by: AccountId
}

/** What was said of a group at run time, as it is kept; without `group`, that there is none. */
export interface KeptGroup {
  readonly group?: GroupInput
}

/** What presence needs of the store. */
export type OverrideStore = Pick<Table<AccountId, KeptOverride>, 'load' | 'save'>

/** A store as the hub holds it. */
export interface Store {
  readonly overrides: Table<AccountId, KeptOverride>
  /** What was taken back: `jti:…` or `account:…`, and when, in milliseconds since 1970. */
  readonly revocations: Table<string, { readonly at: number }>
  /** What was said of groups while the hub ran. */
  readonly groups: Table<Destination, KeptGroup>
  /** The calls that are over; undefined: none are kept. */
  readonly records: CallRecords | undefined
  /** What applications outside are yet to be told. */
  readonly deliveries: DeliveryQueue
  /** Why what was handed over last is not kept yet, while that is so: a text without secrets. */
  readonly trouble: string | undefined
  readonly counts: {
    readonly written: number
    readonly failed: number
    /** Files that were not as they had been written, and were put aside. */
    readonly damaged: number
  }
  /** Writes what is not yet written, and lets go of the store; what is handed over later is not kept. */
  close(): Promise<void>
}

const empty = { tenants: () => [], load: () => [], save() {}, written: async () => ok(undefined) }

/** The engine that keeps nothing. */
export const nothingKept: Store = {
  overrides: empty,
  revocations: empty,
  groups: empty,
  records: undefined,
  deliveries: unkeptDeliveries,
  trouble: undefined,
  counts: { written: 0, failed: 0, damaged: 0 },
  async close() {},
}
