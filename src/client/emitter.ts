// Typed events, told in order: what a listener causes is told after what it listens to. A listener that throws, or
// whose promise rejects, stops no other listener and no caller: it is reported. `HeldEmitter` keeps each event until
// someone listens for it, so that whoever gets hold of an object by `await` misses nothing that the hub sent in the
// same breath.

export type Listener<T> = (value: T) => unknown

const toConsole = (error: unknown): void => console.error(error)

export class Emitter<E extends object> {
  readonly #listeners = new Map<keyof E, Set<Listener<never>>>()
  /** What is to be told, while something is. */
  #telling: (() => void)[] | undefined

  /** Calls `listener` at each `event`, until the function it returns is called. */
  on<K extends keyof E>(event: K, listener: Listener<E[K]>): () => void {
    const listeners = this.#listeners.get(event) ?? new Set()
    // Its own each time, so that what is given twice is heard twice, and ended once.
    const own: Listener<E[K]> = value => listener(value)
    this.#listeners.set(event, listeners.add(own))
    return () => {
      listeners.delete(own)
    }
  }

  /** The next `event`. Waits for ever if there is none. */
  once<K extends keyof E>(event: K): Promise<E[K]> {
    return new Promise(resolve => {
      const stop = this.on(event, value => {
        stop()
        resolve(value)
      })
    })
  }

  /** Tells all listeners; false if there are none. */
  protected emit<K extends keyof E>(
    event: K,
    value: E[K],
    report = (error: unknown) => this.report(error),
  ): boolean {
    const listeners = this.#listeners.get(event) as Set<Listener<E[K]>> | undefined
    if (listeners === undefined || listeners.size === 0) return false
    const tell = () => {
      for (const listener of [...listeners]) this.#tell(listener, value, report)
    }
    if (this.#telling !== undefined) this.#telling.push(tell)
    else {
      this.#telling = [tell]
      for (const next of this.#telling) next()
      this.#telling = undefined
    }
    return true
  }

  /** Where a listener's fault goes; the console, unless a subclass knows better. */
  protected report(error: unknown): void {
    toConsole(error)
  }

  #tell<T>(listener: Listener<T>, value: T, report: (error: unknown) => void): void {
    try {
      const done = listener(value)
      if (done instanceof Promise) done.catch(report)
    } catch (error) {
      report(error)
    }
  }
}

/** So much is held for listeners that may never come; later events are not. */
const HELD_LIMIT = 256

export class HeldEmitter<E extends object> extends Emitter<E> {
  readonly #heard = new Set<keyof E>()
  readonly #wanted = new Set<keyof E>()
  #held: { readonly event: keyof E; readonly tell: () => void }[] = []

  /** As of every emitter; the first listener of an event also hears what was held, once the turn that added it is over. */
  override on<K extends keyof E>(event: K, listener: Listener<E[K]>): () => void {
    this.#wanted.add(event)
    queueMicrotask(() => this.#release())
    return super.on(event, listener)
  }

  protected override emit<K extends keyof E>(event: K, value: E[K]): boolean {
    if (this.#heard.has(event)) return super.emit(event, value)
    if (this.#held.length < HELD_LIMIT) this.#held.push({ event, tell: () => super.emit(event, value) })
    return true
  }

  /** Tells what is wanted by now, in the order it came. */
  #release(): void {
    for (const event of this.#wanted) this.#heard.add(event)
    this.#wanted.clear()
    const held = this.#held
    this.#held = held.filter(({ event }) => !this.#heard.has(event))
    for (const { event, tell } of held) if (this.#heard.has(event)) tell()
  }
}
