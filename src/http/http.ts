// The HTTP side of a hub: one listener for the API and the gateway's upgrades, and one for metrics where the
// configuration asks for it. It puts the routes together and holds nothing of its own but what it counts.

import type { Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Config } from '../config.js'
import type { Directory } from '../directory/index.js'
import type { Refusal } from '../errors.js'
import type { Revocations, Verifier } from '../gateway/token/index.js'
import { Bounds, Connections } from '../limits/index.js'
import type { Presence } from '../presence/index.js'
import type { Router } from '../router/index.js'
import type { Clock, Log } from '../runtime/index.js'
import type { CallRecords } from '../store/index.js'
import { shed } from './admission.js'
import { Answers } from './answers.js'
import { createApp } from './app.js'
import { Audit } from './audit.js'
import { authenticate, recheck } from './authorization.js'
import { Bodies } from './bodies.js'
import { serveCalls } from './calls.js'
import { allowOrigins } from './cors.js'
import { serveGroups } from './groups.js'
import { type Bound, createListener } from './listener.js'
import { type Counts, createMetrics, type DeliveryFacts, type StoreFacts } from './metrics.js'
import { serveDescription } from './openapi.js'
import { serveHealth, serveMetrics } from './operations.js'
import { servePresence } from './presence.js'
import { serveQueues } from './queues.js'
import { serveRevocations } from './revocations.js'
import { Streams } from './streams.js'

export interface HttpOptions {
  readonly config: Pick<Config, 'listen' | 'metrics' | 'cors'>
  readonly verifier: Pick<Verifier, 'verify'>
  readonly revocations: Revocations
  readonly presence: Presence
  readonly router: Router
  readonly directory: Directory
  readonly gateway: Counts['gateway']
  readonly store: StoreFacts
  readonly deliveries: DeliveryFacts
  /** The calls on record; absent: there is no such thing. */
  readonly records?: CallRecords | undefined
  /** Why the hub is to get no work for now, by what it is short of; each undefined while it is not. */
  readonly troubles?: Readonly<Record<string, () => string | undefined>>
  /** Why nothing new is taken on for now, if so. */
  readonly overloaded?: () => Refusal | undefined
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

export const createHttp = (options: HttpOptions): Http => {
  const { config, verifier, revocations, presence, router, directory, gateway, store, deliveries } = options
  const { clock, log } = options
  const { overloaded, records, troubles = {}, bounds = new Bounds() } = options
  const { connections = new Connections({ bounds, listen: config.listen, log }) } = options
  const audit = new Audit(log, connections)
  const bodies = new Bodies(bounds, audit)
  const answers = new Answers(bounds, audit)
  const streams = new Streams(bounds, audit)
  const metrics = createMetrics({ presence, router, gateway, store, deliveries, audit, bounds, connections })
  let draining = false
  const reasons = {
    drain: () => (draining ? 'the hub is going down' : undefined),
    connections: () => (connections.full ? `all ${connections.most} are taken` : undefined),
    ...troubles,
  }

  const main = createListener(config.listen.tls, clock, connection => connections.accept(connection), log)
  const api = createApp(main, audit, bodies, answers)
  if (config.cors.length > 0) api.addHook('onRequest', allowOrigins(config.cors))
  serveDescription(api)
  serveHealth(api, reasons)
  api.register(
    async v1 => {
      if (overloaded !== undefined) v1.addHook('onRequest', shed(overloaded))
      v1.addHook('onRequest', authenticate({ verifier, connections, bounds, clock }))
      v1.addHook('preHandler', recheck(revocations))
      serveCalls(v1, { router, records, revocations, bounds, streams, clock })
      servePresence(v1, { presence, revocations, streams, clock })
      serveQueues(v1, router)
      serveRevocations(v1, revocations)
      serveGroups(v1, { directory, audit })
    },
    { prefix: '/v1' },
  )

  const side = config.metrics && {
    at: config.metrics,
    listener: createListener(undefined, clock, () => {}, log),
  }
  const metricsApp = side ? createApp(side.listener, audit, bodies, answers) : api
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
      draining = true
    },
    async close() {
      await Promise.all([main.close(), side?.listener.close()])
    },
  }
}
