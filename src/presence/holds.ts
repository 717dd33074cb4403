// The holds that calls have on accounts. A claim is one synchronous turn in which the account's machine is the
// lock: it accepts while a place is left, and refuses otherwise, however many routers race.

import { ok, type Result, refuse } from '../errors.js'
import type { CallId, DeviceId } from '../protocol/index.js'
import { accountAutomaton } from './account.machine.js'
import type { Graph } from './graph.js'
import { withdraw } from './misses.js'
import type { Hold, Release } from './presence.js'
import { type AccountRecord, deviceOf, freeOf, type HoldRecord } from './records.js'
import { beginWrapup } from './wrapup.js'

const holdOf = (account: AccountRecord, { call }: { readonly call: CallId }): HoldRecord | undefined =>
  account.holds.find(hold => hold.call === call)

const take = (graph: Graph, account: AccountRecord, hold: HoldRecord): Result<undefined> => {
  if (holdOf(account, hold)) return refuse('conflict', `${account.account} is held by this call already`)
  const claimed = accountAutomaton.next(account.state, 'claim')
  if (claimed === undefined) return refuse('busy', `${account.account} has no free capacity`)
  account.state = claimed
  account.holds = [...account.holds, hold]
  graph.commit(account)
  return ok(undefined)
}

/**
 * Takes a place for a call that rings those of `devices` that are there and available: whoever chose them knew how
 * they were some time ago. The devices it rings.
 */
export const claim = (graph: Graph, hold: Hold, chosen: readonly DeviceId[]): Result<readonly DeviceId[]> => {
  const account = graph.find(hold.tenant, hold.account)
  const there = (account?.devices ?? []).filter(device => chosen.includes(device.id) && device.canReceive)
  if (account === undefined || there.length === 0) {
    return refuse('not-found', `${hold.account} has no such device any more`)
  }
  const devices = there.filter(({ status }) => status === 'available')
  if (devices.length === 0 && freeOf(account) > 0) {
    return refuse('not-found', `${hold.account} is not available any more`)
  }
  const taken = take(graph, account, { call: hold.call, phase: 'ringing', offered: true, devices })
  return taken.ok ? ok(devices.map(({ id }) => id)) : taken
}

/** Takes a place for a call that one of the account's own devices places. */
export const seize = (graph: Graph, hold: Hold, id: DeviceId): Result<undefined> => {
  const account = graph.find(hold.tenant, hold.account)
  const device = account && deviceOf(account, id)
  if (device === undefined) return refuse('not-found', `${hold.account} has no device ${id}`)
  return take(graph, device.account, { call: hold.call, phase: 'engaged', offered: false, devices: [device] })
}

/** The place of one call on an account is another call's, which is offered to it: nothing that is seen changes. */
export const pass = (graph: Graph, hold: Hold, to: CallId): void => {
  const account = graph.find(hold.tenant, hold.account)
  const record = account && holdOf(account, hold)
  if (account === undefined || record === undefined) return
  account.holds = [...account.holds.filter(other => other !== record), { ...record, call: to, offered: true }]
}

const change = (
  graph: Graph,
  hold: Hold,
  apply: (account: AccountRecord, record: HoldRecord) => void,
): void => {
  const account = graph.find(hold.tenant, hold.account)
  const record = account && holdOf(account, hold)
  if (account === undefined || record === undefined) return
  apply(account, record)
  graph.commit(account)
  graph.forget(account)
}

/** One of the rung devices answered. */
export const engage = (graph: Graph, hold: Hold, id: DeviceId): void =>
  change(graph, hold, (account, record) => {
    record.phase = 'engaged'
    record.devices = record.devices.filter(device => device.id === id)
    const { callsTaken } = account.history
    account.history = { ...account.history, callsTaken: callsTaken + 1, missedInARow: 0 }
  })

/** One device rings no more; the place stays held. */
export const quiet = (graph: Graph, hold: Hold, id: DeviceId): void =>
  change(graph, hold, (_account, record) => {
    record.devices = record.devices.filter(device => device.id !== id)
  })

/** Gives the place back, and notes what routing goes by. */
export const release = (
  graph: Graph,
  hold: Hold,
  { talkMs, missed, awayAfterMisses, coolDownMs, wrapupMs }: Release,
): void =>
  change(graph, hold, (account, record) => {
    const now = graph.clock.wall()
    const before = account.history
    account.holds = account.holds.filter(other => other !== record)
    account.history = {
      ...before,
      ...(talkMs !== undefined && { lastCallEndedAt: now }),
      ...(talkMs !== undefined && record.offered && { talkMs: before.talkMs + talkMs }),
      ...(missed && { missedInARow: before.missedInARow + 1 }),
      ...(coolDownMs && { notBefore: Math.max(before.notBefore ?? 0, now + coolDownMs) }),
    }
    if (wrapupMs) beginWrapup(graph, account, wrapupMs)
    if (missed && awayAfterMisses !== undefined) withdraw(graph, account, awayAfterMisses)
  })
