// What the graph holds: one record a device, an account, a group and a tenant, each found under one key.
// Only graph, registration and holds change them; everything else reads.

import type { AccountId, CallId, Destination, DeviceId, Status, TenantId } from '../protocol/index.js'
import type { Timer } from '../runtime/index.js'
import type { AccountState } from './account.machine.js'
import type { DeviceState } from './device.machine.js'
import type { Channel } from './feed.js'
import type { Link } from './link.js'
import { activityOf, freePlaces, highest, newTally, type Tally } from './status.js'

/**
 * How much of a destination a reader sees, each level all of the one before: counts, accounts, devices, and what
 * routing decides by. A change is visible from one level up, and moves the versions of those levels.
 */
export const levels = { summary: 0, full: 1, devices: 2, routing: 3 } as const
export type Level = (typeof levels)[keyof typeof levels]

/** What can be watched. `versions` and `channels` are by level; a channel exists while it has subscribers. */
export interface Topic {
  readonly kind: 'group' | 'account'
  readonly name: Destination
  readonly versions: [number, number, number, number]
  readonly channels: (Channel | undefined)[]
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
  devices: DeviceRecord[]
}

export interface DeviceRecord {
  readonly id: DeviceId
  readonly account: AccountRecord
  state: DeviceState
  /** Replaced when a newer connection takes the device over. */
  link: Link
  status: Status
  since: number
  /** When the device last said what it is, for the latest note. */
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

export interface AccountRecord extends Topic {
  readonly kind: 'account'
  readonly tenant: TenantRecord
  readonly account: AccountId
  /** Listed or configured in the directory: stays while offline. */
  listed: boolean
  /** Calls at once by the directory. */
  readonly directoryCapacity: number | undefined
  state: AccountState
  devices: DeviceRecord[]
  readonly groups: GroupRecord[]
  readonly holds: HoldRecord[]
  wrapping: number
  note: string
  until: number | null
  override: { note: string; until: number | null; timer: Timer | undefined; by: AccountId } | undefined
  /** Sends `self` to the account's devices; made when first needed. */
  tellSelf: (() => void) | undefined
  lastSeen: number | null
  lastCallEndedAt: number | null
  callsTaken: number
  talkMs: number
  missedInARow: number
  notBefore: number | null
}

export interface GroupRecord extends Topic {
  readonly kind: 'group'
  readonly open: boolean
  /** Members in the directory's order, then those who joined; the number is each one's place in that order. */
  readonly members: Map<AccountRecord, number>
  readonly listed: ReadonlySet<AccountId>
  readonly tally: Tally
  joined: number
}

export interface TenantRecord {
  readonly id: TenantId
  readonly busyWhen: 'any' | 'all'
  readonly accounts: Map<AccountId, AccountRecord>
  readonly groups: Map<Destination, GroupRecord>
  /** No version of a new record is below it, so that no name's version ever goes back. */
  floor: number
  /** Since when a name that nobody ever used is offline. */
  readonly since: number
}

const topic = (tenant: TenantRecord, name: Destination, now: number) => ({
  name,
  versions: [tenant.floor, tenant.floor, tenant.floor, tenant.floor] as [number, number, number, number],
  channels: [] as (Channel | undefined)[],
  status: 'offline' as Status,
  since: now,
})

export const newGroup = (
  tenant: TenantRecord,
  name: Destination,
  open: boolean,
  listed: ReadonlySet<AccountId>,
): GroupRecord => ({
  ...topic(tenant, name, tenant.since),
  kind: 'group',
  open,
  members: new Map(),
  listed,
  tally: newTally(),
  joined: 0,
})

export const newAccount = (
  tenant: TenantRecord,
  name: AccountId,
  state: AccountState,
  directoryCapacity?: number,
): AccountRecord => ({
  ...topic(tenant, name as string as Destination, tenant.since),
  kind: 'account',
  tenant,
  account: name,
  listed: false,
  directoryCapacity,
  state,
  devices: [],
  groups: [],
  holds: [],
  wrapping: 0,
  note: '',
  until: null,
  override: undefined,
  tellSelf: undefined,
  lastSeen: null,
  lastCallEndedAt: null,
  callsTaken: 0,
  talkMs: 0,
  missedInARow: 0,
  notBefore: null,
})

export const deviceOf = (account: AccountRecord, id: DeviceId): DeviceRecord | undefined =>
  account.devices.find(device => device.id === id)

/** Calls at once: the directory's word, else the newest token's, else 1; less where a client asks for less. */
export const capacityOf = ({ directoryCapacity, devices }: AccountRecord): number => {
  let capacity = directoryCapacity ?? devices.findLast(device => device.tokenCapacity)?.tokenCapacity ?? 1
  for (const device of devices) capacity = Math.min(capacity, device.capacity ?? capacity)
  return capacity
}

const placesOf = (account: AccountRecord) => {
  const engaged = account.holds.filter(({ phase }) => phase === 'engaged').length
  return {
    capacity: capacityOf(account),
    ringing: account.holds.length - engaged,
    engaged,
    wrapping: account.wrapping,
  }
}

export const freeOf = (account: AccountRecord): number => freePlaces(placesOf(account))

/** What the account's activity must be by the places that are taken. */
export const occupation = (account: AccountRecord) => activityOf(placesOf(account))

/** What a device's activity must be by the holds that name it. */
export const deviceOccupation = (device: DeviceRecord) => {
  const holds = device.account.holds.filter(({ devices }) => devices.includes(device))
  if (holds.some(({ phase }) => phase === 'engaged')) return 'engaged'
  return holds.length > 0 ? 'ringing' : 'idle'
}

/** Moves one member of a group from one status to another; undefined is not being a member. */
export const recount = (
  group: GroupRecord,
  from: number | undefined,
  to: number | undefined,
  now: number,
): void => {
  if (from !== undefined) group.tally[from] = (group.tally[from] ?? 0) - 1
  if (to !== undefined) group.tally[to] = (group.tally[to] ?? 0) + 1
  const status = highest(group.tally)
  if (status !== group.status) {
    group.status = status
    group.since = now
  }
}
