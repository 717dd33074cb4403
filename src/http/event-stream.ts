// Server-sent events (https://html.spec.whatwg.org/#server-sent-events) of one source, at the reader's own pace: what
// there is to say is asked for when there is room for it. A comment now and then keeps proxies from closing a quiet
// stream; who has taken nothing between two of them is let go, and may come back.

import { Readable } from 'node:stream'
import type { Clock, Timer } from '../runtime/index.js'

const beatMs = 15_000

/** Tells the browser how long to wait before it comes back, and brings the headers out at once. */
const opening = 'retry: 1000\n\n'

/** What a stream reads. */
export interface EventSource {
  /** The next event as it goes on the wire, taken; undefined while there is none. */
  next(): string | undefined
  /** Nothing more will come after what there is. */
  readonly over: boolean
  /** Calls `wake` when there may be more, until the returned function is called. */
  watch(wake: () => void): () => void
}

/** One event: its type, its data as JSON, and, where readers can come back to it, its number. */
export const eventText = (type: string, data: object, id?: number): string =>
  `${id === undefined ? '' : `id: ${id}\n`}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`

export const eventHeaders = {
  'content-type': 'text/event-stream',
  connection: 'close',
  'x-accel-buffering': 'no',
}

export class EventStream extends Readable {
  readonly #source: EventSource
  readonly #clock: Pick<Clock, 'after'>
  readonly #unwatch: () => void
  readonly #unread: () => void
  #beat: Timer
  /** Whether the reader has room. */
  #wanted = false
  /** Whether the reader has taken anything since the last beat. */
  #taken = true

  /** `unread` is called where its reader is let go for having taken nothing. */
  constructor(source: EventSource, clock: Pick<Clock, 'after'>, unread: () => void) {
    super()
    this.#unread = unread
    this.#source = source
    this.#clock = clock
    this.#unwatch = source.watch(() => this.#flow())
    this.#beat = this.#arm()
    this.push(opening)
  }

  override _read(): void {
    this.#wanted = true
    this.#taken = true
    this.#flow()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#unwatch()
    this.#beat.cancel()
    done(error)
  }

  #flow(): void {
    while (this.#wanted) {
      const event = this.#source.next()
      if (event === undefined) {
        if (this.#source.over) this.#wanted = this.push(null)
        return
      }
      this.#wanted = this.push(event)
    }
  }

  #arm(): Timer {
    return this.#clock.after(beatMs, () => {
      if (!this.#wanted && !this.#taken) {
        this.#unread()
        this.destroy()
        return
      }
      this.#taken = false
      if (this.#wanted) this.#wanted = this.push(':\n\n')
      this.#beat = this.#arm()
    })
  }
}
