// A line to the test hub: what a softphone of the SDK has to be made with to live in the hub's process and time,
// and the link it runs over. Its token is minted for it, unless its user brings one.

import { WebSocket } from 'ws'
import type { SoftphoneOptions, Timers, WebSocketConstructor } from '../client/index.js'
import type { MintOptions } from '../gateway/token/index.js'
import type { Clock, Timer } from '../runtime/index.js'
import type { Link } from './link.js'

/** What a party's token says beside its account; the default is what a softphone needs. */
export type Claims = Partial<Pick<MintOptions, 'scopes' | 'groups' | 'capacity' | 'jti' | 'expiresInSeconds'>>

export interface LineOptions extends Partial<SoftphoneOptions> {
  readonly claims?: Claims
}

export interface Line {
  readonly account: string
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

/** The `WebSocket` of `ws` over a link: the real client, the real handshake, another cable. */
export const webSocketOver = (link: Link): WebSocketConstructor =>
  class extends WebSocket {
    constructor(url: string, protocols: string[], options: object) {
      super(url, protocols, {
        ...options,
        perMessageDeflate: false,
        // What it asks of a socket every duplex stream has.
        createConnection: (() => link.connect()) as never,
      })
    }
  }
