// What happens within one instant of the virtual clock: one thing after another, each in a turn of the event loop of
// its own, in the order in which they were sent, or in any order that the seed picks. It promises that the order does
// not depend on how long anything really took, and knows when there is nothing left to happen.

/** A thing that happens, at once or in a while. */
export type Step = () => void | Promise<void>

/** Before something begins, and between two things that do, others (undici, streams) put off by a turn, never by so many. */
const HESITATION = 2
const CALM = 4

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise(resolve => setImmediate(resolve))
}

export class Sequence {
  readonly #pick: ((among: number) => number) | undefined
  readonly #due: Step[] = []
  #running = false
  #held = 0
  /** How many things have begun, and how many had when quiet was last found. */
  #begun = 0
  #quietAt = 0

  /** `pick` chooses which of so many comes next; absent: the first. */
  constructor(pick?: (among: number) => number) {
    this.#pick = pick
  }

  /** Lets `step` happen in its turn. */
  add(step: Step): void {
    this.#due.push(step)
    this.#begun++
    if (!this.#running) this.#go()
  }

  /** Work of other threads: what comes of it is known in its turn, however long it took. */
  readonly outcome = <T>(work: Promise<T>): Promise<T> => {
    const settled = Promise.allSettled([work])
    return new Promise(resolve => {
      this.add(async () => {
        await settled
        await turns(CALM)
        resolve(work)
      })
    })
  }

  /** There is no quiet before `work` is over; meanwhile the rest goes on. */
  hold<T>(work: Promise<T>): Promise<T> {
    this.#begun++
    this.#held++
    return work.finally(() => {
      this.#held--
    })
  }

  /** Settles once nothing more can happen unless time passes. */
  async quiet(): Promise<void> {
    await turns(HESITATION)
    while (this.#quietAt < this.#begun) {
      const begun = this.#begun
      await turns(CALM)
      if (!this.#running && this.#held === 0) this.#quietAt = begun
    }
  }

  #go(): void {
    this.#running = this.#due.length > 0
    if (this.#running) setImmediate(this.#next)
  }

  readonly #next = (): void => {
    const [step] = this.#due.splice(this.#pick?.(this.#due.length) ?? 0, 1) as [Step]
    const done = step()
    if (done === undefined) this.#go()
    else void done.then(() => this.#go())
  }
}
