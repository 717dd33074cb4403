// What goes out on one connection. Text messages are framed here (RFC 6455, section 5.2), not by the library: one that
// goes to thousands of readers is framed once, and all that a turn sends to one peer is one write to the system.
// Control frames are the library's; both write to one stream, which keeps them in order. Nothing is compressed, so
// neither has to wait for the other.

import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { TurnEnd } from '../runtime/index.js'

declare const framed: unique symbol
/** One text message as it goes over the wire; the same bytes may go to many connections. */
export type Message = Buffer & { readonly [framed]: true }

/** The last and only frame of a text message. */
const TEXT = 0x81

/** Frames a text: unmasked, as servers send. */
export const messageOf = (text: string): Message => {
  const length = Buffer.byteLength(text)
  const head = length < 126 ? 2 : length < 65_536 ? 4 : 10
  const bytes = Buffer.allocUnsafe(head + length)
  bytes[0] = TEXT
  if (head === 2) bytes[1] = length
  else if (head === 4) {
    bytes[1] = 126
    bytes.writeUInt16BE(length, 2)
  } else {
    bytes[1] = 127
    bytes.writeBigUInt64BE(BigInt(length), 2)
  }
  bytes.write(text, head)
  return bytes as Message
}

export class Outlet {
  readonly #ws: WebSocket
  readonly #stream: Duplex
  readonly #turnEnd: TurnEnd<Outlet>
  #corked = false

  /** `stream`: what carries `ws`. `turnEnd` lets out what was sent. */
  constructor(ws: WebSocket, stream: Duplex, turnEnd: TurnEnd<Outlet>) {
    this.#ws = ws
    this.#stream = stream
    this.#turnEnd = turnEnd
  }

  /** Bytes that wait for the peer to read. */
  get unsent(): number {
    return this.#ws.bufferedAmount
  }

  /** Once the connection closes, nothing is sent any more. */
  send(message: Message): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return
    if (!this.#corked) {
      this.#corked = true
      this.#stream.cork()
      this.#turnEnd.add(this)
    }
    this.#stream.write(message)
  }

  /** Lets out what this turn has sent. */
  release(): void {
    this.#corked = false
    this.#stream.uncork()
  }
}
