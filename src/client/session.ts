// The session: runs the connection table over one socket after another. It says hello with what it is, resumes by
// `{session, seq}`, acknowledges and passes each numbered frame on once, waits before it comes back for as long
// as the hub asks, and moves away from a hub that drains. What the frames mean is its owner's.
//
// A signal of the platform, and what it does, by the connection's state:
//
//            online               connecting      reconnecting                   paused
//   away     lets the socket go, without leaving, until it is back               -
//   back     checks the socket    -               connects, when the hub lets it connects, when the hub lets it
//   offline  checks the socket    -               waits for the network          -

import { advance, type Connection, type ConnectionEvent, mayReturn, type Rules } from './connection.js'
import type { Credentials, Identity } from './credentials.js'
import { FrameSocket } from './frame-socket.js'
import type { ClientFrame, HubFrame, HubFrames } from './frames.js'
import type { Signal, Signals } from './signals.js'
import { refusal, SwitchhookError } from './switchhook-error.js'
import { duration, type Timers } from './timers.js'
import type { WebSocketConstructor } from './web-socket.js'

type Hello = Extract<ClientFrame, { type: 'hello' }>

export interface SessionOwner {
  /** What this client says of itself; who it is and what it resumes are the session's. */
  hello(): Omit<Hello, 'type' | 'token' | 'device' | 'resume'>
  changed(connection: Connection): void
  /** Every frame but the session's own, those about calls once each. */
  frame(frame: HubFrame): void
  /** Whether there is a call that moving to another connection might disturb. */
  busy(): boolean
  /** Something failed that is no answer to anyone. */
  report(error: unknown): void
}

export interface SessionOptions {
  readonly url: string
  readonly credentials: Credentials
  readonly resume: boolean
  readonly heartbeatMs: number
  readonly attempts: number
  readonly random: () => number
  readonly timers: Timers
  readonly signals: Signals
  readonly WebSocket: WebSocketConstructor
}

/** Frames that come within so long share one acknowledgement. */
const ACK_MS = 200
/** A hub that has not welcomed by then, whatever else it says, will not. */
const WELCOME_MS = 30_000
/** The `ref` of hello. */
const HELLO = 'hello'

export class Session {
  readonly #owner: SessionOwner
  readonly #options: SessionOptions
  readonly #timers: Timers
  readonly #rules: Rules
  #connection: Connection = { state: 'idle' }
  #socket: FrameSocket | undefined
  #id: string | undefined
  /** The last numbered frame that came. */
  #seq = 0
  /** The hub asked to be left alone for so long, and when. */
  #hold = { ms: 0, from: 0 }
  /** What the hub said before it closes for a fault. */
  #fault: SwitchhookError | undefined
  #moving = false
  #dueTimer: unknown
  #ackTimer: unknown
  #moveTimer: unknown
  #unwatch: (() => void) | undefined

