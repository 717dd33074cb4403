// The presence graph: tenants, groups, accounts and devices, and the one way in which a change becomes visible.
// Whoever changes a record calls `commit`: it brings all that is derived up to date (activity, statuses, counts),
// moves the versions of the levels that can see it, and marks the channels. Constant time whatever a group's size.

import type { Config } from '../config.js'
import { HubError } from '../errors.js'
import type { AccountActivity, AccountId, Destination, DeviceActivity, TenantId } from '../protocol/index.js'
import type { Clock } from '../runtime/index.js'
import { type AccountEvent, account as accountAutomaton } from './account.machine.js'
import { type DeviceEvent, device as deviceAutomaton } from './device.machine.js'
import { Channel, TurnEnd } from './feed.js'
import {
  type AccountRecord,
  type DeviceRecord,
  deviceOccupation,
  freeOf,
  type GroupRecord,
  type Level,
  levels,
  newAccount,
  newGroup,
  occupation,
  recount,
  type TenantRecord,
} from './records.js'
import { selfOf } from './render.js'
import { accountStatus, deviceStatus, rankOf } from './status.js'

const accountEventTo: Readonly<Record<AccountActivity, AccountEvent>> = {
  free: 'free',
  ringing: 'ring',
  engaged: 'engage',
  wrapup: 'wrap',
}
const deviceEventTo: Readonly<Record<DeviceActivity, DeviceEvent>> = {
  idle: 'rest',
  ringing: 'ring',
  engaged: 'engage',
}

const newTenant = (
  id: TenantId,
  config: Config['tenants'] extends ReadonlyMap<TenantId, infer T> ? T : never,
  now: number,
) => {
  const tenant: TenantRecord = {
    id,
    busyWhen: config.busyWhen,
    accounts: new Map(),
    groups: new Map(),
    floor: 0,
    since: now,
  }
  const list = (name: AccountId): AccountRecord => {
    const known = tenant.accounts.get(name)
    if (known) return known
    const account = newAccount(tenant, name, accountAutomaton.initial, config.accounts.get(name)?.capacity)
    account.listed = true
    tenant.accounts.set(name, account)
    return account
  }
  for (const name of config.accounts.keys()) list(name)
  for (const [name, { members, open }] of config.groups) {
    const group = newGroup(tenant, name, open, new Set(members.map(({ account }) => account)))
    tenant.groups.set(name, group)
    for (const member of members) {
      const account = list(member.account)
      account.groups.push(group)
      group.members.set(account, group.joined++)
      recount(group, undefined, rankOf.offline, now)
    }
  }
  return tenant
}

export class Graph {
  readonly clock: Clock
  readonly #tenants: ReadonlyMap<TenantId, TenantRecord>
  readonly #turnEnd = new TurnEnd()
  devices = 0

  constructor(tenants: Config['tenants'], clock: Clock) {
    this.clock = clock
    this.#tenants = new Map([...tenants].map(([id, config]) => [id, newTenant(id, config, clock.wall())]))
  }

