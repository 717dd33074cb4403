// Who may be rung at all, and on which devices: pure, over an account's entry in the routing view and what the
// directory says of it as a member. The first reason that holds is the one that is told: what lasts (a pause, a skill)
// before what passes (a call, a cool-down), since whoever lacks a skill would not be rung if they were free, either.

import type { GroupConfig, MemberConfig } from '../../config.js'
import type { AccountEntry, AccountId, DeviceEntry } from '../../protocol/index.js'
import type { SkipReason } from '../endings.js'
import type { Policy } from './pick.js'

/** What the directory says of an account as one of a group. */
export type Member = Omit<MemberConfig, 'account'>

/** Whom the directory does not list: an account by its own name, or one that joined an open group by its token. */
export const unlisted: Member = { tier: 1, weight: 1, skills: [] }

type Members = ReadonlyMap<AccountId, Member>
const nobody: Members = new Map()
const gathered = new WeakMap<GroupConfig, Members>()

/** The listed members of a group by name, gathered once; those of no group are none. */
export const membersOf = (group: GroupConfig | undefined): Members => {
  if (group === undefined) return nobody
  let members = gathered.get(group)
  if (members === undefined) {
    members = new Map(group.members.map(member => [member.account, member]))
    gathered.set(group, members)
  }
  return members
}

/** So many devices of one person ring together. */
export const devicesPerPerson = 10

/** Why an account is not to be rung; undefined if it is. */
export const obstacle = (
  { account, status, routing }: AccountEntry,
  { paused, skills }: Member,
  policy: Pick<Policy, 'caller' | 'rung' | 'skills' | 'now'>,
): SkipReason | undefined => {
  if (account === policy.caller) return 'is-the-caller'
  if (policy.rung.has(account)) return 'rung-already'
  if (status === 'offline') return 'offline'
  if (paused !== undefined) return 'paused'
  for (const skill of policy.skills) if (!skills.includes(skill)) return 'lacks-skill'
  if (status !== 'available') return status
  if (!routing?.canReceive) return 'cannot-receive'
  if (routing.freeCapacity === 0) return 'no-capacity'
  if (routing.notBefore !== null && Date.parse(routing.notBefore) > policy.now) return 'cooling-down'
  return undefined
}

/** 0 connected, 1 lingering, 2 suspect. */
export const rankOf = ({ rank = 0 }: DeviceEntry): number => rank

/** The devices of an account that ring together, live ones first. */
export const ringable = ({ devices = [] }: AccountEntry): DeviceEntry[] =>
  devices
    .filter(({ canReceive, status }) => canReceive && status === 'available')
    .sort((a, b) => rankOf(a) - rankOf(b))
    .slice(0, devicesPerPerson)
