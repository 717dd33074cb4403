// A voice application on a real port, each of whose paths answers as it is told, and a source of instructions that asks
// it on a virtual clock. Both are torn down with the test.

import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import type { Config } from '../../src/config.js'
import type { Network } from '../../src/egress/index.js'
import { Bounds } from '../../src/limits/index.js'
import type { CallId, TenantId } from '../../src/protocol/index.js'
import type { InstructionSource } from '../../src/router/instructions/index.js'
import { createSource, type InstructionRequest } from '../../src/router/source/index.js'
import { VirtualClock } from '../../src/runtime/index.js'

export const request: InstructionRequest = {
  call: 'call-1' as CallId,
  tenant: 'acme' as TenantId,
  from: '+15550111',
  to: '+15550100',
  direction: 'inbound',
  params: {},
}

export const dialAlice = '<Response><Dial>alice</Dial></Response>'

export type Answering = (res: ServerResponse, req: IncomingMessage) => void

/** A voice application: each path answers as it is told; every request that reached it is kept, with its body. */
export const application = async (
  t: Test,
  answers: Readonly<Record<string, Answering>> = {},
  host = '127.0.0.1',
  port = 0,
) => {
  const asked: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[] = []
  const listener: RequestListener = async (req, res) => {
    const body = await text(req)
    asked.push({ method: `${req.method}`, url: `${req.url}`, headers: req.headers, body })
    const answer = answers[`${req.url}`.replace(/\?.*/, '')]
    if (answer) answer(res, req)
    else res.writeHead(404).end()
  }
  const server = createServer(listener).listen(port, host)
  await once(server, 'listening')
  let connections = 0
  server.on('connection', () => {
    connections += 1
  })
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const bound = (server.address() as AddressInfo).port
  return {
    url: `http://${host}:${bound}`,
    port: bound,
    asked,
    paths: () => asked.map(({ url }) => url),
    /** How many connections were ever made to it. */
    connections: () => connections,
  }
}

export const document =
  (body: string | Buffer, type = 'text/xml') =>
  (res: ServerResponse): void => {
    res.setHeader('content-type', type)
    res.end(body)
  }

export const redirect =
  (location: string, status = 302) =>
  (res: ServerResponse): void => {
    res.writeHead(status, { location }).end()
  }

/** A source on a virtual clock, open to loopback unless told otherwise. */
export const sourceFor = (
  t: Test,
  fetch: Partial<Config['fetch']> = {},
  { network, limits }: { network?: Network; limits?: ConstructorParameters<typeof Bounds>[0] } = {},
) => {
  const clock = new VirtualClock()
  const bounds = new Bounds(limits)
  const source = createSource({
    fetch: { allowPrivate: true, timeoutMs: 5000, ...fetch },
    clock,
    bounds,
    ...(network && { network }),
  })
  t.teardown(() => source.close())
  const ask = (url: string, more: Partial<InstructionRequest> = {}, how: Partial<InstructionSource> = {}) =>
    source.retrieve({ kind: 'url', url, method: 'POST', ...how } as InstructionSource, {
      ...request,
      ...more,
    })
  return { source, clock, bounds, ask }
}
