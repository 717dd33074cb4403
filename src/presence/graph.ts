// The presence graph: tenants, groups, accounts and devices, and the one way in which a change becomes visible.
// Whoever changes a record calls `commit`: it brings all that is derived up to date (activity, statuses, counts),
// moves the versions of the levels that can see it, and marks the channels. Constant time whatever a group's size.

import type { Config, TenantConfig } from '../config.js'
import { HubError, type Refusal, refuse } from '../errors.js'
import { Bounds } from '../limits/index.js'
import type { AccountActivity, AccountId, Destination, DeviceActivity, TenantId } from '../protocol/index.js'
import { type Clock, TurnEnd } from '../runtime/index.js'
import { nothingKept, type OverrideStore } from '../store/index.js'
import { type AccountEvent, accountAutomaton } from './account.machine.js'
import { restore } from './declaration.js'
import { type DeviceEvent, deviceAutomaton } from './device.machine.js'
import { applyDirectory, applyGroup } from './directory.js'
import { Channel } from './feed.js'
import {
  type AccountRecord,
  type DeviceRecord,
  deviceOccupation,
  everyLevel,
  type GroupRecord,
  type Level,
  levels,
  newAccount,
  newTenant,
  noChannels,
  occupation,
  recount,
  speakerOf,
  type TenantRecord,
} from './records.js'
import { selfOf } from './render.js'
import { accountStatus, deviceStatus } from './status.js'

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

export class Graph {
  readonly clock: Clock
  /** Where overrides outlast this process. */
  readonly kept: OverrideStore
  readonly bounds: Bounds
  readonly #tenants = new Map<TenantId, TenantRecord>()
  readonly #turnEnd = new TurnEnd<() => void>(task => task())
  /** The accounts whose devices are yet to be told of them. */
  #untold = new Set<AccountRecord>()
  /** How many devices are registered: registration counts them. */
  devices = 0

  constructor(
    tenants: Config['tenants'],
    clock: Clock,
    kept: OverrideStore = nothingKept.overrides,
    bounds: Bounds = new Bounds(),
  ) {
    this.clock = clock
    this.kept = kept
    this.bounds = bounds
    this.configure(tenants)
  }

  /** Takes the directories of the tenants as they are now. A tenant that is no longer there keeps who is present. */
  configure(tenants: Config['tenants']): void {
    for (const [id, config] of tenants) {
      const known = this.#tenants.get(id)
      const tenant = known ?? newTenant(id, this.clock.wall())
      this.#tenants.set(id, tenant)
      applyDirectory(this, tenant, config)
      if (known === undefined) restore(this, tenant)
    }
  }

  /** Takes one group of a tenant as its directory has it now: not more work than that. */
  configureGroup(tenant: TenantId, group: Destination, config: TenantConfig): void {
    applyGroup(this, this.tenant(tenant), group, config)
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
      account = newAccount(tenant, name)
      tenant.accounts.set(name, account)
    }
    return account
  }

  /** Why no account may have this name: it is a group's, and nobody takes another's calls by a name. */
  taken(tenant: TenantRecord, name: AccountId): Refusal | undefined {
    return tenant.groups.has(name as string as Destination)
      ? refuse('name-taken', `${name} is the name of a group`)
      : undefined
  }

  /** What a name stands for, where there is a record of it. */
  topic(tenant: TenantRecord, name: Destination): GroupRecord | AccountRecord | undefined {
    return tenant.groups.get(name) ?? tenant.accounts.get(name as string as AccountId)
  }

  /** The channel of a destination at a level, made for its first reader. */
  channel(topic: GroupRecord | AccountRecord, level: Level): Channel {
    const known = topic.channels[level]
    if (known !== undefined) return known
    const channel = new Channel(topic, level, this.clock, this.#turnEnd)
    topic.channels = topic.channels.with(level, channel)
    return channel
  }

  /** A name that stood for `from` stands for `to` now, versions and readers included. */
  succeed(from: GroupRecord | AccountRecord, to: GroupRecord | AccountRecord): void {
    const { channels } = from
    from.channels = noChannels
    to.channels = channels
    for (const level of everyLevel) {
      to.versions[level] = Math.max(to.versions[level], from.versions[level]) + 1
      channels[level]?.turn(to)
    }
  }

  /** Ends a channel that nobody reads any more. */
  unwatch({ topic, level }: Channel): void {
    topic.channels = topic.channels.with(level, undefined)
    if (topic.kind === 'account') this.forget(topic)
  }

  /** Drops an account's record when nothing holds it: not listed, nobody there, nobody watching. */
  forget(account: AccountRecord): void {
    const held =
      account.listed ||
      account.devices.length > 0 ||
      account.holds.length > 0 ||
      account.wrapups.length > 0 ||
      account.override !== undefined ||
      account.channels.some(channel => channel !== undefined)
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
    const activity = occupation(account)
    let seen = lowest
    const seenFrom = (level: Level): void => {
      if (level < seen) seen = level
    }
    if (activity !== account.state.value.activity) {
      account.state = accountAutomaton.settle(account.state, accountEventTo[activity])
      seenFrom(levels.full)
    }
    for (const device of account.devices) {
      if (this.#follow(device, activity !== 'free', now)) seenFrom(levels.devices)
    }
    const before = account.status
    account.status = accountStatus(account.devices, activity, account.tenant.busyWhen)
    if (before !== account.status) {
      account.since = now
      seenFrom(levels.summary)
      for (const group of account.groups) recount(group, before, account.status, now)
    }
    const { note = '', until = null } = speakerOf(account) ?? {}
    if (note !== account.note || until !== account.until) {
      account.note = note
      account.until = until
      seenFrom(levels.full)
    }
    this.#announce(account, account, seen)
    for (const group of account.groups) this.#announce(group, account, seen)
    if (seen < levels.routing) this.tellSelf(account)
  }

  /** Puts an account into an open group, or takes it out: one change each, seen from the first level up. */
  join(group: GroupRecord, account: AccountRecord): void {
    account.groups = [...account.groups, group]
    group.members.set(account, group.joined++)
    recount(group, undefined, account.status, this.clock.wall())
    this.#announce(group, account, levels.summary)
    this.tellSelf(account)
  }

  part(group: GroupRecord, account: AccountRecord): void {
    account.groups = account.groups.filter(other => other !== group)
    group.members.delete(account)
    recount(group, account.status, undefined, this.clock.wall())
    for (const level of everyLevel) {
      group.versions[level]++
      group.channels[level]?.removed(account)
    }
    this.tellSelf(account)
  }

  /** Tells the account's devices of it, at the end of the turn. */
  tellSelf(account: AccountRecord): void {
    this.#untold.add(account)
    this.#turnEnd.add(this.#tellSelves)
  }

  readonly #tellSelves = (): void => {
    const untold = this.#untold
    this.#untold = new Set()
    for (const account of untold) {
      const frame = selfOf(account)
      for (const { link } of account.devices) link.send(frame)
    }
  }

  #announce(topic: GroupRecord | AccountRecord, account: AccountRecord, lowest: Level): void {
    for (const level of everyLevel) {
      if (level < lowest) continue
      topic.versions[level]++
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
}
