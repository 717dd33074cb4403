// One listening web server: how long a peer may take, what it hears when what it sends is no HTTP at all, and an
// end that lets answers under way go out. It knows no routes. Connections that were upgraded are the gateway's,
// which closes them first.

import { once } from 'node:events'
import { createServer, type RequestListener, type Server, STATUS_CODES } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { ErrorCode } from '../errors.js'
import type { Clock } from '../runtime/index.js'
import { errorBody } from './refusal.js'

/**
 * Milliseconds. Node's own deadline for headers is 60 s, and it looks every 30 s only: a peer that sends a byte now
 * and then would be kept for long. A whole request is 256 KiB at most, so 15 s will do.
 */
const deadlines = {
  headersTimeout: 5_000,
  requestTimeout: 15_000,
  connectionsCheckingInterval: 1_000,
  keepAliveTimeout: 5_000,
}

/** Before it there are no headers to wait for. */
const handshakeTimeout = 5_000

/** More headers than any client has reason to send. */
const headerLimit = 100

/** How long a closing server waits for answers under way. */
const graceMs = 1_000

/** Where a server listens. */
export interface Bound {
  readonly host: string
  readonly port: number
}

export interface Listener {
  readonly server: Server
  /** Rejects with the system's error where it cannot. Port 0 picks a free one. */
  open(host: string, port: number): Promise<Bound>
  /** An answer went out: its connection is not kept if the server is closing. */
  answered(): void
  /** Accepts no more, lets answers under way go out for up to a second, and settles when all connections are over. */
  close(): Promise<void>
}

/** What a peer hears whose request never became one, by Node's code. */
const faults = new Map<string, readonly [status: number, code: ErrorCode, message: string]>([
  ['ERR_HTTP_REQUEST_TIMEOUT', [408, 'invalid', 'the request took too long to arrive']],
  ['HPE_HEADER_OVERFLOW', [431, 'too-large', 'the headers are too large']],
])
const notHttp = [400, 'invalid', 'that is not HTTP'] as const

/** A handler of requests that have no more headers than there is reason for; others are answered as by Node. */
export const withFewHeaders =
  (handle: RequestListener, refuse: ReturnType<typeof refuseClient>): RequestListener =>
  (request, response) => {
    if (request.rawHeaders.length <= 2 * headerLimit) handle(request, response)
    else refuse({ code: 'HPE_HEADER_OVERFLOW' }, request.socket)
  }

/** Answers on the bare socket, where there is no request to reply to; `count` hears the status. */
export const refuseClient =
  (count: (status: number) => void) =>
  (error: { readonly code: string }, socket: Socket): void => {
    if (socket.writable) {
      const [status, code, message] = faults.get(error.code) ?? notHttp
      const body = errorBody({ code, message })
      count(status)
      socket.write(
        `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: application/json; charset=utf-8\r\n` +
          `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      )
    }
    socket.destroy()
  }

/**
 * A server for `tls` (PEM), or a plain one. Requests are for its `request` listener; `accept` hears of each connection
 * first.
 */
export const createListener = (
  tls: { readonly cert: string; readonly key: string } | undefined,
  clock: Pick<Clock, 'after'>,
  accept: (connection: Socket) => void,
): Listener => {
  const server = tls
    ? createSecureServer({ ...deadlines, handshakeTimeout, ...tls })
    : createServer(deadlines)
  server.prependListener('connection', accept)
  let closing = false
  return {
    server,
    async open(host, port) {
      server.listen({ host, port })
      await once(server, 'listening')
      return { host, port: (server.address() as AddressInfo).port }
    },
    answered() {
      if (closing) server.closeIdleConnections()
    },
    async close() {
      closing = true
      const cut = clock.after(graceMs, () => server.closeAllConnections())
      await new Promise(resolve => server.close(resolve))
      cut.cancel()
    },
  }
}
