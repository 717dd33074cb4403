// What is due at the end of the turn that made it so: once each, in the order in which it was asked for, however often
// it was. So what many small steps of one turn change or say goes out as one. A turn is over when the synchronous code
// of the platform's callback is; what becomes due while the due is done, is done in the next one.

export class TurnEnd<T> {
  readonly #act: (item: T) => void
  #due = new Set<T>()

  /** `act` is what is done with each item; it must not throw. */
  constructor(act: (item: T) => void) {
    this.#act = act
  }

  add(item: T): void {
    if (this.#due.size === 0) queueMicrotask(() => this.#drain())
    this.#due.add(item)
  }

  #drain(): void {
    const due = this.#due
    this.#due = new Set()
    for (const item of due) this.#act(item)
  }
}
