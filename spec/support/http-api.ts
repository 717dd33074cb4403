// The HTTP API on a real port, before the presence and router of `newRoom`, on a virtual clock: requests by `fetch`,
// or byte for byte over a plain connection. All is taken down with the test.

import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import {
  createKeySets,
  createVerifier,
  mintToken,
  Revocations,
  readKeys,
} from '../../src/gateway/token/index.js'
import { createHttp, type Http, type HttpOptions } from '../../src/http/index.js'
import { type Log, silentLog, type VirtualClock } from '../../src/runtime/index.js'
import { nothingKept, type Store } from '../../src/store/index.js'
import { aSecret, newRoom, type Room } from './room.js'

interface Teardown {
  teardown(task: () => unknown): void
}

/** Lets the event loop turn until it holds. */
export const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise(resolve => setImmediate(resolve))
}

export interface Ask {
  readonly token?: string
  /** Sent as JSON; text is sent as it is. */
  readonly body?: unknown
  readonly headers?: Record<string, string>
  readonly signal?: AbortSignal
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: what a spec expects of it is in the spec
  readonly json: any
}

/** Server-sent events as they come. */
export interface Feed {
  readonly headers: Headers
  /** The next block of lines, parsed; comments are `{ comment }`, and undefined is the end. */
  next(): Promise<Record<string, string> | undefined>
  /** All until the end. */
  rest(): Promise<Record<string, string>[]>
  close(): Promise<void>
}

export interface Api {
  readonly room: Room
  readonly http: Http
  readonly port: number
  readonly metricsPort: number | undefined
  /** What was logged: level, facts and message. */
  readonly logged: { level: string; facts: Record<string, unknown>; message: string }[]
  token(account: string, scopes: readonly string[], tenant?: string): Promise<string>
  ask(method: string, path: string, ask?: Ask): Promise<Answer>
  follow(path: string, ask?: Ask): Promise<Feed>
  /** Sends bytes; gives all that came until the connection was over. */
  raw(text: string | Buffer, end?: boolean): Promise<string>
  /** The next request that arrives, and its response on the server's side. */
  arrival(): Promise<{ request: IncomingMessage; response: ServerResponse }>
}

export type ApiOptions = Partial<Omit<HttpOptions, 'config'>> & {
  readonly tenant?: object
  readonly rest?: object
  /** Where what is said of groups is kept. */
  readonly groups?: Store['groups']
  /** The clock of the room. */
  readonly time?: VirtualClock
  /** Changes what the API is given of the room's. */
  readonly wrap?: (room: Room) => Partial<HttpOptions>
}

export const newApi = async (
  t: Teardown,
  { tenant, rest, wrap, time, groups, ...options }: ApiOptions = {},
): Promise<Api> => {
  const { records } = options
  const room = newRoom(tenant, { listen: { port: 0 }, ...rest }, silentLog, {
    records,
    ...(time && { clock: time }),
    ...(groups && { groups }),
  })
  const { clock, config, presence, router, directory } = room
  const sets = createKeySets({ fetch: config.fetch, clock, log: silentLog })
  const keys = await readKeys(config.tenants, sets)
  if (!keys.ok) throw new Error(JSON.stringify(keys.faults))
  const revocations = new Revocations(clock)
  const verifier = createVerifier({ audience: config.audience, keys: keys.value, clock, revocations })
  const logged: Api['logged'] = []
  const line = (level: string) => (facts: object, message: string) => {
    logged.push({ level, facts: { ...facts }, message })
  }
  const log: Log = { info: line('info'), warn: line('warn'), error: line('error') }
  const http = createHttp({
    config,
    verifier,
    revocations,
    presence,
    router,
    directory,
    gateway: {
      counts: {
        sockets: 3,
        accepted: 9,
        sessions: 4,
        lingering: 1,
        framesIn: 20,
        framesOut: 30,
        faults: { invalid: 2 },
        refusals: { busy: 3 },
      },
    },
    store: nothingKept,
    deliveries: { counts: {}, waiting: 0 },
    clock,
    log,
    ...options,
    ...wrap?.(room),
  })
  const { port, metrics } = await http.listen()
  const connections = new Set<{ destroy(): void }>()
  http.server.on('connection', socket => connections.add(socket))
  t.teardown(async () => {
    for (const socket of connections) socket.destroy()
    await http.close()
    await room.close()
  })
  const base = `http://127.0.0.1:${port}`
  const request = (method: string, path: string, { token, body, headers, signal }: Ask) =>
    fetch(base + path, {
      method,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      ...(signal !== undefined && { signal }),
    })

  return {
    room,
    http,
    port,
    metricsPort: metrics?.port,
    logged,
    token: (account, scopes, of = 'acme') =>
      mintToken({ alg: 'HS256', secret: aSecret, tenant: of, account, scopes, clock }),
    async ask(method, path, ask = {}) {
      const { status, headers, ...answer } = await request(method, path, ask).then(async response => ({
        status: response.status,
        headers: response.headers,
        text: await response.text(),
      }))
      const isJson = answer.text !== '' && headers.get('content-type')?.startsWith('application/json')
      return { status, headers, ...answer, json: isJson ? JSON.parse(answer.text) : undefined }
    },
    async follow(path, ask = {}) {
      const response = await request('GET', path, ask)
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
      let text = ''
      const feed: Feed = {
        headers: response.headers,
        async next() {
          while (!text.includes('\n\n')) {
            const { done, value } = await reader.read()
            if (done) return undefined
            text += value
          }
          const end = text.indexOf('\n\n')
          const lines = text.slice(0, end).split('\n')
          text = text.slice(end + 2)
          return Object.fromEntries(
            lines.map(each => {
              const colon = each.indexOf(':')
              return [each.slice(0, colon) || 'comment', each.slice(colon + 1).trim()]
            }),
          )
        },
        async rest() {
          const blocks = []
          for (let block = await feed.next(); block !== undefined; block = await feed.next())
            blocks.push(block)
          return blocks
        },
        close: () => reader.cancel(),
      }
      return feed
    },
    async raw(text, end = false) {
      const socket = connect(port, '127.0.0.1')
      let heard = ''
      socket.on('data', chunk => {
        heard += chunk
      })
      socket.on('error', () => {})
      if (end) socket.end(text)
      else socket.write(text)
      await once(socket, 'close')
      return heard
    },
    async arrival() {
      const [incoming, response] = await once(http.server, 'request')
      return { request: incoming, response }
    },
  }
}
