// The strategies: each gives an account one number, and those of equal tier and rank are rung by it, the lowest first;
// of equal ones some strategies take the longest idle, and all keep the directory's order. So an order is told in one
// pass and sorted once. Pure: chance, turns and who talked to the caller last come with the policy.

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

/** What the routing view says of an account that may be rung. */
export type Eligible = AccountEntry & { readonly routing: RoutingFacts }

type Order = (account: Eligible, member: Member, policy: Policy) => number

const inOrder: Order = () => 0

/** Who is on a call is not idle, and the less so the more calls they are on. */
const atWork: Order = ({ routing }) => routing.calls

/** The strategies that go on by when an account's last call ended, where their number leaves two equal. */
export const byIdleness: ReadonlySet<Strategy> = new Set(['longest-idle', 'sticky'])

export const orders: Readonly<Record<Strategy, Order>> = {
  all: inOrder,
  order: inOrder,
  'longest-idle': atWork,
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
    account.account === policy.last ? -1 : atWork(account, member, policy),
}
