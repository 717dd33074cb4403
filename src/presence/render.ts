// From records to what is told: the entries of the presence status resource, the resource, and `self`.
// Pure. Facts of the moment (link, client, lastSeen) are shown where a resource is read, never in the feed.

import type {
  AccountEntry,
  AccountId,
  Destination,
  DeviceEntry,
  DeviceId,
  Resource,
  SelfFrame,
} from '../protocol/index.js'
import type { Page, Query } from './presence.js'
import {
  type AccountRecord,
  type DeviceRecord,
  freeOf,
  type GroupRecord,
  type Level,
  levels,
  type TenantRecord,
} from './records.js'
import { countsOf, newTally, rankOf } from './status.js'

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

/** One account's entry. `moment`: with the facts of the moment. */
export const accountEntry = (account: AccountRecord, level: Level, moment: boolean): AccountEntry => ({
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
      lastCallEndedAt: isoOrNull(account.lastCallEndedAt),
      callsTaken: account.callsTaken,
      talkMs: account.talkMs,
      missedInARow: account.missedInARow,
      notBefore: isoOrNull(account.notBefore),
      suspect: account.devices.length > 0 && account.devices.every(device => deviceRank(device) === 2),
    },
  }),
})

/** What a name that nothing is known of looks like: an account that is offline. */
export const offlineAccount = (tenant: TenantRecord, name: Destination, level: Level): Resource => ({
  destination: name,
  kind: 'account',
  version: tenant.floor,
  status: 'offline',
  since: iso(tenant.since),
  counts: { available: 0, ringing: 0, busy: 0, away: 0, dnd: 0, offline: 1 },
  ...(level > levels.summary && {
    accounts: [
      {
        account: name as string as AccountId,
        status: 'offline',
        since: iso(tenant.since),
        activity: 'free',
        note: '',
        until: null,
        lastSeen: null,
        ...(level >= levels.devices && { devices: [] }),
        ...(level === levels.routing && {
          routing: {
            canReceive: false,
            freeCapacity: 1,
            lastCallEndedAt: null,
            callsTaken: 0,
            talkMs: 0,
            missedInARow: 0,
            notBefore: null,
            suspect: false,
          },
        }),
      },
    ],
  }),
})

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

/** The heads of a group's or an account's resource, snapshot and diff: all but the accounts. */
export const headOf = (topic: GroupRecord | AccountRecord, level: Level) => {
  const tally = topic.kind === 'group' ? topic.tally : newTally()
  if (topic.kind === 'account') tally[rankOf[topic.status]] = 1
  return {
    destination: topic.name,
    kind: topic.kind,
    version: topic.versions[level],
    status: topic.status,
    since: iso(topic.since),
    counts: countsOf(tally),
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
  devices: account.devices.map(device => ({
    device: device.id as DeviceId,
    status: device.status,
    activity: device.state.value.activity,
    canReceive: device.canReceive,
    client: device.client,
  })),
})
