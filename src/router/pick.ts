// Whom to ring, and in which order: pure, over the routing view of a destination's resource and the directory.
// What it says may be stale by the time it is used; the claim that follows is the lock.

import type { Strategy } from '../config.js'
import type { AccountEntry, AccountId, DeviceEntry, Resource } from '../protocol/index.js'
import type { SkipReason } from './endings.js'

export interface Candidate {
  readonly account: AccountId
  /** Lower is rung first. */
  readonly tier: number
  /** Those that ring together: live ones first, at most `devicesPerPerson`. */
  readonly devices: readonly DeviceEntry[]
}

export interface Skipped {
  readonly account: AccountId
  readonly reason: SkipReason
}

export interface Picked {
  readonly candidates: readonly Candidate[]
  readonly skipped: readonly Skipped[]
}

/** What the directory and the call say about the choice. */
export interface Policy {
  readonly strategy: Strategy
  tierOf(account: AccountId): number
  /** The account that places the call is not rung by it. */
  readonly caller?: AccountId
  /** Whom this round has rung already. */
  readonly rung: ReadonlySet<AccountId>
  /** The wall clock, milliseconds since 1970. */
  readonly now: number
}

/** So many devices of one person ring together. */
export const devicesPerPerson = 10

/** Why an account is not to be rung; undefined if it is. */
const obstacle = (entry: AccountEntry, policy: Policy): SkipReason | undefined => {
  if (entry.account === policy.caller) return 'is-the-caller'
  if (policy.rung.has(entry.account)) return 'rung-already'
  if (entry.status !== 'available') return entry.status
  if (!entry.routing?.canReceive) return 'cannot-receive'
  if (entry.routing.freeCapacity === 0) return 'no-capacity'
  if (entry.routing.notBefore !== null && Date.parse(entry.routing.notBefore) > policy.now)
    return 'cooling-down'
  return undefined
}

const rank = ({ rank = 0 }: DeviceEntry): number => rank

const ringable = ({ devices = [] }: AccountEntry): DeviceEntry[] =>
  devices
    .filter(({ canReceive, status }) => canReceive && status === 'available')
    .sort((a, b) => rank(a) - rank(b))
    .slice(0, devicesPerPerson)

/** `lastCallEndedAt`: ISO 8601 in UTC, which sorts as text; empty where there was none. */
type Seat = Candidate & { readonly rank: number; readonly lastCallEndedAt: string }

/** The order of a strategy among those of equal tier and rank; equal ones keep the directory's order. */
const orders: Readonly<Record<Strategy, (a: Seat, b: Seat) => number>> = {
  all: () => 0,
  'longest-idle': ({ lastCallEndedAt: a }, { lastCallEndedAt: b }) => Number(a > b) - Number(a < b),
}

/** The candidates in the order to ring them, and why each other account is not one. */
export const pick = ({ accounts = [] }: Resource, policy: Policy): Picked => {
  const seats: Seat[] = []
  const skipped: Skipped[] = []
  for (const entry of accounts) {
    const { account, routing } = entry
    const reason = obstacle(entry, policy)
    const devices = reason === undefined ? ringable(entry) : []
    const [best] = devices
    if (best === undefined) skipped.push({ account, reason: reason ?? 'cannot-receive' })
    else {
      const tier = policy.tierOf(account)
      seats.push({
        account,
        tier,
        devices,
        rank: rank(best),
        lastCallEndedAt: routing?.lastCallEndedAt ?? '',
      })
    }
  }
  const order = orders[policy.strategy]
  seats.sort((a, b) => a.tier - b.tier || a.rank - b.rank || order(a, b))
  return { candidates: seats, skipped }
}
