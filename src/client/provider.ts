// What an application provides when it is asked: a text, or a function that gives one, now or later. However many
// ask at once, the function is called once; and it has so long, since one that never answers must not keep a
// softphone offline for ever.

import { type Deferred, deferred } from './deferred.js'
import { SwitchhookError } from './switchhook-error.js'
import type { Timers } from './timers.js'

/** A text, or what gives it each time it is asked. */
export type Provided = string | (() => string | Promise<string>)

/** A function that has not answered for so long has failed. */
export const PROVIDER_MS = 20_000

export class Provider {
  readonly #what: string
  readonly #given: Provided
  readonly #timers: Timers
  /** The answer that is awaited. */
  #asked: { readonly answer: Deferred<string>; readonly timer: unknown } | undefined

  /** `what`: the name of what is provided, for messages. */
  constructor(what: string, given: Provided, timers: Timers) {
    this.#what = what
    this.#given = given
    this.#timers = timers
  }

  /** Rejects with whatever the function throws, with `timeout`, or with TypeError for what is no text. */
  ask(): Promise<string> {
    const given = this.#given
    if (typeof given === 'string') return Promise.resolve(given)
    return (this.#asked ?? this.#call(given)).answer.promise
  }

  /** Whoever awaits an answer gets this error; one that comes later is nobody's. */
  abandon(error: SwitchhookError): void {
    this.#end()?.reject(error)
  }

  #call(provide: Exclude<Provided, string>) {
    const timer = this.#timers.setTimeout(() => {
      this.abandon(new SwitchhookError('timeout', `no ${this.#what} was provided in time`, { retry: true }))
    }, PROVIDER_MS)
    const asked = { answer: deferred<string>(), timer }
    // Before the function is called, which may abandon what it is asked for.
    this.#asked = asked
    const current = () => this.#asked === asked
    this.#read(provide).then(
      text => current() && this.#end()?.resolve(text),
      error => current() && this.#end()?.reject(error),
    )
    return asked
  }

  async #read(provide: Exclude<Provided, string>): Promise<string> {
    const text: unknown = await provide()
    if (typeof text === 'string') return text
    throw new TypeError(`the ${this.#what} that was provided is no text`)
  }

  #end(): Deferred<string> | undefined {
    const asked = this.#asked
    this.#asked = undefined
    this.#timers.clearTimeout(asked?.timer)
    return asked?.answer
  }
}
