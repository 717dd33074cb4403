// What the caller of one call was told, kept for whoever reads it over HTTP: numbered from 1, in order, already in the
// form of server-sent events. The log is bounded and is the only buffer there is: a reader has a place in it and no
// copy of it, so one who reads slowly costs nothing, and finds a gap in the numbers where the oldest had to go.

import type { Bounds } from '../limits/index.js'
import type { AccountId, CallFrame } from '../protocol/index.js'
import type { Caller } from '../router/index.js'
import { type EventSource, eventText } from './event-stream.js'

/** Events kept for one call; how many characters they have is a limit (`callBytes`). The last is always kept. */
const keptEvents = 500

/** How many may wait for what comes next at a time. */
const watcherLimit = 16

/** The caller of a call that was placed over HTTP. */
export class Inbox implements Caller {
  readonly account: AccountId
  readonly performs: readonly string[] | undefined
  readonly #bounds: Bounds
  readonly #texts: string[] = []
  readonly #watchers = new Set<() => void>()
  #characters = 0
  #dropped = 0
  #settled = false
  #over = false

  constructor(account: AccountId, bounds: Bounds, performs?: readonly string[]) {
    this.account = account
    this.performs = performs
    this.#bounds = bounds
  }

  /** How many characters it keeps. */
  get weight(): number {
    return this.#characters
  }

  /** The call was answered, or is over. */
  get settled(): boolean {
    return this.#settled
  }

  /** The call is over: nothing more will come. */
  get over(): boolean {
    return this.#over
  }

  /** Whether no more may watch. */
  get crowded(): boolean {
    return this.#watchers.size >= watcherLimit
  }

  send(frame: CallFrame): void {
    const seq = this.last + 1
    const text = eventText(frame.type, { ...frame, seq }, seq)
    this.#texts.push(text)
    this.#characters += text.length
    const { callBytes } = this.#bounds.of
    while (this.#texts.length > keptEvents || (this.#texts.length > 1 && this.#characters > callBytes)) {
      this.#characters -= String(this.#texts.shift()).length
      this.#dropped++
      this.#bounds.note('callBytes')
    }
    this.#over ||= frame.type === 'ended'
    this.#settled ||= this.#over || frame.type === 'answered'
    for (const wake of [...this.#watchers]) wake()
  }

  /** The number of the latest event; 0 before the first. */
  get last(): number {
    return this.#dropped + this.#texts.length
  }

  /** The log from the event after `lastEventId` on; from the start, where that names none that was given. */
  after(lastEventId: string | string[] | undefined): EventSource {
    const given = typeof lastEventId === 'string' && /^\d{1,15}$/.test(lastEventId) ? Number(lastEventId) : 0
    let seq = given <= this.last ? given : 0
    const inbox = this
    return {
      next() {
        const at = Math.max(0, seq - inbox.#dropped)
        const text = inbox.#texts[at]
        if (text !== undefined) seq = inbox.#dropped + at + 1
        return text
      },
      get over() {
        return inbox.over
      },
      watch: wake => inbox.watch(wake),
    }
  }

  /** Calls `wake` after each event, until the returned function is called. */
  watch(wake: () => void): () => void {
    this.#watchers.add(wake)
    return () => this.#watchers.delete(wake)
  }
}
