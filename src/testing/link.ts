// One party's way to the other side, with the switches of a bad network: it outlives the connections made over it,
// and what is switched holds for those that are there and those to come. The switches act on bytes alone; what
// comes of a fault is the doing of the real client and the real hub.

import { Cable, type End, failure } from './cable.js'
import type { Air, Way } from './wire.js'

/** `up`: what the party sends; `down`: what it is sent. */
export type Direction = 'up' | 'down'

export class Link {
  readonly #air: Air
  readonly #address: string
  readonly #arrive: (far: End) => void
  readonly #ways: Readonly<Record<Direction, Way>> = {
    up: { paused: false, delayMs: 0, spreadMs: 0 },
    down: { paused: false, delayMs: 0, spreadMs: 0 },
  }
  readonly #cables = new Set<Cable>()
  #isUp = true

  /** Made by the test hub. `arrive` gets the far end of each connection. */
  constructor(air: Air, address: string, arrive: (far: End) => void) {
    this.#air = air
    this.#address = address
    this.#arrive = arrive
  }

  /** Breaks the connections, as a reset does: both ends see it at once. New ones can be made. */
  drop(): void {
    for (const cable of this.#cables) cable.reset()
  }

  /**
   * Loses the connections without a word, as a device that died or a router that forgot: neither end sees it, and
   * each has to find out by itself. New ones can be made.
   */
  lose(): void {
    for (const cable of this.#cables) cable.lose()
  }

  /** Takes the network away: the connections break, and new ones are refused, until `up`. */
  down(): void {
    this.#isUp = false
    this.drop()
  }

  /** Gives the network back. */
  up(): void {
    this.#isUp = true
  }

  /** Holds back what is sent, both ways unless one is named; nothing is lost, and writers feel it. New connections hang. */
  pause(direction?: Direction): void {
    for (const way of this.#named(direction)) way.paused = true
  }

  /** Lets all that was held back through, in order. */
  resume(direction?: Direction): void {
    for (const way of this.#named(direction)) way.paused = false
    for (const cable of this.#cables) cable.resume()
  }

  /**
   * From now on everything takes `delayMs` of virtual time each way, and up to `spreadMs` more by chance. Nothing
   * overtakes on one connection; different parties' messages overtake each other.
   */
  delay(delayMs: number, spreadMs = 0): void {
    for (const way of this.#named()) Object.assign(way, { delayMs, spreadMs })
  }

  /** The other side dies, and all that led to it. */
  end(): void {
    for (const cable of this.#cables) cable.end()
  }

  /** Opens a connection; its near end. */
  connect(): End {
    const cable = new Cable(this.#air, this.#ways, this.#address, this.#arrive)
    const { near, far } = cable
    this.#cables.add(cable)
    for (const end of [near, far]) {
      end.once('close', () => {
        if (near.closed && far.closed) this.#cables.delete(cable)
      })
    }
    if (!this.#isUp) {
      cable.lose()
      far.destroy()
      this.#air.sequence.add(() => {
        near.destroy(failure('ECONNREFUSED', 'connect ECONNREFUSED'))
      })
    }
    return near
  }

  #named(direction?: Direction): readonly Way[] {
    return direction === undefined ? Object.values(this.#ways) : [this.#ways[direction]]
  }
}
