// The configuration as the rooms are told it, and the reading of it: shape and defaults by the schema, keys, secrets and
// files by reference. `readConfig` reports every fault at once, each with its path; what it returns has every value
// filled in. The only file that reads the environment. Instructions are checked by the router, which knows their language.

import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type KeyConfig, readKeys } from './config-keys.js'
import { Limits as LimitsSection } from './config-limits.js'
import { type Filled, fill } from './config-options.js'
import { Reading, type Surroundings } from './config-reading.js'
import {
  File,
  Group,
  type GroupInput,
  Member,
  type MemberInput,
  type Strategy,
  type Tenant,
} from './config-schema.js'
import { readSip, type SipConfig, weighDomains } from './config-sip.js'
import type { Fault } from './errors.js'
import { type AccountId, type Destination, isName, nameRule, type TenantId } from './protocol/index.js'
import { check, readBlock } from './runtime/index.js'

export type { KeyConfig } from './config-keys.js'
export { fillShown, listOptions, type Option } from './config-options.js'
export type { Surroundings } from './config-reading.js'
export {
  type Algorithm,
  algorithms,
  type ConfigInput,
  type DigestAlgorithm,
  File as ConfigSchema,
  Group as GroupSchema,
  type GroupInput,
  Member as MemberSchema,
  type MemberInput,
  type Strategy,
  strategies,
} from './config-schema.js'

export interface MemberConfig {
  readonly account: AccountId
  /** Lower is rung first. */
  readonly tier: number
  readonly weight: number
  readonly skills: readonly string[]
  /** Why they are not rung as one of this group for now; absent: they are. */
  readonly paused?: string
}

export interface GroupConfig {
  readonly members: readonly MemberConfig[]
  readonly strategy: Strategy
  readonly ringTimeoutMs: number
  /** After so long the next tier is rung beside those before it. */
  readonly tierDelayMs: number
  readonly wrapupMs: number
  /** For how long someone who did not take a call of the group is offered no other, by how they did not. */
  readonly coolDownMs: { readonly rejected: number; readonly busy: number; readonly missed: number }
  /** So many misses in a row make a person `away`; absent: none do. */
  readonly awayAfterMisses?: number
  /** Whether a token's `groups` claim may join it. */
  readonly open: boolean
  /** How calls wait for its people. */
  readonly queue: QueueConfig
}

export interface QueueConfig {
  readonly maxWaitMs: number
  /** How many calls may wait. */
  readonly maxLength: number
  /** Who is answered within it counts for the service level. */
  readonly serviceLevelMs: number
  /** Whether nobody waits while none of its people is signed in. */
  readonly leaveWhenEmpty: boolean
}

export interface RouteConfig {
  readonly to: string | { readonly pattern: string }
  /** Checked and typed by the router. */
  readonly instructions: unknown
}

export interface AccountConfig {
  readonly capacity?: number
  readonly wrapupMs?: number
  /** How it signs in from a SIP phone; absent: it does not. */
  readonly sip?: SipConfig
}

/** An address that is told of the presence of some destinations. */
export interface WebhookConfig {
  /** Judged by the webhooks room. */
  readonly url: string
  readonly destinations: readonly Destination[]
  readonly view: 'full' | 'summary'
}

export interface TenantConfig {
  readonly keys: readonly KeyConfig[]
  /** Signs instruction requests and callbacks; absent: they are unsigned. */
  readonly authToken?: string
  /** `any`: one call makes the person busy. `all`: only when every device is. */
  readonly busyWhen: 'any' | 'all'
  /** After a call that came for the account by its own name. */
  readonly wrapupMs: number
  readonly accounts: ReadonlyMap<AccountId, AccountConfig>
  readonly groups: ReadonlyMap<Destination, GroupConfig>
  readonly routes: readonly RouteConfig[]
  /** Instructions by the names of applications; checked and typed by the router. */
  readonly applications: ReadonlyMap<string, unknown>
  /** The domain of its SIP accounts. */
  readonly sipDomain: string
  readonly webhooks: readonly WebhookConfig[]
}

/** The bounds of what one peer, account or tenant may take: counts, bytes, rates and milliseconds, as their names say. */
export type Limits = Readonly<Filled<typeof LimitsSection>>

/** What holds where a configuration says nothing of limits. */
export const defaultLimits: Limits = fill(LimitsSection, {})

