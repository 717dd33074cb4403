// Requests and their replies, matched by `ref`. A request made while there is no connection waits for the next
// welcome, in order, within bounds; one that was under way when the connection was lost is said again if saying
// it twice does no harm, and fails if it might.

import type { ClientFrame, Fields, HubFrame, Reply, RequestType } from './frames.js'
import { refusal, SwitchhookError } from './switchhook-error.js'
import type { Timers } from './timers.js'

export interface Line {
  /** Sends if there is a connection; says whether it did. */
  send(frame: ClientFrame): boolean
  /** Why no connection will come again by itself; undefined while one may. */
  readonly closed: SwitchhookError | undefined
}

/** How a request is made; given to those who make some. */
export type Ask = <T extends RequestType>(type: T, fields: Fields<T>) => Promise<Reply<T>>

interface Request {
  readonly frame: ClientFrame & { readonly type: RequestType }
  readonly timer: unknown
  readonly resolve: (reply: never) => void
  readonly reject: (error: SwitchhookError) => void
  sent: boolean
}

/** At most so many requests wait for a connection: the hub holds no more before its welcome either. */
const WAITING_LIMIT = 32
/** A request that was not answered for so long has failed. */
const PATIENCE_MS = 30_000
/** The most the hub takes in one frame, in bytes. */
const FRAME_LIMIT = 64 * 1024

/**
 * Two of these are one, or the second is refused as gone. The others a person might see twice; and a token, which
 * the next hello says anyway, might by then be older than that one.
 */
const repeatable: ReadonlySet<RequestType> = new Set([
  'status',
  'wrapup',
  'unsubscribe',
  'presence',
  'ringing',
  'accept',
  'reject',
  'hangup',
] as const)

export class Requests {
  readonly #line: Line
  readonly #timers: Timers
  readonly #open = new Map<string, Request>()
  #last = 0

  constructor(line: Line, timers: Timers) {
    this.#line = line
    this.#timers = timers
  }

  /** Asks the hub. Rejects with SwitchhookError: what the hub refused, or why there was no answer. */
  readonly ask: Ask = (type, fields) => {
    this.#last += 1
    const ref = String(this.#last)
    const frame = { ...fields, type, ref } as unknown as Request['frame']
    const { closed } = this.#line
    if (closed !== undefined) return Promise.reject(closed)
    if (new TextEncoder().encode(JSON.stringify(frame)).length > FRAME_LIMIT) {
      return Promise.reject(new SwitchhookError('too-large', `${type} must keep within ${FRAME_LIMIT} bytes`))
    }
    const sent = this.#line.send(frame)
    if (!sent && this.#open.size >= WAITING_LIMIT) {
      const message = `${WAITING_LIMIT} requests are waiting for a connection already`
      return Promise.reject(new SwitchhookError('too-many', message, { retry: true }))
    }
    return new Promise((resolve, reject) => {
      const timer = this.#timers.setTimeout(() => {
        this.#fail(ref, new SwitchhookError('timeout', `no answer to ${type} in time`, { retry: true }))
      }, PATIENCE_MS)
      this.#open.set(ref, { frame, timer, resolve, reject, sent })
    })
  }

  /** Settles the request that `frame` answers, if it answers one. */
  settle(frame: HubFrame): void {
    if (!('ref' in frame) || frame.ref === undefined) return
    if (frame.type === 'error') this.#fail(frame.ref, refusal(frame))
    else this.#take(frame.ref)?.resolve(frame as never)
  }

  /** There is a connection again: says what waits, in the order it was asked. */
  resume(): void {
    for (const request of this.#open.values()) request.sent = this.#line.send(request.frame)
  }

  /** The connection was lost, and may come back. */
  suspend(): void {
    for (const [ref, request] of this.#open) {
      if (!request.sent || repeatable.has(request.frame.type)) continue
      const message = `the connection was lost before the answer to ${request.frame.type}`
      this.#fail(ref, new SwitchhookError('disconnected', message))
    }
  }

  /** The connection will not come back. */
  end(error: SwitchhookError): void {
    for (const ref of this.#open.keys()) this.#fail(ref, error)
  }

  #fail(ref: string, error: SwitchhookError): void {
    this.#take(ref)?.reject(error)
  }

  #take(ref: string): Request | undefined {
    const request = this.#open.get(ref)
    this.#open.delete(ref)
    this.#timers.clearTimeout(request?.timer)
    return request
  }
}
