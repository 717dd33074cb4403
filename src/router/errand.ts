// What a call is at: one document after the other, from where it began. A call that is over, or that is sent elsewhere
// meanwhile, leaves its errand, and whoever works on it finds that out after each wait.

export class Errand {
  #over = false
  #leaving: AbortController | undefined

  get over(): boolean {
    return this.#over
  }

  /** Aborted when it is left: for what waits meanwhile. */
  get signal(): AbortSignal {
    this.#leaving ??= new AbortController()
    return this.#leaving.signal
  }

  leave(): void {
    this.#over = true
    this.#leaving?.abort()
  }
}
