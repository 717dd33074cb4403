// A person's softphone in a test: the SDK's own, with what a person does at it. Its verbs are buttons: pressed, they
// settle when nothing more can happen without time passing, and throw what the hub has refused by then.

import { type Call, type RejectReason, Softphone } from '../client/index.js'
import type { Line } from './line.js'
import type { Link } from './link.js'

export interface CallOptions {
  /** What only a gateway may say; `TestHub.call` says `+15550199` by default. */
  readonly from?: string
  readonly params?: Record<string, string>
  readonly sdp?: string
}

export class Phone {
  readonly account: string
  readonly device: string | undefined
  readonly softphone: Softphone
  readonly link: Link
  /** Every call that was ever offered to it, the latest last. */
  readonly invites: Call[] = []
  readonly #settle: () => Promise<void>

  /** Made by `TestHub.phone`. `settle`: until nothing more can happen unless time passes. */
  constructor(line: Line, settle: () => Promise<void>) {
    this.account = line.account
    this.device = line.device
    this.link = line.link
    this.softphone = new Softphone(line.options)
    this.#settle = settle
    this.softphone.on('invite', call => this.invites.push(call))
  }

  /** The call that rings here now, the latest if there are several. */
  get ringing(): Call | undefined {
    return this.#latest(call => call.direction === 'incoming' && call.state === 'ringing')
  }

  /** The call that is talked on here now. */
  get talking(): Call | undefined {
    return this.#latest(call => call.state === 'connected')
  }

  /** The call that rings here. Throws if none does, and none will unless time passes. */
  async rings(): Promise<Call> {
    await this.#settle()
    return this.ringing ?? this.#wrong('does not ring')
  }

  /** Takes what rings. Throws `call-gone` if it no longer does, for the hub. */
  async accept(answer: { sdp?: string } = {}): Promise<Call> {
    const call = await this.rings()
    await this.#press(call.accept(answer))
    return call
  }

  /** Refuses what rings. */
  async reject(reason?: RejectReason): Promise<Call> {
    const call = await this.rings()
    await this.#press(call.reject(reason))
    return call
  }

  /** Hangs up. */
  async hangup(): Promise<Call> {
    const call = this.talking ?? this.#wrong('is not in a call')
    await this.#press(call.hangup())
    return call
  }

  /** Places a call. Throws what the hub refuses, and where nothing is heard of the call unless time passes. */
  async place(to: string, { from, params, sdp }: CallOptions = {}): Promise<Call> {
    const call = await this.#press(this.softphone.place({ to, from, params, sdp }))
    return call ?? this.#wrong('has not placed the call')
  }

  /** Says how it is with this device, or with `for: 'account'` with the person. */
  async status(change: Parameters<Softphone['status']>[0]): Promise<void> {
    await this.#press(this.softphone.status(change))
  }

  /** Comes online. Throws why it may not; where its link makes it take time, it settles before. */
  async connect(): Promise<void> {
    await this.#press(this.softphone.connect())
  }

  /** Leaves for good. */
  async close(): Promise<void> {
    await this.#press(this.softphone.close())
  }

  #latest(fits: (call: Call) => boolean): Call | undefined {
    return this.softphone.calls.findLast(fits)
  }

  #wrong(what: string): never {
    const { connection, self } = this.softphone
    const device = this.device === undefined ? '' : ` at ${this.device}`
    throw new Error(
      `${this.account}${device} ${what}: ${connection.state}, ${self?.status ?? 'not registered'}`,
    )
  }

  async #press<T>(done: Promise<T>): Promise<T | undefined> {
    // What comes of it later, when time has passed, is for the softphone's events to tell.
    done.catch(() => {})
    const outcome = await Promise.race([done, this.#settle()])
    await this.#settle()
    return outcome ?? undefined
  }
}
