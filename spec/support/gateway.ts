// A gateway on a real HTTP server and real sockets, before the presence and router of `newRoom`, on a virtual clock.
// Clients are `ws`, or a plain TCP connection where the bytes matter. All is taken down with the test.

import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket as TcpSocket } from 'node:net'
import { type ClientOptions, WebSocket } from 'ws'
import type { Limits } from '../../src/config.js'
import { createGateway, type Gateway, type GatewayOptions } from '../../src/gateway/index.js'
import {
  createKeySets,
  createVerifier,
  mintToken,
  Revocations,
  readKeys,
} from '../../src/gateway/token/index.js'
import { Bounds } from '../../src/limits/index.js'
import type { HubFrames } from '../../src/protocol/index.js'
import { silentLog } from '../../src/runtime/index.js'
import { aSecret, newRoom, type Room } from './room.js'

interface Teardown {
  teardown(task: () => unknown): void
}

export type Frame<T extends keyof HubFrames> = HubFrames[T]

/** Lets the event loop turn until it holds. */
export const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise(resolve => setImmediate(resolve))
}

export class Client {
  readonly ws: WebSocket
  readonly frames: HubFrames[keyof HubFrames][] = []
  readonly opened: Promise<unknown>
  readonly closed: Promise<{ code: number; reason: string }>
  #read = 0
  #wake = (): void => {}

  constructor(url: string, protocols: string[], options: ClientOptions) {
    this.ws = new WebSocket(url, protocols, options)
    this.opened = once(this.ws, 'open')
    this.opened.catch(() => {})
    this.ws.on('error', () => {})
    this.closed = new Promise(resolve => {
      this.ws.on('close', (code, reason) => resolve({ code, reason: reason.toString() }))
    })
    this.ws.on('message', data => {
      this.frames.push(JSON.parse(data.toString()))
      this.#wake()
    })
  }

  send(frame: object | string): void {
    this.ws.send(typeof frame === 'string' ? frame : JSON.stringify(frame))
  }

  /** The next frame of that type; those of other types in between are passed over. */
  async next<T extends keyof HubFrames>(type: T): Promise<Frame<T>> {
    for (;;) {
      while (this.#read < this.frames.length) {
        const frame = this.frames[this.#read++]!
        if (frame.type === type) return frame as Frame<T>
      }
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  /** Sends a frame with a fresh `ref`, and gives its reply. */
  async ask<T extends keyof HubFrames>(frame: object, type: T): Promise<Frame<T>> {
    this.send({ ...frame, ref: 'r' })
    return this.next(type)
  }

  /** All of one type so far. */
  all<T extends keyof HubFrames>(type: T): Frame<T>[] {
    return this.frames.filter(frame => frame.type === type) as Frame<T>[]
  }
}

export interface TokenSays {
  readonly scopes?: readonly string[]
  readonly groups?: readonly string[]
  readonly capacity?: number
  readonly expiresInSeconds?: number
  readonly tenant?: string
  readonly jti?: string
}

export interface Stand {
  readonly room: Room
  readonly gateway: Gateway
  readonly bounds: Bounds
  readonly revocations: Revocations
  readonly server: Server
  readonly port: number
  token(account: string, says?: TokenSays): Promise<string>
  /** An open connection that has said nothing. */
  client(options?: ClientOptions, protocols?: string[], path?: string): Client
  /** A connection that has said hello, and its welcome. */
  phone(
    account: string,
    hello?: object,
    says?: TokenSays,
    options?: ClientOptions,
  ): Promise<{ client: Client; welcome: Frame<'welcome'> }>
  /** A plain connection; `text` collects what came. */
  raw(): { tcp: TcpSocket; text: () => string; closed: Promise<unknown> }
}

export type StandOptions = Partial<Omit<GatewayOptions, 'config' | 'clock'>> & {
  readonly tenant?: object
  readonly rest?: object
  /** Others than the defaults. */
  readonly limits?: Partial<Limits>
}

export const newStand = async (t: Teardown, options: StandOptions = {}): Promise<Stand> => {
  const { tenant, rest, limits, ...changes } = options
  const bounds = new Bounds(limits)
  const room = newRoom(tenant, rest)
  const { clock, config, presence, router } = room
  const sets = createKeySets({ fetch: config.fetch, clock, log: silentLog })
  const ring = await readKeys(config.tenants, sets)
  if (!ring.ok) throw new Error(JSON.stringify(ring.faults))
  const revocations = new Revocations(clock)
  const verifier = createVerifier({ audience: config.audience, keys: ring.value, clock, revocations })
  const gateway = createGateway({
    verifier,
    revocations,
    presence,
    router,
    log: { info() {}, warn() {}, error() {} },
    random: () => 0.5,
    bounds,
    ...changes,
    config,
    clock,
  })
  const server = createServer().on('upgrade', gateway.upgrade)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const clients: Client[] = []
  const tcps: TcpSocket[] = []
  t.teardown(async () => {
    for (const { ws } of clients) ws.terminate()
    for (const tcp of tcps) tcp.destroy()
    server.close()
    await gateway.close()
    await room.close()
  })

  const stand: Stand = {
    room,
    gateway,
    bounds,
    revocations,
    server,
    port,
    token: (account, { tenant: of = 'acme', ...says } = {}) =>
      mintToken({ alg: 'HS256', secret: aSecret, tenant: of, account, clock, ...says }),
    client(wsOptions = {}, protocols = ['switchhook.v1'], path = '/v1/socket') {
      const client = new Client(`ws://127.0.0.1:${port}${path}`, protocols, wsOptions)
      clients.push(client)
      return client
    },
    async phone(account, hello = {}, says = {}, wsOptions = {}) {
      const client = stand.client(wsOptions)
      await client.opened
      client.send({ type: 'hello', token: await stand.token(account, says), device: 'phone', ...hello })
      return { client, welcome: await client.next('welcome') }
    },
    raw() {
      const tcp = connect(port, '127.0.0.1')
      tcps.push(tcp)
      let text = ''
      tcp.on('data', chunk => {
        text += chunk.toString('latin1')
      })
      tcp.on('error', () => {})
      return { tcp, text: () => text, closed: once(tcp, 'close') }
    },
  }
  return stand
}

/** The lines of an upgrade request; `change` adds headers, or takes one out where it is undefined. */
export const upgradeRequest = (
  change: Record<string, string | undefined> = {},
  line = 'GET /v1/socket HTTP/1.1',
): string => {
  const headers: Record<string, string | undefined> = {
    Host: 'hub.test',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version': '13',
    ...change,
  }
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`],
  )
  return `${[line, ...lines].join('\r\n')}\r\n\r\n`
}

/** A masked frame of RFC 6455, section 5.2, as a client sends it; with a mask of zeros. */
export const maskedFrame = (opcode: number, payload: string | Buffer, fin = true): Buffer => {
  const body = Buffer.from(payload)
  const size =
    body.length < 126
      ? Buffer.from([0x80 | body.length])
      : Buffer.from([0x80 | 126, body.length >> 8, body.length & 0xff])
  return Buffer.concat([Buffer.from([(fin ? 0x80 : 0) | opcode]), size, Buffer.alloc(4), body])
}
