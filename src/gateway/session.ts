// A session: one client application from `welcome` to its end. It is its device's link to presence and router, and
// outlives its socket: while the client is away, frames about calls are kept, and presence is healed on its return.
// It promises that a reply comes before everything it causes, and that its end is told once to all who must know.
//
//   opening --carry--> live --socket lost--> lingering --carry (resume)--> live
//                      live --leave, 1000, fault that must not come back--> over
//                      lingering --time is up--> over;  any --revoked, or replaced by its device's newer session--> over

import { randomUUID } from 'node:crypto'
import type { Config } from '../config.js'
import { ok, type Refusal, type Result, refuse } from '../errors.js'
import type { Bounds, Bucket } from '../limits/index.js'
import type { Attachment, Link, Presence } from '../presence/index.js'
import {
  type AccountId,
  type CallFrame,
  type CallId,
  type ClientFrame,
  type ClientFrames,
  type HubFrame,
  type HubFrames,
  isCallFrame,
  type Party,
  type SessionId,
} from '../protocol/index.js'
import type { Caller, Router, Side } from '../router/index.js'
import type { Clock, Log } from '../runtime/index.js'
import type { Dialect, Heard, Translator } from './dialects/dialect.js'
import { type Bearer, Expiry } from './expiry.js'
import { Linger } from './linger.js'
import { Outbox } from './outbox.js'
import { internal, refresh } from './refresh.js'
import type { Reply } from './reply.js'
import type { Owner, Socket } from './socket.js'
import { allows, type Grant, queryOf, type Revocations, revoked, type Verifier } from './token/index.js'
import { perform } from './verbs.js'
import { Watch } from './watch.js'
import { welcomeFrame } from './welcome.js'

/** What all sessions stand on. */
export interface Ground {
  readonly config: Pick<Config, 'presence' | 'calls'>
  readonly verifier: Pick<Verifier, 'verify'>
  readonly revocations: Pick<Revocations, 'covers'>
  readonly presence: Presence
  readonly router: Router
  readonly clock: Clock
  readonly log: Log
  readonly bounds: Bounds
}

/** Where it is found for as long as it lasts. */
interface Register {
  forget(session: Session): void
}

type State =
  | { readonly name: 'opening' }
  | { readonly name: 'live'; readonly socket: Socket }
  | { readonly name: 'lingering'; readonly linger: Linger }
  | { readonly name: 'over' }

/** Close codes that say the client is not coming back: a plain goodbye, or a fault of the range that must not. */
const isFarewell = (code: number): boolean => code === 1000 || code >= 4500

export class Session implements Link, Owner, Caller, Bearer {
  readonly id = randomUUID() as SessionId
  readonly ground: Ground
  /** The registered device that this session is; undefined: a gateway, a wallboard. */
  readonly party: Party | undefined
  readonly outbox: Outbox
  grant: Grant
  attachment: Attachment | undefined
  /** What its hello said that it can carry out, as a gateway. */
  performs: readonly string[] | undefined
  /** How often its device, or itself, was taken from one live connection by another. */
  takeovers: Bucket | undefined
  /** Who spoke for it last, or for the one whose device it took over. */
  translator: Translator | undefined
  readonly #register: Register
  readonly #expiry: Expiry
  // What most sessions never need is made when it is first used: most are idle.
  #watch: Watch | undefined
  #calls: Set<CallId> | undefined
  #state: State = { name: 'opening' }
  /** What is sent while something else must be said first. */
  #held: HubFrame[] | undefined
  #verifying = false

  constructor(ground: Ground, grant: Grant, party: Party | undefined, register: Register) {
    this.ground = ground
    this.grant = grant
    this.party = party
    this.#register = register
    this.outbox = new Outbox(ground.bounds)
    this.#expiry = new Expiry(ground.clock, this)
  }

  /** It is the caller of the calls it places. */
  get account(): AccountId {
    return this.grant.account
  }

  /** What it watches. */
  get watch(): Watch {
    this.#watch ??= new Watch(this.ground.presence.subscriptions(this.grant.tenant, this))
    return this.#watch
  }

  /** The calls this session has a part in. */
  get calls(): Set<CallId> {
    this.#calls ??= new Set()
    return this.#calls
  }

  get who(): object {
    const { tenant, account } = this.grant
    return this.party ?? { tenant, account }
  }

  get live(): boolean {
    return this.#state.name === 'live'
  }

  /** This session as a side of its calls. */
  get side(): Side {
    return this.party ?? this
  }

  get expired(): boolean {
    return this.grant.expires <= this.ground.clock.wall()
  }

  /** Whether it is offered calls. */
  get canReceive(): boolean {
    return this.party !== undefined && allows(this.grant, 'call:receive') && !this.expired
  }

