// A hub with a bystander of another tenant, and the promise that is kept around every fault: no error of ours, nobody
// else notices, what the hub holds returns to where it was, a metric counts it, and a line of the log says it without a
// secret. Peers here speak WebSocket by hand, since a library would not let them misbehave.

import { createHmac } from 'node:crypto'
import { connect, type Socket as TcpSocket } from 'node:net'
import type { Test } from 'tap'
import { mintToken } from '../../src/gateway/token/index.js'
import { createHub, type Hub } from '../../src/hub.js'
import type { HubFrames } from '../../src/protocol/index.js'
import { type Log, VirtualClock } from '../../src/runtime/index.js'
import { Client, maskedFrame, until, upgradeRequest } from './gateway.js'
import { configOf, secret } from './hub.js'

interface Line {
  readonly level: string
  readonly message: string
  readonly facts: Readonly<Record<string, unknown>>
}

/** A message of the hub to a peer by hand. */
export interface Said {
  readonly opcode: number
  readonly payload: Buffer
}

/** A peer that speaks bytes. */
export interface RawPeer {
  readonly tcp: TcpSocket
  /** What came, before it is read as messages. */
  readonly text: () => string
  readonly said: () => Said[]
  /** The code of the close that came, once the connection is over; undefined if it broke without. */
  readonly closed: Promise<number | undefined>
  send(frame: object): void
  /** Settles once a frame of this type is there. */
  next<T extends keyof HubFrames>(type: T): Promise<HubFrames[T]>
}

/** A plain connection from an address of the loopback, that sends these bytes; what came so far, and its end. */
export const plain = (t: Test, port: number, bytes = '', from = '127.0.0.1') => {
  const tcp = connect({ port, host: '127.0.0.1', localAddress: from })
  t.teardown(() => tcp.destroy())
  let heard = ''
  tcp.on('data', chunk => {
    heard += chunk.toString('latin1')
  })
  tcp.on('error', () => {})
  tcp.write(bytes)
  return {
    tcp,
    text: () => heard,
    /** The status of the answer; 0 while there is none. */
    status: () => Number(heard.split(' ')[1] ?? 0),
    closed: new Promise(resolve => tcp.once('close', resolve)),
  }
}

/** The messages in what a hub sent, which it neither masks nor splits. */
const messagesIn = (bytes: Buffer): Said[] => {
  const said: Said[] = []
  for (let at = bytes.indexOf('\r\n\r\n') + 4; at + 2 <= bytes.length; ) {
    const short = bytes[at + 1]! & 0x7f
    const head = short === 126 ? 4 : short === 127 ? 10 : 2
    const size =
      short === 126
        ? bytes.readUInt16BE(at + 2)
        : short === 127
          ? Number(bytes.readBigUInt64BE(at + 2))
          : short
    said.push({ opcode: bytes[at]! & 0x0f, payload: bytes.subarray(at + head, at + head + size) })
    at += head + size
  }
  return said
}

export interface Shown {
  /** The code of the lines that say it. */
  readonly code: string
  /** The metric that counts it, whole: `switchhook_faults_total{code="malformed"}`. */
  readonly metric: string
  /** Where it comes from; default: 127.0.0.1. */
  readonly peer?: string
  /** More than is never to be found in the log. */
  readonly secrets?: readonly string[]
}

export interface Scene {
  readonly hub: Hub
  readonly clock: VirtualClock
  readonly url: string
  readonly port: number
  readonly log: Line[]
  token(account: string, facts?: object): Promise<string>
  /** A well-signed token of mallory that says this besides. */
  forge(claims: object): string
  client(): Client
  /** A device that was welcomed. */
  phone(account: string, device?: string, facts?: object, hello?: object): Promise<Client>
  /** A connection by hand; `hello` says hello as that account and waits for the welcome. */
  raw(hello?: string): Promise<RawPeer>
  api(method: string, path: string, account: string, facts: object, body?: object): Promise<Response>
  /** The value of a metric; 0 where there is none. */
  metric(name: string): Promise<number>
  /** Does what is wrong, and looks at all that must be right all the same. */
  survives(t: Test, shown: Shown, fault: () => Promise<unknown>): Promise<void>
}

const gauges = [
  'devices',
  'accounts',
  'subscriptions',
  'sockets',
  'sessions',
  'sessions_lingering',
  'calls_live',
]

