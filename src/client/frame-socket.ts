// One WebSocket as a line of frames that tells of its end exactly once. It asks for a sign of life when the hub
// has been silent for a heartbeat, and drops the socket when there is none: a browser would wait for minutes.
// It knows nothing of sessions.

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
}

export interface FrameSocketOptions {
  readonly WebSocket: WebSocketConstructor
  readonly url: string
  readonly timers: Timers
  readonly heartbeatMs: number
}

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
  #asked = false
  #over = false
  #timer: unknown
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
    this.#asked = false
    const frame = parse(data)
    if (frame === undefined) this.drop(ABNORMAL, 'the hub sent what is no frame')
    else this.#owner.frame(frame)
  }

  #arm(delayMs: number): void {
    this.#timers.clearTimeout(this.#timer)
    this.#timer = this.#timers.setTimeout(() => this.#check(), delayMs)
  }

  /**
   * Silence alone is no proof of death, for a page that slept has heard nothing either: only a question that
   * stays unanswered is. One heartbeat and a half later it makes 2.5, the hub's own measure.
   */
  #check(): void {
    if (this.#asked) {
      this.drop(ABNORMAL, 'the hub gave no sign of life')
      return
    }
    const silentMs = this.#timers.now() - this.#heardAt
    if (silentMs < this.#heartbeatMs) {
      this.#arm(this.#heartbeatMs - silentMs)
      return
    }
    this.#asked = true
    if (this.#socket.readyState === OPEN) this.send({ type: 'ping' })
    this.#arm(1.5 * this.#heartbeatMs)
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