  /** Registers the device, if the session is one. */
  register(hello: ClientFrames['hello'], dialect: Dialect): Result<undefined> {
    if (this.party === undefined) return ok(undefined)
    const { status = dialect.status, note, client, capacity } = hello
    const attached = this.ground.presence.attach({
      ...this.party,
      ...this.#rights,
      link: this,
      confirms: dialect.confirms,
      ...(client !== undefined && { client }),
      ...(status !== undefined && { status }),
      ...(note !== undefined && { note }),
      ...(capacity !== undefined && { capacity }),
    })
    if (!attached.ok) return attached
    this.attachment = attached.value
    return ok(undefined)
  }

  /** Whether a client with this grant, as this device, that has received all frames up to `seq` may take it up. */
  resumable({ tenant, account }: Grant, party: Party | undefined, seq?: number): boolean {
    return (
      tenant === this.grant.tenant &&
      account === this.grant.account &&
      party?.device === this.party?.device &&
      (seq === undefined || this.outbox.covers(seq))
    )
  }

  /** Goes on over this socket: welcomes the client, and tells it what it has missed. */
  carry(socket: Socket, hello: ClientFrames['hello'], grant: Grant, resumed: boolean): void {
    const { router } = this.ground
    const from = this.#state
    if (from.name === 'live') {
      from.socket.fail(refuse('replaced', 'the session goes on over a newer connection'))
    }
    this.#before(() => {
      this.#state = { name: 'live', socket }
      socket.owner = this
      if (this.translator !== undefined) socket.translator.follow?.(this.translator)
      this.translator = socket.translator
      socket.gateway = allows(grant, 'call:inbound')
      if (hello.performs !== undefined) this.performs = hello.performs
      if (hello.heartbeatMs !== undefined) socket.heartbeatMs = hello.heartbeatMs
      if (from.name === 'lingering') {
        from.linger.stop()
        this.attachment?.resume()
        router.back(this.side)
      }
      if (resumed) {
        this.alive()
        if (hello.status !== undefined)
          this.attachment?.declare({
            status: hello.status,
            ...(hello.note !== undefined && { note: hello.note }),
          })
        this.#adopt(grant)
      }
      socket.send(welcomeFrame(this, resumed, socket.heartbeatMs, hello.ref))
      this.outbox.ack(hello.resume?.seq ?? 0)
      for (const frame of this.outbox.unacked) socket.send(frame)
      if (!resumed && this.party !== undefined) {
        for (const frame of router.retell(this.party)) this.send(frame)
      }
    })
    this.#yield()
    this.#expiry.set(grant.expires)
    this.#watch?.missAll()
    this.room()
    this.#catchUp(socket)
  }

  frame(heard: Heard, socket: Socket): void {
    if (this.#verifying) socket.wait(heard)
    else if (!heard.ok) socket.reply(heard.ref, heard)
    else if (heard.frame.type === 'token') void this.#refresh(heard.frame, heard.grant, socket)
    else if (heard.frame.type === 'hello' && this.#isLeftBy(heard.frame)) {
      this.end()
      socket.restart(heard)
    } else this.#before(() => socket.reply(heard.frame.ref, this.#perform(heard.frame)))
  }

  /** Whether its client finds that it is another session's, and goes back to that one. */
  #isLeftBy({ resume }: ClientFrames['hello']): boolean {
    return resume !== undefined && resume.session !== this.id
  }

  send(frame: HubFrame): void {
    const state = this.#state
    if (state.name === 'over') return
    if (this.#held !== undefined) this.#held.push(frame)
    else if (isCallFrame(frame)) this.#tell(frame)
    else if (frame.type === 'presence' && this.#misses(frame)) {
      if (state.name === 'live') this.ground.bounds.note('crowdedBytes')
      this.watch.miss(frame.destination)
    } else if (state.name === 'live') state.socket.send(frame)
  }

  /** Whether it does not go out now: a snapshot that is owed comes before all changes. */
  #misses({ destination, snapshot }: HubFrames['presence']): boolean {
    const state = this.#state
    if (state.name !== 'live' || state.socket.crowded) return true
    return !snapshot && this.watch.owes(destination)
  }

  probe(): void {
    if (this.#state.name === 'live') this.#state.socket.ping()
  }

  alive(): void {
    this.attachment?.alive()
  }

  doubt(): void {
    this.attachment?.suspect()
  }

  room(): void {
    this.#watch?.heal(() => this.#state.name === 'live' && !this.#state.socket.crowded)
  }

  closed(socket: Socket, code: number): void {
    if (this.#state.name !== 'live' || this.#state.socket !== socket) return
    if (isFarewell(code)) this.end()
    else this.#lose(code)
  }

  /** Goes by this grant from now on. */
  use(grant: Grant): void {
    this.#adopt(grant)
    this.#yield()
    this.#expiry.set(grant.expires)
  }

  fail(refusal: Refusal): void {
    if (this.#state.name === 'live') this.#state.socket.fail(refusal)
  }

  /** The client says goodbye: no linger. */
  leave(): void {
    if (this.#state.name === 'live') this.#state.socket.close(1000, 'leave')
    this.end()
  }

  /** Its token has been revoked: no linger, and no way back. */
  revoke(): void {
    this.fail(revoked)
    this.end()
  }

  /** A newer session of the same device has its place; presence and the calls are the newer one's now. */
  replaced(): void {
    const state = this.#state
    this.#finish()
    if (state.name === 'live') state.socket.fail(refuse('replaced', 'this device has a newer connection'))
    if (state.name === 'lingering') this.ground.router.back(this.side)
  }

  /** Over for good: presence and the calls are told. */
  end(): void {
    this.#finish()
    this.attachment?.leave()
    this.ground.router.gone(this.side)
  }

  get #rights() {
    const { capacity, groups } = this.grant
    return {
      canReceive: this.canReceive,
      groups,
      ...(capacity !== undefined && { tokenCapacity: capacity }),
    }
  }

  #adopt(grant: Grant): void {
    this.grant = grant
    if (this.#state.name === 'live') this.#state.socket.gateway = allows(grant, 'call:inbound')
    this.attachment?.grant(this.#rights)
    this.#watch?.review((destination, view) => queryOf(grant, destination, view))
  }

  /** Gives up what rings here once the token no longer lets it be answered. */
  #yield(): void {
    const { party } = this
    if (party === undefined || allows(this.grant, 'call:receive')) return
    for (const call of this.#calls ?? []) this.ground.router.reject(party, call, 'busy')
  }

  /** Does `task`; whatever it causes to be sent comes after what it says itself. */
  #before(task: () => void): void {
    const held: HubFrame[] = []
    this.#held = held
    try {
      task()
    } finally {
      this.#held = undefined
      for (const frame of held) this.send(frame)
    }
  }

  expiring(inMs: number): void {
    this.send({ type: 'token-expiring', inMs })
  }

  expire(): void {
    this.attachment?.grant(this.#rights)
    this.#retire()
  }

  /** A verb that throws costs its client an answer, not the session. */
  #perform(frame: ClientFrame): Reply {
    try {
      return perform(this, frame)
    } catch (error) {
      this.ground.log.error({ error, frame: frame.type, session: this.id }, 'verb threw')
      return internal
    }
  }

  #catchUp(socket: Socket): void {
    for (const heard of socket.takeWaiting()) if (socket.open) socket.owner.frame(heard, socket)
  }

  /** Verifies a fresh token. What comes meanwhile waits: the client may rely on its new rights at once. */
  async #refresh(
    { token, ref }: ClientFrames['token'],
    proven: Grant | undefined,
    socket: Socket,
  ): Promise<void> {
    this.#verifying = true
    const act = await refresh(this, token, proven)
    this.#verifying = false
    if (this.#state.name !== 'live') return
    const current = this.#state.socket
    if (current === socket) this.#before(() => socket.reply(ref, act()))
    this.#catchUp(current)
  }

  /** Numbers a frame about a call, keeps it, and sends it if the client is there. */
  #tell(frame: CallFrame): void {
    const numbered = this.outbox.number(frame)
    const state = this.#state
    if (frame.type === 'cancel' || frame.type === 'ended') this.calls.delete(frame.call)
    else this.calls.add(frame.call)
    if (state.name === 'live') state.socket.send(numbered)
    if (state.name === 'lingering') state.linger.recheck()
    // Later, since whoever sends this is not done yet.
    if (this.expired) this.ground.clock.after(0, () => this.#retire())
  }

  /** Closes a session whose token has ended, once it has no call. */
  #retire(): void {
    if (this.expired && !this.#calls?.size) this.fail(refuse('unauthorized', 'the token has expired'))
  }

  /** The connection is lost; the client may come back. */
  #lose(code: number): void {
    const { clock, config, router } = this.ground
    const { lingerMs, reloadLingerMs } = config.presence
    const graceMs = code === 1001 ? reloadLingerMs : lingerMs
    const allowedMs = () => (router.talking(this.side) ? config.calls.lingerMs : graceMs)
    this.#state = { name: 'lingering', linger: new Linger(clock, allowedMs, () => this.end()) }
    this.attachment?.linger()
    router.lost(this.side)
  }

  #finish(): void {
    if (this.#state.name === 'lingering') this.#state.linger.stop()
    this.#state = { name: 'over' }
    this.#expiry.stop()
    this.#watch?.close()
    // A call that has ended keeps its caller for a while.
    this.outbox.clear()
    this.#register.forget(this)
  }
}
