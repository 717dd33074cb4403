// What the graph holds: one record a device, an account, a group and a tenant, each found under one key.
// Only graph, registration and holds change them; everything else reads.

import type {
  AccountActivity,
  AccountEntry,
  AccountId,
  CallId,
  Destination,
  DeviceActivity,
  DeviceId,
  Status,
  TenantId,
} from '../protocol/index.js'
import type { Timer } from '../runtime/index.js'
import { type AccountState, accountAutomaton } from './account.machine.js'
import type { DeviceState } from './device.machine.js'
import type { Channel } from './feed.js'
import type { Link } from './link.js'
import { activityOf, freePlaces, highest, newTally, type Places, type Tally } from './status.js'

/**
 * How much of a destination a reader sees, each level all of the one before: counts, accounts, devices, and what
 * routing decides by. A change is visible from one level up, and moves the versions of those levels.
 */
export const levels = { summary: 0, full: 1, devices: 2, routing: 3 } as const
export type Level = (typeof levels)[keyof typeof levels]
export const everyLevel: readonly Level[] = Object.values(levels)

/** What can be watched. `versions` and `channels` are by level; a channel exists while it has subscribers. */
export interface Topic {
  readonly kind: 'group' | 'account'
  readonly name: Destination
  readonly versions: [number, number, number, number]
  channels: readonly (Channel | undefined)[]
  status: Status
  /** Since when the status holds; milliseconds since 1970, as all times here. */
  since: number
}

/** A call's hold on one place of an account. */
export interface HoldRecord {
  readonly call: CallId
  phase: 'ringing' | 'engaged'
  /** Offered by the router, rather than placed by the account's own device. */
  readonly offered: boolean
  /** The devices that ring for it, or the one that is engaged in it. */
  devices: readonly DeviceRecord[]
}

export interface DeviceRecord {
  readonly id: DeviceId
  readonly account: AccountRecord
  state: DeviceState
  /** Replaced when a newer connection takes the device over. */
  link: Link
  status: Status
  since: number
  /** When the device last said what it is, by the monotonic clock: the latest note is shown. */
  declaredAt: number
  note: string
  until: number | null
  untilTimer: Timer | undefined
  client: string
  canReceive: boolean
  confirms: boolean
  groups: readonly string[]
  tokenCapacity: number | undefined
  capacity: number | undefined
}

/** What routing goes by of an account's past calls. */
export interface CallHistory {
  readonly lastCallEndedAt: number | null
  readonly callsTaken: number
  readonly talkMs: number
  readonly missedInARow: number
  readonly notBefore: number | null
}

/** A person's word for all their devices. */
export interface OverrideRecord {
  readonly note: string
  readonly until: number | null
  readonly timer: Timer | undefined
  readonly by: AccountId
}

/** A set time after a call: it takes one place of the account until the timer is over. */
export interface WrapupRecord {
  readonly timer: Timer
}

export interface AccountRecord extends Topic {
  readonly kind: 'account'
  readonly tenant: TenantRecord
  readonly account: AccountId
  /** Listed or configured in the directory: stays while offline. */
  listed: boolean
  /** Calls at once by the directory. */
  directoryCapacity: number | undefined
  state: AccountState
  devices: readonly DeviceRecord[]
  groups: readonly GroupRecord[]
  holds: readonly HoldRecord[]
  wrapups: readonly WrapupRecord[]
  note: string
  until: number | null
  override: OverrideRecord | undefined
  lastSeen: number | null
  history: CallHistory
  /** How it was last told; `render` keeps it for as long as nothing changes. */
  told: Told | undefined
}

/** One telling of an account: what was said at a level, of the version that routing sees. */
export interface Told {
  readonly version: number
  readonly level: Level
  readonly moment: boolean
  readonly entry: AccountEntry
}

export interface GroupRecord extends Topic {
  readonly kind: 'group'
  open: boolean
  /** Members in the directory's order, then those who joined; the number is each one's place in that order. */
  readonly members: Map<AccountRecord, number>
  listed: ReadonlySet<AccountId>
  readonly tally: Tally
  joined: number
}

