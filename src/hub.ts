// The composition root: builds every room from a configuration, starts them in order and stops them in reverse.
// The only file that imports every room.

import { randomUUID } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { isDeepStrictEqual } from 'node:util'
import { type Config, type ConfigInput, readConfig } from './config.js'
import { Directory } from './directory/index.js'
import { type Connect, createEgress } from './egress/index.js'
import { type Fault, HubError, type Refusal, refuse } from './errors.js'
import { createGateway } from './gateway/index.js'
import {
  createKeySets,
  createVerifier,
  type KeySets,
  Revocations,
  readKeys,
  readSipAccounts,
  SipAccounts,
} from './gateway/token/index.js'
import { createHttp } from './http/index.js'
import { Bounds, Connections, descriptorLimit, telling } from './limits/index.js'
import { createPresence } from './presence/index.js'
import { createRouter, createSource, type RouterOptions, readRoutes } from './router/index.js'
import {
  type Clock,
  faultText,
  heapShare,
  type Log,
  Pressure,
  silentLog,
  systemClock,
} from './runtime/index.js'
import { nothingKept, openFileStore, type Store } from './store/index.js'
import { Deliveries, faultsOfWebhooks, PresenceWebhooks } from './webhooks/index.js'

/** What a hub is given besides its configuration; each has the machine's own as its default. */
export interface HubOptions {
  readonly clock?: Clock
  readonly log?: Log
  /** From 0 up to 1, for spreading reconnects, and for the strategies that leave it to chance. */
  readonly random?: () => number
  /** The share of the heap that is used, from 0 to 1: nothing new is taken on while it is high. */
  readonly heapShare?: () => number
  /** Reads presence from another machine's API instead of this hub's own. */
  readonly readPresence?: RouterOptions['read']
  /** Opens connections to servers outside; the default is guarded as the configuration's `fetch` says. */
  readonly connect?: Connect
  /** What a token's verification passes through: other threads do it, and a test says when it is over. */
  readonly verifying?: <T>(verification: Promise<T>) => Promise<T>
  /** Hears of each call that waits for the disk: `told` settles once its caller knows that it is over. */
  readonly keeping?: RouterOptions['keeping']
}

/** Where a hub listens. */
export interface Listening {
  /** `http://127.0.0.1:8080` */
  readonly url: string
  /** `ws://127.0.0.1:8080/v1/socket` */
  readonly socket: string
  readonly port: number
}

export interface Hub {
  /** Opens the port; rejects with the system's error where it cannot. */
  listen(): Promise<Listening>
  /** Serves a connection that did not come over the port: one within the process, or from a listener of one's own. */
  accept(connection: Duplex): Promise<void>
  /**
   * Goes by another configuration: tenants with their keys, directories and routes, and the audience. The answer names
   * what else has changed, and waits for a new start. Rejects as `createHub` throws, and then all stays as it was.
   * Sessions keep the tokens they came with, until those expire; what was revoked stays so, and what was said of a
   * group at run time; calls keep the instructions they began with.
   */
  reload(config: Config | ConfigInput): Promise<readonly string[]>
  /**
   * Takes no new calls and no new sockets, asks every client to leave and come back, and settles when the last call
   * has ended or the drain time is over.
   */
  drain(): Promise<void>
  /** Ends all calls and sessions, closes the port, writes what is to be kept. Asked again, it is the same end. */
  close(): Promise<void>
}

const outOfMemory = refuse('overloaded', 'the hub is short of memory, and takes on nothing new')

const invalid = (faults: readonly Fault[]): HubError =>
  new HubError('invalid', faults.map(faultText).join('\n'), { faults })

const isRead = (config: Config | ConfigInput): config is Config => config.tenants instanceof Map

/** The configuration with every value filled in. Throws `invalid` with every fault. */
const readInput = (input: Config | ConfigInput): Config => {
  const read = isRead(input) ? { ok: true as const, value: input } : readConfig(input, { dir: '.', env: {} })
  if (!read.ok) throw invalid(read.faults)
  return read.value
}

/** What of a configuration is read once more before it is used, by those who know what it means. Throws `invalid` with every fault. */
const readWhole = async (config: Config, sets: KeySets) => {
  const keys = await readKeys(config.tenants, sets)
  const routes = readRoutes(config)
  const sip = readSipAccounts(config.tenants)
  const faults = faultsOfWebhooks(config.tenants)
  if (keys.ok && routes.ok && sip.ok && faults.length === 0)
    return { config, keys: keys.value, routes: routes.value, sip: sip.value }
  throw invalid([keys, routes, sip].flatMap(read => (read.ok ? [] : read.faults)).concat(faults))
}

/** What only a new start can change. */
const lasting = [
  'listen',
  'metrics',
  'dataDir',
  'cors',
  'drainMs',
  'presence',
  'calls',
  'records',
  'fetch',
  'webhooks',
  'limits',
] as const

/**
 * Builds a hub. Throws `HubError` `invalid` with every fault of the configuration, each at its path; keys and routes
 * are read here too. `conflict`: another process has the `dataDir`.
 */
