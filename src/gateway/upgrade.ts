// From an HTTP upgrade request to a WebSocket, or to a plain HTTP answer that says why not. A token in the
// Authorization header is verified before the handshake; one in the URL is refused, and never logged. Bytes that
// come with the request or while its token is verified are the first frames; a peer that left meanwhile is let go.

import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import type { Config } from '../config.js'
import { factsOf, type Refusal, refuse } from '../errors.js'
import type { Connections } from '../limits/index.js'
import { Carrier } from './carrier.js'
import type { Dialect } from './dialects/dialect.js'
import { type Checkpoint, verify } from './refresh.js'
import { count, type Surroundings } from './socket.js'
import { bearerOf } from './token/index.js'

export interface Door extends Surroundings, Checkpoint {
  readonly config: Pick<Config, 'cors' | 'drainMs'>
  readonly connections: Pick<Connections, 'peerOf' | 'upgrade'>
  /** Why newcomers are sent away, while they are. */
  readonly closed: () => Refusal | undefined
  /** Takes an open WebSocket and what carries it, from the address `peer`; `token` as the request brought it, verified. */
  enter(ws: Carrier, stream: Duplex, dialect: Dialect, peer: string, token: string | undefined): void
}

/** What Node's `upgrade` event gives. */
export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/** How long a refused peer has to read the answer. */
const REFUSED_MS = 1_000

/** More headers than any client has reason to send. */
const headerLimit = 100

/** The handshake of one peer. */
interface Knock {
  readonly request: IncomingMessage
  readonly socket: Duplex
}

const answer = (door: Door, { request, socket }: Knock, { code, message, retryAfterMs }: Refusal): void => {
  // Of a request that has not gone further only the headers can be too large (RFC 6585, section 5).
  const http = code === 'too-large' ? 431 : factsOf(code).http
  const waitMs = code === 'draining' ? door.config.drainMs : retryAfterMs
  const body = JSON.stringify({ error: { code, message } })
  const head = [
    `HTTP/1.1 ${http} ${STATUS_CODES[http]}`,
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    // RFC 6455, section 4.4.
    'Sec-WebSocket-Version: 13',
    ...(waitMs === undefined ? [] : [`Retry-After: ${Math.ceil(waitMs / 1000)}`]),
  ]
  count(door.tally.faults, code)
  door.log.info({ code, reason: message, peer: door.connections.peerOf(request) }, 'upgrade refused')
  // A socket destroyed with bytes unread resets the connection, and the answer with it.
  socket.once('end', () => socket.destroy()).resume()
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
  door.clock.after(REFUSED_MS, () => socket.destroy())
}

/** Browsers name their page's origin; where the configuration lists origins, others are refused (RFC 6455, section 10.2). */
const isForeign = ({ cors }: Door['config'], { origin, host }: IncomingMessage['headers']): boolean =>
  origin !== undefined &&
  cors.length > 0 &&
  !cors.includes('*') &&
  !cors.includes(origin) &&
  origin.replace(/^https?:\/\//, '') !== host

const inspect = (door: Door, dialect: Dialect | undefined, request: IncomingMessage): Refusal | undefined => {
  const { headers, httpVersion, method, rawHeaders, url } = request
  if (rawHeaders.length > 2 * headerLimit) return refuse('too-large', `at most ${headerLimit} headers`)
  if (dialect === undefined) return refuse('not-found', 'no socket at this path')
  if (method !== 'GET' || httpVersion !== '1.1')
    return refuse('invalid', 'a WebSocket begins with GET, HTTP/1.1')
  // The library takes the drafts' version 8, too (RFC 6455, section 4.1).
  if (headers['sec-websocket-version'] !== '13') return refuse('invalid', 'Sec-WebSocket-Version must be 13')
  const query = new URLSearchParams((url as string).replace(/^[^?]*/, ''))
  if (query.has('token') || query.has('access_token')) {
    return refuse(
      'invalid',
      'a token does not belong in a URL: send it in hello, or as Authorization: Bearer',
    )
  }
  const offered = headers['sec-websocket-protocol']?.split(',').map(name => name.trim())
  if (
    offered &&
    dialect.subprotocols.length > 0 &&
    !dialect.subprotocols.some(name => offered.includes(name))
  ) {
    return refuse('invalid', `Sec-WebSocket-Protocol must offer ${dialect.subprotocols.join(' or ')}`)
  }
  if (isForeign(door.config, headers)) return refuse('forbidden', 'this origin may not connect')
  return door.closed() ?? door.connections.upgrade(request)
}

/** Keeps what a socket sends, in order, until it is taken; too much cuts the socket. */
const keep = ({ bounds }: Door, socket: Duplex, head: Buffer): (() => Buffer | undefined) => {
  const chunks = [head]
  let left = bounds.of.waitingBytes - head.length
  let there = true
  const onData = (chunk: Buffer): void => {
    chunks.push(chunk)
    left -= chunk.length
    if (left >= 0) return
    bounds.note('waitingBytes')
    socket.destroy()
  }
  const onGone = (): void => {
    there = false
  }
  socket.on('data', onData).once('end', onGone).once('close', onGone)
  return () => {
    socket.pause().off('data', onData).off('end', onGone).off('close', onGone)
    return there ? Buffer.concat(chunks) : undefined
  }
}

/** Until the library has a socket, nobody else hears that it broke. Of nobody's closure: it would keep the request. */
function cut(this: Duplex): void {
  this.destroy()
}

/** The listener for an HTTP server's `upgrade` event. */
export const createUpgrade = (door: Door, dialects: readonly Dialect[]): Upgrade => {
  const { messageBytes, closeMs } = door.bounds.of
  const options = {
    noServer: true,
    // The socket answers pings itself, within the peer's allowance.
    autoPong: false,
    clientTracking: false,
    maxPayload: messageBytes,
    maxFragments: 64,
    maxBufferedChunks: 1024,
    perMessageDeflate: false,
    skipUTF8Validation: false,
    closeTimeout: closeMs,
  }
  const ways = new Map(
    dialects.map(dialect => {
      const handleProtocols = (offered: Set<string>) =>
        dialect.subprotocols.find(name => offered.has(name)) as string
      const server = new WebSocketServer({ ...options, handleProtocols, WebSocket: Carrier })
      server.on('wsClientError', ({ message }, socket, request) =>
        answer(door, { request, socket }, refuse('invalid', message)),
      )
      return [dialect.path, { dialect, server }]
    }),
  )

  return (request, socket, head) => {
    socket.on('error', cut)
    const way = ways.get((request.url as string).replace(/\?.*/s, ''))
    const refusal = inspect(door, way?.dialect, request)
    const knock = { request, socket }
    if (way === undefined || refusal !== undefined) return answer(door, knock, refusal as Refusal)
    const { dialect, server } = way
    const peer = door.connections.peerOf(request)
    const proceed = (bytes: Buffer, token?: string): void =>
      server.handleUpgrade(request, socket, bytes, ws => {
        socket.off('error', cut)
        door.enter(ws, socket, dialect, peer, token)
      })
    const { authorization } = request.headers
    if (authorization === undefined) return proceed(head)
    const bearer = bearerOf(authorization)
    if (!bearer.ok) return answer(door, knock, bearer)
    const take = keep(door, socket, head)
    void verify(door, bearer.value).then(verified => {
      const bytes = take()
      const refusal = verified.ok ? door.closed() : verified
      if (bytes === undefined) socket.destroy()
      else if (refusal !== undefined) answer(door, knock, refusal)
      else {
        proceed(bytes, bearer.value)
        socket.resume()
      }
    })
  }
}
