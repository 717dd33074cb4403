// What surrounds a hub, looked at before it starts or beside one that runs: whether the servers outside that its
// configuration names can be had under its own rules for fetching, whether its data folder can, and how many connections
// the process may have. Nothing is changed by it, no application is asked for instructions, and nothing is judged.

import type { Config } from './config.js'
import { createEgress } from './egress/index.js'
import type { Result } from './errors.js'
import { createKeySets, type KeySetNews } from './gateway/token/index.js'
import { connectionsWithin, descriptorLimit } from './limits/index.js'
import { addressesOf } from './router/index.js'
import { type Clock, silentLog } from './runtime/index.js'
import { tryFolder } from './store/index.js'

/** A server that instructions are asked of. */
export interface Origin {
  /** `https://voice.example.com` */
  readonly origin: string
  /** Where the configuration names it. */
  readonly paths: readonly string[]
  /** Why it can not be connected to; absent: it can. */
  readonly why?: string
}

export interface Inspection {
  /** `at`: when the answer came, in milliseconds since 1970. */
  readonly keySets: readonly {
    readonly path: string
    readonly url: string
    readonly news: KeySetNews
    readonly at: number
  }[]
  readonly origins: readonly Origin[]
  /** Whether a process that starts now could have the data folder; absent: there is none. */
  readonly dataDir?: Result<undefined>
  /** How many files and sockets the process may have open, and how many connections fit; absent: that is not known. */
  readonly descriptors?: { readonly most: number; readonly connections: number }
}

/** Asks for every key set, as the hub does. */
const askKeySets = async ({ tenants, fetch }: Config, clock: Clock): Promise<Inspection['keySets']> => {
  const sets = createKeySets({ fetch, clock, log: silentLog })
  const named = [...tenants].flatMap(([tenant, { keys }]) =>
    keys.flatMap((key, index) => {
      if (!('jwksUrl' in key)) return []
      const set = sets.of(tenant, key.jwksUrl)
      return 'ask' in set ? [{ path: `tenants.${tenant}.keys[${index}]`, url: key.jwksUrl, set }] : []
    }),
  )
  const asked = await Promise.all(
    named.map(async ({ set, ...where }) => ({ ...where, news: await set.ask(), at: clock.wall() })),
  )
  await sets.close()
  return asked
}

/** Connects to every server that a route or an application names, once to each. */
const reachOrigins = async ({ tenants, fetch }: Config, clock: Clock): Promise<Origin[]> => {
  const egress = createEgress(fetch, clock)
  const paths = new Map<string, string[]>()
  for (const [tenant, settings] of tenants) {
    for (const { path, url } of addressesOf(settings, `tenants.${tenant}`)) {
      const { origin } = new URL(url)
      paths.set(origin, [...(paths.get(origin) ?? []), path])
    }
  }
  const origins = await Promise.all(
    [...paths].map(async ([origin, paths]) => {
      const why = await egress.reach(new URL(origin), fetch.timeoutMs)
      return { origin, paths, ...(why !== undefined && { why }) }
    }),
  )
  await egress.close()
  return origins
}

export interface InspectOptions {
  readonly clock: Clock
  /** How many files and sockets the process may have open, where that is known. Default: as the system says. */
  readonly descriptors?: () => number | undefined
}

/** Looks at what surrounds a hub of this configuration. Never rejects. */
export const inspect = async (
  config: Config,
  { clock, descriptors = descriptorLimit }: InspectOptions,
): Promise<Inspection> => {
  const most = descriptors()
  const [keySets, origins, dataDir] = await Promise.all([
    askKeySets(config, clock),
    reachOrigins(config, clock),
    config.dataDir === undefined ? undefined : tryFolder(config.dataDir),
  ])
  return {
    keySets,
    origins,
    ...(dataDir && { dataDir }),
    ...(most !== undefined && { descriptors: { most, connections: connectionsWithin(most) } }),
  }
}