export const createHub = async (input: Config | ConfigInput, options: HubOptions = {}): Promise<Hub> => {
  const config = readInput(input)
  const log = options.log ?? silentLog
  const clock = options.clock ?? systemClock(error => log.error({ error }, 'a timer failed'))
  const sets = createKeySets({ fetch: config.fetch, clock, log, connect: options.connect })
  const whole = await readWhole(config, sets)
  const { dataDir: dir } = config
  const records = { ...config.records, keysPerTenant: config.limits.idempotencyKeysPerTenant }
  const store = dir === undefined ? nothingKept : await openFileStore({ dir, clock, log, records })
  try {
    return assemble(whole, sets, store, { ...options, clock, log })
  } catch (error) {
    await store.close()
    throw error
  }
}

/** Puts the rooms together. Throws OpenSSL's word on a certificate and its key. */
const assemble = (
  { config, keys, routes, sip }: Awaited<ReturnType<typeof readWhole>>,
  sets: KeySets,
  store: Store,
  options: HubOptions & Required<Pick<HubOptions, 'clock' | 'log'>>,
): Hub => {
  const { clock, verifying = verification => verification } = options
  const bounds = new Bounds(config.limits)
  const log = telling(options.log, bounds, () => clock.now())
  const heap = new Pressure({
    clock,
    measure: options.heapShare ?? heapShare,
    onChange: (high, share) =>
      high
        ? log.warn({ share }, 'short of memory: nothing new is taken on')
        : log.info({ share }, 'there is memory again'),
  })
  const overloaded = (): Refusal | undefined => (heap.high ? outOfMemory : undefined)
  const descriptors = descriptorLimit()
  const connections = new Connections({ bounds, listen: config.listen, log, descriptors })
  const random = options.random ?? Math.random
  const revocations = new Revocations(clock, { kept: store.revocations, bounds })
  let current = createVerifier({ audience: config.audience, keys, clock, revocations, bounds })
  const sipAccounts = new SipAccounts(sip)
  let reloads: Promise<unknown> = Promise.resolve()
  const verifier = { verify: (token: string) => verifying(current.verify(token)) }
  let matching = routes
  const directory = new Directory({
    config,
    kept: store.groups,
    bounds,
    log,
    knows: (tenant, name) => presence.knows(tenant, name),
    changed(tenant, group, settings) {
      presence.configureGroup(tenant, group, settings)
      router.configure(directory.tenants, matching)
    },
  })
  const presence = createPresence(directory.tenants, clock, store.overrides, bounds)
  const source = createSource({
    fetch: config.fetch,
    clock,
    bounds,
    network: { connect: options.connect },
  })
  const deliveries = new Deliveries({
    webhooks: config.webhooks,
    tenants: config.tenants,
    egress: createEgress(config.fetch, clock, { connect: options.connect }),
    queue: store.deliveries,
    bounds,
    clock,
    log,
  })
  const { gatherMs } = config.webhooks
  const webhooks = new PresenceWebhooks(
    { presence, deliveries, gatherMs, clock, newId: randomUUID },
    config.tenants,
  )
  const router = createRouter({
    config: { ...config, tenants: directory.tenants },
    presence,
    routes,
    source,
    callbacks: deliveries,
    bounds,
    clock,
    log,
    newId: randomUUID,
    random,
    overloaded,
    records: store.records,
    keeping: options.keeping,
    ...(options.readPresence && { read: options.readPresence }),
  })
  const gateway = createGateway({
    config,
    verifier,
    revocations,
    sipAccounts,
    presence,
    router,
    bounds,
    connections,
    clock,
    log,
    random,
    overloaded,
  })
  const troubles = {
    store: () => store.trouble,
    records: () => router.trouble,
    memory: () => overloaded()?.message,
  }
  const http = createHttp({
    config,
    verifier,
    revocations,
    presence,
    router,
    directory,
    gateway,
    store,
    records: store.records,
    deliveries,
    troubles,
    overloaded,
    bounds,
    connections,
    clock,
    log,
  })
  http.server.on('upgrade', gateway.upgrade)
  if (config.dataDir === undefined) log.info({}, 'no dataDir: nothing is kept over a restart')

  const close = async (): Promise<void> => {
    await router.close()
    await gateway.close()
    await http.close()
    webhooks.close()
    await deliveries.close()
    await source.close()
    await sets.close()
    await store.close()
  }
  let closed: Promise<void> | undefined

  return {
    async listen() {
      const { port } = await http.listen()
      const secure = config.listen.tls ? 's' : ''
      const host = config.listen.host.includes(':') ? `[${config.listen.host}]` : config.listen.host
      return {
        url: `http${secure}://${host}:${port}`,
        socket: `ws${secure}://${host}:${port}/v1/socket`,
        port,
      }
    },
    accept: connection => http.accept(connection),
    async reload(again) {
      // One after the other: of two that overlap the later one is applied last.
      const turn = reloads.then(() => readWhole(readInput(again), sets))
      reloads = turn.catch(() => {})
      const next = await turn
      const { audience } = next.config
      current = createVerifier({ audience, keys: next.keys, clock, revocations, bounds })
      sipAccounts.configure(next.sip)
      matching = next.routes
      directory.configure(next.config.tenants)
      presence.configure(directory.tenants)
      router.configure(directory.tenants, matching)
      deliveries.configure(next.config.tenants)
      webhooks.configure(next.config.tenants)
      return lasting.filter(name => !isDeepStrictEqual(config[name], next.config[name]))
    },
    async drain() {
      http.drain()
      gateway.drain()
      await new Promise<void>(resolve => {
        const timer = clock.after(config.drainMs, resolve)
        router.drain().then(() => {
          timer.cancel()
          resolve()
        })
      })
    },
    close() {
      closed ??= close()
      return closed
    },
  }
}
