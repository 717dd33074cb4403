// Who is still there: one sweep for all connections, no timer each. Every peer is asked for a sign of life each
// interval, doubted after 1.5 intervals of silence and given up after 2.5. Time is what the sweep has seen: at
// most two steps a sweep, so that a hub that was blocked or suspended blames no peer for its own absence.

import type { Clock, Timer } from '../runtime/index.js'

/** One connection, as the sweep sees it. */
export interface Heart {
  /** Asks for a sign of life. */
  ping(): void
  /** Nothing came for 1.5 intervals. */
  doubt(): void
  /** Nothing came for 2.5 intervals. */
  dead(): void
  /** Whether it has room for what it is sent; called once a sweep. */
  hasRoom(): boolean
  /** It had no room for 2.5 intervals. */
  stuck(): void
}

const DOUBT = 1.5
const DEATH = 2.5

/** The life of one connection in the sweep's time. */
export class Pulse {
  readonly #heart: Heart
  readonly #beats: Set<Pulse>
  everyMs: number
  #silentMs = 0
  #unaskedMs = 0
  #stuckMs = 0
  #doubted = false

  constructor(heart: Heart, everyMs: number, beats: Set<Pulse>) {
    this.#heart = heart
    this.everyMs = everyMs
    this.#beats = beats
  }

  /** A sign of life, of whatever kind. */
  heard(): void {
    this.#silentMs = 0
    this.#doubted = false
  }

  stop(): void {
    this.#beats.delete(this)
  }

  /** The sweep passes; it has seen `stepMs` go by. */
  beat(stepMs: number): void {
    const { everyMs } = this
    this.#silentMs += stepMs
    this.#unaskedMs += stepMs
    this.#stuckMs = this.#heart.hasRoom() ? 0 : this.#stuckMs + stepMs
    if (this.#silentMs >= everyMs * DEATH) this.#heart.dead()
    else if (this.#stuckMs >= everyMs * DEATH) this.#heart.stuck()
    else if (this.#silentMs >= everyMs * DOUBT && !this.#doubted) {
      this.#doubted = true
      this.#heart.doubt()
    }
    if (this.#unaskedMs >= everyMs) {
      this.#unaskedMs = 0
      this.#heart.ping()
    }
  }
}

export class Heartbeat {
  readonly #clock: Clock
  readonly #everyMs: number
  readonly #stepMs: number
  readonly #onThrow: (error: unknown) => void
  readonly #pulses = new Set<Pulse>()
  #timer: Timer | undefined
  #sweptAt = 0

  /** `everyMs`: the interval of those who ask for none of their own. */
  constructor(clock: Clock, everyMs: number, onThrow: (error: unknown) => void) {
    this.#clock = clock
    this.#everyMs = everyMs
    this.#stepMs = Math.min(250, everyMs / 20)
    this.#onThrow = onThrow
  }

  /** Begins to watch over a connection, until its pulse is stopped. */
  watch(heart: Heart): Pulse {
    const pulse = new Pulse(heart, this.#everyMs, this.#pulses)
    this.#pulses.add(pulse)
    if (this.#timer === undefined) this.#plan()
    return pulse
  }

  #plan(): void {
    this.#sweptAt = this.#clock.now()
    this.#timer = this.#clock.after(this.#stepMs, () => this.#sweep())
  }

  #sweep(): void {
    const seenMs = Math.min(this.#clock.now() - this.#sweptAt, 2 * this.#stepMs)
    for (const pulse of this.#pulses) {
      try {
        pulse.beat(seenMs)
      } catch (error) {
        this.#onThrow(error)
      }
    }
    this.#timer = undefined
    if (this.#pulses.size > 0) this.#plan()
  }
}
