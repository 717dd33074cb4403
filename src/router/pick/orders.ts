// The strategies: each gives an account one number, and those of equal tier and rank are rung by it, the lowest first;
// equal ones keep the directory's order. So an order is told in one pass and sorted once. Pure: chance, turns and who
// talked to the caller last come with the policy.

import type { Strategy } from '../../config.js'
import type { AccountEntry, RoutingFacts } from '../../protocol/index.js'
import type { Member } from './eligible.js'
import type { Policy } from './pick.js'

/** So many people ring at once where a strategy rings all, and so many in doubt beside them. */
export const peopleAtOnce = 10

/** How many people of one tier ring at once. */
export const widths: Readonly<Record<Strategy, number>> = {
  all: peopleAtOnce,
  'longest-idle': 1,
  'round-robin': 1,
  'fewest-calls': 1,
  'least-talk-time': 1,
  random: 1,
  weighted: 1,
  order: 1,
  sticky: 1,
}

/** More than any time of the clock, in milliseconds, until the year 2286. */
const age = 1e13

/** Who is on a call is not idle, and the less so the more calls they are on; of the others, when their last call ended. */
const idleSince = ({ calls, lastCallEndedAt }: RoutingFacts): number =>
  calls * age + (lastCallEndedAt === null ? 0 : Date.parse(lastCallEndedAt))

type Order = (
  account: AccountEntry & { readonly routing: RoutingFacts },
  member: Member,
  policy: Policy,
) => number

const inOrder: Order = () => 0
const longestIdle: Order = ({ routing }) => idleSince(routing)

export const orders: Readonly<Record<Strategy, Order>> = {
  all: inOrder,
  order: inOrder,
  'longest-idle': longestIdle,
  // Who was rung longest ago: between two turns of one person each other who is there has exactly one, whoever comes
  // and goes meanwhile.
  'round-robin': ({ account }, _member, { turns }) => turns.get(account) ?? 0,
  'fewest-calls': ({ routing }) => routing.callsTaken,
  'least-talk-time': ({ routing }) => routing.talkMs,
  random: (_account, _member, { random }) => random(),
  // Exponential waits: of those that are left, each is next with a chance that is its share of their weights
  // (Efraimidis and Spirakis, 2006). Of what is in [0, 1) the logarithm of the rest is finite.
  weighted: (_account, { weight }, { random }) => -Math.log(1 - random()) / weight,
  sticky: (account, member, policy) =>
    account.account === policy.last ? Number.NEGATIVE_INFINITY : longestIdle(account, member, policy),
}
