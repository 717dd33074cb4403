// The seam between wires and sessions. A dialect is a path and a language; a translator speaks it on one
// connection: messages in become frames of the hub's own protocol, frames out become messages. It may remember
// what its language needs remembered, and decides nothing: who may do what is for the session.

import type { Refusal } from '../../errors.js'
import type { Decoded, DeviceDeclared, HubFrame } from '../../protocol/index.js'
import type { Clock } from '../../runtime/index.js'
import type { Message } from '../outlet.js'
import type { Grant } from '../token/index.js'

/** A frame as it was read. */
export type Heard = Decoded & {
  /** Of `hello` and `token`, where the language has other proofs than a token: what was proven. */
  readonly grant?: Grant
}

/** What a translator has of its connection. */
export interface Line {
  readonly clock: Clock
  /** Sends what answers no frame, and stands for none: for what the language asks of both ends among themselves. */
  say(message: Message): void
  /** Has a frame taken as if it had been read, once what goes on now is over: for what a client would say, and can not. */
  hear(heard: Heard): void
}

export interface Translator {
  /**
   * One message as the frames it stands for, in order; none for a mere sign of life. A refusal is answered with an
   * `error` frame; `malformed` ends the connection. Frames are of one client: a translator that needs a hello to
   * stand for a message makes one.
   */
  read(text: string): readonly Heard[]
  /** A frame as the messages that say it, in order; none if this language has no word for it. */
  write(frame: HubFrame): readonly Message[]
  /**
   * The session goes on here, before it is welcomed: `earlier` spoke for it, or for the one whose device it took over,
   * and maybe in another language.
   */
  follow?(earlier: Translator): void
  /** A sign of life is asked for, by the text that the dialect has for it: all that was written is on its way before it. */
  asked?(): void
  /** The connection is over, and what it waits for with it. */
  closed?(): void
}

export interface Dialect {
  /** Where on the server it is spoken. */
  readonly path: string
  /** What a client may offer; the first one known is selected. Empty: none is, whatever is offered. */
  readonly subprotocols: readonly string[]
  /** Whether its clients confirm that they ring. */
  readonly confirms: boolean
  /** What a client's device is until it says itself; absent: `available`. */
  readonly status?: DeviceDeclared
  /** The text that asks for a sign of life; absent: a ping (RFC 6455, section 5.5.2). */
  readonly beat?: string
  /**
   * The message that has a client close the connection itself, after this refusal; where there is none, the hub closes.
   * A client that does not is closed a little later.
   */
  parting?(refusal: Refusal): Message | undefined
  /** A translator for one connection. */
  open(line: Line): Translator
}
