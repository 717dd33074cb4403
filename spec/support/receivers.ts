// Receivers of callbacks and webhooks on real ports, whose answers the spec gives, and the deliveries to them on a
// virtual clock. All is torn down with the test.

import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { createEgress } from '../../src/egress/index.js'
import { Bounds } from '../../src/limits/index.js'
import type { TenantId } from '../../src/protocol/index.js'
import { VirtualClock } from '../../src/runtime/index.js'
import { type DeliveryQueue, unkeptDeliveries } from '../../src/store/index.js'
import { Deliveries, type DeliveriesOptions } from '../../src/webhooks/index.js'
import { acme, configOf } from './room.js'

export interface Told {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
  readonly id: string
}

export type Answering = (res: ServerResponse, told: Told) => void

export const taking: Answering = res => res.end('ok')
export const answering =
  (status: number, headers: Record<string, string> = {}): Answering =>
  res =>
    res.writeHead(status, headers).end()

/** A receiver that keeps what it is told, and answers as `answer` says then. */
export const receiver = async (t: Test, answer: Answering = taking, port = 0) => {
  const told: Told[] = []
  const state = { answer }
  const server = createServer(async (req, res) => {
    const body = await text(req)
    const { method, url, headers } = req
    const one = {
      method: `${method}`,
      url: `${url}`,
      headers,
      body,
      id: `${headers['i-twilio-idempotency-token']}`,
    }
    told.push(one)
    state.answer(res, one)
  }).listen(port, '127.0.0.1')
  await once(server, 'listening')
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  t.teardown(close)
  const bound = (server.address() as AddressInfo).port
  return {
    url: `http://127.0.0.1:${bound}`,
    port: bound,
    told,
    ids: () => told.map(({ id }) => id),
    answers(answer: Answering) {
      state.answer = answer
    },
    close,
  }
}

/** A port that nobody listens at. */
export const nobody = async (t: Test): Promise<string> => {
  const gone = await receiver(t)
  gone.close()
  return gone.url
}

export const authToken = '12345678901234567890123456789012'

export const deliveriesFor = (
  t: Test,
  {
    webhooks = {},
    limits = {},
    queue = unkeptDeliveries,
    clock = new VirtualClock(),
  }: {
    webhooks?: Partial<DeliveriesOptions['webhooks']>
    limits?: object
    queue?: DeliveryQueue
    clock?: VirtualClock
  } = {},
) => {
  const config = configOf({ authToken }, { fetch: { allowPrivate: true }, limits })
  const bounds = new Bounds(config.limits)
  const logged: { level: string; facts: Record<string, unknown>; message: string }[] = []
  const line = (level: string) => (facts: object, message: string) => {
    logged.push({ level, facts: { ...facts }, message })
  }
  const deliveries = new Deliveries({
    webhooks: { ...config.webhooks, ...webhooks },
    tenants: config.tenants,
    egress: createEgress(config.fetch, clock),
    queue,
    bounds,
    clock,
    log: { info: line('info'), warn: line('warn'), error: line('error') },
  })
  t.teardown(() => deliveries.close())
  /** Lets sockets turn until it holds. */
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise(resolve => setImmediate(resolve))
  }
  const attempts = (): number => Object.values(deliveries.counts).reduce((sum, count) => sum + count, 0)
  return {
    clock,
    bounds,
    deliveries,
    logged,
    until,
    attempts,
    deliver: (url: string, key: string, sequence = 0, tenant = acme as TenantId) =>
      deliveries.deliver({
        id: `${key}:${sequence}`,
        tenant,
        url,
        method: 'POST',
        fields: { CallSid: key, SequenceNumber: String(sequence) },
        key,
      }),
    /** Moves the clock on by so much at a time, with every attempt carried out before the next move. */
    async pass(ms: number, step = 1_000): Promise<void> {
      for (let left = ms; left > 0; left -= step) {
        clock.advance(Math.min(step, left))
        for (let turn = 0; turn < 30; turn++) await new Promise(resolve => setImmediate(resolve))
      }
    },
  }
}
