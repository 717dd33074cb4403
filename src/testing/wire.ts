// One direction of a connection: what is sent arrives in order, after the delay that its way has, and not while the
// way is paused. Nothing overtakes on one wire, as on TCP; two wires may overtake each other. A wire that is cut
// swallows what is on it and all that is sent later, without a word.

import type { Clock } from '../runtime/index.js'
import type { Sequence } from './sequence.js'

/** How one direction of a link is at present; shared by all wires that run that way. */
export interface Way {
  paused: boolean
  delayMs: number
  /** Up to so many milliseconds more, by chance. */
  spreadMs: number
}

/** What all wires of a test hub share. */
export interface Air {
  readonly clock: Clock
  readonly sequence: Sequence
  readonly random: () => number
}

export class Wire {
  readonly #air: Air
  readonly #way: Way
  readonly #packets: (() => void)[] = []
  /** Packets that would have arrived, had the way not been paused. */
  #stalled = 0
  #lastDue = 0
  #cut = false

  constructor(air: Air, way: Way) {
    this.#air = air
    this.#way = way
  }

  /** Sends a packet: `arrive` is what it does at the other end. */
  send(arrive: () => void): void {
    if (this.#cut) return
    this.#packets.push(arrive)
    const { clock, random } = this.#air
    const { delayMs, spreadMs } = this.#way
    const now = clock.now()
    this.#lastDue = Math.max(this.#lastDue, now + delayMs + (spreadMs && random() * spreadMs))
    if (this.#lastDue > now) clock.after(this.#lastDue - now, () => this.#plan())
    else this.#plan()
  }

  /** Goes on after a pause of its way. */
  resume(): void {
    for (; this.#stalled > 0; this.#stalled--) this.#plan()
  }

  /** Swallows everything from now on. */
  cut(): void {
    this.#cut = true
    this.#packets.length = 0
  }

  #plan(): void {
    this.#air.sequence.add(() => {
      if (this.#way.paused) this.#stalled++
      else this.#packets.shift()?.()
    })
  }
}
