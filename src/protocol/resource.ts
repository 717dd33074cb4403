// The presence status resource: what the hub tells of a destination, to readers, subscribers and the router.

import Type, { type Static } from 'typebox'
import { AccountName, DestinationName, DeviceName } from './names.js'
import {
  accountActivities,
  deviceActivities,
  links,
  Note,
  StatusWord,
  type statuses,
  Time,
} from './statuses.js'

const Count = Type.Integer({ minimum: 0 })

/**
 * How much of a destination a reader asks for: `summary` has no accounts and costs the same for any size,
 * `full` has them, `routing` adds what the router decides by. Devices are shown by right, not by view.
 */
export const views = ['full', 'summary', 'routing'] as const
export const ViewName = Type.Enum([...views])
export type ViewName = (typeof views)[number]

export const DeviceEntry = Type.Object({
  device: DeviceName,
  status: StatusWord,
  since: Time,
  activity: Type.Enum([...deviceActivities]),
  /** Facts of the moment: only in a resource that was read, never in a diff. */
  link: Type.Optional(Type.Enum([...links])),
  client: Type.Optional(Type.String()),
  /** Routing view: 0 live, 1 lingering, 2 suspect. */
  rank: Type.Optional(Type.Integer()),
  /** Routing view: whether this device is offered calls. */
  canReceive: Type.Optional(Type.Boolean()),
  /** Routing view: whether this kind of client confirms that it rings. */
  confirms: Type.Optional(Type.Boolean()),
})
export type DeviceEntry = Static<typeof DeviceEntry>

/** What the router decides by; times of calls are of the account, whichever its device. */
export const RoutingFacts = Type.Object({
  canReceive: Type.Boolean(),
  freeCapacity: Count,
  lastCallEndedAt: Type.Union([Time, Type.Null()]),
  callsTaken: Count,
  talkMs: Count,
  missedInARow: Count,
  /** Not to be offered a call before this time (cool-down). */
  notBefore: Type.Union([Time, Type.Null()]),
  suspect: Type.Boolean(),
})
export type RoutingFacts = Static<typeof RoutingFacts>

/** One account within a resource. */
export const AccountEntry = Type.Object({
  account: AccountName,
  status: StatusWord,
  since: Time,
  activity: Type.Enum([...accountActivities]),
  note: Note,
  until: Type.Union([Time, Type.Null()]),
  /** A fact of the moment: only in a resource that was read. */
  lastSeen: Type.Optional(Type.Union([Time, Type.Null()])),
  devices: Type.Optional(Type.Array(DeviceEntry)),
  routing: Type.Optional(RoutingFacts),
})
export type AccountEntry = Static<typeof AccountEntry>

export const Counts = Type.Object({
  available: Count,
  ringing: Count,
  busy: Count,
  away: Count,
  dnd: Count,
  offline: Count,
} satisfies Record<(typeof statuses)[number], typeof Count>)
export type Counts = Static<typeof Counts>

/** How things stand with one destination (RFC 3856 would say: the state of a presentity). */
export const Resource = Type.Object({
  destination: DestinationName,
  kind: Type.Enum(['group', 'account']),
  /** Goes up with each change that this view can show, and never back. */
  version: Count,
  /** The highest that any of its accounts has. */
  status: StatusWord,
  /** Since when the status holds. */
  since: Time,
  /** How many of its accounts are in each status. */
  counts: Counts,
  /** In the directory's order, then those who joined by token; none in the view `summary`. */
  accounts: Type.Optional(Type.Array(AccountEntry)),
  /** Where the next page of accounts begins; absent on the last. */
  cursor: Type.Optional(Type.String()),
})
export type Resource = Static<typeof Resource>
