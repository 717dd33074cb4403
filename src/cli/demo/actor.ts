// One phone of the demo: connects with a token of its own, rings when it is called, and answers if its part says so.

import { EventEmitter, once } from 'node:events'
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
  readonly #ends = new Map<string, CallEnd>()
  readonly #heard = new EventEmitter()

  constructor(role: Role, { url, token, answerMs, told, failed }: ActorOptions) {
    this.name = partyText(role)
    this.#phone = createLine({ url, token, device: role.device, status: role.status })
    this.#phone.on('error', failed)
    this.#phone.on('invite', async call => {
      call.over.then(end => {
        this.#ends.set(call.id, end)
        this.#heard.emit('end')
        told(this.name, call, end)
      })
      const delayMs = answerMs(this.name)
      if (delayMs === undefined) return
      await sleep(delayMs)
      await call.accept()
    })
  }

  connect(): Promise<Welcome> {
    return connect(this.#phone)
  }

  /** How a call ended that this phone is offered, or will be. */
  async endOf(id: string): Promise<CallEnd> {
    for (;;) {
      const end = this.#ends.get(id)
      if (end !== undefined) return end
      await once(this.#heard, 'end')
    }
  }

  close(): Promise<void> {
    return this.#phone.close()
  }
}
