// One connection within the process: two ends, each a duplex stream that HTTP and WebSocket libraries take for a
// socket, and a wire for each direction. It behaves as TCP does where it matters here: a bounded window, so that
// who does not read holds up who writes; an end that is closed says so to the other; writing to one that is gone
// resets the connection.

import { Duplex } from 'node:stream'
import { type Air, type Way, Wire } from './wire.js'

/** How many bytes may be on their way, or unread, before the writer has to wait. */
const WINDOW = 64 * 1024

/** A failure as Node's sockets have it. */
export const failure = (code: 'ECONNRESET' | 'ECONNREFUSED', message: string): Error =>
  Object.assign(new Error(message), { code })

export class End extends Duplex {
  /** Whom the one at this end sees at the other. */
  readonly remoteAddress: string
  readonly #out: Wire
  #peer: End = this
  /** What has arrived and was not read, as far as the stream does not hold it. */
  readonly #inbox: (Buffer | null)[] = []
  #wanted = false
  /** Bytes that the other side has not read. */
  #unread = 0
  #written: (() => void) | undefined
  #finished = false

  private constructor(out: Wire, remoteAddress: string) {
    super()
    this.#out = out
    this.remoteAddress = remoteAddress
    // A connection that breaks before anyone has taken it up is nobody's fault.
    this.on('error', () => {})
  }

  /** Two ends that are connected: what the first writes goes `up`. */
  static pair(up: Wire, down: Wire, address: string): readonly [near: End, far: End] {
    const near = new End(up, '127.0.0.1')
    const far = new End(down, address)
    near.#peer = far
    far.#peer = near
    return [near, far]
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#unread += chunk.length
    this.#out.send(() => this.#peer.#take(chunk))
    if (this.#unread < WINDOW) done()
    else this.#written = done
  }

  override _final(done: () => void): void {
    this.#finish()
    done()
  }

  override _read(): void {
    this.#wanted = true
    this.#flow()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#finish()
    done(error)
  }

  #finish(): void {
    if (!this.#finished) this.#out.send(() => this.#peer.#take(null))
    this.#finished = true
  }

  #take(chunk: Buffer | null): void {
    if (this.destroyed) {
      if (chunk !== null) this.#out.send(() => this.#peer.destroy(failure('ECONNRESET', 'read ECONNRESET')))
      return
    }
    this.#inbox.push(chunk)
    this.#flow()
  }

  #flow(): void {
    while (this.#wanted) {
      const chunk = this.#inbox.shift()
      if (chunk === undefined) return
      this.#wanted = this.push(chunk)
      if (chunk !== null) this.#peer.#heard(chunk.length)
    }
  }

  /** The other side has read so much. */
  #heard(bytes: number): void {
    this.#unread -= bytes
    const written = this.#written
    if (this.#unread >= WINDOW || written === undefined) return
    this.#written = undefined
    written()
  }
}

/** A connection: `near` is the end of who opened it. */
export class Cable {
  readonly near: End
  readonly far: End
  readonly #wires: readonly Wire[]
  #lost = false

  /** `arrive` gets the far end, once the opening has gone its way. */
  constructor(
    air: Air,
    ways: { readonly up: Way; readonly down: Way },
    address: string,
    arrive: (far: End) => void,
  ) {
    const up = new Wire(air, ways.up)
    const down = new Wire(air, ways.down)
    const [near, far] = End.pair(up, down, address)
    this.near = near
    this.far = far
    this.#wires = [up, down]
    up.send(() => arrive(far))
  }

  resume(): void {
    for (const wire of this.#wires) wire.resume()
  }

  /** Nothing passes any more, and nobody is told. */
  lose(): void {
    this.#lost = true
    for (const wire of this.#wires) wire.cut()
  }

  /** Breaks at both ends at once; one that is lost has no way to tell. */
  reset(): void {
    if (this.#lost) return
    this.lose()
    for (const end of [this.near, this.far]) end.destroy(failure('ECONNRESET', 'read ECONNRESET'))
  }

  /** The far side dies. */
  end(): void {
    this.reset()
    this.far.destroy()
  }
}
