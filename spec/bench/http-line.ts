// One kept connection for HTTP requests that were made before, one at a time; of the answer no more is read than
// where it ends and its status (RFC 9112, section 6.3: by Content-Length alone). It is opened for the
// first request, and anew where the server has closed it meanwhile: none is kept that says nothing.

import { connect, type Socket } from 'node:net'

const shared = Buffer.allocUnsafe(256 * 1024)

/** A POST of JSON, as bytes. */
export const postOf = (path: string, token: string, body: string): Buffer =>
  Buffer.from(
    `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )

export class HttpLine {
  readonly #port: number
  #socket: Socket | undefined
  #text = ''
  #answered: (status: number) => void = () => {}
  #failed: (error: Error) => void = () => {}

  constructor(port: number) {
    this.#port = port
  }

  /** Sends a request; settles with the status of its answer. */
  async ask(request: Buffer): Promise<number> {
    this.#socket ??= await this.#connect()
    const socket = this.#socket
    return new Promise((resolve, reject) => {
      this.#answered = resolve
      this.#failed = reject
      socket.write(request)
    })
  }

  end(): void {
    this.#failed = () => {}
    this.#socket?.resetAndDestroy()
  }

  #connect(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      this.#failed = reject
      const callback = (count: number): boolean => {
        this.#take(shared.toString('latin1', 0, count))
        return true
      }
      const onread = { buffer: shared, callback }
      const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true, onread })
      socket.on('connect', () => resolve(socket))
      socket.on('error', error => this.#failed(error))
      socket.on('close', () => {
        this.#socket = undefined
        this.#text = ''
        this.#failed(new Error('the line was closed'))
      })
    })
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
