// One WebSocket: text in, text out, signs of life, the rate and the room a peer is given. It reads messages by its
// dialect and hands the frames to its owner: the greeting at first, the session from `welcome` on. It promises that
// its owner hears exactly once that it is over, never in the middle of a send, and that each refusal is counted and
// logged once, with who was refused. What frames mean is the owner's.

import type { Duplex } from 'node:stream'
import type { RawData } from 'ws'
import { type ErrorCode, factsOf, type Refusal, refuse } from '../errors.js'
import { type Bounds, Bucket, perSecond } from '../limits/index.js'
import type { HubFrame } from '../protocol/index.js'
import type { Clock, Log, TurnEnd } from '../runtime/index.js'
import type { Carried, Carrier } from './carrier.js'
import type { Dialect, Heard, Line, Translator } from './dialects/dialect.js'
import type { Heart, Heartbeat, Pulse } from './heartbeat.js'
import { type Message, messageOf, Outlet } from './outlet.js'
import { errorFrame, type Reply, refusalIn, replyFrame } from './reply.js'

/** Whom a socket serves. */
export interface Owner {
  /** Who is there, for log lines: tenant, account and device, as far as they are known. */
  readonly who: object
  /** A frame came, or a text that is none. */
  frame(heard: Heard, socket: Socket): void
  /** Anything came. */
  alive(): void
  /** Nothing came for too long; not dead yet. */
  doubt(): void
  /** There is room to send what was held back. */
  room(): void
  /** The connection is over, with a close code of RFC 6455, section 7.4; 1006: it broke. */
  closed(socket: Socket, code: number): void
}

/** What the gateway counts, in plain fields, for metrics to read. */
export interface Tally {
  sockets: number
  accepted: number
  framesIn: number
  framesOut: number
  /** Connections closed by the hub, and upgrades it refused, by code. */
  readonly faults: Partial<Record<ErrorCode, number>>
  /** Frames that were answered with an error, by code. */
  readonly refusals: Partial<Record<ErrorCode, number>>
}

/** What all sockets of a gateway share. */
export interface Surroundings {
  readonly clock: Clock
  readonly log: Log
  readonly bounds: Bounds
  readonly heartbeat: Heartbeat
  readonly tally: Tally
  /** Lets out what was sent. */
  readonly turnEnd: TurnEnd<Outlet>
  /** Whoever serves a connection that has just come. */
  greet(socket: Socket, token?: string): Owner
  /** A connection is over. */
  left(socket: Socket): void
}

/** Counts by code. */
export const count = (by: Partial<Record<ErrorCode, number>>, code: ErrorCode): void => {
  by[code] = (by[code] ?? 0) + 1
}

/** What breaking our bounds of the wire amounts to, by the library's codes; any other breaks RFC 6455. */
const wireFaults = new Map<string | undefined, ErrorCode>([
  ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 'too-large'],
  ['WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH', 'too-large'],
  ['WS_ERR_TOO_MANY_BUFFERED_PARTS', 'too-many'],
])

export class Socket implements Heart, Carried, Line {
  readonly dialect: Dialect
  readonly translator: Translator
  owner: Owner
  /** A gateway carries the calls of many, and may say as much more. */
  gateway = false
  readonly #ws: Carrier
  readonly #outlet: Outlet
  readonly #peer: string
  readonly #around: Surroundings
  readonly #frames: Bucket
  readonly #bytes: Bucket
  readonly #pulse: Pulse
  #open = true
  #waiting: Heard[] = []
  #waitingBytes = 0
  #messageBytes = 0

