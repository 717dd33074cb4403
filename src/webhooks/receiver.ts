// One receiver, the server at one origin, as one tenant tells it things: a few at a time, those of one key in their
// order, the next only once the one before is taken or given up. What fails is tried again after growing delays, up to
// the time that it has. A receiver that fails several times in a row is left alone for growing pauses, and then tried
// with one delivery; so it costs little while it is down, and no other receiver waits for it.

import type { Clock, Log } from '../runtime/index.js'
import type { Attempt, Delivery, Outcome } from './delivery.js'

/** How a delivery that is over ended. */
export type Ending = 'delivered' | 'refused' | 'expired' | 'dropped'

/** A delivery that is not over. */
export interface Waiting {
  readonly delivery: Delivery
  /** About how much it takes. */
  readonly bytes: number
  /** Told once it is over. */
  readonly settled?: ((taken: boolean) => void) | undefined
}

interface Entry extends Waiting {
  readonly chain: Chain
  failures: number
  sending: boolean
}

/** Those of one key, in their order. */
interface Chain {
  readonly key: string
  readonly entries: Entry[]
}

export interface ReceiverOptions {
  /** Facts that name it in the log. */
  readonly name: object
  readonly attempt: Attempt
  /** How many are under way at a time. */
  readonly atOnce: number
  readonly retryForMs: number
  readonly clock: Clock
  readonly log: Log
  /** An attempt was in vain, and another one follows. */
  failed(): void
  over(waiting: Waiting, ending: Ending, why?: string): void
}

/** How long after a failure the next attempt is, in milliseconds; doubled by each one in a row, up to the longest. */
const RETRY_MS = 1_000
const LONGEST_MS = 60_000

/** From so many failures in a row on it is tried with one at a time. */
const DOUBTFUL = 5

const delayAfter = (failures: number): number => Math.min(LONGEST_MS, RETRY_MS * 2 ** (failures - 1))

export class Receiver {
  readonly #options: ReceiverOptions
  /** In the order in which they were handed over. */
  readonly #waiting = new Set<Entry>()
  readonly #chains = new Map<string, Chain>()
  /** Those whose first may go, in their turn. */
  readonly #ready = new Set<Chain>()
  #sending = 0
  #failuresInARow = 0
  #pausedUntil = 0
  #closed = false

  constructor(options: ReceiverOptions) {
    this.#options = options
  }

  /** How many are not over. */
  get size(): number {
    return this.#waiting.size
  }

  /** How many of them are not on their way. */
  get resting(): number {
    return this.#waiting.size - this.#sending
  }

  add(waiting: Waiting): void {
    const { key } = waiting.delivery
    const known = this.#chains.get(key)
    const chain = known ?? { key, entries: [] }
    const entry = { ...waiting, chain, failures: 0, sending: false }
    chain.entries.push(entry)
    this.#waiting.add(entry)
    if (known !== undefined) return
    this.#chains.set(key, chain)
    this.#ready.add(chain)
    this.#pump()
  }

  /** Gives up the one that has waited longest of those that rest. */
  drop(): void {
    for (const entry of this.#waiting) {
      if (entry.sending) continue
      this.#over(entry, 'dropped')
      break
    }
  }

  /** Nothing more is sent, and whatever comes of what is on its way is nobody's any more. */
  close(): void {
    this.#closed = true
  }

  #pump(): void {
    const { clock, atOnce, retryForMs } = this.#options
    while (this.#sending < (this.#failuresInARow < DOUBTFUL ? atOnce : 1)) {
      if (this.#closed || clock.now() < this.#pausedUntil) return
      const [chain] = this.#ready
      const entry = chain?.entries[0]
      if (chain === undefined || entry === undefined) return
      this.#ready.delete(chain)
      if (clock.wall() - entry.delivery.at < retryForMs) void this.#send(entry)
      else this.#next(entry, 'expired', 'it has waited for too long')
    }
  }

  async #send(entry: Entry): Promise<void> {
    this.#sending++
    entry.sending = true
    const outcome = await this.#options.attempt(entry.delivery)
    this.#sending--
    entry.sending = false
    if (this.#closed) return
    if (outcome.taken || outcome.final) {
      if (this.#failuresInARow >= DOUBTFUL) this.#tell('info', 'a receiver answers again')
      this.#failuresInARow = 0
      if (outcome.taken) this.#next(entry, 'delivered')
      else this.#next(entry, 'refused', outcome.why)
    } else this.#failed(entry, outcome)
    this.#pump()
  }

  #failed(entry: Entry, { why, retryAfterMs }: Outcome & { taken: false }): void {
    const { clock, retryForMs, failed } = this.#options
    entry.failures++
    if (++this.#failuresInARow === DOUBTFUL)
      this.#tell('warn', 'a receiver fails, and is tried less often', why)
    const pauseMs = Math.max(retryAfterMs, delayAfter(this.#failuresInARow - DOUBTFUL + 1))
    if (this.#failuresInARow >= DOUBTFUL || retryAfterMs > 0) this.#pause(pauseMs)
    const delayMs = Math.max(retryAfterMs, delayAfter(entry.failures))
    if (clock.wall() + delayMs - entry.delivery.at >= retryForMs) {
      this.#next(entry, 'expired', why)
      return
    }
    failed()
    clock.after(delayMs, () => this.#resume(entry.chain))
  }

  /** Nothing is sent for so long. */
  #pause(ms: number): void {
    const { clock } = this.#options
    this.#pausedUntil = Math.max(this.#pausedUntil, clock.now() + ms)
    clock.after(ms, () => this.#pump())
  }

  /** It is over, and the next of its key may go. */
  #next(entry: Entry, ending: Ending, why?: string): void {
    this.#over(entry, ending, why)
    if (entry.chain.entries.length > 0) this.#ready.add(entry.chain)
  }

  #resume(chain: Chain): void {
    // All of it may have been dropped meanwhile.
    if (chain.entries.length > 0) this.#ready.add(chain)
    this.#pump()
  }

  #over(entry: Entry, ending: Ending, why?: string): void {
    const { chain } = entry
    this.#waiting.delete(entry)
    chain.entries.splice(chain.entries.indexOf(entry), 1)
    if (chain.entries.length === 0) {
      this.#chains.delete(chain.key)
      this.#ready.delete(chain)
    }
    this.#options.over(entry, ending, why)
  }

  #tell(level: 'info' | 'warn', message: string, why?: string): void {
    const { log, name } = this.#options
    log[level]({ ...name, ...(why !== undefined && { why }), waiting: this.size }, message)
  }
}
