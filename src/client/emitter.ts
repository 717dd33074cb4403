// Typed events. A listener that throws, or whose promise rejects, stops no other listener and no caller: it is
// reported. `HeldEmitter` keeps what it has to say until someone listens, so that whoever gets hold of an object
// by `await` misses nothing that the hub sent in the same breath.

export type Listener<T> = (value: T) => unknown

const toConsole = (error: unknown): void => console.error(error)

export class Emitter<E extends object> {
  readonly #listeners = new Map<keyof E, Set<Listener<never>>>()

  /** Calls `listener` at each `event`, until the function it returns is called. */
  on<K extends keyof E>(event: K, listener: Listener<E[K]>): () => void {
    const listeners = this.#listeners.get(event) ?? new Set()
    this.#listeners.set(event, listeners.add(listener))
    return () => {
      listeners.delete(listener)
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
    const listeners = [...(this.#listeners.get(event) ?? [])] as Listener<E[K]>[]
    for (const listener of listeners) {
      try {
        const done = listener(value)
        if (done instanceof Promise) done.catch(report)
      } catch (error) {
        report(error)
      }
    }
    return listeners.length > 0
  }

  /** Where a listener's fault goes; the console, unless a subclass knows better. */
  protected report(error: unknown): void {
    toConsole(error)
  }
}

export class HeldEmitter<E extends object> extends Emitter<E> {
  #held: (() => void)[] | undefined = []

  /** As of every emitter; the first listener also hears what was held, once the turn that added it is over. */
  override on<K extends keyof E>(event: K, listener: Listener<E[K]>): () => void {
    queueMicrotask(() => this.#release())
    return super.on(event, listener)
  }

  protected override emit<K extends keyof E>(event: K, value: E[K]): boolean {
    if (this.#held === undefined) return super.emit(event, value)
    this.#held.push(() => super.emit(event, value))
    return true
  }

  #release(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const tell of held) tell()
  }
}
