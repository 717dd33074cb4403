// What a softphone is made with, and what it tells: the options and events of its door.

import type { Call } from './call.js'
import type { Connection } from './connection.js'
import type { DeviceDeclared, Self } from './frames.js'
import type { Provided } from './provider.js'
import type { Signals } from './signals.js'
import type { Timers } from './timers.js'
import type { WebSocketConstructor } from './web-socket.js'

export interface SoftphoneOptions {
  /** The hub: `https://hub.example`, or the socket's own address. */
  readonly url: string
  /**
   * A JWT, or where to get one: asked at first, when one is about to expire, and when one was refused; never twice at
   * once. One that fails or gives none within 20 s is told as `error`, and asked again with back-off.
   */
  readonly token: Provided
  /**
   * The device's name, or where to get it: asked at each connection. In a browser `tabDevice`. Absent: no presence
   * (a gateway, a wallboard).
   */
  readonly device?: Provided | undefined
  /** What the device says of itself from the start. */
  readonly status?: DeviceDeclared | undefined
  readonly note?: string | undefined
  /** Name and version of the application. */
  readonly client?: string | undefined
  /** Calls at once, if less than the account may have. */
  readonly capacity?: number | undefined
  /** 5,000 to 60,000; the hub's word in `welcome` wins. */
  readonly heartbeatMs?: number | undefined
  /** Verbs that a gateway can carry out. */
  readonly performs?: readonly string[] | undefined
  /** Take the session up where it was after a lost connection. Default true. */
  readonly resume?: boolean | undefined
  /** Confirm offered calls as ringing without being asked. Default true. */
  readonly confirmRinging?: boolean | undefined
  /** How many reconnects in a row may fail before the softphone closes. Default: no limit. */
  readonly attempts?: number | undefined
  /** Where the platform has none: that of `ws`. */
  readonly WebSocket?: WebSocketConstructor | undefined
  /** Uniform in [0, 1): spreads reconnects. */
  readonly random?: (() => number) | undefined
  readonly timers?: Timers | undefined
  /** What tells of the page's life and the network. Default: the browser's own events; in Node there are none. */
  readonly signals?: Signals | undefined
}

export interface SoftphoneEvents {
  /** Each change of `connection`. */
  connection: Connection
  /** The account's own state, at the start and at each change. */
  self: Self
  /** Each change of `calls`, or of one of them. */
  calls: readonly Call[]
  /** A call is offered. */
  invite: Call
  /** A call of this device from before this softphone, or one whose `place` was lost on its way. */
  restored: Call
  /** What failed in the background: a listener, the token's provider. Without a listener it goes to the console. */
  error: unknown
}
