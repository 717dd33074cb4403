// A connection from its first byte to `welcome`: it waits for one hello, has its token verified, and hands the
// socket to the session that the hello begins or takes up again. All other frames wait, in order. Whatever a peer
// sends, without a valid hello the connection ends at the deadline; one that closed meanwhile attaches nothing.

import { ok, type Refusal, type Result, refuse } from '../errors.js'
import type { ClientFrames } from '../protocol/index.js'
import type { Timer } from '../runtime/index.js'
import type { Heard } from './dialects/dialect.js'
import { type Checkpoint, internal, verify } from './refresh.js'
import type { Sessions } from './sessions.js'
import type { Owner, Socket, Surroundings } from './socket.js'
import type { Grant } from './token/index.js'

export interface Reception extends Surroundings, Checkpoint {
  readonly sessions: Sessions
  /** Why newcomers are sent away, while they are. */
  readonly closed: () => Refusal | undefined
}

export class Greeting implements Owner {
  readonly #reception: Reception
  /** The token of the upgrade request, if it brought one. */
  readonly #token: string | undefined
  readonly #deadline: Timer
  #verifying = false

  constructor(socket: Socket, reception: Reception, token: string | undefined) {
    this.#reception = reception
    this.#token = token
    const { bounds, clock } = reception
    this.#deadline = clock.after(bounds.of.helloMs, () => socket.fail(bounds.refuse('helloMs')))
  }

  frame(heard: Heard, socket: Socket): void {
    if (this.#verifying || (heard.ok && heard.frame.type !== 'hello')) socket.wait(heard)
    else if (!heard.ok) socket.reply(heard.ref, heard)
    else void this.#greet(heard.frame as ClientFrames['hello'], heard.grant, socket)
  }

  async #greet(hello: ClientFrames['hello'], proven: Grant | undefined, socket: Socket): Promise<void> {
    this.#verifying = true
    try {
      const verified = proven === undefined ? await this.#verify(hello) : ok(proven)
      // From here on there is no more waiting: the session is attached in this turn, or not at all.
      if (!socket.open) return
      if (!verified.ok) return socket.fail(verified, hello.ref)
      const { sessions, closed } = this.#reception
      const away = closed()
      if (away !== undefined) return socket.fail(away, hello.ref)
      const admitted = sessions.admit(verified.value, hello, socket.dialect)
      if (!admitted.ok) return socket.fail(admitted, hello.ref)
      this.#deadline.cancel()
      const { session, resumed } = admitted.value
      session.carry(socket, hello, verified.value, resumed)
    } catch (error) {
      this.#reception.log.error({ error }, 'greeting failed')
      socket.fail(internal, hello.ref)
    }
  }

  async #verify(hello: ClientFrames['hello']): Promise<Result<Grant>> {
    const token = hello.token ?? this.#token
    return token === undefined
      ? refuse('unauthorized', 'a token is needed, in hello or in the Authorization header')
      : verify(this.#reception, token)
  }

  get who(): object {
    return {}
  }

  alive(): void {}
  doubt(): void {}
  room(): void {}

  closed(): void {
    this.#deadline.cancel()
  }
}
