// One kept connection for HTTP requests that were made before, one at a time; of the answer no more is read than
// where it ends and its status (RFC 9112, section 6.3: by Content-Length alone).

import { connect, type Socket } from 'node:net'

const shared = Buffer.allocUnsafe(256 * 1024)

/** A POST of JSON, as bytes. */
export const postOf = (path: string, token: string, body: string): Buffer =>
  Buffer.from(
    `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )

export class HttpLine {
  readonly #socket: Socket
  #text = ''
  #answered: (status: number) => void = () => {}
  #failed: (error: Error) => void = () => {}

  private constructor(port: number, ready: (line: HttpLine) => void, failed: (error: Error) => void) {
    this.#failed = failed
    this.#socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: {
        buffer: shared,
        callback: count => {
          this.#take(shared.toString('latin1', 0, count))
          return true
        },
      },
    })
    this.#socket.on('connect', () => ready(this))
    this.#socket.on('error', error => this.#failed(error))
    this.#socket.on('close', () => this.#failed(new Error('the line was closed')))
  }

  static open(port: number): Promise<HttpLine> {
    return new Promise((resolve, reject) => new HttpLine(port, resolve, reject))
  }

  /** Sends a request; settles with the status of its answer. */
  ask(request: Buffer): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#answered = resolve
      this.#failed = reject
      this.#socket.write(request)
    })
  }

  end(): void {
    this.#failed = () => {}
    this.#socket.resetAndDestroy()
  }

  #take(chunk: string): void {
    this.#text += chunk
    const end = this.#text.indexOf('\r\n\r\n')
    if (end < 0) return
    const [, length = '0'] = /\r\ncontent-length: *(\d+)/i.exec(this.#text) ?? []
    if (this.#text.length < end + 4 + Number(length)) return
    const status = Number(this.#text.slice(9, 12))
    this.#text = ''
    this.#answered(status)
  }
}
