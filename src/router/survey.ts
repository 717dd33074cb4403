// Whom a destination would ring now: its presence resource, read through the presence API, and the choice that its
// group's policy makes of it. Read only: what comes of it is a hunt's, or an explanation.

import type { GroupConfig, Strategy, TenantConfig } from '../config.js'
import type { AccountEntry, AccountId, Destination, Resource, TenantId } from '../protocol/index.js'
import type { Parts } from './parts.js'
import { membersOf, type Picked, pick } from './pick/index.js'

export interface Question {
  readonly tenant: TenantId
  readonly settings: TenantConfig
  readonly destination: Destination
  /** Overrides the group's. */
  readonly strategy?: Strategy | undefined
  /** How long each person is rung; absent: the group's, or the hub's. */
  readonly timeoutMs?: number | undefined
  /** What whoever is rung must be able to do. */
  readonly skills?: readonly string[] | undefined
  /** Who calls, as they are known by number or name. */
  readonly from: string
  /** The account that places the call, if it is one of the tenant's own. */
  readonly caller?: AccountId | undefined
  /** Whom the same dial has rung already. */
  readonly rung: ReadonlySet<AccountId>
}

export interface Survey extends Picked {
  readonly resource: Resource
  readonly strategy: Strategy
  readonly timeoutMs: number
  /** The destination's options, if it is a group. */
  readonly group: GroupConfig | undefined
}

/** What a survey takes. */
export type SurveyParts = Pick<Parts, 'read' | 'clock' | 'config' | 'memory' | 'random'>

export const survey = async (
  { read, clock, config, memory, random }: SurveyParts,
  { tenant, settings, destination, from, caller, rung, skills = [], ...asked }: Question,
): Promise<Survey> => {
  const resource = await read(tenant, destination)
  // The routing view names them all.
  const accounts = resource.accounts as readonly AccountEntry[]
  const group = settings.groups.get(destination)
  const strategy = asked.strategy ?? group?.strategy ?? 'all'
  const picked = pick(resource, {
    strategy,
    members: membersOf(group),
    skills,
    ...(caller !== undefined && { caller }),
    rung,
    // A cool-down keeps calls of groups away: a call to someone's own name is for nobody else.
    now: resource.kind === 'group' ? clock.wall() : Number.POSITIVE_INFINITY,
    random,
    ...memory.recall(strategy, { tenant, group: destination }, from, accounts),
  })
  const timeoutMs = asked.timeoutMs ?? group?.ringTimeoutMs ?? config.calls.ringTimeoutMs
  return { ...picked, resource, strategy, timeoutMs, group }
}
