// One reader of an inbox: server-sent events (https://html.spec.whatwg.org/#server-sent-events) from a place in the
// log onward, at the reader's own pace. It ends after `ended`. A comment now and then keeps proxies from closing a
// quiet stream; who has taken nothing between two of them is let go, and may come back with Last-Event-ID.

import { Readable } from 'node:stream'
import type { Clock, Timer } from '../runtime/index.js'
import type { Inbox } from './inbox.js'

const beatMs = 15_000

/** Tells the browser how long to wait before it comes back, and brings the headers out at once. */
const opening = 'retry: 1000\n\n'

/** The place that a `Last-Event-ID` names; one that was never given begins at the start. */
const placeOf = (id: string | string[] | undefined, { last }: Inbox): number =>
  typeof id === 'string' && /^\d{1,15}$/.test(id) && Number(id) <= last ? Number(id) : 0

export class EventStream extends Readable {
  readonly #inbox: Inbox
  readonly #clock: Pick<Clock, 'after'>
  readonly #unwatch: () => void
  #beat: Timer
  #place: number
  /** Whether the reader has room. */
  #wanted = false
  /** Whether the reader has taken anything since the last beat. */
  #taken = true

  constructor(inbox: Inbox, lastEventId: string | string[] | undefined, clock: Pick<Clock, 'after'>) {
    super()
    this.#inbox = inbox
    this.#clock = clock
    this.#place = placeOf(lastEventId, inbox)
    this.#unwatch = inbox.watch(() => this.#flow())
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
      const event = this.#inbox.after(this.#place)
      if (event === undefined) {
        if (this.#inbox.over) this.#wanted = this.push(null)
        return
      }
      this.#place = event.seq
      this.#wanted = this.push(event.text)
    }
  }

  #arm(): Timer {
    return this.#clock.after(beatMs, () => {
      if (!this.#wanted && !this.#taken) {
        this.destroy()
        return
      }
      this.#taken = false
      if (this.#wanted) this.#wanted = this.push(':\n\n')
      this.#beat = this.#arm()
    })
  }
}
