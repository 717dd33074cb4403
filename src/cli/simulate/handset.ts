// A phone as its simulated person uses it, wherever the hub is: what it rings for, and the buttons. This one is a
// softphone of the SDK over a real socket, which can be cut; how it comes back is the SDK's.

import { WebSocket } from 'ws'
import type { Softphone, Timers, WebSocketConstructor } from '../../client/index.js'
import { connect, createLine } from '../line.js'

/** A call that rings here, or is talked on. */
export interface PhoneCall {
  readonly id: string
  readonly params: Readonly<Record<string, string>>
  /** True once it is connected here, false if it was over before. Never rejects. */
  readonly connected: Promise<boolean>
  /** Settles when it is over for this phone. Never rejects. */
  readonly over: Promise<unknown>
  /** The buttons. Each rejects with SwitchhookError: `call-gone` if someone was faster. */
  accept(): Promise<void>
  reject(reason: 'declined' | 'busy'): Promise<void>
  hangup(): Promise<void>
}

/** What the hub makes of a phone that signs in. */
export interface SignedIn {
  readonly groups: readonly string[]
}

export interface Handset {
  /** Signs in. Rejects with SwitchhookError if the first attempt fails. */
  connect(): Promise<SignedIn>
  /** The calls that it has not heard the end of. */
  readonly calls: readonly PhoneCall[]
  /** Takes no further calls. */
  rest(): Promise<void>
  /** Signs out. */
  close(): Promise<void>
  /** Its connection is lost. */
  cut(): void
}

/** What a phone tells its person. */
export interface HandsetEvents {
  /** It is signed in; again, if it was before: with its session, or a new one. */
  online(session: 'resumed' | 'new'): void
  /** The connection is lost. */
  offline(): void
  /** Something failed in the background. */
  failed(error: unknown): void
  invite(call: PhoneCall): void
}

export interface Who {
  readonly account: string
  readonly device: string
}

export type OpenHandset = (who: Who, events: HandsetEvents) => Handset

export interface SocketOptions {
  readonly url: string
  readonly token: (account: string) => Promise<string>
  readonly timers: Timers
}

class SocketHandset implements Handset {
  readonly #softphone: Softphone
  #socket: WebSocket | undefined

  constructor({ url, token, timers }: SocketOptions, { account, device }: Who, events: HandsetEvents) {
    // Its capacity makes the rule "one call at a time" hold whatever the hub's directory says.
    this.#softphone = createLine({
      url,
      token: () => token(account),
      device,
      capacity: 1,
      timers,
      WebSocket: this.#cable(),
    })
    this.#softphone.on('invite', call => events.invite(call))
    this.#softphone.on('error', error => events.failed(error))
    this.#softphone.on('connection', connection => {
      if (connection.state === 'online') events.online(connection.welcome.resumed ? 'resumed' : 'new')
      else if (connection.state === 'reconnecting') events.offline()
      else if (connection.state === 'closed' && connection.error.code !== 'closed') {
        events.offline()
        events.failed(connection.error)
      }
    })
  }

  connect(): Promise<SignedIn> {
    return connect(this.#softphone)
  }

  get calls(): readonly PhoneCall[] {
    return this.#softphone.calls
  }

  rest(): Promise<void> {
    return this.#softphone.status({ status: 'away' })
  }

  close(): Promise<void> {
    return this.#softphone.close()
  }

  cut(): void {
    this.#socket?.terminate()
  }

  /** Sockets that can be cut. */
  #cable(): WebSocketConstructor {
    const handset = this
    return class extends WebSocket {
      constructor(url: string, protocols: string[], options: object) {
        super(url, protocols, options)
        handset.#socket = this
      }
    } as unknown as WebSocketConstructor
  }
}

export const socketHandsets =
  (options: SocketOptions): OpenHandset =>
  (who, events) =>
    new SocketHandset(options, who, events)
