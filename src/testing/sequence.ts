// What happens within one instant of the virtual clock: one thing after another, each in a turn of the event loop of
// its own, in the order in which they were sent, or in any order that the seed picks. It promises that the order does
// not depend on how long anything really took, and knows when there is nothing left to happen.

/** A thing that happens; what it returns is waited for. */
export type Step = () => unknown

/** Between two of our things, others (Node's streams, undici) defer by a turn or two; nothing by so many. */
const CALM = 4

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

export class Sequence {
  readonly #pick: ((among: number) => number) | undefined
  readonly #due: Step[] = []
  #running = false
  #held = 0
  /** Nothing has happened since quiet was last found. */
  #still = true

  /** `pick` chooses which of so many comes next; absent: the first. */
  constructor(pick?: (among: number) => number) {
    this.#pick = pick
  }

  /** Lets `step` happen in its turn. */
  add(step: Step): void {
    this.#due.push(step)
    this.#still = false
    if (!this.#running) void this.#run()
  }

  /** Work of other threads: what comes of it is known in its turn, however long it took. */
  readonly outcome = <T>(work: Promise<T>): Promise<T> => {
    const settled = Promise.allSettled([work])
    return new Promise(resolve => {
      this.add(async () => {
        await settled
        await this.#calm(() => false)
        resolve(work)
      })
    })
  }

  /** There is no quiet before `work` is over; meanwhile the rest goes on. */
  hold<T>(work: Promise<T>): Promise<T> {
    this.#still = false
    this.#held++
    return work.finally(() => {
      this.#held--
    })
  }

  /** Settles once nothing more can happen unless time passes. */
  async quiet(): Promise<void> {
    await turn()
    if (this.#still) return
    await this.#calm(() => this.#running || this.#held > 0)
    this.#still = true
  }

  async #run(): Promise<void> {
    this.#running = true
    while (this.#due.length > 0) {
      await turn()
      const at = this.#pick?.(this.#due.length) ?? 0
      for (const step of this.#due.splice(at, 1)) await step()
    }
    this.#running = false
  }

  async #calm(busy: () => boolean): Promise<void> {
    for (let turns = 0; turns < CALM; turns = busy() ? 0 : turns + 1) await turn()
  }
}
