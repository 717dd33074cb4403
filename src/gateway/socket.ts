// One WebSocket: text in, text out, signs of life, the rate and the room a peer is given. It reads messages by its
// dialect and hands the frames to its owner: the greeting at first, the session from `welcome` on. It promises that
// its owner hears exactly once that it is over, never in the middle of a send. What frames mean is the owner's.

import type { RawData, WebSocket } from 'ws'
import { type ErrorCode, factsOf, type Refusal, refuse } from '../errors.js'
import type { Decoded, HubFrame } from '../protocol/index.js'
import type { Clock, Log } from '../runtime/index.js'
import { Allowance } from './allowance.js'
import type { Dialect, Translator } from './dialects/dialect.js'
import type { Heart, Heartbeat, Pulse } from './heartbeat.js'
import type { Limits } from './limits.js'
import { errorFrame, type Reply, replyFrame } from './reply.js'

/** Whom a socket serves. */
export interface Owner {
  /** A frame came, or a text that is none. */
  frame(decoded: Decoded, socket: Socket): void
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
}

/** What all sockets of a gateway share. */
export interface Surroundings {
  readonly clock: Clock
  readonly log: Log
  readonly limits: Limits
  readonly heartbeat: Heartbeat
  readonly tally: Tally
}

/** Counts a fault by its code. */
export const countFault = ({ faults }: Tally, code: ErrorCode): void => {
  faults[code] = (faults[code] ?? 0) + 1
}

export class Socket implements Heart {
  readonly dialect: Dialect
  owner: Owner
  readonly #ws: WebSocket
  readonly #around: Surroundings
  readonly #translator: Translator
  readonly #allowance: Allowance
  readonly #pulse: Pulse
  #open = true
  #waiting: Decoded[] = []
  #waitingBytes = 0
  #messageBytes = 0

  /** `greet` makes the first owner. */
  constructor(ws: WebSocket, dialect: Dialect, around: Surroundings, greet: (socket: Socket) => Owner) {
    this.dialect = dialect
    this.#ws = ws
    this.#around = around
    this.#translator = dialect.open()
    this.#allowance = new Allowance(around.limits, around.clock.now())
    this.#pulse = around.heartbeat.watch(this)
    this.owner = greet(this)
    around.tally.sockets++
    around.tally.accepted++
    ws.on('message', (data, isBinary) => this.#guard(() => this.#message(data, isBinary)))
    ws.on('ping', data =>
      this.#guard(() => {
        if (this.#heard()) ws.pong(data)
      }),
    )
    ws.on('pong', () => this.#guard(() => this.#heard()))
    ws.on('error', error => {
      around.log.info({ reason: error.message }, 'socket failed')
      this.#shut(1006)
    })
    ws.on('close', code => {
      around.tally.sockets--
      this.#shut(code)
    })
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
    return this.#ws.bufferedAmount > this.#around.limits.crowdedBytes
  }

  send(frame: HubFrame): void {
    if (!this.#open) return
    if (this.#ws.bufferedAmount > this.#around.limits.unsentBytes) this.stuck()
    else this.#write(frame)
  }

  /** Answers a frame that carried `ref`, or none. */
  reply(ref: string | undefined, reply: Reply): void {
    const frame = replyFrame(reply, ref)
    if (frame !== undefined) this.send(frame)
  }

  /** Lets a frame wait until `takeWaiting`; beyond the bound the connection is closed. */
  wait(decoded: Decoded): void {
    this.#waiting.push(decoded)
    this.#waitingBytes += this.#messageBytes
    const { waitingFrames, waitingBytes } = this.#around.limits
    if (this.#waiting.length > waitingFrames || this.#waitingBytes > waitingBytes) {
      this.fail(refuse('too-many', 'too many frames before an answer'))
    }
  }

  /** The frames that waited, in order. */
  takeWaiting(): readonly Decoded[] {
    const waiting = this.#waiting
    this.#waiting = []
    this.#waitingBytes = 0
    return waiting
  }

  /** Says what is wrong, and closes with the code's close code. */
  fail(refusal: Refusal, ref?: string): void {
    if (!this.#open) return
    const { close = 4502 }: { close?: number } = factsOf(refusal.code)
    countFault(this.#around.tally, refusal.code)
    this.#around.log.info({ code: refusal.code, reason: refusal.message }, 'socket closed for a fault')
    this.#write(errorFrame(refusal, ref))
    this.close(close, refusal.code)
  }

  /** Closes. The owner hears of it at the end of the turn. `reason`: at most 123 bytes. */
  close(code: number, reason: string): void {
    if (!this.#open) return
    this.#open = false
    this.#pulse.stop()
    this.#ws.close(code, reason)
    queueMicrotask(() => this.#guard(() => this.owner.closed(this, code)))
  }

  /** Cuts the connection. */
  dead(): void {
    this.#ws.terminate()
  }

  ping(): void {
    const { beat } = this.dialect
    if (beat === undefined) this.#ws.ping()
    else this.#ws.send(beat)
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
    this.fail(refuse('overloaded', 'too much waits to be read'))
  }

  #message(data: RawData, isBinary: boolean): void {
    if (!this.#heard()) return
    this.#around.tally.framesIn++
    if (isBinary) this.fail(refuse('unsupported-media-type', 'a frame is a text message'))
    else this.#read(data.toString())
  }

  #read(text: string): void {
    this.#messageBytes = text.length
    for (const decoded of this.#translator.read(text)) {
      if (!decoded.ok && decoded.code === 'malformed') this.fail(decoded)
      if (this.#open) this.owner.frame(decoded, this)
    }
  }

  /** Something came; false when it is not to be looked at. */
  #heard(): boolean {
    if (!this.#open) return false
    if (!this.#allowance.take(this.#around.clock.now())) {
      this.fail(refuse('too-many', 'too many frames'))
      return false
    }
    this.#pulse.heard()
    this.owner.alive()
    return true
  }

  #write(frame: HubFrame): void {
    for (const text of this.#translator.write(frame)) {
      this.#around.tally.framesOut++
      this.#ws.send(text, { binary: false })
    }
  }

  #shut(code: number): void {
    if (!this.#open) return
    this.#open = false
    this.#pulse.stop()
    this.#guard(() => this.owner.closed(this, code))
  }

  #guard(task: () => void): void {
    try {
      task()
    } catch (error) {
      this.#around.log.error({ error }, 'socket listener threw')
    }
  }
}
