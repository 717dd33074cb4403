// One listening web server: how long a peer may take, what it hears when what it sends is no HTTP at all, and an
// end that lets answers under way go out. It knows no routes. Connections that were upgraded are the gateway's,
// which closes them first.

import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ErrorCode } from '../errors.js'
import type { Clock, Log } from '../runtime/index.js'
import type { Audit, Refused } from './audit.js'
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
  /** The API looks for it itself, so that its absence is told as all else. */
  requireHostHeader: false,
}

/**
 * How long a connection may be open without anything of an answer being taken. Nobody has to wait for an answer to be
 * made for as long as that.
 */
const stuckMs = 75_000

/** Before it there are no headers to wait for. */
const handshakeTimeout = 5_000

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
const faults = new Map<string | undefined, readonly [status: number, code: ErrorCode, message: string]>([
  ['ERR_HTTP_REQUEST_TIMEOUT', [408, 'invalid', 'the request took too long to arrive']],
  ['HPE_HEADER_OVERFLOW', [431, 'too-large', 'the headers are too large']],
])
const notHttp = [400, 'invalid', 'that is not HTTP'] as const

/** The response that goes out next on a socket, by Node's own name for it. */
interface Answering {
  readonly _httpMessage?: Pick<ServerResponse, 'headersSent' | 'req'> | null
}

/**
 * Answers on the bare socket, where there is no request to reply to. `whom` tells of one that broke off. Who has left
 * hears nothing, and is not refused.
 */
export const refuseClient =
  (audit: Audit, whom: (request: IncomingMessage) => Refused | undefined) =>
  (error: { readonly code?: string }, socket: Duplex): void => {
    if (socket.writable && error.code !== 'ECONNRESET') {
      const [status, code, message] = faults.get(error.code) ?? notHttp
      const { _httpMessage: next } = socket as Answering
      const own = next?.req.complete === false ? whom(next.req) : undefined
      audit.refused({ code, message }, own ?? { peer: (socket as Socket).remoteAddress })
      // Another answer in the middle of one, or before that to an earlier request, would be taken for it.
      if (!next || (own && !next.headersSent)) {
        const body = errorBody({ code, message })
        audit.answered(status)
        socket.write(
          `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: application/json; charset=utf-8\r\n` +
            `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
        )
      }
    }
    socket.destroy()
  }

/** Cuts a connection on which nothing moved any more; where an answer was under way, that is a refusal. */
export const cutStuck =
  (audit: Audit, whom: (request: IncomingMessage) => Refused | undefined) =>
  (socket: Socket): void => {
    const { _httpMessage: next } = socket as Answering
    const refusal = { code: 'overloaded', message: 'the answer was not read in time' } as const
    if (next) audit.refused(refusal, { peer: socket.remoteAddress, ...whom(next.req) })
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
  log: Log,
): Listener => {
  const server = tls
    ? createSecureServer({ ...deadlines, handshakeTimeout, ...tls })
    : createServer(deadlines)
  server.timeout = stuckMs
  server.prependListener('connection', accept)
  let closing = false
  return {
    server,
    async open(host, port) {
      server.listen({ host, port })
      await once(server, 'listening')
      // A connection that the system could not hand over is one less: the others go on.
      server.on('error', error => log.warn({ error }, 'a connection could not be accepted'))
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
