// The configuration: its schema, its defaults, and the reading of it from a file with secrets by reference.
// `readConfig` reports every fault at once, each with its path; what it returns has every value filled in.
// The only file that reads the environment. Instructions are checked by the router, which knows their language.

import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Static } from 'typebox'
import {
  type Algorithm,
  type ConfigInput,
  File,
  type Key,
  type Secret,
  type Strategy,
} from './config-schema.js'
import type { Fault } from './errors.js'
import { type AccountId, type Destination, isName, nameRule, type TenantId } from './protocol/index.js'
import { check } from './runtime/index.js'

export { type Algorithm, algorithms, type ConfigInput, type Strategy, strategies } from './config-schema.js'

/** Where `keys[].secret` and `publicKey` have been read; or where a set of keys is. Exactly one of the three kinds. */
export type KeyConfig =
  | { readonly kid?: string; readonly alg: Algorithm; readonly secret: string }
  | {
      readonly kid?: string
      readonly alg: Algorithm
      readonly publicKey: string
    }
  /** The address of a JSON Web Key Set, checked where it is asked. */
  | { readonly jwksUrl: string }

export interface MemberConfig {
  readonly account: AccountId
  readonly tier: number
  readonly skills: readonly string[]
}

export interface GroupConfig {
  readonly members: readonly MemberConfig[]
  readonly strategy: Strategy
  readonly ringTimeoutMs: number
  /** Whether a token's `groups` claim may join it. */
  readonly open: boolean
}

export interface RouteConfig {
  readonly to: string | { readonly pattern: string }
  /** Checked and typed by the router. */
  readonly instructions: unknown
}

export interface AccountConfig {
  readonly capacity?: number
  readonly wrapupMs?: number
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
}

/** The configuration with every value filled in; durations in milliseconds. */
export interface Config {
  readonly listen: {
    readonly host: string
    readonly port: number
    readonly tls?: { readonly cert: string; readonly key: string }
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
  readonly fetch: {
    readonly allowPrivate: boolean
    readonly allowHosts?: readonly string[]
    readonly timeoutMs: number
  }
  readonly tenants: ReadonlyMap<TenantId, TenantConfig>
  /** Where relative paths begin. */
  readonly dir: string
}

export type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly faults: readonly Fault[] }

/** Where a configuration is read: relative paths begin at `dir`, `{ "env": NAME }` looks in `env`. */
export interface Surroundings {
  readonly dir: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** The least bytes of an HMAC secret: the size of the hash (RFC 7518, section 3.2). */
const secretBytes = { HS256: 32, HS384: 48, HS512: 64 } as const

const isHmac = (alg: Algorithm): alg is keyof typeof secretBytes => alg in secretBytes

const fileCheck = check(File)

type Input<K extends keyof ConfigInput> = NonNullable<ConfigInput[K]>
type TenantInput = Input<'tenants'>[string]
type KeyInput = Static<typeof Key>
type GroupInput = NonNullable<TenantInput['groups']>[string]

/** Collects faults while values are filled in. */
class Reading {
  readonly faults: Fault[] = []
  readonly #around: Surroundings

  constructor(around: Surroundings) {
    this.#around = around
  }

  fault(path: string, message: string): void {
    this.faults.push({ path, message })
  }