/** The configuration with every value filled in; durations in milliseconds. */
export interface Config {
  readonly listen: {
    readonly host: string
    readonly port: number
    readonly tls?: { readonly cert: string; readonly key: string }
    /** Addresses or blocks of the reverse proxies whose word on who is behind them counts. */
    readonly trustProxy: readonly string[]
  }
  /** A listener of its own for /metrics; absent: served beside the API. */
  readonly metrics?: { readonly host: string; readonly port: number }
  /** The folder of what outlasts the process, absolute; absent: nothing does. */
  readonly dataDir?: string
  /** What a token's `aud` must name. */
  readonly audience: string
  /** Origins that browsers may call the HTTP API from; `*` is every one. */
  readonly cors: readonly string[]
  readonly drainMs: number
  readonly presence: {
    readonly heartbeatMs: number
    readonly lingerMs: number
    readonly reloadLingerMs: number
  }
  readonly calls: {
    readonly lingerMs: number
    readonly ringTimeoutMs: number
    readonly totalTimeoutMs: number
    /** A device that has not confirmed ringing by then is suspect. */
    readonly confirmMs: number
  }
  readonly records: {
    readonly fileBytes: number
    readonly keptBytes: number
    readonly keptDays: number
    /** How long whoever is to hear that a call is over waits for a slow disk: once, or twice as long. */
    readonly patienceMs: number
  }
  readonly fetch: {
    readonly allowPrivate: boolean
    readonly allowHosts?: readonly string[]
    readonly timeoutMs: number
  }
  readonly webhooks: {
    readonly retryForMs: number
    readonly timeoutMs: number
    /** How many deliveries to one receiver are on their way at a time. */
    readonly atOnce: number
    readonly gatherMs: number
  }
  readonly limits: Limits
  readonly tenants: ReadonlyMap<TenantId, TenantConfig>
  /** Where relative paths begin. */
  readonly dir: string
}

export type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly faults: readonly Fault[] }

const fileCheck = check(File)

type TenantInput = Filled<typeof Tenant>
/** What `fill` takes for a schema. */
type Given<S extends Parameters<typeof fill>[0]> = Parameters<typeof fill<S>>[1]

/** One member, every value filled in. */
export const readMember = (input: MemberInput): MemberConfig => {
  const member = fill(Member, input as Given<typeof Member>)
  return { ...member, account: member.account as AccountId }
}

/** `path` is where its members are. */
const groupOf = (
  reading: Reading,
  path: string,
  { ringTimeoutMs, ...group }: TenantInput['groups'][string],
  calls: Pick<Config['calls'], 'ringTimeoutMs'>,
): GroupConfig => {
  const seen = new Set<string>()
  const members = group.members.map((entry, index) => {
    const member = readMember(typeof entry === 'string' ? { account: entry } : entry)
    const at = `${path}[${index}]`
    if (!isName(member.account)) reading.fault(at, `must be ${nameRule}`)
    if (seen.has(member.account)) reading.fault(at, `${member.account} is there twice`)
    seen.add(member.account)
    return member
  })
  return { ...group, ringTimeoutMs: ringTimeoutMs ?? calls.ringTimeoutMs, members }
}

/** One group that came in another way than in a configuration, of the same shape: judged and filled in as there. */
export const readGroup = (
  input: GroupInput,
  calls: Pick<Config['calls'], 'ringTimeoutMs'>,
): Read<GroupConfig> => {
  const reading = new Reading({ dir: '', env: {} })
  const value = groupOf(reading, 'members', fill(Group, input as Given<typeof Group>), calls)
  return reading.faults.length > 0 ? { ok: false, faults: reading.faults } : { ok: true, value }
}

const readPattern = (reading: Reading, path: string, source: string): void => {
  try {
    new RegExp(source)
  } catch (error) {
    reading.fault(path, (error as Error).message)
  }
}

const readWebhook = (
  reading: Reading,
  path: string,
  { url, destinations, view }: TenantInput['webhooks'][number],
): WebhookConfig => {
  destinations.forEach((name, index) => {
    if (!isName(name)) reading.fault(`${path}.destinations[${index}]`, `must be ${nameRule}`)
  })
  return { url, destinations: destinations.map(name => name as Destination), view }
}

