// A line to the test hub: what a softphone of the SDK has to be made with to live in the hub's process and time,
// and the link it runs over. Its token is minted for it, unless its user brings one.

import { WebSocket } from 'ws'
import type { SoftphoneOptions, Timers, WebSocketConstructor, WebSocketLike } from '../client/index.js'
import type { MintOptions } from '../gateway/token/index.js'
import type { Clock, Timer } from '../runtime/index.js'
import type { Link } from './link.js'
import { type Air, Wire } from './wire.js'

/** What a party's token says beside its account; the default is what a softphone needs. */
export type Claims = Partial<Pick<MintOptions, 'scopes' | 'groups' | 'capacity' | 'jti' | 'expiresInSeconds'>>

export interface LineOptions extends Partial<Omit<SoftphoneOptions, 'device'>> {
  readonly device?: string
  readonly claims?: Claims
}

export interface Line {
  readonly account: string
  readonly device: string | undefined
  /** For `new Softphone(…)`, or whatever of yours makes one. */
  readonly options: SoftphoneOptions
  readonly link: Link
}

/** The clock as the SDK asks for time. */
export const timersOf = (clock: Clock): Timers => ({
  now: () => clock.wall(),
  setTimeout: (task, delayMs) => clock.after(delayMs, task),
  clearTimeout: timer => (timer as Timer | undefined)?.cancel(),
})

/**
 * The `WebSocket` of `ws` over a link: the real client, the real handshake, another cable. Each of its events happens
 * in a turn of its own, as a browser's do, and as the sequence has it.
 */
export const webSocketOver = (link: Link, air: Air): WebSocketConstructor =>
  class implements WebSocketLike {
    onopen: WebSocketLike['onopen'] = null
    onmessage: WebSocketLike['onmessage'] = null
    onerror: WebSocketLike['onerror'] = null
    onclose: WebSocketLike['onclose'] = null
    readonly #socket: WebSocket

    constructor(url: string, protocols: string[]) {
      const socket = new WebSocket(url, protocols, {
        perMessageDeflate: false,
        // What it asks of a socket every duplex stream has.
        createConnection: (() => link.connect()) as never,
      })
      const events = new Wire(air, { paused: false, delayMs: 0, spreadMs: 0 })
      for (const name of ['onopen', 'onmessage', 'onerror', 'onclose'] as const) {
        socket[name] = (event: unknown) => events.send(() => this[name]?.(event as never))
      }
      this.#socket = socket
    }

    get readyState(): number {
      return this.#socket.readyState
    }

    send(text: string): void {
      this.#socket.send(text)
    }

    close(code?: number, reason?: string): void {
      this.#socket.close(code, reason)
    }

    terminate(): void {
      this.#socket.terminate()
    }
  }
