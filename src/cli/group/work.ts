// What each command of `switchhook group` does. A change builds on what was read, and is refused where somebody else was
// faster; then it is read again and made once more.

import {
  type GroupChange,
  type GroupSummary,
  HubApi,
  type MemberChange,
  type MemberView,
  SwitchhookError,
  type Tagged,
} from '../../client/index.js'
import { blaming, Failure } from '../failure.js'
import { type HubFlags, hubOf } from '../flags.js'
import type { Job } from '../shell.js'
import { green, line } from '../text.js'
import { groupLines, listLines } from './lines.js'

export interface GroupFlags {
  readonly strategy?: GroupChange['strategy']
  readonly open?: boolean
  readonly ringTimeout?: number
  readonly tierDelay?: number
  readonly wrapup?: number
}

export interface MemberFlags {
  readonly tier?: number
  readonly weight?: number
  readonly skill?: readonly string[]
}

type Groups = HubApi['groups']

const has = (error: unknown, code: string): boolean => error instanceof SwitchhookError && error.code === code

/** Where each field comes from that the hub may find at fault. */
const sources = {
  group: '<group>',
  account: '<account>',
  skills: '--skill',
  paused: '--reason',
  ringTimeoutMs: '--ring-timeout',
  tierDelayMs: '--tier-delay',
  wrapupMs: '--wrapup',
}

/** What the hub refuses about a name is told with that name. */
const about = async <T>(name: string, work: Promise<T>): Promise<T> => {
  try {
    return await blaming(work, sources)
  } catch (error) {
    if (!has(error, 'not-found') && !has(error, 'conflict')) throw error
    throw new Failure(1, `${name}: ${(error as SwitchhookError).message}`)
  }
}

/** Somebody else may have been faster, once. */
const twice = async <T>(change: () => Promise<T>): Promise<T> => {
  try {
    return await change()
  } catch (error) {
    if (has(error, 'conflict')) return change()
    throw error
  }
}

const groupsOf = (options: HubFlags, { shell }: Job): Groups => new HubApi(hubOf(options, shell)).groups

/** The settings that flags name. */
const settingsOf = ({ strategy, open, ringTimeout, tierDelay, wrapup }: GroupFlags): GroupChange => ({
  ...(strategy !== undefined && { strategy }),
  ...(open !== undefined && { open }),
  ...(ringTimeout !== undefined && { ringTimeoutMs: ringTimeout }),
  ...(tierDelay !== undefined && { tierDelayMs: tierDelay }),
  ...(wrapup !== undefined && { wrapupMs: wrapup }),
})

const placeOf = ({ tier, weight, skill }: MemberFlags): MemberChange => ({
  ...(tier !== undefined && { tier }),
  ...(weight !== undefined && { weight }),
  ...(skill !== undefined && { skills: skill }),
})

export const list = async (options: HubFlags, job: Job): Promise<void> => {
  const groups = groupsOf(options, job)
  const all: GroupSummary[] = []
  let cursor: string | undefined
  do {
    const page = await groups.list({ cursor, limit: 1000 })
    all.push(...page.groups)
    cursor = page.cursor
  } while (cursor !== undefined)
  if (job.out.json) for (const each of all) job.out.tell({ event: 'group', ...each })
  else job.out.print(...listLines(all))
}

export const show = async (group: string, options: HubFlags, job: Job): Promise<void> => {
  const { value } = await about(group, groupsOf(options, job).read(group))
  job.out.tell({ event: 'group', ...value }, ...groupLines(value))
}

const done = ({ out }: Job, event: string, facts: object, text: string): void =>
  out.tell({ event, ...facts }, line(green('done'), `: ${text}`))

export const create = async (group: string, options: HubFlags & GroupFlags, job: Job): Promise<void> => {
  const made = groupsOf(options, job).put(group, settingsOf(options), { ifNoneMatch: '*' })
  const { value } = await about(group, made)
  done(job, 'group', value, `there is a group ${group}, with ${value.strategy}`)
}

export const set = async (group: string, options: HubFlags & GroupFlags, job: Job): Promise<void> => {
  const groups = groupsOf(options, job)
  const change = async () => {
    const { value, etag } = await groups.read(group)
    return groups.put(group, { ...value, ...settingsOf(options) }, { ifMatch: etag })
  }
  const { value } = await about(group, twice(change))
  done(job, 'group', value, `${group} is changed`)
}

export const remove = async (group: string, options: HubFlags, job: Job): Promise<void> => {
  await about(group, groupsOf(options, job).remove(group))
  done(job, 'removed', { group }, `there is no group ${group}`)
}

export const reset = async (group: string, options: HubFlags, job: Job): Promise<void> => {
  const { value } = await about(group, groupsOf(options, job).reset(group))
  done(job, 'group', value, `${group} is as the configuration has it`)
}

/** Changes what is said of a member; `listed`: only of one who is there. */
const changeMember = async (
  [group, account]: readonly [string, string],
  options: HubFlags,
  job: Job,
  { listed, change }: { readonly listed: boolean; readonly change: (member: MemberChange) => MemberChange },
): Promise<MemberView> => {
  const groups = groupsOf(options, job)
  const read = async (): Promise<Tagged<MemberView> | undefined> => {
    try {
      return await groups.member(group, account)
    } catch (error) {
      if (!listed && has(error, 'not-found')) return undefined
      throw error
    }
  }
  const made = twice(async () => {
    const known = await read()
    const guards = known === undefined ? { ifNoneMatch: '*' } : { ifMatch: known.etag }
    return groups.putMember(group, account, change(known?.value ?? {}), guards)
  })
  return (await about(`${group} ${account}`, made)).value
}

export const add = async (
  group: string,
  account: string,
  options: HubFlags & MemberFlags,
  job: Job,
): Promise<void> => {
  const change = (member: MemberChange): MemberChange => ({ ...member, ...placeOf(options) })
  const member = await changeMember([group, account], options, job, { listed: false, change })
  done(job, 'member', { group, ...member }, `${account} is in ${group}, tier ${member.tier}`)
}

export const removeMember = async (
  group: string,
  account: string,
  options: HubFlags,
  job: Job,
): Promise<void> => {
  await about(`${group} ${account}`, groupsOf(options, job).removeMember(group, account))
  done(job, 'removed', { group, account }, `${account} is not in ${group}`)
}

export const pause = async (
  group: string,
  account: string,
  options: HubFlags & { readonly reason: string },
  job: Job,
): Promise<void> => {
  const change = (member: MemberChange): MemberChange => ({ ...member, paused: options.reason })
  const member = await changeMember([group, account], options, job, { listed: true, change })
  done(job, 'member', { group, ...member }, `${account} is not rung as one of ${group}`)
}

export const resume = async (group: string, account: string, options: HubFlags, job: Job): Promise<void> => {
  const change = ({ paused: _, ...member }: MemberChange): MemberChange => member
  const member = await changeMember([group, account], options, job, { listed: true, change })
  done(job, 'member', { group, ...member }, `${account} is rung again as one of ${group}`)
}
