// The vocabulary of presence: the words that clients, resources and the router share.

import Type, { type Static } from 'typebox'
import { maybe } from './annotate.js'

/** Consolidated statuses, highest priority first. */
export const statuses = ['available', 'ringing', 'busy', 'away', 'dnd', 'offline'] as const
export type Status = (typeof statuses)[number]
export const StatusWord = Type.Enum([...statuses])

/** What a client application, or a person, may say of itself. */
export const declarable = ['available', 'away', 'busy', 'dnd'] as const
export type Declared = (typeof declarable)[number]
export const DeclaredWord = Type.Enum([...declarable])

/** What a client application may say of itself alone: also that it is not there for others, as one that only calls. */
export const deviceDeclarable = [...declarable, 'offline'] as const
export type DeviceDeclared = (typeof deviceDeclarable)[number]
export const DeviceDeclaredWord = Type.Enum([...deviceDeclarable])

/** What an account is doing: `engaged` when its capacity is in use, `wrapup` in the set time after a call. */
export const accountActivities = ['free', 'ringing', 'engaged', 'wrapup'] as const
export type AccountActivity = (typeof accountActivities)[number]

export const deviceActivities = ['idle', 'ringing', 'engaged'] as const
export type DeviceActivity = (typeof deviceActivities)[number]

/** How a device hangs on its hub: `lingering` when its connection was lost and may still come back. */
export const links = ['attached', 'lingering'] as const

/** ISO 8601 in UTC, as every time on the wire. */
export const Time = Type.String({
  pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,9})?Z$',
  expected: 'a time in ISO 8601, UTC, as 2026-01-01T00:00:00Z',
})

export const Note = Type.String({ maxLength: 256 })

/** What a status change says, on the socket and over HTTP. `null` clears an override. */
export const StatusChange = Type.Object(
  {
    status: Type.Union([DeclaredWord, Type.Null()], {
      expected: `one of ${declarable.join(', ')}, or null`,
      description: 'The new status; `null` clears the override of an account.',
    }),
    note: maybe(Note, 'A text beside it for people to read, at most 256 characters.'),
    until: maybe(Time, 'When it passes: then a device is `available` again, and an override is cleared.'),
  },
  { title: 'StatusChange', description: 'What someone says of a device or an account, and until when.' },
)
export type StatusChange = Static<typeof StatusChange>

/** What a device says of itself, and until when. */
export interface DeviceChange extends Omit<StatusChange, 'status'> {
  readonly status: DeviceDeclared
}
