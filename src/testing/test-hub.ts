// A whole hub within the test's own process: no port, no network, and a clock that moves only when told. Gateway,
// protocol, router, HTTP API and SDK are the real ones; ours are the cables between them and the order in which
// what is sent on them arrives, which the seed decides. `advance` settles when all that the passing time caused has
// happened, at the hub and at every phone, so a test waits for nothing and guesses nothing.

import type { RequestListener } from 'node:http'
import type { Socket } from 'node:net'
import { Agent, fetch } from 'undici'
import { type Call, type CallView, HubApi } from '../client/index.js'
import type { ConfigInput } from '../config.js'
import { mintToken } from '../gateway/token/index.js'
import { createHub, type Hub } from '../hub.js'
import { type Log, VirtualClock } from '../runtime/index.js'
import { type Claims, type Line, type LineOptions, timersOf, webSocketOver } from './line.js'
import { Link } from './link.js'
import { openOutside } from './outside.js'
import { type CallOptions, Phone } from './phone.js'
import { seeded } from './seeded.js'
import { Sequence } from './sequence.js'

type Tenant = NonNullable<ConfigInput['tenants']>[string]

/** A tenant as in the configuration; the test hub has a key of its own for it. */
export type TestTenant = Omit<Tenant, 'keys'>
export type Timeline = NonNullable<CallView['timeline']>

export interface TestHubOptions extends TestTenant {
  /** The rest of the configuration. */
  readonly config?: Omit<ConfigInput, 'listen' | 'metrics' | 'tenants'>
  /** Answers what the hub asks of servers outside, at whatever host: your voice application. */
  readonly web?: RequestListener
  /** Decides all that chance decides. Default 1. */
  readonly seed?: number
  /** Whether what different parties sent at one instant may arrive in any order, as the seed has it. */
  readonly reorder?: boolean
  /** What the wall clock says at first, milliseconds since 1970. Default: 2026 begins. */
  readonly epoch?: number
  readonly log?: Log
}

export interface TestHub {
  /** A person's softphone, online. Its device is `phone`, the next of the same account `phone-2`. Throws why it may not be. */
  phone(account: string, options?: LineOptions): Promise<Phone>
  /** What to make a softphone of your own with. It has no device unless you name one. */
  line(account: string, options?: LineOptions): Line
  /** A call from outside, placed by a gateway. It settles when all has happened that comes of it at once. */
  call(to: string, options?: CallOptions): Promise<Call>
  /** What happened to a call so far, line by line. */
  timeline(call: Pick<Call, 'id'>): Promise<Timeline>
  /** The HTTP API, with every right. */
  readonly api: HubApi
  /** A `fetch` that leads to this hub, whatever the host. */
  readonly fetch: typeof globalThis.fetch
  /** A token for an account. */
  token(account: string, claims?: Claims): Promise<string>
  /** The gateway that `call` places by. */
  readonly carrier: Phone
  /** The link from the hub to `web`. */
  readonly web: Link
  /** Lets `ms` pass, 0 by default, and settles when all has happened that comes of it. Timers keep to steps of 5 ms. */
  advance(ms?: number): Promise<void>
  /** What the wall clock says. */
  readonly now: Date
  /** As `Hub.drain`: asks everyone to come back elsewhere, and settles as time passes. */
  drain(): Promise<void>
  /** Goes by another directory and other routes. Rejects as `testHub` does, and then all stays as it was. */
  reload(tenant: TestTenant): Promise<void>
  /** The process dies, and another begins `downMs` later with what was kept in `dataDir`. */
  restart(downMs?: number): Promise<void>
  /** Ends everything. */
  close(): Promise<void>
}

const url = 'http://hub.test'
const tenantName = 'test'
const key = { alg: 'HS256', secret: 'the secret of every hub that is under test' } as const