  /** `stream` carries `ws`; `peer`: the address it comes from; `token`: what the upgrade request brought. */
  constructor(
    ws: Carrier,
    stream: Duplex,
    dialect: Dialect,
    peer: string,
    around: Surroundings,
    token?: string,
  ) {
    this.dialect = dialect
    this.#ws = ws
    this.#outlet = new Outlet(ws, stream, around.turnEnd)
    this.#peer = peer
    this.#around = around
    this.translator = dialect.open(this)
    this.#frames = new Bucket(around.clock.now())
    this.#bytes = new Bucket(around.clock.now())
    this.#pulse = around.heartbeat.watch(this)
    this.owner = around.greet(this, token)
    around.tally.sockets++
    around.tally.accepted++
    ws.carry(this)
  }

  get clock(): Clock {
    return this.#around.clock
  }

  /** Whether frames still come and go. */
  get open(): boolean {
    return this.#open && this.#ws.readyState === this.#ws.OPEN
  }

  /** How often it is asked for a sign of life, in milliseconds. */
  get heartbeatMs(): number {
    return this.#pulse.everyMs
  }

  set heartbeatMs(everyMs: number) {
    this.#pulse.everyMs = everyMs
  }

  /** Whether so much is unsent that presence should be held back. */
  get crowded(): boolean {
    return this.#outlet.unsent > this.#around.bounds.of.crowdedBytes
  }

