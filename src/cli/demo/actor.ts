// One phone of the demo: connects with a token of its own, rings when it is called, and answers if its part says so.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Call, CallEnd, Softphone, Welcome } from '../../client/index.js'
import { connect, createLine } from '../line.js'
import type { Role } from './scenes.js'

export const partyText = ({ account, device }: { account: string; device: string }): string =>
  `${account}/${device}`

/** What a device was told last of a call: why it is over, and by whom. */
export const endText = ({ reason, by }: CallEnd): string =>
  by === undefined ? reason : `${reason} by ${partyText(by)}`

export interface ActorOptions {
  readonly url: string
  readonly token: string
  /** Milliseconds until it answers; undefined: it just rings. */
  readonly answerMs: (name: string) => number | undefined
  /** It has been told its last word of a call. */
  readonly told: (name: string, call: Call, end: CallEnd) => void
  /** It could not answer: the caller, or someone else, was faster. */
  readonly failed: (error: unknown) => void
}

export class Actor {
  readonly name: string
  readonly #phone: Softphone
  readonly #calls = new Map<string, Call>()

  constructor(role: Role, { url, token, answerMs, told, failed }: ActorOptions) {
    this.name = partyText(role)
    this.#phone = createLine({ url, token, device: role.device, status: role.status })
    this.#phone.on('error', failed)
    this.#phone.on('invite', async call => {
      this.#calls.set(call.id, call)
      call.over.then(end => told(this.name, call, end))
      const delayMs = answerMs(this.name)
      if (delayMs === undefined) return
      await sleep(delayMs)
      await call.accept()
    })
  }

  connect(): Promise<Welcome> {
    return connect(this.#phone)
  }

  /** How a call ended that this phone is offered, or was. */
  endOf(id: string): Promise<CallEnd> {
    const call = this.#calls.get(id)
    if (call !== undefined) return call.over
    return new Promise(resolve => {
      this.#phone.on('invite', call => {
        if (call.id === id) resolve(call.over)
      })
    })
  }

  close(): Promise<void> {
    return this.#phone.close()
  }
}
