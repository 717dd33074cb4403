// Who this client is to the hub: its device's name and its token. A token is used until the hub refuses it, or says
// that it is about to expire; then it is replaced in place, and should that fail, tried again with back-off.

import { backoffMs } from './backoff.js'
import { type Provided, Provider } from './provider.js'
import type { SwitchhookError } from './switchhook-error.js'
import type { Timers } from './timers.js'

export interface CredentialsOptions {
  readonly token: Provided
  readonly device: Provided | undefined
  readonly timers: Timers
  readonly random: () => number
  /** Tells the hub a fresh token. Rejects if the hub will not have it. */
  readonly present: (token: string) => Promise<unknown>
  readonly report: (error: unknown) => void
}

export interface Identity {
  readonly token: string
  readonly device: string | undefined
}

export class Credentials {
  /** Whether a token that was refused can be replaced by another. */
  readonly renewable: boolean
  readonly #options: CredentialsOptions
  readonly #tokens: Provider
  readonly #devices: Provider | undefined
  #token: string | undefined
  /** Of the renewal under way; another object means that it is over. */
  #renewal: { timer?: unknown } = {}

  constructor(options: CredentialsOptions) {
    const { token, device, timers } = options
    this.renewable = typeof token === 'function'
    this.#options = options
    this.#tokens = new Provider('token', token, timers)
    this.#devices = device === undefined ? undefined : new Provider('device', device, timers)
  }

  /** For a hello. The device is asked for each time: a tab may have to become another one. */
  async identity(): Promise<Identity> {
    const [token, device] = await Promise.all([this.#token ?? this.#fresh(), this.#devices?.ask()])
    return { token, device }
  }

  /** The hub has refused the token. */
  refused(): void {
    this.#token = undefined
  }

  /** The token is about to expire: presents another. */
  renew(): void {
    this.rest()
    if (this.renewable) void this.#renew(this.#renewal, 1)
  }

  /** There is no connection to renew anything on. */
  rest(): void {
    this.#options.timers.clearTimeout(this.#renewal.timer)
    this.#renewal = {}
  }

  /** Nobody is to be anyone any more: the next hello asks for everything anew. */
  forget(error: SwitchhookError): void {
    this.rest()
    this.#token = undefined
    this.#tokens.abandon(error)
    this.#devices?.abandon(error)
  }

  async #fresh(): Promise<string> {
    this.#token = await this.#tokens.ask()
    return this.#token
  }

  async #renew(renewal: { timer?: unknown }, attempt: number): Promise<void> {
    const { present, report, timers, random } = this.#options
    try {
      const token = await this.#fresh()
      if (renewal === this.#renewal) await present(token)
    } catch (error) {
      if (renewal !== this.#renewal) return
      report(error)
      const again = () => void this.#renew(renewal, attempt + 1)
      renewal.timer = timers.setTimeout(again, backoffMs(attempt, random))
    }
  }
}
