// The seam between wires and sessions. A dialect is a path and a language; a translator speaks it on one
// connection: messages in become frames of the hub's own protocol, frames out become messages. It may remember
// what its language needs remembered, and decides nothing: who may do what is for the session.

import type { Decoded, HubFrame } from '../../protocol/index.js'
import type { Message } from '../outlet.js'

export interface Translator {
  /**
   * One message as the frames it stands for, in order; none for a mere sign of life. A refusal is answered with an
   * `error` frame; `malformed` ends the connection. Frames are of one client: a translator that needs a hello to
   * stand for a message makes one.
   */
  read(text: string): readonly Decoded[]
  /** A frame as the messages that say it, in order; none if this language has no word for it. */
  write(frame: HubFrame): readonly Message[]
}

export interface Dialect {
  /** Where on the server it is spoken. */
  readonly path: string
  /** What a client may offer; the first one known is selected. */
  readonly subprotocols: readonly string[]
  /** Whether its clients confirm that they ring. */
  readonly confirms: boolean
  /** The text that asks for a sign of life; absent: a ping (RFC 6455, section 5.5.2). */
  readonly beat?: string
  /** A translator for one connection. */
  open(): Translator
}