const readTenant = (
  reading: Reading,
  name: string,
  path: string,
  { keys, authToken, ...tenant }: TenantInput,
  calls: Config['calls'],
): TenantConfig => {
  const groups = reading
    .named(`${path}.groups`, tenant.groups)
    .map(
      ([name, group, at]) => [name as Destination, groupOf(reading, `${at}.members`, group, calls)] as const,
    )
  const accounts = reading
    .named(`${path}.accounts`, tenant.accounts)
    .map(
      ([name, { sip, ...account }, at]) =>
        [name as AccountId, { ...account, ...(sip && { sip: readSip(reading, `${at}.sip`, sip) }) }] as const,
    )
  const taken = new Set<string>([
    ...accounts.map(([name]) => name),
    ...groups.flatMap(([, { members }]) => members.map(({ account }) => account)),
  ])
  for (const [name] of groups) {
    if (taken.has(name)) reading.fault(`${path}.groups.${name}`, 'is also the name of an account')
  }
  tenant.routes.forEach(({ to }, index) => {
    if (typeof to === 'object') readPattern(reading, `${path}.routes[${index}].to.pattern`, to.pattern)
  })
  return {
    sipDomain: name,
    ...tenant,
    keys: readKeys(reading, `${path}.keys`, keys),
    ...(authToken !== undefined && { authToken: reading.text(`${path}.authToken`, authToken) }),
    accounts: new Map(accounts),
    groups: new Map(groups),
    applications: new Map(
      reading.named(`${path}.applications`, tenant.applications).map(([name, source]) => [name, source]),
    ),
    webhooks: tenant.webhooks.map((webhook, index) =>
      readWebhook(reading, `${path}.webhooks[${index}]`, webhook),
    ),
  }
}

/** Limits that would defeat each other. */
const weighLimits = (reading: Reading, limits: Limits): void => {
  const { bytesPerSecond, crowdedBytes, messageBytes, unsentBytes } = limits
  if (crowdedBytes > unsentBytes) reading.fault('limits.crowdedBytes', 'must be at most limits.unsentBytes')
  if (messageBytes > 2 * bytesPerSecond) {
    reading.fault('limits.messageBytes', 'must be at most twice limits.bytesPerSecond')
  }
}

/** Checks a configuration and fills in every value. Faults come all at once. */
export const readConfig = (input: unknown, around: Surroundings): Read<Config> => {
  const checked = fileCheck(input)
  if (!checked.ok) return checked
  const { listen, dataDir, ...file } = fill(File, checked.value)
  const reading = new Reading(around)
  const { tls, ...address } = listen
  weighLimits(reading, file.limits)
  address.trustProxy.forEach((block, index) => {
    if (readBlock(block) === undefined)
      reading.fault(`listen.trustProxy[${index}]`, 'must be an IP address, or a block such as 10.0.0.0/8')
  })
  const value: Config = {
    ...file,
    listen: {
      ...address,
      ...(tls && {
        tls: {
          cert: reading.file('listen.tls.cert', tls.cert),
          key: reading.file('listen.tls.key', tls.key),
        },
      }),
    },
    ...(dataDir !== undefined && { dataDir: resolve(around.dir, dataDir) }),
    tenants: new Map(
      reading
        .named('tenants', file.tenants)
        .map(([name, tenant, at]) => [name as TenantId, readTenant(reading, name, at, tenant, file.calls)]),
    ),
    dir: around.dir,
  }
  weighDomains(reading, value.tenants)
  return reading.faults.length > 0 ? { ok: false, faults: reading.faults } : { ok: true, value }
}

/** Where text stops being JSON. V8 quotes what stands around it, which may be a secret and is never told. */
const lineOf = (text: string, { message }: Error): number => {
  const [, at = text.length] = /at position (\d+)/.exec(message) ?? []
  const [, around] = /"(.*)"(?:\.\.\.)? is not valid JSON$/s.exec(message) ?? []
  const end = around === undefined ? Number(at) : text.indexOf(around) + around.length / 2
  return text.slice(0, end).split('\n').length
}

/** What a file says, as it stands there: JSON, not judged yet. */
export const loadInput = (path: string): Read<unknown> => {
  const refuse = (message: string): Read<unknown> => ({ ok: false, faults: [{ path, message }] })
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    return refuse(`cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
  try {
    return { ok: true, value: JSON.parse(text) }
  } catch (error) {
    return refuse(`is not JSON (line ${lineOf(text, error as Error)})`)
  }
}

/** Reads a configuration file; paths in it begin at its folder. */
export const loadConfig = (path: string, env: Surroundings['env'] = process.env): Read<Config> => {
  const input = loadInput(path)
  return input.ok ? readConfig(input.value, { dir: dirname(resolve(path)), env }) : input
}
