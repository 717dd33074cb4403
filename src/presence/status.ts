// The fold: from what devices and accounts are, to the one status that others see. Pure, and all of it here.
// Precedence is the order of `statuses`; a status is held as its rank in that order where it is counted.

import {
  type AccountActivity,
  type Counts,
  type Declared,
  type DeviceActivity,
  type Status,
  statuses,
} from '../protocol/index.js'
import type { Override } from './account.machine.js'

export const rankOf: Readonly<Record<Status, number>> = {
  available: 0,
  ringing: 1,
  busy: 2,
  away: 3,
  dnd: 4,
  offline: 5,
}

/** How many holders are in each status, by rank. */
export type Tally = number[]

export const newTally = (): Tally => statuses.map(() => 0)

/** The highest status that anyone has; `offline` where nobody is. */
export const highest = (tally: Tally): Status => statuses[tally.findIndex(count => count > 0)] ?? 'offline'

export const countsOf = (tally: Tally): Counts => {
  const [available = 0, ringing = 0, busy = 0, away = 0, dnd = 0, offline = 0] = tally
  return { available, ringing, busy, away, dnd, offline }
}

/** What one place after another of an account is taken by. */
export interface Places {
  readonly capacity: number
  readonly ringing: number
  readonly engaged: number
  readonly wrapping: number
}

export const freePlaces = ({ capacity, ringing, engaged, wrapping }: Places): number =>
  Math.max(0, capacity - ringing - engaged - wrapping)

/** An account is free while it has a place left; else what its places are taken by, ringing first. */
export const activityOf = (places: Places): AccountActivity => {
  if (freePlaces(places) > 0) return 'free'
  if (places.ringing > 0) return 'ringing'
  return places.engaged > 0 ? 'engaged' : 'wrapup'
}

/** One device: its calls show only when its account has no place left; else the person's word, else its own. */
export const deviceStatus = (
  activity: DeviceActivity,
  declared: Declared,
  override: Override,
  full: boolean,
): Status => {
  if (full && activity === 'engaged') return 'busy'
  if (full && activity === 'ringing') return 'ringing'
  return override === 'none' ? declared : override
}

/** One account over its devices. With `busyWhen: 'all'` its own activity is not folded in. */
export const accountStatus = (
  devices: readonly { readonly status: Status }[],
  activity: AccountActivity,
  busyWhen: 'any' | 'all',
): Status => {
  if (devices.length === 0) return 'offline'
  if (busyWhen === 'any' && activity === 'ringing') return 'ringing'
  if (busyWhen === 'any' && activity !== 'free') return 'busy'
  return devices.reduce<Status>(
    (best, { status }) => (rankOf[status] < rankOf[best] ? status : best),
    'offline',
  )
}
