// Who is in which group: the accounts that the directory lists, and those that join an open group by their tokens
// while they are present. The directory may change while people are there: what it says now is compared with what
// is, and each difference is one change that watchers see.

import type { GroupConfig, TenantConfig } from '../config.js'
import type { AccountId, Destination } from '../protocol/index.js'
import type { Graph } from './graph.js'
import { type AccountRecord, type GroupRecord, levels, newGroup, type TenantRecord } from './records.js'

/** Brings the groups that an account is in to those that list it, and the open ones that its devices' tokens join. */
export const regroup = (graph: Graph, account: AccountRecord): void => {
  const wanted = new Set<GroupRecord>()
  for (const name of account.devices.flatMap(({ groups }) => groups)) {
    const group = account.tenant.groups.get(name as Destination)
    if (group?.open) wanted.add(group)
  }
  for (const group of account.groups) {
    if (!wanted.has(group) && !group.listed.has(account.account)) graph.part(group, account)
  }
  for (const group of wanted) {
    if (!group.members.has(account)) graph.join(group, account)
  }
}

const list = (graph: Graph, account: AccountRecord, listed: boolean, capacity: number | undefined): void => {
  if (account.listed === listed && account.directoryCapacity === capacity) return
  account.listed = listed
  account.directoryCapacity = capacity
  graph.commit(account, levels.routing)
}

/** Members in the directory's order, then those who joined by token. */
const order = (group: GroupRecord, listed: readonly AccountRecord[]): void => {
  const members = new Set([...listed, ...group.members.keys()])
  group.members.clear()
  group.joined = 0
  for (const member of members) group.members.set(member, group.joined++)
}

const fill = (
  graph: Graph,
  tenant: TenantRecord,
  name: Destination,
  { members, open }: GroupConfig,
): void => {
  const known = tenant.groups.get(name)
  const group = known ?? newGroup(tenant, name)
  tenant.groups.set(name, group)
  group.open = open
  group.listed = new Set(members.map(({ account }) => account))
  const listed = members.map(({ account }) => graph.account(tenant, account))
  for (const account of listed) if (!group.members.has(account)) graph.join(group, account)
  // Whoever is listed is in it, whatever else they may be in.
  for (const account of group.members.keys()) if (!group.listed.has(account.account)) regroup(graph, account)
  order(group, listed)
  const namesake = tenant.accounts.get(name as string as AccountId)
  if (known === undefined && namesake !== undefined) graph.succeed(namesake, group)
}

/** The name stands for an account again. */
const disband = (graph: Graph, tenant: TenantRecord, group: GroupRecord): void => {
  for (const account of group.members.keys()) graph.part(group, account)
  tenant.groups.delete(group.name)
  const namesake = graph.account(tenant, group.name as string as AccountId)
  graph.succeed(group, namesake)
  graph.forget(namesake)
}

const unlist = (graph: Graph, account: AccountRecord): void => {
  list(graph, account, false, undefined)
  graph.forget(account)
}

/**
 * Brings a tenant to what its directory says now. Whoever is present stays so; someone signed in under the name of a
 * new group keeps their session, and is refused it the next time.
 */
export const applyDirectory = (graph: Graph, tenant: TenantRecord, config: TenantConfig): void => {
  const people = new Set<AccountId>(config.accounts.keys())
  for (const { members } of config.groups.values()) for (const { account } of members) people.add(account)
  for (const name of people)
    list(graph, graph.account(tenant, name), true, config.accounts.get(name)?.capacity)
  for (const [name, group] of tenant.groups) {
    if (!config.groups.has(name)) disband(graph, tenant, group)
  }
  for (const [name, group] of config.groups) fill(graph, tenant, name, group)
  for (const account of tenant.accounts.values()) {
    // A group that has opened takes in who is there.
    regroup(graph, account)
    if (!people.has(account.account)) unlist(graph, account)
  }
  if (tenant.busyWhen === config.busyWhen) return
  tenant.busyWhen = config.busyWhen
  for (const account of tenant.accounts.values()) graph.commit(account)
}

/** The same where only one group is not what it was: as much work as that group is large. */
export const applyGroup = (
  graph: Graph,
  tenant: TenantRecord,
  name: Destination,
  { accounts, groups }: TenantConfig,
): void => {
  const group = groups.get(name)
  const known = tenant.groups.get(name)
  const listed = known?.listed ?? []
  const opens = group?.open === true && known?.open !== true
  for (const { account } of group?.members ?? [])
    list(graph, graph.account(tenant, account), true, accounts.get(account)?.capacity)
  if (group !== undefined) fill(graph, tenant, name, group)
  else if (known !== undefined) disband(graph, tenant, known)
  if (opens) for (const account of tenant.accounts.values()) regroup(graph, account)
  for (const name of listed) {
    const account = graph.account(tenant, name)
    const stays = accounts.has(name) || account.groups.some(({ listed }) => listed.has(name))
    if (!stays) unlist(graph, account)
  }
}
