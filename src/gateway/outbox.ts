// The numbered frames of one session: each frame about a call gets the next `seq`, and is kept until the client
// says that it arrived. After a loss the session sends again what lies between the two, each frame once.
// What is kept is bounded; a client whose last frame is older than what is kept cannot take the session up again.

import type { CallFrame } from '../protocol/index.js'

export class Outbox {
  readonly #bound: number
  readonly #kept: CallFrame[] = []
  /** The `seq` of the last frame sent; those up to `#last - #kept.length` are no longer kept. */
  #last = 0

  /** `bound`: how many frames are kept at most. */
  constructor(bound: number) {
    this.#bound = bound
  }

  /** The frame with its number. A copy: the same object may go to other sessions. */
  number(frame: CallFrame): CallFrame {
    this.#last++
    const numbered = { ...frame, seq: this.#last }
    this.#kept.push(numbered)
    if (this.#kept.length > this.#bound) this.#kept.shift()
    return numbered
  }

  /** All frames up to `seq` have arrived. */
  ack(seq: number): void {
    const arrived = Math.min(seq, this.#last) - this.#base
    if (arrived > 0) this.#kept.splice(0, arrived)
  }

  /** Whether every frame after `seq` is here to be sent again, and `seq` itself was sent. */
  covers(seq: number): boolean {
    return seq >= this.#base && seq <= this.#last
  }

  /** What is not acked, oldest first. */
  get unacked(): readonly CallFrame[] {
    return this.#kept
  }

  get #base(): number {
    return this.#last - this.#kept.length
  }
}
