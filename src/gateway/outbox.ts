// The numbered frames of one session: each frame about a call gets the next `seq`, and is kept until the client
// says that it arrived. After a loss the session sends again what lies between the two, each frame once.
// What is kept is bounded, by number and by size; a client whose last frame is older than what is kept cannot take the session up again.

import type { Bounds } from '../limits/index.js'
import type { CallFrame } from '../protocol/index.js'

/** About how many bytes a frame takes: what sides may fill at will, and something for the rest. */
const weightOf = (frame: CallFrame): number => {
  const { sdp = '' } = frame as { readonly sdp?: string }
  let bytes = 256 + sdp.length
  if (frame.type === 'signal') bytes += JSON.stringify(frame.data).length
  if (frame.type === 'invite') for (const value of Object.values(frame.params)) bytes += value.length
  return bytes
}

export class Outbox {
  readonly #bounds: Bounds
  readonly #kept: CallFrame[] = []
  /** About the bytes of those. */
  #bytes = 0
  /** The `seq` of the last frame sent; those up to `#last - #kept.length` are no longer kept. */
  #last = 0

  constructor(bounds: Bounds) {
    this.#bounds = bounds
  }

  /** The frame with its number. A copy: the same object may go to other sessions. */
  number(frame: CallFrame): CallFrame {
    this.#last++
    const numbered = { ...frame, seq: this.#last }
    this.#kept.push(numbered)
    this.#bytes += weightOf(numbered)
    const { unackedBytes, unackedFrames } = this.#bounds.of
    if (this.#kept.length > unackedFrames) this.#forget('unackedFrames')
    while (this.#bytes > unackedBytes) this.#forget('unackedBytes')
    return numbered
  }

  /** All frames up to `seq` have arrived. */
  ack(seq: number): void {
    const arrived = Math.min(seq, this.#last) - this.#base
    for (let count = 0; count < arrived; count++) this.#drop()
  }

  /** Keeps nothing any more. */
  clear(): void {
    this.ack(this.#last)
  }

  /** Whether every frame after `seq` is here to be sent again, and `seq` itself was sent. */
  covers(seq: number): boolean {
    return seq >= this.#base && seq <= this.#last
  }

  /** What is not acked, oldest first. */
  get unacked(): readonly CallFrame[] {
    return this.#kept
  }

  #forget(limit: 'unackedFrames' | 'unackedBytes'): void {
    this.#bounds.note(limit)
    this.#drop()
  }

  #drop(): void {
    this.#bytes -= weightOf(this.#kept.shift() as CallFrame)
  }

  get #base(): number {
    return this.#last - this.#kept.length
  }
}
