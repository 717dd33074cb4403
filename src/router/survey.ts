// Whom a destination would ring now: its presence resource, read through the presence API, and the choice that its
// group's policy makes of it. Read only: what comes of it is a hunt's, or an explanation.

import type { GroupConfig, Strategy, TenantConfig } from '../config.js'
import type { AccountId, Destination, Resource, TenantId } from '../protocol/index.js'
import type { Parts } from './parts.js'
import { type Picked, pick } from './pick.js'

export interface Question {
  readonly tenant: TenantId
  readonly settings: TenantConfig
  readonly destination: Destination
  /** Overrides the group's. */
  readonly strategy?: Strategy | undefined
  /** How long each person is rung; absent: the group's, or the hub's. */
  readonly timeoutMs?: number | undefined
  /** The account that places the call, if it is one of the tenant's own. */
  readonly caller?: AccountId | undefined
  /** Whom the same dial has rung already. */
  readonly rung: ReadonlySet<AccountId>
}

export interface Survey extends Picked {
  readonly resource: Resource
  readonly strategy: Strategy
  readonly timeoutMs: number
}

const tiers = new WeakMap<GroupConfig, ReadonlyMap<AccountId, number>>()

/** The tiers of a group's members, gathered once from what the directory lists. */
const tiersOf = (group: GroupConfig): ReadonlyMap<AccountId, number> => {
  let known = tiers.get(group)
  if (known === undefined) {
    known = new Map(group.members.map(({ account, tier }) => [account, tier]))
    tiers.set(group, known)
  }
  return known
}

export const survey = async (
  { read, clock, config }: Pick<Parts, 'read' | 'clock' | 'config'>,
  { tenant, settings, destination, caller, rung, ...asked }: Question,
): Promise<Survey> => {
  const resource = await read(tenant, destination)
  const group = settings.groups.get(destination)
  const ranks = group && tiersOf(group)
  const strategy = asked.strategy ?? group?.strategy ?? 'all'
  const picked = pick(resource, {
    strategy,
    tierOf: account => ranks?.get(account) ?? 1,
    ...(caller !== undefined && { caller }),
    rung,
    now: clock.wall(),
  })
  const timeoutMs = asked.timeoutMs ?? group?.ringTimeoutMs ?? config.calls.ringTimeoutMs
  return { ...picked, resource, strategy, timeoutMs }
}
