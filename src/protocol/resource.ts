// The presence status resource: what the hub tells of a destination, to readers, subscribers and the router.

import Type, { type Static } from 'typebox'
import { about, maybe } from './annotate.js'
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

const count = (description: string) => Type.Integer({ minimum: 0, description })
const timeOrNull = (description: string) => Type.Union([Time, Type.Null()], { description })

/**
 * How much of a destination a reader asks for: `summary` has no accounts and costs the same for any size,
 * `full` has them, `routing` adds what the router decides by. Devices are shown by right, not by view.
 */
export const views = ['full', 'summary', 'routing'] as const
export const ViewName = Type.Enum([...views], {
  description:
    'How much to tell: `full` (the default) has the accounts, `summary` leaves them out and costs the same for a group of any size, `routing` adds what the router decides by (`presence:route`).',
})
export type ViewName = (typeof views)[number]

export const DeviceEntry = Type.Object(
  {
    device: about(DeviceName, 'Its name, unique within the account.'),
    status: about(StatusWord, 'Its status: what it is doing, else the override, else what it declares.'),
    since: about(Time, 'Since when the status holds.'),
    activity: Type.Enum([...deviceActivities], { description: 'What it is doing.' }),
    link: Type.Optional(
      Type.Enum([...links], {
        description:
          'Whether it is connected, or was lost and may still come back. A fact of the moment: only in a resource that was read, never in a diff.',
      }),
    ),
    client: Type.Optional(
      Type.String({ description: 'What its hello said it is. A fact of the moment, as `link`.' }),
    ),
    rank: Type.Optional(
      Type.Integer({
        description: 'View `routing`: 0 connected, 1 lingering, 2 suspect. Lower is rung first.',
      }),
    ),
    canReceive: Type.Optional(Type.Boolean({ description: 'View `routing`: whether it is offered calls.' })),
    confirms: Type.Optional(
      Type.Boolean({ description: 'View `routing`: whether this kind of client confirms that it rings.' }),
    ),
  },
  { title: 'DeviceEntry', description: 'One device of an account.' },
)
export type DeviceEntry = Static<typeof DeviceEntry>

export const RoutingFacts = Type.Object(
  {
    canReceive: Type.Boolean({ description: 'Whether any of its devices is offered calls.' }),
    freeCapacity: count('How many more calls it can take.'),
    calls: count('Calls that it is on now, or rings for.'),
    lastCallEndedAt: timeOrNull('When its last call ended, whichever its device; `null` for none.'),
    callsTaken: count('Calls that it answered.'),
    talkMs: count('How long it has talked in all, in milliseconds.'),
    missedInARow: count(
      'Calls that it let ring since it last answered one, or was called back from the `away` that they brought.',
    ),
    notBefore: timeOrNull(
      'Not to be offered a call of a group before this time (cool-down); `null`: at any time.',
    ),
    suspect: Type.Boolean({ description: 'Every one of its devices left something unanswered.' }),
  },
  { title: 'RoutingFacts', description: 'What the router decides by.' },
)
export type RoutingFacts = Static<typeof RoutingFacts>

export const AccountEntry = Type.Object(
  {
    account: about(AccountName, 'Its name.'),
    status: about(StatusWord, 'Its status, consolidated over its devices.'),
    since: about(Time, 'Since when the status holds.'),
    activity: Type.Enum([...accountActivities], {
      description: '`engaged` when its capacity is in use, `wrapup` in the set time after a call.',
    }),
    note: about(Note, "The override's note, else that of the device whose status won; empty for none."),
    until: timeOrNull('When the override or status passes; `null`: not by itself.'),
    lastSeen: Type.Optional(
      timeOrNull(
        'When something last came from it; `null`: never. A fact of the moment: only in a resource that was read.',
      ),
    ),
    devices: Type.Optional(
      Type.Array(DeviceEntry, {
        description: "Its devices: of one's own account, and of others with `presence:devices`.",
      }),
    ),
    routing: maybe(RoutingFacts, 'View `routing`: what the router decides by.'),
  },
  { title: 'AccountEntry', description: 'One account within a resource.' },
)
export type AccountEntry = Static<typeof AccountEntry>

export const Counts = Type.Object(
  {
    available: count('Accounts that are available.'),
    ringing: count('Accounts that ring.'),
    busy: count('Accounts that are busy.'),
    away: count('Accounts that are away.'),
    dnd: count('Accounts that do not want to be disturbed.'),
    offline: count('Accounts that are offline.'),
  } satisfies Record<(typeof statuses)[number], ReturnType<typeof count>>,
  { title: 'Counts', description: 'How many accounts of a destination are in each status.' },
)
export type Counts = Static<typeof Counts>

/** The fields that a resource and a `presence` frame have in common. */
export const resourceHead = {
  destination: about(DestinationName, 'What it is about.'),
  kind: Type.Enum(['group', 'account'], {
    description: 'Whether that is a group, or an account by its own name.',
  }),
  version: count('Goes up with each change that this view can show, and never back.'),
  status: about(StatusWord, 'The highest that any of its accounts has.'),
  since: about(Time, 'Since when the status holds.'),
  counts: about(Counts, 'How many of its accounts are in each status.'),
}

/** How things stand with one destination (RFC 3856 would say: the state of a presentity). */
export const Resource = Type.Object(
  {
    ...resourceHead,
    accounts: Type.Optional(
      Type.Array(AccountEntry, {
        description:
          "In the directory's order, then those who joined by token; absent in the view `summary`.",
      }),
    ),
    cursor: Type.Optional(
      Type.String({ description: 'Where the next page of accounts begins; absent on the last.' }),
    ),
  },
  { title: 'Resource', description: 'The presence status resource of one destination.' },
)
export type Resource = Static<typeof Resource>