  file(path: string, name: string): string {
    try {
      return readFileSync(resolve(this.#around.dir, name), 'utf8')
    } catch (error) {
      this.fault(path, `cannot be read: ${name} (${(error as NodeJS.ErrnoException).code})`)
      return ''
    }
  }

  secret(path: string, value: Static<typeof Secret>): string {
    if (typeof value === 'string') return value
    if ('file' in value) return this.file(`${path}.file`, value.file).trimEnd()
    const found = this.#around.env[value.env]
    if (found === undefined) this.fault(`${path}.env`, `names ${value.env}, which is not set`)
    return found ?? ''
  }

  names<T>(path: string, from: Readonly<Record<string, T>> | undefined): [string, T, string][] {
    return Object.entries(from ?? {}).map(([name, value]) => {
      if (!isName(name)) this.fault(`${path}.${name}`, `must be ${nameRule}`)
      return [name, value, `${path}.${name}`]
    })
  }

  key(path: string, { jwksUrl, alg, ...rest }: KeyInput): KeyConfig[] {
    if (jwksUrl !== undefined) {
      const alone = alg === undefined && Object.keys(rest).length === 0
      if (!alone) this.fault(path, 'must have nothing beside jwksUrl')
      return [{ jwksUrl }]
    }
    if (alg !== undefined) return [this.ownKey(path, alg, rest)]
    this.fault(`${path}.alg`, 'is missing')
    return []
  }

  ownKey(path: string, alg: Algorithm, { kid, secret, publicKey }: KeyInput): KeyConfig {
    if ((secret === undefined) === (publicKey === undefined)) {
      this.fault(path, 'must have one of secret and publicKey')
    }
    const named = { ...(kid === undefined ? {} : { kid }), alg }
    if (secret === undefined) {
      if (isHmac(alg)) this.fault(`${path}.alg`, `${alg} needs a secret, not a publicKey`)
      return {
        ...named,
        publicKey: this.secret(`${path}.publicKey`, publicKey ?? ''),
      }
    }
    const before = this.faults.length
    const text = this.secret(`${path}.secret`, secret)
    if (!isHmac(named.alg)) this.fault(`${path}.alg`, `${named.alg} needs a publicKey, not a secret`)
    else if (this.faults.length === before && Buffer.byteLength(text) < secretBytes[named.alg]) {
      this.fault(`${path}.secret`, `must be at least ${secretBytes[named.alg]} bytes for ${named.alg}`)
    }
    return { ...named, secret: text }
  }

  keys(path: string, keys: TenantInput['keys']): KeyConfig[] {
    const kids = new Set<string>()
    return keys.flatMap((input, index) => {
      const at = `${path}[${index}]`
      if (input.kid !== undefined && kids.has(input.kid))
        this.fault(`${at}.kid`, `${input.kid} is there twice`)
      if (input.kid !== undefined) kids.add(input.kid)
      if (input.kid === undefined && input.jwksUrl === undefined && keys.length > 1) {
        this.fault(`${at}.kid`, 'is missing: a tenant with several keys tells them apart by it')
      }
      return this.key(at, input)
    })
  }

  group(path: string, input: GroupInput, ringTimeoutMs: number): GroupConfig {
    const seen = new Set<string>()
    const members = (input.members ?? []).map((entry, index) => {
      const member = typeof entry === 'string' ? { account: entry } : entry
      const at = `${path}.members[${index}]`
      if (!isName(member.account)) this.fault(at, `must be ${nameRule}`)
      if (seen.has(member.account)) this.fault(at, `${member.account} is there twice`)
      seen.add(member.account)
      return {
        tier: 1,
        skills: [],
        ...member,
        account: member.account as AccountId,
      }
    })
    return {
      strategy: 'longest-idle',
      ringTimeoutMs,
      open: false,
      ...input,
      members,
    }
  }

  tenant(path: string, input: TenantInput, ringTimeoutMs: number): TenantConfig {
    const groups = this.names(`${path}.groups`, input.groups).map(
      ([name, group, at]) => [name as Destination, this.group(at, group, ringTimeoutMs)] as const,
    )
    const accounts = this.names(`${path}.accounts`, input.accounts).map(
      ([name, account]) => [name as AccountId, account] as const,
    )
    const people = [
      ...accounts.map(([name]) => name),
      ...groups.flatMap(([, { members }]) => members.map(m => m.account)),
    ]
    const taken = new Set<string>(people)
    for (const [name] of groups) {
      if (taken.has(name)) this.fault(`${path}.groups.${name}`, 'is also the name of an account')
    }
    const routes = input.routes ?? []
    routes.forEach((route, index) => {
      if (typeof route.to === 'object') this.pattern(`${path}.routes[${index}].to.pattern`, route.to.pattern)
    })
    return {
      keys: this.keys(`${path}.keys`, input.keys),
      ...(input.authToken === undefined
        ? {}
        : { authToken: this.secret(`${path}.authToken`, input.authToken) }),
      busyWhen: input.busyWhen ?? 'any',
      wrapupMs: input.wrapupMs ?? 0,
      accounts: new Map(accounts),
      groups: new Map(groups),
      routes,
    }
  }

  pattern(path: string, source: string): void {
    try {
      new RegExp(source)
    } catch (error) {
      this.fault(path, (error as Error).message)
    }
  }
}

/** Checks a configuration and fills in every value. Faults come all at once. */
export const readConfig = (input: unknown, around: Surroundings): Read<Config> => {
  const checked = fileCheck(input)
  if (!checked.ok) return checked
  const file = checked.value
  const reading = new Reading(around)
  const calls = {
    lingerMs: 120_000,
    ringTimeoutMs: 12_000,
    totalTimeoutMs: 60_000,
    confirmMs: 3_000,
    ...file.calls,
  }
  const { tls, ...listen } = file.listen ?? {}
  const value: Config = {
    listen: {
      host: '127.0.0.1',
      port: 8080,
      ...listen,
      ...(tls && {
        tls: {
          cert: reading.file('listen.tls.cert', tls.cert),
          key: reading.file('listen.tls.key', tls.key),
        },
      }),
    },
    ...(file.metrics && { metrics: { host: '127.0.0.1', ...file.metrics } }),
    ...(file.dataDir !== undefined && { dataDir: resolve(around.dir, file.dataDir) }),
    audience: file.audience ?? 'switchhook',
    cors: file.cors ?? [],
    drainMs: file.drainMs ?? 30_000,
    presence: {
      heartbeatMs: 10_000,
      lingerMs: 15_000,
      reloadLingerMs: 5_000,
      ...file.presence,
    },
    calls,
    fetch: { allowPrivate: false, timeoutMs: 5_000, ...file.fetch },
    tenants: new Map(
      reading
        .names('tenants', file.tenants)
        .map(([name, tenant, path]) => [name as TenantId, reading.tenant(path, tenant, calls.ringTimeoutMs)]),
    ),
    dir: around.dir,
  }
  return reading.faults.length > 0 ? { ok: false, faults: reading.faults } : { ok: true, value }
}

/** Reads a configuration file; paths in it begin at its folder. */
export const loadConfig = (path: string, env: Surroundings['env'] = process.env): Read<Config> => {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    return {
      ok: false,
      faults: [
        {
          path,
          message: `cannot be read (${(error as NodeJS.ErrnoException).code})`,
        },
      ],
    }
  }
  try {
    return readConfig(JSON.parse(text), { dir: dirname(resolve(path)), env })
  } catch (error) {
    return {
      ok: false,
      faults: [{ path, message: `is not JSON: ${(error as Error).message}` }],
    }
  }
}
