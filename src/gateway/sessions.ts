// All sessions of a gateway: who may begin one, who takes up an old one, and which one a device has. A device
// has one session; a newer one takes its place, its calls included, without anyone noticing in presence. Two live
// clients that take one device from each other are slowed down: after a few rounds whoever has it keeps it.

import { ok, type Refusal, type Result, refuse } from '../errors.js'
import { Bucket, Quota } from '../limits/index.js'
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

// Joined: what is concatenated keeps its parts in memory, and there are as many keys as devices.
const keyOf = ({ tenant, account, device }: Party): string => [tenant, account, device].join('/')
const accountOf = ({ tenant, account }: Grant): string => [tenant, account].join('/')

export class Sessions {
  readonly #ground: Ground
  readonly #byId = new Map<SessionId, Session>()
  readonly #byDevice = new Map<string, Session>()
  readonly #perAccount = new Quota()

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
      return this.#contested(earlier) ?? ok({ session: earlier, resumed: true })
    }
    const replaced = party && this.#byDevice.get(keyOf(party))
    const contested = replaced && this.#contested(replaced)
    if (contested !== undefined) return contested
    const { bounds } = this.#ground
    // The one that it replaces makes room for it.
    const most = bounds.of.connectionsPerAccount + (replaced === undefined ? 0 : 1)
    if (!this.#perAccount.take(accountOf(grant), most)) return bounds.refuse('connectionsPerAccount')
    const session = new Session(this.#ground, grant, party, this)
    session.takeovers = replaced?.takeovers
    session.translator = replaced?.translator
    const registered = session.register(hello, dialect)
    if (!registered.ok) {
      this.#perAccount.give(accountOf(grant))
      return registered
    }
    this.#byId.set(session.id, session)
    replaced?.replaced()
    if (party !== undefined) this.#byDevice.set(keyOf(party), session)
    return ok({ session, resumed: false })
  }

  /** Why a live connection is not put in the place of another, if that has happened too often. */
  #contested(holder: Session): Refusal | undefined {
    if (!holder.live) return undefined
    const { bounds, clock } = this.#ground
    const { takeoversPerMinute } = bounds.of
    const pace = { perSecond: takeoversPerMinute / 60, burst: takeoversPerMinute }
    holder.takeovers ??= new Bucket(clock.now())
    const retryAfterMs = holder.takeovers.take(pace, clock.now())
    return retryAfterMs > 0 ? bounds.refuse('takeoversPerMinute', { retryAfterMs }) : undefined
  }

  /** Ends the sessions whose tokens have been revoked, those that linger too. */
  revoke(): void {
    for (const session of this) if (this.#ground.revocations.covers(session.grant)) session.revoke()
  }

  /** A session is over. */
  forget(session: Session): void {
    this.#byId.delete(session.id)
    this.#perAccount.give(accountOf(session.grant))
    const { party } = session
    if (party !== undefined && this.#byDevice.get(keyOf(party)) === session) {
      this.#byDevice.delete(keyOf(party))
    }
  }
}
