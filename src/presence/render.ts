// From records to what is told: the entries of the presence status resource, the resource, and `self`.
// Facts of the moment (link, client, lastSeen) are shown where a resource is read, never in the feed. Every change of
// an account moves the version that routing sees, so its entry is made once and told again until then: a call to a
// group of thousands reads them all.

import type { AccountEntry, DeviceEntry, Resource, SelfFrame } from '../protocol/index.js'
import type { Page, Query } from './presence.js'
import {
  type AccountRecord,
  type CallHistory,
  type DeviceRecord,
  freeOf,
  type GroupRecord,
  type Level,
  levels,
} from './records.js'
import { newTally } from './status.js'

const iso = (time: number): string => new Date(time).toISOString()
const isoOrNull = (time: number | null): string | null => (time === null ? null : iso(time))

export const levelOf = ({ view, devices }: Query): Level =>
  view === 'full' ? (devices ? levels.devices : levels.full) : levels[view]

const deviceRank = ({ state: { value } }: DeviceRecord): number =>
  value.liveness === 'suspect' ? 2 : value.link === 'lingering' ? 1 : 0

const deviceEntry = (device: DeviceRecord, level: Level, moment: boolean): DeviceEntry => {
  const { value } = device.state
  return {
    device: device.id,
    status: device.status,
    since: iso(device.since),
    activity: value.activity,
    ...(moment && { link: value.link === 'lingering' ? 'lingering' : 'attached', client: device.client }),
    ...(level === levels.routing && {
      rank: deviceRank(device),
      canReceive: device.canReceive,
      confirms: device.confirms,
    }),
  }
}

const historyEntry = (history: CallHistory) => ({
  ...history,
  lastCallEndedAt: isoOrNull(history.lastCallEndedAt),
  notBefore: isoOrNull(history.notBefore),
})

const newEntry = (account: AccountRecord, level: Level, moment: boolean): AccountEntry => ({
  account: account.account,
  status: account.status,
  since: iso(account.since),
  activity: account.state.value.activity,
  note: account.note,
  until: isoOrNull(account.until),
  ...(moment && { lastSeen: isoOrNull(account.lastSeen) }),
  ...(level >= levels.devices && {
    devices: account.devices.map(device => deviceEntry(device, level, moment)),
  }),
  ...(level === levels.routing && {
    routing: {
      canReceive: account.devices.some(({ canReceive }) => canReceive),
      freeCapacity: freeOf(account),
      calls: account.holds.length,
      ...historyEntry(account.history),
      suspect: account.devices.length > 0 && account.devices.every(device => deviceRank(device) === 2),
    },
  }),
})

/** One account's entry. `moment`: with the facts of the moment. */
export const accountEntry = (account: AccountRecord, level: Level, moment: boolean): AccountEntry => {
  const { told } = account
  const version = account.versions[levels.routing]
  if (told?.version === version && told.level === level && told.moment === moment) return told.entry
  const entry = newEntry(account, level, moment)
  account.told = { version, level, moment, entry }
  return entry
}

const membersOf = (group: GroupRecord, { limit = Number.POSITIVE_INFINITY, cursor = '-1' }: Page) => {
  const page: AccountRecord[] = []
  let last = cursor
  for (const [member, place] of group.members) {
    if (place <= Number(cursor)) continue
    if (page.length === limit) return { page, cursor: last }
    page.push(member)
    last = String(place)
  }
  return { page }
}

/** The head of a destination's resource, snapshot and diff: all but the accounts. */
export const headOf = (topic: GroupRecord | AccountRecord, level: Level) => {
  return {
    destination: topic.name,
    kind: topic.kind,
    version: topic.versions[level],
    status: topic.status,
    since: iso(topic.since),
    counts: topic.kind === 'group' ? { ...topic.tally } : { ...newTally(), [topic.status]: 1 },
  }
}

/** The presence status resource of a group or an account. */
export const resourceOf = (
  topic: GroupRecord | AccountRecord,
  level: Level,
  page: Page,
  moment: boolean,
): Resource => {
  const head = headOf(topic, level)
  if (level === levels.summary) return head
  if (topic.kind === 'account') return { ...head, accounts: [accountEntry(topic, level, moment)] }
  const members = membersOf(topic, page)
  return {
    ...head,
    accounts: members.page.map(member => accountEntry(member, level, moment)),
    ...(members.cursor !== undefined && { cursor: members.cursor }),
  }
}

/** What an account's own devices are told of it. */
export const selfOf = (account: AccountRecord): SelfFrame => ({
  type: 'self',
  status: account.status,
  override: account.state.value.override,
  until: isoOrNull(account.until),
  by: account.override?.by ?? null,
  note: account.note,
  activity: account.state.value.activity,
  groups: account.groups.map(({ name }) => name),
  devices: account.devices.map(device => ({
    device: device.id,
    status: device.status,
    activity: device.state.value.activity,
    canReceive: device.canReceive,
    client: device.client,
  })),
})