export interface TenantRecord {
  readonly id: TenantId
  busyWhen: 'any' | 'all'
  readonly accounts: Map<AccountId, AccountRecord>
  readonly groups: Map<Destination, GroupRecord>
  /** No version of a new record is below it, so that no name's version ever goes back. */
  floor: number
  /** How many of the accounts are overridden. */
  overrides: number
  /** Since when a name that nobody ever used is offline. */
  readonly since: number
}

// Millions of records begin alike. What most never use (channels, holds, a history) they share until they do: lists
// and histories are replaced, never changed in place. The literals are spelled out, since a spread costs three times
// the memory.
const none: readonly never[] = []
export const noChannels = [undefined, undefined, undefined, undefined] as const
export const noHistory: CallHistory = {
  lastCallEndedAt: null,
  callsTaken: 0,
  talkMs: 0,
  missedInARow: 0,
  notBefore: null,
}

export const newTenant = (id: TenantId, now: number): TenantRecord => ({
  id,
  busyWhen: 'any',
  accounts: new Map(),
  groups: new Map(),
  floor: 0,
  overrides: 0,
  since: now,
})

export const newGroup = (tenant: TenantRecord, name: Destination): GroupRecord => ({
  kind: 'group',
  name,
  versions: [tenant.floor, tenant.floor, tenant.floor, tenant.floor],
  channels: noChannels,
  status: 'offline',
  since: tenant.since,
  open: false,
  members: new Map(),
  listed: new Set(),
  tally: newTally(),
  joined: 0,
})

export const newAccount = (tenant: TenantRecord, name: AccountId): AccountRecord => ({
  kind: 'account',
  name: name as string as Destination,
  versions: [tenant.floor, tenant.floor, tenant.floor, tenant.floor],
  channels: noChannels,
  status: 'offline',
  since: tenant.since,
  tenant,
  account: name,
  listed: false,
  directoryCapacity: undefined,
  state: accountAutomaton.initial,
  devices: none,
  groups: none,
  holds: none,
  wrapups: none,
  note: '',
  until: null,
  override: undefined,
  lastSeen: null,
  history: noHistory,
  told: undefined,
})

export const deviceOf = (account: AccountRecord, id: DeviceId): DeviceRecord | undefined =>
  account.devices.find(device => device.id === id)

/** Calls at once: the directory's word, else that of the last token to bring one, else 1; less where a client asks for less. */
const capacityOf = ({ directoryCapacity, devices }: AccountRecord): number => {
  let capacity = directoryCapacity ?? devices.findLast(device => device.tokenCapacity)?.tokenCapacity ?? 1
  for (const device of devices) capacity = Math.min(capacity, device.capacity ?? capacity)
  return capacity
}

const placesOf = (account: AccountRecord): Places => {
  const engaged = account.holds.filter(({ phase }) => phase === 'engaged').length
  return {
    capacity: capacityOf(account),
    ringing: account.holds.length - engaged,
    engaged,
    wrapping: account.wrapups.length,
  }
}

export const freeOf = (account: AccountRecord): number => freePlaces(placesOf(account))

/** What the account's activity must be by the places that are taken. */
export const occupation = (account: AccountRecord): AccountActivity => activityOf(placesOf(account))

/** What a device's activity must be by the holds that name it. */
export const deviceOccupation = (device: DeviceRecord): DeviceActivity => {
  const holds = device.account.holds.filter(({ devices }) => devices.includes(device))
  if (holds.some(({ phase }) => phase === 'engaged')) return 'engaged'
  return holds.length > 0 ? 'ringing' : 'idle'
}

/** Whose note and `until` an account shows: the override's, else of the device whose status won, the latest to speak. */
export const speakerOf = (account: AccountRecord): OverrideRecord | DeviceRecord | undefined => {
  if (account.override !== undefined) return account.override
  let latest: DeviceRecord | undefined
  for (const device of account.devices) {
    if (device.status !== account.status) continue
    if (latest === undefined || device.declaredAt >= latest.declaredAt) latest = device
  }
  return latest
}

/** Moves one member of a group from one status to another; undefined is not being a member. */
export const recount = (
  group: GroupRecord,
  from: Status | undefined,
  to: Status | undefined,
  now: number,
): void => {
  if (from !== undefined) group.tally[from]--
  if (to !== undefined) group.tally[to]++
  const status = highest(group.tally)
  if (status !== group.status) {
    group.status = status
    group.since = now
  }
}
