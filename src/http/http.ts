// The HTTP side of a hub: one listener for the API and the gateway's upgrades, and one for metrics where the
// configuration asks for it. It puts the routes together and holds nothing of its own but what it counts.

import type { Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Config } from '../config.js'
import { type ErrorCode, type Refusal, refuse } from '../errors.js'
import type { Revocations, Verifier } from '../gateway/token/index.js'
import { Bounds, Connections } from '../limits/index.js'
import type { Presence } from '../presence/index.js'
import type { Router } from '../router/index.js'
import type { Clock, Log } from '../runtime/index.js'
import { createApp } from './app.js'
import { authenticate, recheck } from './authorization.js'
import { serveCalls } from './calls.js'
import { allowOrigins } from './cors.js'
import { type Bound, createListener } from './listener.js'
import { type Counts, createMetrics, type StoreFacts } from './metrics.js'
import { serveDescription } from './openapi.js'
import { serveHealth, serveMetrics } from './operations.js'
import { servePresence } from './presence.js'
import { serveRevocations } from './revocations.js'
import { Streams } from './streams.js'

export interface HttpOptions {
  readonly config: Pick<Config, 'listen' | 'metrics' | 'cors'>
  readonly verifier: Pick<Verifier, 'verify'>
  readonly revocations: Revocations
  readonly presence: Presence
  readonly router: Router
  readonly gateway: Counts['gateway']
  readonly store: StoreFacts
  /** Default: the documented limits. */
  readonly bounds?: Bounds
  /** Who may connect; the gateway is to be given the same. */
  readonly connections?: Connections
  readonly clock: Clock
  readonly log: Log
}

export interface Http {
  /** The API's server: whoever speaks WebSocket listens to its `upgrade`. */
  readonly server: Server
  /** Opens the configured ports; rejects with the system's error where it cannot. */
  listen(): Promise<Bound & { readonly metrics?: Bound }>
  /** Serves a connection that did not come over the port. */
  accept(connection: Duplex): Promise<void>
  /** Says from now on that the hub wants no new work. */
  drain(): void
  /** Closes the ports, and settles when all connections are over: at most a second, once upgraded ones are closed. */
  close(): Promise<void>
}

const draining = refuse('draining', 'the hub is draining')

export const createHttp = (options: HttpOptions): Http => {
  const { config, verifier, revocations, presence, router, gateway, store, clock, log } = options
  const responses = new Map<number, number>()
  const count = (status: number): void => {
    responses.set(status, (responses.get(status) ?? 0) + 1)
  }
  const { bounds = new Bounds() } = options
  const { connections = new Connections({ bounds, listen: config.listen, log }) } = options
  const refusals = new Map<ErrorCode, number>()
  const refused = (code: ErrorCode): void => {
    refusals.set(code, (refusals.get(code) ?? 0) + 1)
  }
  const streams = new Streams(bounds)
  const metrics = createMetrics({
    presence,
    router,
    gateway,
    store,
    responses,
    refusals,
    bounds,
    connections,
  })
  let ready = true
  const unready = (): Refusal | undefined => {
    if (!ready) return draining
    if (connections.full) return refuse('overloaded', `all ${connections.most} connections are taken`)
    return store.trouble === undefined ? undefined : refuse('overloaded', `store: ${store.trouble}`)
  }

  const main = createListener(config.listen.tls, clock, connection => connections.accept(connection))
  const appOptions = { log, count, refused, connections }
  const api = createApp(main, appOptions)
  if (config.cors.length > 0) api.addHook('onRequest', allowOrigins(config.cors))
  serveDescription(api)
  serveHealth(api, unready)
  api.register(
    async v1 => {
      v1.addHook('onRequest', authenticate({ verifier, connections, bounds, clock }))
      v1.addHook('preHandler', recheck(revocations))
      serveCalls(v1, { router, revocations, bounds, streams, clock })
      servePresence(v1, { presence, revocations, streams, clock })
      serveRevocations(v1, revocations)
    },
    { prefix: '/v1' },
  )

  const side = config.metrics && { at: config.metrics, listener: createListener(undefined, clock, () => {}) }
  const metricsApp = side ? createApp(side.listener, appOptions) : api
  serveMetrics(metricsApp, metrics)

  return {
    server: main.server,
    async listen() {
      await Promise.all([api.ready(), metricsApp.ready()])
      const bound = await main.open(config.listen.host, config.listen.port)
      return side ? { ...bound, metrics: await side.listener.open(side.at.host, side.at.port) } : bound
    },
    async accept(connection) {
      await api.ready()
      main.server.emit('connection', connection)
    },
    drain() {
      ready = false
    },
    async close() {
      await Promise.all([main.close(), side?.listener.close()])
    },
  }
}
