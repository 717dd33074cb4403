// The port to what must last: what presence hands over to be kept, and gets back at the next start. Handing over is
// synchronous and never fails; the engine behind (a file, or nothing at all) does the writing, and says how it fares.

import type { AccountId, Declared, TenantId } from '../protocol/index.js'

/** A person's word for all their devices, as it is kept. */
export interface KeptOverride {
  readonly status: Declared
  readonly note?: string
  /** ISO 8601, UTC; absent: until it is changed. */
  readonly until?: string
  /** Who said so. */
  readonly by: AccountId
}

/** What presence needs of the store. */
export interface OverrideStore {
  /** What was kept of a tenant, and has not been changed since. */
  load(tenant: TenantId): readonly (readonly [AccountId, KeptOverride])[]
  /** Keeps an account's override from now on; undefined: it has none. */
  save(tenant: TenantId, account: AccountId, override: KeptOverride | undefined): void
}

/** A store as the hub holds it. */
export interface Store extends OverrideStore {
  /** Why what was handed over last is not kept yet, while that is so: a text without secrets. */
  readonly trouble: string | undefined
  readonly counts: {
    readonly written: number
    readonly failed: number
    /** Files that could not be understood at the start, and were moved aside. */
    readonly damaged: number
  }
  /** Writes what is not yet written, and lets go of the store; what is handed over later is not kept. */
  close(): Promise<void>
}

/** The engine that keeps nothing. */
export const nothingKept: Store = {
  load: () => [],
  save() {},
  trouble: undefined,
  counts: { written: 0, failed: 0, damaged: 0 },
  async close() {},
}