  constructor(owner: SessionOwner, options: SessionOptions) {
    this.#owner = owner
    this.#options = options
    this.#timers = options.timers
    this.#rules = {
      attempts: options.attempts,
      renewable: options.credentials.renewable,
      random: options.random,
    }
  }

  get connection(): Connection {
    return this.#connection
  }

  /** Connects, or while it waits to reconnect tries at once. */
  connect(): void {
    this.#unwatch ??= this.#options.signals.watch(signal => this.#heed(signal))
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

  /** Leaves a hub that drains, as soon as the time it named has come and no call is in the way. */
  move(): void {
    if (this.#moving && !this.#owner.busy()) this.#socket?.drop(1012, 'the hub is draining')
  }

  #advance(event: ConnectionEvent): void {
    const from = this.#connection
    const to = advance(from, event, this.#rules)
    if (to === from) return
    this.#connection = to
    this.#rest()
    if (to.state === 'reconnecting') {
      this.#dueTimer = this.#timers.setTimeout(() => this.#advance({ type: 'due' }), to.inMs)
    }
    if (to.state === 'paused') this.#letGo(to.error.message)
    if (to.state === 'closed') this.#forget(to.error)
    this.#owner.changed(to)
    // After it was told, for a provider may close the softphone at once; unless a listener did.
    if (to.state === 'connecting' && to === this.#connection) void this.#open(to)
  }

  #heed(signal: Signal): void {
    if (this.#connection.state === 'online' && signal !== 'away') this.#socket?.check()
    else this.#advance({ type: signal, at: this.#timers.now(), waitMs: this.#waitMs })
  }

  async #open(connecting: Connection): Promise<void> {
    const { url, credentials, heartbeatMs, timers, WebSocket } = this.#options
    const current = () => this.#connection === connecting
    this.#fault = undefined
    try {
      const identity = await credentials.identity()
      if (!current()) return
      const socket: FrameSocket = new FrameSocket(
        {
          opened: () => this.#hello(socket, identity),
          frame: frame => this.#hear(socket, frame),
          closed: (code, reason) => this.#socket === socket && this.#lost(code, reason),
          report: this.#owner.report,
        },
        { url, heartbeatMs, WebSocket, timers },
      )
      this.#socket = socket
      const giveUp = () => socket.drop(1006, 'the hub did not answer hello')
      this.#dueTimer = this.#timers.setTimeout(giveUp, WELCOME_MS)
    } catch (cause) {
      if (!current()) return
      this.#owner.report(cause)
      this.#lost(1006, cause instanceof Error ? cause.message : String(cause))
    }
  }

  #hello(socket: FrameSocket, identity: Identity): void {
    const resume =
      this.#options.resume && this.#id !== undefined ? { session: this.#id, seq: this.#seq } : undefined
    socket.send({ type: 'hello', ref: HELLO, ...this.#owner.hello(), ...identity, resume })
  }

  #hear(socket: FrameSocket, frame: HubFrame): void {
    this.#fault = undefined
    if (frame.type === 'welcome') this.#welcome(socket, frame)
    else if (frame.type === 'token-expiring') this.#options.credentials.renew()
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
    if (frame.retryAfterMs !== undefined) this.#holdFor(frame.retryAfterMs)
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
    this.#timers.clearTimeout(this.#moveTimer)
    this.#moveTimer = this.#timers.setTimeout(() => {
      this.#moving = true
      this.move()
    }, this.#holdFor(reconnectAfterMs))
  }

  #holdFor(ms: unknown): number {
    this.#hold = { ms: duration(ms), from: this.#timers.now() }
    return this.#hold.ms
  }

  /** What is left of the wait that the hub asked for; a clock that was set back makes it no longer. */
  get #waitMs(): number {
    const { ms, from } = this.#hold
    return Math.max(0, ms - Math.max(0, this.#timers.now() - from))
  }

  #lost(code: number, reason: string): void {
    this.#socket = undefined
    if (code === 4401) this.#options.credentials.refused()
    const why = reason === '' ? `${code}` : `${code}, ${reason}`
    const error =
      this.#fault ??
      new SwitchhookError('disconnected', `no connection to the hub: ${why}`, { retry: mayReturn(code) })
    const { offline } = this.#options.signals
    this.#advance({
      type: 'lost',
      code,
      reason,
      at: this.#timers.now(),
      waitMs: this.#waitMs,
      offline,
      error,
    })
  }

  /** Lets go of the socket without leaving, so that the hub lingers. */
  #letGo(reason: string): void {
    const socket = this.#socket
    this.#socket = undefined
    socket?.drop(1006, reason)
  }

  #forget(error: SwitchhookError): void {
    this.#socket = undefined
    this.#id = undefined
    this.#unwatch?.()
    this.#unwatch = undefined
    this.#options.credentials.forget(error)
  }

  /** Each state sets its own timers; none outlives it. */
  #rest(): void {
    for (const timer of [this.#dueTimer, this.#ackTimer, this.#moveTimer]) this.#timers.clearTimeout(timer)
    this.#ackTimer = undefined
    this.#moving = false
    this.#options.credentials.rest()
  }
}
