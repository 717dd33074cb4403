// The groups of every tenant as they hold now: what the configuration says, and over it, group by group, what was said
// at run time. That holds until it is reset, through a new configuration and a new start too, and is handed over to be
// kept. Each change makes new objects of the group and its tenant, and is told before the next can come; who must hear
// of it is the hub's to say. Versions and what goes over the wire are left to the HTTP room.

import {
  type Config,
  type GroupConfig,
  type GroupInput,
  type MemberConfig,
  type Read,
  readGroup,
  type TenantConfig,
} from '../config.js'
import { HubError, ok, type Refusal, type Result, refuse } from '../errors.js'
import type { Bounds } from '../limits/index.js'
import type { AccountId, Destination, TenantId } from '../protocol/index.js'
import { faultText, type Log } from '../runtime/index.js'
import type { KeptGroup, Store } from '../store/index.js'

export interface DirectoryOptions {
  readonly config: Pick<Config, 'tenants' | 'calls'>
  /** Where what is said at run time outlasts this process. */
  readonly kept: Store['groups']
  readonly bounds: Bounds
  readonly log: Log
  /** Whether an account of that name is listed, or there. */
  knows(tenant: TenantId, name: Destination): boolean
  /** One group of a tenant has come, changed or gone; `settings` is all that holds of the tenant now. */
  changed(tenant: TenantId, group: Destination, settings: TenantConfig): void
}

/** A group, and whether it is so because that was said at run time. */
export interface GroupFacts {
  readonly group: Destination
  readonly settings: GroupConfig
  readonly changed: boolean
}

export interface Put extends GroupFacts {
  /** Whether it was not there before. */
  readonly created: boolean
}

/** What was said of one group: undefined is that there is none. */
interface Word {
  readonly settings: GroupConfig | undefined
  /** How much room it takes, in characters. */
  readonly size: number
}
type Words = ReadonlyMap<Destination, Word>

const wordOf = (settings: GroupConfig | undefined): Word => ({
  settings,
  size: settings === undefined ? 0 : JSON.stringify(settings).length,
})

const keptOf = ({ settings }: Word): KeptGroup => (settings === undefined ? {} : { group: settings })

const sizeOf = (words: Words): number => [...words.values()].reduce((sum, { size }) => sum + size, 0)

const unknownGroup = (group: Destination): Refusal => refuse('not-found', `no group ${group}`)

const nameOf = (account: AccountId): Destination => account as string as Destination

/** Groups, with some of them put in their places, or taken out. */
const withGroups = (
  groups: TenantConfig['groups'],
  others: Iterable<readonly [Destination, GroupConfig | undefined]>,
): TenantConfig['groups'] => {
  const all = new Map(groups)
  for (const [name, settings] of others) {
    if (settings === undefined) all.delete(name)
    else all.set(name, settings)
  }
  return all
}

export class Directory {
  readonly #options: DirectoryOptions
  readonly #words = new Map<TenantId, Map<Destination, Word>>()
  #configured: Config['tenants'] = new Map()
  #tenants: ReadonlyMap<TenantId, TenantConfig> = new Map()

  constructor(options: DirectoryOptions) {
    this.#options = options
    const { config, kept } = options
    for (const tenant of kept.tenants()) this.#recall(tenant)
    this.configure(config.tenants)
  }

  /** Every tenant, with its groups as they hold now. */
  get tenants(): Config['tenants'] {
    return this.#tenants
  }

  /** Takes another configuration; what was said at run time goes on over it. Whoever goes by `tenants` is to be told. */
  configure(tenants: Config['tenants']): void {
    this.#configured = tenants
    this.#tenants = new Map([...tenants].map(([id, settings]) => [id, this.#over(id, settings)]))
  }