  send(frame: HubFrame): void {
    if (this.#open) for (const message of this.translator.write(frame)) this.say(message)
  }

  say(message: Message): void {
    if (!this.#open) return
    if (this.#outlet.unsent > this.#around.bounds.of.unsentBytes) this.stuck()
    else this.#put(message)
  }

  hear(heard: Heard): void {
    queueMicrotask(() => this.#guard(() => this.#open && this.owner.frame(heard, this)))
  }

  /** Answers a frame that carried `ref`, or none. */
  reply(ref: string | undefined, reply: Reply): void {
    const frame = replyFrame(reply, ref)
    if (frame !== undefined) this.send(frame)
    const refusal = reply && refusalIn(reply)
    if (refusal === undefined) return
    count(this.#around.tally.refusals, refusal.code)
    this.#note(refusal, 'a frame was refused')
  }

  /** Lets a frame wait until `takeWaiting`; beyond the bound the connection is closed. */
  wait(heard: Heard): void {
    this.#waiting.push(heard)
    this.#waitingBytes += this.#messageBytes
    const { bounds } = this.#around
    const { waitingFrames, waitingBytes } = bounds.of
    if (this.#waiting.length > waitingFrames) this.fail(bounds.refuse('waitingFrames'))
    if (this.#waitingBytes > waitingBytes) this.fail(bounds.refuse('waitingBytes'))
  }

  /** The frames that waited, in order. */
  takeWaiting(): readonly Heard[] {
    const waiting = this.#waiting
    this.#waiting = []
    this.#waitingBytes = 0
    return waiting
  }

  /** Says what is wrong, and closes with the code's close code. */
  fail(refusal: Refusal, ref?: string): void {
    if (!this.#open) return
    const { close = 4502 }: { close?: number } = factsOf(refusal.code)
    count(this.#around.tally.faults, refusal.code)
    this.#note(refusal, 'socket closed for a fault')
    for (const message of this.translator.write(errorFrame(refusal, ref))) this.#put(message)
    const parting = this.dialect.parting?.(refusal)
    if (parting === undefined) this.close(close, refusal.code)
    else {
      this.#put(parting)
      this.#part(close)
      const { bounds, clock } = this.#around
      clock.after(bounds.of.closeMs, () => this.#ws.close(close, refusal.code))
    }
  }

  /** Closes. The owner hears of it at the end of the turn. `reason`: at most 123 bytes. */
  close(code: number, reason: string): void {
    if (!this.#open) return
    this.#ws.close(code, reason)
    this.#part(code)
  }

  /** Serves this client as if it had just come: whoever served it does so no more. */
  restart(heard: Heard): void {
    this.owner = this.#around.greet(this)
    this.owner.frame(heard, this)
  }

  /** Cuts the connection. */
  dead(): void {
    this.#ws.terminate()
  }

  ping(): void {
    const { beat } = this.dialect
    if (beat === undefined) this.#ws.ping()
    else {
      this.#outlet.send(messageOf(beat))
      this.translator.asked?.()
    }
  }

  doubt(): void {
    this.owner.doubt()
  }

  hasRoom(): boolean {
    if (this.crowded) return false
    this.owner.room()
    return true
  }

  stuck(): void {
    this.fail(this.#around.bounds.refuse('unsentBytes'))
  }

  heardMessage(data: RawData, isBinary: boolean): void {
    this.#guard(() => {
      if (!this.#heard((data as Buffer).length)) return
      this.#around.tally.framesIn++
      if (isBinary) this.fail(refuse('unsupported-media-type', 'a frame is a text message'))
      else this.#read(data.toString())
    })
  }

  heardPing(data: Buffer): void {
    this.#guard(() => {
      if (this.#heard(data.length)) this.#ws.pong(data)
    })
  }

  heardPong(data: Buffer): void {
    this.#guard(() => this.#heard(data.length))
  }

  /** The other end broke the rules of the wire: the library reports nothing else, and its close is under way. */
  broke({ code: name, message }: NodeJS.ErrnoException): void {
    const { bounds, tally } = this.#around
    const code = wireFaults.get(name) ?? 'malformed'
    if (code === 'too-large') bounds.note('messageBytes')
    count(tally.faults, code)
    this.#note({ code, message }, 'socket closed for a fault')
    this.#shut(1006)
  }

  closed(code: number): void {
    this.#around.tally.sockets--
    this.#shut(code)
    this.translator.closed?.()
    this.#around.left(this)
  }

  #read(text: string): void {
    this.#messageBytes = text.length
    for (const heard of this.translator.read(text)) {
      if (!heard.ok && heard.code === 'malformed') this.fail(heard)
      if (this.#open) this.owner.frame(heard, this)
    }
  }

  /** Something came, of so many bytes; false when it is not to be looked at. */
  #heard(bytes: number): boolean {
    if (!this.#open) return false
    const fast = this.#tooFast(bytes)
    if (fast !== undefined) {
      this.fail(fast)
      return false
    }
    this.#pulse.heard()
    this.owner.alive()
    return true
  }

  /** Why it may not say so much now, if so. */
  #tooFast(bytes: number): Refusal | undefined {
    const { bounds, clock } = this.#around
    const factor = this.gateway ? bounds.of.gatewayFactor : 1
    const frames = bounds.of.framesPerSecond * factor
    const rate = bounds.of.bytesPerSecond * factor
    const now = clock.now()
    const framesMs = this.#frames.take(perSecond(frames), now)
    if (framesMs > 0) return bounds.refuse('framesPerSecond', { value: frames, retryAfterMs: framesMs })
    const bytesMs = this.#bytes.take(perSecond(rate), now, bytes)
    if (bytesMs > 0) return bounds.refuse('bytesPerSecond', { value: rate, retryAfterMs: bytesMs })
    return undefined
  }

  /** An audit line: what was refused, to whom, and why. */
  #note({ code, message }: Pick<Refusal, 'code' | 'message'>, what: string): void {
    this.#around.log.info({ code, reason: message, ...this.owner.who, peer: this.#peer }, what)
  }

  #put(message: Message): void {
    this.#around.tally.framesOut++
    this.#outlet.send(message)
  }

  /** No more frames come or go. */
  #part(code: number): void {
    this.#open = false
    this.#pulse.stop()
    queueMicrotask(() => this.#guard(() => this.owner.closed(this, code)))
  }

  #shut(code: number): void {
    if (!this.#open) return
    this.#open = false
    this.#pulse.stop()
    this.#guard(() => this.owner.closed(this, code))
  }

  #guard(task: () => unknown): void {
    try {
      task()
    } catch (error) {
      this.#around.log.error({ error }, 'socket listener threw')
    }
  }
}
