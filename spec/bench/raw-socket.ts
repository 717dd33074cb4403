// A WebSocket client that costs as little as one can (RFC 6455): TCP, one handshake, whole text messages as bytes.
// All clients of the driver read into one buffer; nothing is parsed here. A library would keep the driver busier
// than the servers it is to keep busy.

import { connect, type Socket } from 'node:net'

/** What a client does with what it hears. */
export interface Listener {
  /** A whole text message; the bytes are another's as soon as it returns. */
  message(bytes: Buffer, socket: RawSocket): void
  /** The connection is over; the close code, or 1006. */
  closed?(code: number): void
}

const shared = Buffer.allocUnsafe(1024 * 1024)

const opcodes = { text: 1, close: 8, ping: 9, pong: 10 } as const

/** Any key but zero will do: servers take a short cut for that one. */
const key = [0x37, 0xfa, 0x21, 0x3d] as const

/** One masked frame, as clients send them. */
export const frameOf = (content: string | Buffer, opcode: number = opcodes.text): Buffer => {
  const payload = typeof content === 'string' ? Buffer.from(content) : content
  const { length } = payload
  const head = length < 126 ? 6 : length < 65_536 ? 8 : 14
  const frame = Buffer.allocUnsafe(head + length)
  frame[0] = 0x80 | opcode
  if (head === 6) frame[1] = 0x80 | length
  else if (head === 8) {
    frame[1] = 0x80 | 126
    frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = 0x80 | 127
    frame.writeBigUInt64BE(BigInt(length), 2)
  }
  for (const [at, byte] of key.entries()) frame[head - 4 + at] = byte
  for (let at = 0; at < length; at++) frame[head + at] = payload[at]! ^ key[at & 3]!
  return frame
}

/** Closes with 1000: a plain goodbye. */
const goodbye = frameOf(Buffer.from([1000 >> 8, 1000 & 255]), opcodes.close)

export class RawSocket {
  listener: Listener
  readonly #socket: Socket
  #greeted = false
  #rest: Buffer | undefined
  #code = 1006

  private constructor(socket: Socket, listener: Listener) {
    this.#socket = socket
    this.listener = listener
  }

  /** Connects and shakes hands; rejects unless the server says 101. */
  static open(port: number, listener: Listener, path = '/v1/socket'): Promise<RawSocket> {
    return new Promise((resolve, reject) => {
      const hear = (count: number): boolean => {
        if (client.#greeted) client.#take(shared.subarray(0, count))
        else {
          const fault = client.#greet(shared.subarray(0, count))
          if (fault === undefined) resolve(client)
          else reject(new Error(fault))
        }
        return true
      }
      const socket = connect({
        port,
        host: '127.0.0.1',
        noDelay: true,
        onread: { buffer: shared, callback: hear },
      })
      const client = new RawSocket(socket, listener)
      socket.on('connect', () =>
        socket.write(
          `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
            'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
        ),
      )
      socket.on('error', reject)
      socket.on('close', () => {
        reject(new Error('closed before the handshake was over'))
        client.listener.closed?.(client.#code)
      })
    })
  }

  send(text: string): void {
    this.#socket.write(frameOf(text))
  }

  /** A frame that was made before. */
  sendFrame(frame: Buffer): void {
    this.#socket.write(frame)
  }

  /** Says goodbye; the server closes. */
  close(): void {
    this.#socket.write(goodbye)
  }

  /** Is gone without a word, and leaves nothing behind in the system (a reset). */
  drop(): void {
    this.#socket.resetAndDestroy()
  }

  /** What comes right behind the handshake is taken with it. */
  #greet(chunk: Buffer): string | undefined {
    const text = chunk.toString('latin1', 0, 1024)
    const end = text.indexOf('\r\n\r\n')
    if (!text.startsWith('HTTP/1.1 101 ') || end < 0) return `no handshake: ${text}`
    this.#greeted = true
    if (chunk.length > end + 4) this.#take(chunk.subarray(end + 4))
    return undefined
  }

  #take(chunk: Buffer): void {
    const data = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    while (data.length - at >= 2) {
      let length = data[at + 1]! & 127
      let head = 2
      if (length === 126) {
        if (data.length - at < 4) break
        length = data.readUInt16BE(at + 2)
        head = 4
      } else if (length === 127) {
        if (data.length - at < 10) break
        length = data.readUIntBE(at + 4, 6)
        head = 10
      }
      const end = at + head + length
      if (end > data.length) break
      this.#frame(data[at]! & 15, data.subarray(at + head, end))
      at = end
    }
    this.#rest = at === data.length ? undefined : Buffer.from(data.subarray(at))
  }

  #frame(opcode: number, payload: Buffer): void {
    if (opcode === opcodes.text) this.listener.message(payload, this)
    else if (opcode === opcodes.ping) this.#socket.write(frameOf(payload, opcodes.pong))
    else if (opcode === opcodes.close) {
      this.#code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005
      this.#socket.resetAndDestroy()
    }
  }
}

/** Opens many, so many at a time. */
export const openMany = async <T>(
  count: number,
  open: (index: number) => Promise<T>,
  atOnce = 256,
): Promise<T[]> => {
  const opened: T[] = new Array(count)
  let next = 0
  const one = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) opened[index] = await open(index)
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, one))
  return opened
}
