// The library's WebSocket, which tells one object what comes. Its listeners are the same functions for every
// connection: a closure for each event, and what those close over, would make an idle connection half as large again.

import { type RawData, WebSocket } from 'ws'

/** Who is told. */
export interface Carried {
  heardMessage(data: RawData, isBinary: boolean): void
  heardPing(data: Buffer): void
  heardPong(data: Buffer): void
  /** The connection failed; `closed` follows. */
  broke(error: Error): void
  /** The connection is over, with a close code of RFC 6455, section 7.4; 1006: it broke. */
  closed(code: number): void
}

export class Carrier extends WebSocket {
  declare carried: Carried

  /** Tells this one from now on; called once. */
  carry(carried: Carried): void {
    this.carried = carried
    this.on('message', onMessage)
      .on('ping', onPing)
      .on('pong', onPong)
      .on('error', onError)
      .on('close', onClose)
  }
}

const carriedBy = (ws: WebSocket): Carried => (ws as Carrier).carried

function onMessage(this: WebSocket, data: RawData, isBinary: boolean): void {
  carriedBy(this).heardMessage(data, isBinary)
}

function onPing(this: WebSocket, data: Buffer): void {
  carriedBy(this).heardPing(data)
}

function onPong(this: WebSocket, data: Buffer): void {
  carriedBy(this).heardPong(data)
}

function onError(this: WebSocket, error: Error): void {
  carriedBy(this).broke(error)
}

function onClose(this: WebSocket, code: number): void {
  carriedBy(this).closed(code)
}
