// What a device or a person says of itself, and until when: sets it, and takes it back when its time has passed.
// A person's word is handed to the store, and comes back from it at the next start.

import { ok, type Result, refuse } from '../errors.js'
import { type AccountId, type DeviceChange, type StatusChange, systemName } from '../protocol/index.js'
import { atWall } from '../runtime/index.js'
import { accountAutomaton } from './account.machine.js'
import { deviceAutomaton } from './device.machine.js'
import type { Graph } from './graph.js'
import type { DeviceRecord, TenantRecord } from './records.js'

/** The time that `until` names, milliseconds since 1970; null where it names none. */
const untilOf = (until: string | undefined, now: number): Result<number | null> => {
  if (until === undefined) return ok(null)
  const time = Date.parse(until)
  if (Number.isNaN(time)) return refuse('invalid', 'until must be a time that exists')
  return time > now ? ok(time) : refuse('invalid', 'until must be in the future')
}

/** Sets what a device declares. The change is not yet visible: the caller commits. */
export const declare = (graph: Graph, device: DeviceRecord, change: DeviceChange): Result<undefined> => {
  const now = graph.clock.wall()
  const until = untilOf(change.until, now)
  if (!until.ok) return until
  device.untilTimer?.cancel()
  device.state = deviceAutomaton.settle(device.state, `declare.${change.status}`)
  device.note = change.note ?? ''
  device.declaredAt = graph.clock.now()
  device.until = until.value
  device.untilTimer =
    until.value === null
      ? undefined
      : atWall(graph.clock, until.value, () => {
          declare(graph, device, { status: 'available' })
          graph.commit(device.account)
        })
  return ok(undefined)
}

/** Sets or clears a person's override, and makes it visible. */
const speak = (
  graph: Graph,
  tenant: TenantRecord,
  name: AccountId,
  { status, note = '', until }: StatusChange,
  by: AccountId,
): Result<undefined> => {
  // What was said before a group had the name can still be taken back.
  const takenBack = status === null && tenant.accounts.get(name)?.override !== undefined
  const taken = takenBack ? undefined : graph.taken(tenant, name)
  if (taken !== undefined) return taken
  const now = graph.clock.wall()
  const time = untilOf(until, now)
  if (!time.ok) return time
  const account = graph.account(tenant, name)
  const { override: before } = account
  before?.timer?.cancel()
  if (before !== undefined) tenant.overrides--
  if (before?.by === systemName) account.history = { ...account.history, missedInARow: 0 }
  account.override = undefined
  account.state = accountAutomaton.settle(account.state, `override.${status ?? 'none'}`)
  if (status !== null) {
    const timer =
      time.value === null
        ? undefined
        : atWall(graph.clock, time.value, () => {
            override(graph, tenant, name, { status: null }, by)
          })
    account.override = { note, until: time.value, timer, by }
    tenant.overrides++
  }
  graph.commit(account)
  graph.tellSelf(account)
  graph.forget(account)
  return ok(undefined)
}

/** Sets or clears a person's override, makes it visible, and has it kept over restarts. */
export const override = (
  graph: Graph,
  tenant: TenantRecord,
  name: AccountId,
  change: StatusChange,
  by: AccountId,
): Result<undefined> => {
  const more = change.status !== null && tenant.accounts.get(name)?.override === undefined
  if (more && tenant.overrides >= graph.bounds.of.overridesPerTenant) {
    return graph.bounds.refuse('overridesPerTenant')
  }
  const spoken = speak(graph, tenant, name, change, by)
  if (!spoken.ok) return spoken
  // Field by field: a change comes from outside, and may carry more than is its own.
  const { status, note, until } = change
  const rest = { ...(note !== undefined && { note }), ...(until !== undefined && { until }) }
  graph.kept.save(tenant.id, name, status === null ? undefined : { status, by, ...rest })
  return spoken
}

/** Brings back what was kept of a tenant; what would be refused now (its time has passed) is kept no longer. */
export const restore = (graph: Graph, tenant: TenantRecord): void => {
  for (const [name, { by, ...change }] of graph.kept.load(tenant.id)) {
    if (!speak(graph, tenant, name, change, by).ok) graph.kept.save(tenant.id, name, undefined)
  }
}
