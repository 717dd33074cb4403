// The fold: from what devices and accounts are, to the one status that others see. Pure, and all of it here.
// Precedence is the order of `statuses`, highest first.

import {
  type AccountActivity,
  type Counts,
  type DeviceActivity,
  type DeviceDeclared,
  type Status,
  statuses,
} from '../protocol/index.js'
import type { Override } from './account.machine.js'

/** How many accounts are in each status. */
export type Tally = Counts

export const newTally = (): Tally => ({ available: 0, ringing: 0, busy: 0, away: 0, dnd: 0, offline: 0 })

/** The highest status that anyone has; `offline` where nobody is. */
export const highest = (tally: Readonly<Tally>): Status =>
  statuses.find(status => tally[status] > 0) ?? 'offline'

/** How many calls an account can have at once, and what the places for them are taken by. */
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

/**
 * One device: its calls show only when its account has no place left; else the person's word, else its own. One that is
 * not there for others stays so whatever its person says.
 */
export const deviceStatus = (
  activity: DeviceActivity,
  declared: DeviceDeclared,
  override: Override,
  full: boolean,
): Status => {
  if (full && activity === 'engaged') return 'busy'
  if (full && activity === 'ringing') return 'ringing'
  return override === 'none' || declared === 'offline' ? declared : override
}

/** One account over its devices. With `busyWhen: 'all'` its own activity is not folded in. */
export const accountStatus = (
  devices: readonly { readonly status: Status }[],
  activity: AccountActivity,
  busyWhen: 'any' | 'all',
): Status => {
  const best = statuses.find(status => devices.some(device => device.status === status)) ?? 'offline'
  if (best === 'offline' || busyWhen === 'all' || activity === 'free') return best
  return activity === 'ringing' ? 'ringing' : 'busy'
}