  get accounts(): number {
    let count = 0
    for (const { accounts } of this.#tenants.values()) count += accounts.size
    return count
  }

  /** Throws `not-found` for a tenant that is not configured: no token can name one. */
  tenant(id: TenantId): TenantRecord {
    const tenant = this.#tenants.get(id)
    if (tenant === undefined) throw new HubError('not-found', `no tenant ${id}`)
    return tenant
  }

  find(tenant: TenantId, account: AccountId): AccountRecord | undefined {
    return this.tenant(tenant).accounts.get(account)
  }

  /** The account's record, made if it is not there; `forget` drops it once nothing holds it. */
  account(tenant: TenantRecord, name: AccountId): AccountRecord {
    let account = tenant.accounts.get(name)
    if (account === undefined) {
      account = newAccount(tenant, name, accountAutomaton.initial)
      tenant.accounts.set(name, account)
    }
    return account
  }

  /** What a name stands for, where there is a record of it. */
  topic(tenant: TenantRecord, name: Destination): GroupRecord | AccountRecord | undefined {
    return tenant.groups.get(name) ?? tenant.accounts.get(name as string as AccountId)
  }

  channel(topic: GroupRecord | AccountRecord, level: Level): Channel {
    const channel = topic.channels[level] ?? new Channel(topic, level, this.clock, this.#turnEnd)
    topic.channels[level] = channel
    return channel
  }

  /** Drops an account's record when nothing holds it: not listed, nobody there, nobody watching. */
  forget(account: AccountRecord): void {
    const held =
      account.listed ||
      account.devices.length > 0 ||
      account.holds.length > 0 ||
      account.wrapping > 0 ||
      account.override !== undefined ||
      account.channels.some(channel => channel !== undefined && channel.size > 0)
    if (held) return
    account.tenant.accounts.delete(account.account)
    account.tenant.floor = Math.max(account.tenant.floor, ...account.versions)
  }

  /**
   * Makes a change visible, as one: after any change of the account's records, once. `lowest` is the lowest level
   * that sees the change itself; what follows from it is found here.
   */
  commit(account: AccountRecord, lowest: Level = levels.routing): void {
    const now = this.clock.wall()
    let level: Level = lowest
    const activity = occupation(account)
    if (activity !== account.state.value.activity) {
      account.state = accountAutomaton.settle(account.state, accountEventTo[activity])
      level = Math.min(level, levels.full) as Level
    }
    const full = freeOf(account) === 0
    for (const device of account.devices) {
      if (this.#follow(device, full, now)) level = Math.min(level, levels.devices) as Level
    }
    const before = account.status
    account.status = accountStatus(account.devices, activity, account.tenant.busyWhen)
    if (before !== account.status) {
      account.since = now
      level = levels.summary
      for (const group of account.groups) recount(group, rankOf[before], rankOf[account.status], now)
    }
    if (this.#speak(account)) level = Math.min(level, levels.full) as Level
    this.#announce(account, account, level)
    for (const group of account.groups) this.#announce(group, account, level)
    if (level < levels.routing) this.tellSelf(account)
  }

  /** Puts an account into an open group, or takes it out: one change each, seen from the first level up. */
  join(group: GroupRecord, account: AccountRecord): void {
    account.groups.push(group)
    group.members.set(account, group.joined++)
    recount(group, undefined, rankOf[account.status], this.clock.wall())
    this.#announce(group, account, levels.summary)
  }

  part(group: GroupRecord, account: AccountRecord): void {
    account.groups.splice(account.groups.indexOf(group), 1)
    group.members.delete(account)
    recount(group, rankOf[account.status], undefined, this.clock.wall())
    for (const level of [0, 1, 2, 3] as const) {
      group.versions[level]++
      group.channels[level]?.removed(account)
    }
  }

  /** Tells the account's devices of it, at the end of the turn. */
  tellSelf(account: AccountRecord): void {
    account.tellSelf ??= () => {
      const frame = selfOf(account)
      for (const { link } of account.devices) link.send(frame)
    }
    this.#turnEnd.run(account.tellSelf)
  }

  #announce(topic: GroupRecord | AccountRecord, account: AccountRecord, lowest: Level): void {
    for (let level = lowest; level <= levels.routing; level++) {
      topic.versions[level as Level]++
      topic.channels[level]?.changed(account)
    }
  }

  /** Brings a device up to date; whether others can see that it changed. */
  #follow(device: DeviceRecord, full: boolean, now: number): boolean {
    const activity = deviceOccupation(device)
    const was = device.state
    if (activity !== was.value.activity) {
      device.state = deviceAutomaton.settle(was, deviceEventTo[activity])
    }
    const status = deviceStatus(activity, was.value.declared, device.account.state.value.override, full)
    if (status !== device.status) {
      device.status = status
      device.since = now
      return true
    }
    return device.state !== was
  }

  /** The account's note and `until`: the override's, else of the device whose status won, the latest to speak. */
  #speak(account: AccountRecord): boolean {
    const { note, until } = account
    const speaker =
      account.override ??
      account.devices
        .filter(({ status }) => status === account.status)
        .reduce<DeviceRecord | undefined>(
          (latest, device) =>
            latest !== undefined && latest.declaredAt > device.declaredAt ? latest : device,
          undefined,
        )
    account.note = speaker?.note ?? ''
    account.until = speaker?.until ?? null
    return note !== account.note || until !== account.until
  }
}