  /** All groups of a tenant, in no order. */
  list(tenant: TenantId): readonly GroupFacts[] {
    return [...this.#settings(tenant).groups].map(([group, settings]) => this.#facts(tenant, group, settings))
  }

  read(tenant: TenantId, group: Destination): Result<GroupFacts> {
    const settings = this.#settings(tenant).groups.get(group)
    return settings === undefined ? unknownGroup(group) : ok(this.#facts(tenant, group, settings))
  }

  /** What a group is to be, as a configuration says it: judged and filled in as there. */
  readonly judge = (input: GroupInput): Read<GroupConfig> => readGroup(input, this.#options.config.calls)

  /**
   * Makes a group, or all of it anew. `conflict` where a name would be a group's and an account's; `too-many` where the
   * tenant has no room for it.
   */
  put(tenant: TenantId, group: Destination, settings: GroupConfig): Result<Put> {
    const created = !this.#settings(tenant).groups.has(group)
    const word = wordOf(settings)
    const refusal =
      this.#unfit(tenant, group, settings) ?? this.#excess(tenant, group, settings.members.length, word.size)
    if (refusal !== undefined) return refusal
    this.#say(tenant, group, word)
    return ok({ ...this.#facts(tenant, group, settings), created })
  }

  /** There is no such group from now on, whatever the configuration says. */
  remove(tenant: TenantId, group: Destination): Result<undefined> {
    if (!this.#settings(tenant).groups.has(group)) return unknownGroup(group)
    const configured = this.#settings(tenant, this.#configured).groups.has(group)
    this.#say(tenant, group, configured ? wordOf(undefined) : undefined)
    return ok(undefined)
  }

  /** The configuration's word on a group holds again. `not-found` where it has none: such a group is removed. */
  reset(tenant: TenantId, group: Destination): Result<GroupFacts> {
    const settings = this.#settings(tenant, this.#configured).groups.get(group)
    if (settings === undefined) return refuse('not-found', `the configuration has no group ${group}`)
    const refusal = this.#unfit(tenant, group, settings)
    if (refusal !== undefined) return refusal
    this.#say(tenant, group, undefined)
    return ok(this.#facts(tenant, group, settings))
  }

  /** Puts an account into a group, as the last of it, or says anew what it is there. */
  putMember(tenant: TenantId, group: Destination, member: MemberConfig): Result<Pick<Put, 'created'>> {
    const known = this.read(tenant, group)
    if (!known.ok) return known
    const { settings } = known.value
    const at = settings.members.findIndex(({ account }) => account === member.account)
    const created = at === -1
    const members = created ? [...settings.members, member] : settings.members.with(at, member)
    const put = this.put(tenant, group, { ...settings, members })
    return put.ok ? ok({ created }) : put
  }

  /** Takes an account out of a group. */
  removeMember(tenant: TenantId, group: Destination, account: AccountId): Result<undefined> {
    const member = this.member(tenant, group, account)
    if (!member.ok) return member
    const { settings } = member.value
    const members = settings.members.filter(each => each.account !== account)
    this.#say(tenant, group, wordOf({ ...settings, members }))
    return ok(undefined)
  }

  /** A listed account of a group, and the group. */
  member(
    tenant: TenantId,
    group: Destination,
    account: AccountId,
  ): Result<GroupFacts & { readonly member: MemberConfig }> {
    const known = this.read(tenant, group)
    if (!known.ok) return known
    const member = known.value.settings.members.find(each => each.account === account)
    return member === undefined
      ? refuse('not-found', `${group} lists no ${account}`)
      : ok({ ...known.value, member })
  }

  /** Settles once all that was said outlasts this process; refused where it can not be kept: it holds all the same. */
  async written(): Promise<Result<undefined>> {
    const written = await this.#options.kept.written()
    if (written.ok) return written
    return refuse(
      written.code,
      `changed, but not yet kept: ${written.message}; a hub that starts anew before it is would not know of it`,
    )
  }

  /** Throws `not-found` for a tenant that is not configured. */
  #settings(tenant: TenantId, among: Config['tenants'] = this.#tenants): TenantConfig {
    const settings = among.get(tenant)
    if (settings === undefined) throw new HubError('not-found', `no tenant ${tenant}`)
    return settings
  }

  #facts(tenant: TenantId, group: Destination, settings: GroupConfig): GroupFacts {
    return { group, settings, changed: this.#wordsOf(tenant).has(group) }
  }

  #wordsOf(tenant: TenantId): Words {
    return this.#words.get(tenant) ?? new Map()
  }

  /** What was kept of a tenant. What does not fit any more is told, and passed over. */
  #recall(tenant: TenantId): void {
    const { kept, log } = this.#options
    const words = new Map<Destination, Word>()
    this.#words.set(tenant, words)
    for (const [group, { group: input }] of kept.load(tenant)) {
      const read = input === undefined ? { ok: true as const, value: undefined } : this.judge(input)
      if (read.ok) words.set(group, wordOf(read.value))
      else log.error({ tenant, group, faults: read.faults.map(faultText) }, 'a kept group is passed over')
    }
  }

  /** A tenant as it is configured, and over it what was said. */
  #over(tenant: TenantId, configured: TenantConfig): TenantConfig {
    const words = this.#wordsOf(tenant)
    if (words.size === 0) return configured
    const said = [...words].map(([name, { settings }]) => [name, settings] as const)
    const groups = withGroups(configured.groups, said)
    const accounts = new Set<string>(configured.accounts.keys())
    for (const { members } of groups.values()) for (const { account } of members) accounts.add(account)
    for (const group of groups.keys()) {
      if (!accounts.has(group)) continue
      this.#options.log.warn({ tenant, group }, 'a group has the name of an account by now, and keeps it')
    }
    return { ...configured, groups }
  }

  /** Why a group can not be so beside all else. */
  #unfit(tenant: TenantId, group: Destination, { members }: GroupConfig): Refusal | undefined {
    const { groups } = this.#settings(tenant)
    const namesake = members.find(({ account }) => groups.has(nameOf(account)) || nameOf(account) === group)
    if (namesake !== undefined) return refuse('conflict', `${namesake.account} is the name of a group`)
    return !groups.has(group) && this.#options.knows(tenant, group)
      ? refuse('conflict', `${group} is the name of an account`)
      : undefined
  }

  /** Why there is no room for it. */
  #excess(tenant: TenantId, group: Destination, members: number, size: number): Refusal | undefined {
    const { bounds } = this.#options
    const { groupsPerTenant, membersPerGroup, directoryBytesPerTenant } = bounds.of
    const { groups } = this.#settings(tenant)
    const words = this.#wordsOf(tenant)
    if (!groups.has(group) && groups.size >= groupsPerTenant) return bounds.refuse('groupsPerTenant')
    if (members > membersPerGroup) return bounds.refuse('membersPerGroup')
    const rest = sizeOf(words) - (words.get(group)?.size ?? 0)
    return rest + size > directoryBytesPerTenant ? bounds.refuse('directoryBytesPerTenant') : undefined
  }

  /** From now on this holds of a group; without a word, what the configuration says. */
  #say(tenant: TenantId, group: Destination, word: Word | undefined): void {
    const { kept, changed } = this.#options
    const words = this.#words.get(tenant) ?? new Map<Destination, Word>()
    this.#words.set(tenant, words)
    if (word === undefined) words.delete(group)
    else words.set(group, word)
    kept.save(tenant, group, word && keptOf(word))
    const before = this.#settings(tenant)
    const held =
      word === undefined ? this.#settings(tenant, this.#configured).groups.get(group) : word.settings
    const settings = { ...before, groups: withGroups(before.groups, [[group, held]]) }
    this.#tenants = new Map(this.#tenants).set(tenant, settings)
    changed(tenant, group, settings)
  }
}
