// One WebSocket as a line of frames that tells of its end exactly once. It asks for a sign of life when the hub
// has been silent for a heartbeat, sooner when told to check, and drops the socket when there is none: a browser
// would wait for minutes. What cannot be read ends it too. It knows nothing of sessions.

import { deferred } from './deferred.js'
import type { ClientFrame, HubFrame } from './frames.js'
import type { Timers } from './timers.js'
import {
  type CloseEventLike,
  type ErrorEventLike,
  type MessageEventLike,
  OPEN,
  type WebSocketConstructor,
  type WebSocketLike,
} from './web-socket.js'

export interface FrameSocketOwner {
  opened(): void
  frame(frame: HubFrame): void
  /** The last word of this socket. */
  closed(code: number, reason: string): void
  /** Reading a frame threw. */
  report(error: unknown): void
}

export interface FrameSocketOptions {
  readonly WebSocket: WebSocketConstructor
  readonly url: string
  readonly timers: Timers
  readonly heartbeatMs: number
}

/** How long a hub may take to answer where there is reason to doubt that it is still there. */
export const CHECK_MS = 3000
/** A timer that is so late did not run: the machine slept, or the page was suspended. */
const LATE_MS = 5000
/** How long the closing handshake may take. */
const CLOSING_MS = 2000
/** Nothing came from the other side: RFC 6455, section 7.4.1. */
const ABNORMAL = 1006
/** Ours, for a connection that is left without leaving: the hub lingers. */
const DROPPED = 4000

const parse = (data: unknown): HubFrame | undefined => {
  try {
    const frame = JSON.parse(String(data)) as { type?: unknown } | null
    return typeof frame?.type === 'string' ? (frame as HubFrame) : undefined
  } catch {
    return undefined
  }
}

export class FrameSocket {
  readonly #socket: WebSocketLike
  readonly #owner: FrameSocketOwner
  readonly #timers: Timers
  #heartbeatMs: number
  #heardAt: number
  /** Whether the hub was asked for a sign of life, and must give it soon. */
  #asked: 'no' | 'yes' | 'urgently' = 'no'
  #over = false
  #timer: unknown
  #dueAt = 0
  #trouble = ''
  readonly #ended = deferred<void>()

  /** Opens a socket. Throws what the platform throws for an address it refuses. */
  constructor(owner: FrameSocketOwner, options: FrameSocketOptions) {
    this.#owner = owner
    this.#timers = options.timers
    this.#heartbeatMs = options.heartbeatMs
    this.#heardAt = this.#timers.now()
    const socket = new options.WebSocket(options.url, ['switchhook.v1'], { allowSynchronousEvents: false })
    this.#socket = socket
    socket.onopen = () => owner.opened()
    socket.onmessage = ({ data }: MessageEventLike) => this.#hear(data)
    socket.onerror = ({ message = '' }: ErrorEventLike) => {
      this.#trouble = message
    }
    socket.onclose = ({ code, reason }: CloseEventLike) => this.#end(code, reason || this.#trouble)
    this.#arm(this.#heartbeatMs)
  }

  /** The silence after which the hub is asked for a sign of life. */
  set heartbeatMs(heartbeatMs: number) {
    this.#heartbeatMs = heartbeatMs
    this.#arm(heartbeatMs)
  }

  send(frame: ClientFrame): void {
    this.#socket.send(JSON.stringify(frame))
  }

  /** The connection may be dead: asks now, and waits for a short time only. */
  check(): void {
    if (this.#asked !== 'urgently') this.#ask('urgently', CHECK_MS)
  }

  /** Hears nothing more, and closes after all that was sent; after two seconds without the other side's answer. */
  close(): Promise<void> {
    this.#socket.onmessage = null
    this.#socket.close(1000)
    this.#timers.clearTimeout(this.#timer)
    this.#timer = this.#timers.setTimeout(() => this.drop(1000, ''), CLOSING_MS)
    return this.#ended.promise
  }

  /** Lets go of the socket at once; its end is told as `code`. */
  drop(code: number, reason: string): void {
    this.#socket.close(DROPPED)
    this.#socket.terminate?.()
    this.#end(code, reason)
  }

  #hear(data: unknown): void {
    this.#heardAt = this.#timers.now()
    this.#asked = 'no'
    try {
      const frame = parse(data)
      if (frame === undefined) this.drop(ABNORMAL, 'the hub sent what is no frame')
      else this.#owner.frame(frame)
    } catch (error) {
      this.#owner.report(error)
      this.drop(ABNORMAL, 'the hub sent a frame that makes no sense')
    }
  }

  #arm(delayMs: number): void {
    this.#timers.clearTimeout(this.#timer)
    this.#dueAt = this.#timers.now() + delayMs
    this.#timer = this.#timers.setTimeout(() => this.#look(), delayMs)
  }

  /**
   * Silence alone is no proof of death, for a page that slept has heard nothing either: only a question that
   * stays unanswered is. One heartbeat and a half later it makes 2.5, the hub's own measure.
   */
  #look(): void {
    const now = this.#timers.now()
    // By a clock that was set back, that was in the future.
    this.#heardAt = Math.min(this.#heardAt, now)
    const leftMs = this.#heartbeatMs - (now - this.#heardAt)
    if (this.#asked === 'no' && leftMs > 0) this.#arm(leftMs)
    else if (now - this.#dueAt >= LATE_MS && this.#asked !== 'urgently') this.check()
    else if (this.#asked !== 'no') this.drop(ABNORMAL, 'the hub gave no sign of life')
    else this.#ask('yes', 1.5 * this.#heartbeatMs)
  }

  #ask(asked: 'yes' | 'urgently', patienceMs: number): void {
    this.#asked = asked
    if (this.#socket.readyState === OPEN) this.send({ type: 'ping' })
    this.#arm(patienceMs)
  }

  #end(code: number, reason: string): void {
    if (this.#over) return
    this.#over = true
    this.#socket.onmessage = null
    this.#timers.clearTimeout(this.#timer)
    this.#owner.closed(code, reason)
    this.#ended.resolve(undefined)
  }
}
