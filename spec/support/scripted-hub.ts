// A hub that does only what the spec says: a real WebSocket server on a free port that records what clients send
// and lets the spec answer, so that every order of events can be played. The phone it is played against runs on
// virtual time.

import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { WebSocket, WebSocketServer } from 'ws'
import { type Connection, Softphone, type SoftphoneOptions, type Timers } from '../../src/client/index.js'
import { type Timer, VirtualClock } from '../../src/runtime/index.js'

export type Said = Record<string, unknown> & { type: string }

/** Hands out each item once, to whoever waits for one like it first. */
class Inbox<T> {
  readonly #items: T[] = []
  readonly #waiting: { fits: (item: T) => boolean; resolve: (item: T) => void }[] = []

  put(item: T): void {
    const at = this.#waiting.findIndex(({ fits }) => fits(item))
    if (at < 0) this.#items.push(item)
    else this.#waiting.splice(at, 1)[0]!.resolve(item)
  }

  take(fits: (item: T) => boolean = () => true): Promise<T> {
    const at = this.#items.findIndex(fits)
    if (at >= 0) return Promise.resolve(this.#items.splice(at, 1)[0]!)
    return new Promise(resolve => this.#waiting.push({ fits, resolve }))
  }

  get items(): readonly T[] {
    return this.#items
  }
}

/** The hub's end of one connection. */
export class ScriptedLine {
  readonly #socket: WebSocket
  readonly #inbox = new Inbox<Said>()
  /** Everything that came, in order. */
  readonly heard: Said[] = []
  readonly closed: Promise<{ code: number }>

  constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('message', data => {
      const frame = JSON.parse(String(data)) as Said
      this.heard.push(frame)
      this.#inbox.put(frame)
    })
    this.closed = new Promise(resolve => socket.on('close', code => resolve({ code })))
  }

  /** The next frame of this type that was not taken yet. */
  next(type: string): Promise<Said> {
    return this.#inbox.take(frame => frame.type === type)
  }

  /** What came and was not taken. */
  get untaken(): readonly Said[] {
    return this.#inbox.items
  }

  send(...frames: object[]): void {
    for (const frame of frames) this.#socket.send(JSON.stringify(frame))
  }

  sendText(text: string): void {
    this.#socket.send(text)
  }

  /** Answers the next frame of `type`; resolves with it. */
  async answer(type: string, reply: object = { type: 'ok' }): Promise<Said> {
    const frame = await this.next(type)
    this.send({ ...reply, ref: frame.ref })
    return frame
  }

  welcome(facts: object = {}): void {
    this.send({
      type: 'welcome',
      session: 's1',
      resumed: false,
      tenant: 'acme',
      account: 'alice',
      device: 'web-1',
      scopes: ['presence:register'],
      groups: [],
      canReceive: true,
      expires: '2026-01-01T01:00:00.000Z',
      heartbeatMs: 10_000,
      lingerMs: 15_000,
      ...facts,
    })
  }

  close(code: number, reason = ''): void {
    this.#socket.close(code, reason)
  }

  /** Breaks the connection without a word. */
  cut(): void {
    this.#socket.terminate()
  }

  /** Reads nothing more, and so answers no close either. */
  freeze(): void {
    this.#socket.pause()
  }
}

export class ScriptedHub {
  readonly url: string
  readonly clock = new VirtualClock()
  readonly #lines: Inbox<ScriptedLine>
  readonly #t: Test

  private constructor(t: Test, port: number, lines: Inbox<ScriptedLine>) {
    this.#t = t
    this.url = `http://127.0.0.1:${port}`
    this.#lines = lines
  }

  /** Listens until `t` is over. */
  static async start(t: Test): Promise<ScriptedHub> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, path: '/v1/socket' })
    const lines = new Inbox<ScriptedLine>()
    server.on('connection', socket => lines.put(new ScriptedLine(socket)))
    await new Promise(resolve => server.once('listening', resolve))
    t.teardown(() => {
      for (const socket of server.clients) socket.terminate()
      return new Promise(resolve => server.close(resolve))
    })
    return new ScriptedHub(t, (server.address() as AddressInfo).port, lines)
  }

  /** The next connection, once its hello is there. */
  async hello(): Promise<{ line: ScriptedLine; hello: Said }> {
    const line = await this.#lines.take()
    return { line, hello: await line.next('hello') }
  }

  /** How many connections came and were not taken. */
  get untaken(): number {
    return this.#lines.items.length
  }

  /** The next connection, welcomed. */
  async accept(facts: object = {}): Promise<ScriptedLine> {
    const { line } = await this.hello()
    line.welcome(facts)
    return line
  }

  /** A phone of this hub, on its clock, that leaves when the spec is over. */
  phone(options: Partial<SoftphoneOptions> = {}): Softphone {
    const phone = new Softphone({
      url: this.url,
      token: 'token-1',
      device: 'web-1',
      WebSocket,
      random: () => 0.5,
      timers: virtualTimers(this.clock),
      ...options,
    })
    this.#t.teardown(() => phone.close())
    return phone
  }

  /** A phone that is online, and the hub's end of its connection. */
  async online(
    options: Partial<SoftphoneOptions> = {},
    facts: object = {},
  ): Promise<{ phone: Softphone; line: ScriptedLine }> {
    const phone = this.phone(options)
    const connected = phone.connect()
    const line = await this.accept(facts)
    await connected
    return { phone, line }
  }
}

export const virtualTimers = (clock: VirtualClock): Timers => ({
  now: () => clock.wall(),
  setTimeout: (task, delayMs) => clock.after(delayMs, task),
  clearTimeout: timer => (timer as Timer | undefined)?.cancel(),
})

/** Resolves once the phone's connection is in `state`. */
export const reaches = async <S extends Connection['state']>(
  phone: Softphone,
  state: S,
): Promise<Extract<Connection, { state: S }>> => {
  let { connection } = phone
  while (connection.state !== state) connection = await phone.once('connection')
  return connection as Extract<Connection, { state: S }>
}