/** Begins a hub for a test. Throws `HubError` `invalid` with every fault of what it is given. */
export const testHub = async (options: TestHubOptions = {}): Promise<TestHub> => {
  const { config = {}, web, seed = 1, reorder = false, epoch, log, ...directory } = options
  const random = seeded(seed)
  const clock = new VirtualClock(epoch)
  const sequence = new Sequence(reorder ? among => Math.floor(random() * among) : undefined)
  const air = { clock, sequence, random }
  const links: Link[] = []
  const phones = new Map<string, number>()
  const outside = openOutside(air, web)

  const configure = (tenant: TestTenant): ConfigInput => ({
    ...config,
    tenants: { [tenantName]: { ...tenant, keys: [key] } },
  })
  const begin = (): Promise<Hub> =>
    createHub(configure(directory), {
      clock,
      random,
      connect: () => outside.connect(),
      verifying: sequence.outcome,
      keeping: told => void sequence.hold(told),
      ...(log && { log }),
    })
  let hub = await begin()
  let isUp = true

  const link = (): Link => {
    const { length } = links
    const made = new Link(air, `10.0.${length >> 8}.${length & 255}`, far => {
      if (isUp) void hub.accept(far)
      else far.destroy()
    })
    links.push(made)
    return made
  }

  let passing: Promise<unknown> = Promise.resolve()
  let moving = 0
  const advance = async (ms = 0): Promise<void> => {
    moving++
    const turn = passing.then(() => clock.settle(ms, () => sequence.quiet()))
    passing = turn.catch(() => {})
    await turn.finally(() => {
      moving--
    })
  }
  /** Within a listener that hears of something while time passes, time is not to be moved. */
  const settle = (): Promise<void> => (moving > 0 ? sequence.quiet() : advance())

  const token: TestHub['token'] = (account, claims) =>
    sequence.outcome(mintToken({ ...key, tenant: tenantName, account, clock, ...claims }))

  const line: TestHub['line'] = (account, { claims, token: own, ...rest } = {}) => {
    const given = typeof own === 'function' ? () => sequence.hold(Promise.resolve(own())) : own
    const way = link()
    const WebSocket = webSocketOver(way, air)
    const mint = () => token(account, claims)
    return {
      account,
      device: rest.device,
      link: way,
      options: { url, random, timers: timersOf(clock), WebSocket, ...rest, token: given ?? mint },
    }
  }

  const desk = link()
  const agent = new Agent({
    connect: (_, done) => queueMicrotask(() => done(null, desk.connect() as unknown as Socket)),
    headersTimeout: 0,
    bodyTimeout: 0,
  })
  const fetchHub = ((input: string, init: object) =>
    fetch(input, { ...init, dispatcher: agent })) as unknown as typeof globalThis.fetch
  const api = new HubApi({ url, token: () => token('operator', { scopes: ['admin'] }), fetch: fetchHub })
  const carrier = new Phone(line('carrier', { claims: { scopes: ['call:inbound'] } }), settle)

  return {
    api,
    fetch: fetchHub,
    carrier,
    web: outside,
    line,
    token,
    advance,
    async phone(account, options) {
      const number = (phones.get(account) ?? 0) + 1
      phones.set(account, number)
      const device = number === 1 ? 'phone' : `phone-${number}`
      const phone = new Phone(line(account, { device, ...options }), settle)
      await phone.connect()
      return phone
    },
    async call(to, options) {
      await carrier.connect()
      return carrier.place(to, { from: '+15550199', ...options })
    },
    async timeline({ id }) {
      const { timeline = [] } = await api.call(id)
      return timeline
    },
    get now() {
      return new Date(clock.wall())
    },
    async drain() {
      await hub.drain()
    },
    async reload(tenant) {
      await hub.reload(configure(tenant))
    },
    async restart(downMs = 0) {
      isUp = false
      for (const each of links) each.end()
      await hub.close()
      await advance(downMs)
      hub = await begin()
      isUp = true
      await settle()
    },
    async close() {
      isUp = false
      for (const each of [...links, outside]) each.end()
      await hub.close()
      await agent.destroy()
    },
  }
}
