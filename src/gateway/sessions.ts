// All sessions of a gateway: who may begin one, who takes up an old one, and which one a device has. A device
// has one session; a newer one takes its place, its calls included, without anyone noticing in presence.

import { ok, type Result, refuse } from '../errors.js'
import type { ClientFrames, Party, SessionId } from '../protocol/index.js'
import type { Dialect } from './dialects/dialect.js'
import { partyOf, suffices } from './rights.js'
import { type Ground, Session } from './session.js'
import { type Grant, revoked } from './token/index.js'

/** A session for a connection: its own, or the one it had before. */
export interface Admission {
  readonly session: Session
  readonly resumed: boolean
}

const keyOf = ({ tenant, account, device }: Party): string => `${tenant}/${account}/${device}`

export class Sessions {
  readonly #ground: Ground
  readonly #byId = new Map<SessionId, Session>()
  readonly #byDevice = new Map<string, Session>()

  constructor(ground: Ground) {
    this.#ground = ground
  }

  get size(): number {
    return this.#byId.size
  }

  get lingering(): number {
    return [...this].filter(session => !session.live).length
  }

  [Symbol.iterator](): Iterator<Session> {
    return this.#byId.values()
  }

  /** Synchronous: a new session's device is registered when it returns. */
  admit(grant: Grant, hello: ClientFrames['hello'], dialect: Dialect): Result<Admission> {
    if (this.#ground.revocations.covers(grant)) return revoked
    const party = partyOf(grant, hello)
    if (!suffices(grant, party))
      return refuse('forbidden', 'the token allows nothing that this hello asks for')
    const earlier = hello.resume && this.#byId.get(hello.resume.session)
    if (hello.resume && earlier?.resumable(grant, party, hello.resume.seq)) {
      return ok({ session: earlier, resumed: true })
    }
    const session = new Session(this.#ground, grant, party, over => this.#forget(over))
    const registered = session.register(hello, dialect.confirms)
    if (!registered.ok) return registered
    this.#byId.set(session.id, session)
    if (party !== undefined) {
      this.#byDevice.get(keyOf(party))?.replaced()
      this.#byDevice.set(keyOf(party), session)
    }
    return ok({ session, resumed: false })
  }

  /** Ends the sessions whose tokens have been revoked, those that linger too. */
  revoke(): void {
    for (const session of this) if (this.#ground.revocations.covers(session.grant)) session.revoke()
  }

  #forget(session: Session): void {
    this.#byId.delete(session.id)
    const { party } = session
    if (party !== undefined && this.#byDevice.get(keyOf(party)) === session) {
      this.#byDevice.delete(keyOf(party))
    }
  }
}
