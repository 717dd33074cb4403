// What Prometheus reads. The hub's rooms count in plain fields, and nothing is added up until someone looks; the
// process's own metrics begin with the first look.

import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { ErrorCode } from '../errors.js'
import type { Bounds, Connections } from '../limits/index.js'
import type { Presence } from '../presence/index.js'
import type { Router } from '../router/index.js'
import type { CallRecords } from '../store/index.js'
import type { Audit } from './audit.js'

/** What the gateway counts. */
export interface SocketCounts {
  readonly sockets: number
  readonly accepted: number
  readonly sessions: number
  readonly lingering: number
  readonly framesIn: number
  readonly framesOut: number
  readonly faults: Readonly<Partial<Record<ErrorCode, number>>>
  readonly refusals: Readonly<Partial<Record<ErrorCode, number>>>
}

/** What the store tells of itself. */
export interface StoreFacts {
  readonly counts: { readonly written: number; readonly failed: number; readonly damaged: number }
  readonly records?: Pick<CallRecords, 'counts' | 'waiting'> | undefined
}

/** What is told to applications outside. */
export interface DeliveryFacts {
  readonly counts: Readonly<Record<string, number>>
  readonly waiting: number
}

export interface Counts {
  readonly presence: Pick<Presence, 'counts'>
  readonly router: Pick<Router, 'counts' | 'queues'>
  readonly gateway: { readonly counts: SocketCounts }
  readonly store: StoreFacts
  readonly deliveries: DeliveryFacts
  readonly audit: Pick<Audit, 'answers' | 'refusals'>
  readonly bounds: Pick<Bounds, 'reached'>
  readonly connections: Pick<Connections, 'open'>
}

export interface Metrics {
  readonly contentType: string
  /** The text of all metrics. */
  read(): Promise<string>
}

/** A registry of the hub's own. */
export const createMetrics = (counts: Counts): Metrics => {
  const { presence, router, gateway, store, deliveries, audit, bounds, connections } = counts
  const registry = new Registry()
  const registers = [registry]
  const prefix = 'switchhook_'

  const gauge = (name: string, help: string, value: () => number): void => {
    new Gauge({
      name: prefix + name,
      help,
      registers,
      collect() {
        this.set(value())
      },
    })
  }
  const counter = (
    name: string,
    help: string,
    label: string,
    values: () => Iterable<[unknown, number]>,
  ): void => {
    new Counter({
      name: prefix + name,
      help,
      registers,
      labelNames: [label],
      collect() {
        this.reset()
        for (const [of, value] of values()) this.inc({ [label]: String(of) }, value)
      },
    })
  }
  const total = (name: string, help: string, value: () => number): void => {
    new Counter({
      name: prefix + name,
      help,
      registers,
      collect() {
        this.reset()
        this.inc(value())
      },
    })
  }

  gauge('devices', 'Registered client applications.', () => presence.counts.devices)
  gauge('accounts', 'Accounts known to presence.', () => presence.counts.accounts)
  gauge('subscriptions', 'Subscriptions to presence.', () => presence.counts.subscriptions)
  gauge('connections', 'Open connections of every kind.', () => connections.open)
  gauge('sockets', 'Open sockets.', () => gateway.counts.sockets)
  gauge('sessions', 'Sessions, those that linger too.', () => gateway.counts.sessions)
  gauge(
    'sessions_lingering',
    'Sessions whose socket was lost and may come back.',
    () => gateway.counts.lingering,
  )
  gauge('calls_live', 'Calls that are not over.', () => router.counts.live)
  new Gauge({
    name: `${prefix}calls_waiting`,
    help: 'Calls that wait in a queue, by tenant and queue; a queue in which none waits has no line.',
    registers,
    labelNames: ['tenant', 'queue'],
    collect() {
      this.reset()
      for (const { count, ...labels } of router.queues.waiting()) this.set(labels, count)
    },
  })
  total('sockets_accepted_total', 'Sockets accepted.', () => gateway.counts.accepted)
  total('calls_placed_total', 'Calls placed.', () => router.counts.placed)
  counter('calls_ended_total', 'Calls ended, by reason.', 'reason', () => Object.entries(router.counts.ended))
  counter('frames_total', 'Frames on sockets, by direction.', 'direction', () => [
    ['in', gateway.counts.framesIn],
    ['out', gateway.counts.framesOut],
  ])
  counter(
    'faults_total',
    'Sockets closed, and upgrades refused, for a fault of the peer, by code.',
    'code',
    () => Object.entries(gateway.counts.faults),
  )
  counter('frames_refused_total', 'Frames that were answered with an error, by code.', 'code', () =>
    Object.entries(gateway.counts.refusals),
  )
  counter('http_refused_total', 'HTTP requests that were refused, by code.', 'code', () => audit.refusals)
  counter(
    'limit_reached_total',
    'Times that a limit took effect: something was refused, closed or forgotten.',
    'limit',
    () => Object.entries(bounds.reached),
  )
  counter('store_writes_total', 'Writes of what is kept over restarts, by outcome.', 'outcome', () => [
    ['written', store.counts.written],
    ['failed', store.counts.failed],
  ])
  total(
    'store_damaged_total',
    'Files that could not be understood at the start, and were put aside.',
    () => store.counts.damaged,
  )
  gauge('call_records_waiting', 'Records of ended calls that wait for the disk.', () =>
    Number(store.records?.waiting ?? 0),
  )
  counter(
    'call_records_total',
    'Records of ended calls: `written`; `late`, whose end was told before; `lost`; at the start `damaged` and `torn`.',
    'outcome',
    () => Object.entries(store.records?.counts ?? {}),
  )
  gauge('deliveries_waiting', 'Callbacks and webhooks that wait to be delivered.', () => deliveries.waiting)
  counter(
    'deliveries_total',
    'Callbacks and webhooks: `delivered`; attempts that `failed` and were made again; given up: `refused`, `expired`, `dropped`.',
    'outcome',
    () => Object.entries(deliveries.counts),
  )
  counter('http_responses_total', 'HTTP answers, by status.', 'status', () => audit.answers)

  let begun = false
  return {
    contentType: registry.contentType,
    read() {
      if (!begun) collectDefaultMetrics({ register: registry })
      begun = true
      return registry.metrics()
    },
  }
}
