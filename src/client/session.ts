// The session: runs the connection table over one socket after another. It says hello with a token, resumes by
// `{session, seq}`, acknowledges and passes each numbered frame on once, waits before it comes back for as long
// as the hub asks, and moves away from a hub that drains. What the frames mean is its owner's.

import { advance, type Connection, type ConnectionEvent, mayReturn, type Rules } from './connection.js'
import { FrameSocket } from './frame-socket.js'
import type { ClientFrame, HubFrame, HubFrames } from './frames.js'
import { refusal, SwitchhookError } from './switchhook-error.js'
import type { Timers } from './timers.js'
import type { WebSocketConstructor } from './web-socket.js'

type Hello = Extract<ClientFrame, { type: 'hello' }>

export interface SessionOwner {
  /** Who this client is; token and resume are the session's. */
  hello(): Omit<Hello, 'type' | 'token' | 'resume'>
  changed(connection: Connection): void
  /** Every frame but `welcome`, those about calls once each. */
  frame(frame: HubFrame): void
  /** Whether there is a call that moving to another connection might disturb. */
  busy(): boolean
  /** Something failed that is no answer to anyone. */
  report(error: unknown): void
}

export interface SessionOptions {
  readonly url: string
  readonly token: string | (() => string | Promise<string>)
  readonly resume: boolean
  readonly heartbeatMs: number
  readonly attempts: number
  readonly random: () => number
  readonly timers: Timers
  readonly WebSocket: WebSocketConstructor
}

/** Frames that come within so long share one acknowledgement. */
const ACK_MS = 200
/** The `ref` of hello. */
const HELLO = 'hello'

export class Session {
  readonly #owner: SessionOwner
  readonly #options: SessionOptions
  readonly #timers: Timers
  readonly #rules: Rules
  #connection: Connection = { state: 'idle' }
  #socket: FrameSocket | undefined
  /** The last one that was given; asked for again once the hub has refused it. */
  #token: string | undefined
  #id: string | undefined
  /** The last numbered frame that came. */
  #seq = 0
  /** The hub asked not to be asked before this time. */
  #notBefore = 0
  /** What the hub said before it closes for a fault. */
  #fault: SwitchhookError | undefined
  #moving = false
  #dueTimer: unknown
  #ackTimer: unknown
  #moveTimer: unknown