export const newScene = async (
  t: Test,
  { limits, tenant = {}, rest = {} }: { limits?: object; tenant?: object; rest?: object } = {},
): Promise<Scene> => {
  const log: Line[] = []
  const line = (level: string) => (facts: object, message: string) => {
    log.push({ level, message, facts: { ...facts } })
  }
  const sink: Log = { info: line('info'), warn: line('warn'), error: line('error') }
  const clock = new VirtualClock(Date.now())
  const day = 86_400_000
  const config = configOf(tenant, {
    presence: { heartbeatMs: day, lingerMs: 0, reloadLingerMs: 0 },
    calls: { lingerMs: 0 },
    ...(limits && { limits }),
    ...rest,
  })
  const hub = await createHub(config, { clock, log: sink })
  const { url, socket, port } = await hub.listen()
  const clients: Client[] = []
  const tcps: TcpSocket[] = []
  const tokens = new Set<string>([secret])
  t.teardown(async () => {
    for (const { ws } of clients) ws.terminate()
    for (const tcp of tcps) tcp.destroy()
    let closed = false
    void hub.close().then(() => {
      closed = true
    })
    await until(() => {
      clock.advance(100)
      return closed
    })
  })
  const metrics = async (): Promise<Map<string, number>> => {
    const text = await (await fetch(`${url}/metrics`)).text()
    return new Map(
      [...text.matchAll(/^(switchhook_\S+) (\S+)$/gm)].map(([, name, value]) => [
        String(name),
        Number(value),
      ]),
    )
  }
  const held = async (): Promise<object> => {
    const now = await metrics()
    return Object.fromEntries(gauges.map(name => [name, now.get(`switchhook_${name}`)]))
  }

  const scene: Scene = {
    hub,
    clock,
    url,
    port,
    log,
    async token(account, facts = {}) {
      const token = await mintToken({ alg: 'HS256', secret, tenant: 'acme', account, clock, ...facts })
      tokens.add(token)
      return token
    },
    forge(claims) {
      const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
      const exp = Math.floor(clock.wall() / 1000) + 60
      const whole = {
        iss: 'acme',
        sub: 'mallory',
        aud: 'switchhook',
        exp,
        scope: 'presence:register',
        ...claims,
      }
      const signed = `${part({ alg: 'HS256' })}.${part(whole)}`
      const token = `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
      tokens.add(token)
      return token
    },
    client() {
      const client = new Client(socket, ['switchhook.v1'], {})
      clients.push(client)
      return client
    },
    async phone(account, device = 'phone', facts = {}, hello = {}) {
      const client = scene.client()
      await client.opened
      client.send({ type: 'hello', token: await scene.token(account, facts), device, ...hello })
      await client.next('welcome')
      return client
    },
    async raw(hello) {
      const tcp = connect(port, '127.0.0.1')
      tcps.push(tcp)
      const chunks: Buffer[] = []
      let wake = (): void => {}
      const said = () => messagesIn(Buffer.concat(chunks))
      tcp.on('data', chunk => {
        chunks.push(chunk)
        wake()
        if (said().some(({ opcode }) => opcode === 8)) tcp.end()
      })
      tcp.on('error', () => {})
      const frames = () =>
        said().flatMap(({ opcode, payload }) => (opcode === 1 ? [JSON.parse(String(payload))] : []))
      const closed = new Promise(resolve => tcp.once('close', resolve)).then(() => {
        const [close] = said().filter(({ opcode }) => opcode === 8)
        return close && (close.payload.length === 0 ? 1005 : close.payload.readUInt16BE(0))
      })
      let seen = 0
      const peer: RawPeer = {
        tcp,
        text: () => Buffer.concat(chunks).toString('latin1'),
        said,
        closed,
        send: frame => void tcp.write(maskedFrame(1, JSON.stringify(frame))),
        async next(type) {
          for (;;) {
            const all = frames()
            while (seen < all.length) {
              const frame = all[seen++]
              if (frame.type === type) return frame
            }
            await new Promise<void>(resolve => {
              wake = resolve
            })
          }
        },
      }
      tcp.write(upgradeRequest())
      await until(() => peer.text().includes('\r\n\r\n'))
      if (hello !== undefined) {
        peer.send({ type: 'hello', token: await scene.token(hello), device: 'raw' })
        await peer.next('welcome')
      }
      return peer
    },
    async api(method, path, account, facts, body) {
      const authorization = `Bearer ${await scene.token(account, facts)}`
      return fetch(url + path, {
        method,
        headers: { authorization, ...(body && { 'content-type': 'application/json' }) },
        ...(body && { body: JSON.stringify(body) }),
      })
    },
    metric: async name => (await metrics()).get(name) ?? 0,
    async survives(t, { code, metric, peer = '127.0.0.1', secrets = [] }, fault) {
      const facts = { tenant: 'other', scopes: ['presence:register', 'presence:read', 'call:receive'] }
      const bystander = await scene.phone('alice', 'phone', facts)
      const names = ['alice', 'bob', 'support']
      await bystander.ask({ type: 'subscribe', destinations: names }, 'ok')
      await until(() => bystander.all('presence').length === names.length)
      await clock.settle(10)
      const seen = bystander.frames.length
      const before = { held: await held(), counted: await scene.metric(metric), lines: log.length }

      await fault()

      await bystander.ask({ type: 'ping' }, 'pong')
      t.same(bystander.frames.slice(seen, -1), [], 'another tenant hears nothing of it')
      let after = await held()
      for (let tries = 0; tries < 200 && JSON.stringify(after) !== JSON.stringify(before.held); tries++) {
        await clock.settle(10)
        after = await held()
      }
      t.same(after, before.held, 'what the hub holds is what it held before')
      t.ok((await scene.metric(metric)) > before.counted, `${metric} counts it`)
      const lines = log.slice(before.lines)
      t.same(
        lines.filter(({ level }) => level === 'error'),
        [],
        'it is no error of ours',
      )
      const audit = lines.filter(({ facts }) => facts.code === code)
      t.match(audit[0]?.facts, { code, reason: String, peer }, 'a line of the log says it')
      const text = JSON.stringify(lines)
      t.notOk(
        [...tokens, ...secrets].some(each => text.includes(each)),
        'and no secret',
      )
      bystander.ws.close(1000)
      await bystander.closed
    },
  }
  return scene
}
