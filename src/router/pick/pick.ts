// Whom to ring, and in which order: pure, over the routing view of a destination's resource and the directory.
// What it says may be stale by the time it is used; the claim that follows is the lock.

import type { Strategy } from '../../config.js'
import type { AccountId, DeviceEntry, Resource } from '../../protocol/index.js'
import type { SkipReason } from '../endings.js'
import { type Member, obstacle, rankOf, ringable, unlisted } from './eligible.js'
import { byIdleness, type Eligible, orders } from './orders.js'

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
  /** Of a pause: why. */
  readonly note?: string
}

export interface Picked {
  readonly candidates: readonly Candidate[]
  readonly skipped: readonly Skipped[]
}

/** What the directory, the call and the router's memory say about the choice. */
export interface Policy {
  readonly strategy: Strategy
  /** What the directory says of the members that it lists. */
  readonly members: ReadonlyMap<AccountId, Member>
  /** What the call needs; whoever lacks any of it is not rung. */
  readonly skills: readonly string[]
  /** The account that places the call is not rung by it. */
  readonly caller?: AccountId
  /** Whom this round has rung already. */
  readonly rung: ReadonlySet<AccountId>
  /** The wall clock, milliseconds since 1970: whoever cools down until later is not rung. */
  readonly now: number
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** For `round-robin`: numbers that grow with each turn; absent: not rung yet. */
  readonly turns: ReadonlyMap<AccountId, number>
  /** For `sticky`: who talked to this caller last. */
  readonly last?: AccountId
}

/**
 * `place` comes first: the tier, and the rank of the best device within it; then `order`, the strategy's; then `idle`,
 * since when: ISO 8601 in UTC, which sorts as text; empty for ever, and where the strategy does not ask.
 */
type Seat = Candidate & { readonly place: number; readonly order: number; readonly idle: string }

/** More than there are ranks. */
const ranks = 8

/** The candidates in the order to ring them, and why each other account is not one. */
export const pick = ({ accounts = [] }: Pick<Resource, 'accounts'>, policy: Policy): Picked => {
  const seats: Seat[] = []
  const skipped: Skipped[] = []
  const order = orders[policy.strategy]
  const asksIdle = byIdleness.has(policy.strategy)
  for (const entry of accounts) {
    const { account } = entry
    const member = policy.members.get(account) ?? unlisted
    const reason = obstacle(entry, member, policy)
    const devices = reason === undefined ? ringable(entry) : []
    const [best] = devices
    if (reason === 'paused') skipped.push({ account, reason, note: member.paused as string })
    else if (best === undefined) skipped.push({ account, reason: reason ?? 'cannot-receive' })
    else {
      seats.push({
        account,
        tier: member.tier,
        devices,
        place: member.tier * ranks + rankOf(best),
        order: order(entry as Eligible, member, policy),
        idle: (asksIdle && (entry as Eligible).routing.lastCallEndedAt) || '',
      })
    }
  }
  seats.sort(
    (a, b) => a.place - b.place || a.order - b.order || Number(a.idle > b.idle) - Number(a.idle < b.idle),
  )
  return { candidates: seats, skipped }
}