  constructor(owner: SessionOwner, options: SessionOptions) {
    this.#owner = owner
    this.#options = options
    this.#timers = options.timers
    this.#rules = {
      attempts: options.attempts,
      renewable: typeof options.token === 'function',
      random: options.random,
    }
  }

  get connection(): Connection {
    return this.#connection
  }

  /** Connects, or while it waits to reconnect tries at once. */
  connect(): void {
    this.#advance({ type: 'connect' })
  }

  /** Leaves: the hub does not linger. Settles once the socket is closed. */
  async leave(): Promise<void> {
    const socket = this.#socket
    this.send({ type: 'leave' })
    this.#advance({ type: 'leave' })
    await socket?.close()
  }

  /** Sends a frame if the session is online; says whether it did. */
  send(frame: ClientFrame): boolean {
    if (this.#connection.state !== 'online') return false
    this.#socket?.send(frame)
    return true
  }

  /** A fresh token from its provider; undefined where there is none to ask. */
  async renew(): Promise<string | undefined> {
    if (typeof this.#options.token === 'string') return undefined
    this.#token = await this.#options.token()
    return this.#token
  }

  /** Leaves a hub that drains, as soon as the time it named has come and no call is in the way. */
  move(): void {
    if (this.#moving && !this.#owner.busy()) this.#socket?.drop(1012, 'the hub is draining')
  }

  #advance(event: ConnectionEvent): void {
    const from = this.#connection
    const to = advance(from, event, this.#rules)
    if (to === from) return
    this.#connection = to
    this.#stopTimers()
    if (to.state === 'connecting') void this.#open(to)
    if (to.state === 'reconnecting') {
      this.#dueTimer = this.#timers.setTimeout(() => this.#advance({ type: 'due' }), to.inMs)
    }
    if (to.state === 'closed') {
      this.#socket = undefined
      this.#id = undefined
    }
    this.#owner.changed(to)
  }

  async #open(connecting: Connection): Promise<void> {
    const { url, token: given, heartbeatMs, WebSocket } = this.#options
    const current = () => this.#connection === connecting
    this.#fault = undefined
    try {
      const token = this.#token ?? (await this.renew()) ?? (given as string)
      if (!current()) return
      const socket: FrameSocket = new FrameSocket(
        {
          opened: () => this.#hello(socket, token),
          frame: frame => this.#hear(socket, frame),
          closed: (code, reason) => this.#socket === socket && this.#lost(code, reason),
        },
        { url, heartbeatMs, WebSocket, timers: this.#timers },
      )
      this.#socket = socket
    } catch (cause) {
      this.#owner.report(cause)
      const message = cause instanceof Error ? cause.message : String(cause)
      if (current()) this.#lost(1006, message)
    }
  }

  #hello(socket: FrameSocket, token: string): void {
    const resume =
      this.#options.resume && this.#id !== undefined ? { session: this.#id, seq: this.#seq } : undefined
    socket.send({ type: 'hello', ref: HELLO, ...this.#owner.hello(), token, resume })
  }

  #hear(socket: FrameSocket, frame: HubFrame): void {
    this.#fault = undefined
    if (frame.type === 'welcome') this.#welcome(socket, frame)
    else if (frame.type === 'drain') this.#drain(frame.reconnectAfterMs)
    else if (frame.type === 'error' && (frame.ref === undefined || frame.ref === HELLO)) {
      this.#refused(socket, frame)
    } else if (!('seq' in frame) || frame.seq === undefined || this.#isNew(frame.seq)) {
      this.#owner.frame(frame)
    }
  }

  #welcome(socket: FrameSocket, welcome: HubFrames['welcome']): void {
    if (!welcome.resumed) this.#seq = 0
    this.#id = welcome.session
    socket.heartbeatMs = welcome.heartbeatMs
    this.#advance({ type: 'welcome', welcome, at: this.#timers.now() })
  }

  /**
   * Not the answer to a request: the hub says why it will close. A hello with a bad field it would let stand
   * until it is overdue, but the next would be no better.
   */
  #refused(socket: FrameSocket, frame: HubFrames['error']): void {
    this.#fault = refusal(frame)
    if (frame.retryAfterMs !== undefined) this.#notBefore = this.#timers.now() + frame.retryAfterMs
    if (frame.ref === HELLO && frame.code === 'invalid') socket.drop(4500, frame.message)
  }

  #isNew(seq: number): boolean {
    if (seq <= this.#seq) return false
    this.#seq = seq
    this.#ackTimer ??= this.#timers.setTimeout(() => {
      this.#ackTimer = undefined
      this.send({ type: 'ack', seq: this.#seq })
    }, ACK_MS)
    return true
  }

  #drain(reconnectAfterMs: number): void {
    this.#notBefore = this.#timers.now() + reconnectAfterMs
    this.#timers.clearTimeout(this.#moveTimer)
    this.#moveTimer = this.#timers.setTimeout(() => {
      this.#moving = true
      this.move()
    }, reconnectAfterMs)
  }

  #lost(code: number, reason: string): void {
    this.#socket = undefined
    if (code === 4401) this.#token = undefined
    const at = this.#timers.now()
    const why = reason === '' ? `${code}` : `${code}, ${reason}`
    const error =
      this.#fault ??
      new SwitchhookError('disconnected', `no connection to the hub: ${why}`, { retry: mayReturn(code) })
    this.#advance({ type: 'lost', code, reason, at, waitMs: Math.max(0, this.#notBefore - at), error })
  }

  /** Each state sets its own timers; none outlives it. */
  #stopTimers(): void {
    for (const timer of [this.#dueTimer, this.#ackTimer, this.#moveTimer]) this.#timers.clearTimeout(timer)
    this.#ackTimer = undefined
    this.#moving = false
  }
}
