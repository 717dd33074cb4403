// A client on the bare protocol: one device, or a gateway without one, over one socket after another. It keeps every
// frame as it came, holds the hub to the numbering of its sessions, and confirms nothing by itself. What is on its
// way when a socket is dropped is lost, as it is for a client that dies.

import { WebSocket } from 'ws'
import type { HubFrames } from '../../src/client/index.js'

export type Frame = HubFrames[keyof HubFrames]
export type CallFrame = Extract<Frame, { call: string; seq?: number | undefined }>

/** A frame about a call, and in which of the wire's sessions it came: 1 for the first. */
export interface Heard {
  readonly session: number
  readonly frame: CallFrame
}

/** What an `ask` comes to: the hub's answer, or nothing where the socket was lost before. */
export type Answer = Frame | { readonly type: 'lost' }

export interface WireOptions {
  /** `ws://…/v1/socket` */
  readonly url: string
  readonly token: string
  /** Absent: a gateway, a wallboard. */
  readonly device?: string
}

/** What is waited for comes within milliseconds, or never. */
const patienceMs = 20_000

export class Wire {
  readonly device: string | undefined
  /** The numbers that did not follow each other, and what else a hub must not do. */
  readonly faults: string[] = []
  /** Every frame but those about calls, in order. */
  readonly frames: Frame[] = []
  readonly #calls = new Map<string, Heard[]>()
  readonly #listeners = new Set<(frame: Frame) => void>()
  readonly #asked = new Map<string, (answer: Answer) => void>()
  readonly #waiting = new Set<() => void>()
  readonly #url: string
  token: string
  #ws: WebSocket | undefined
  #sessions = 0
  #session: string | undefined
  #seq = 0
  #refs = 0

  constructor({ url, token, device }: WireOptions) {
    this.#url = url
    this.token = token
    this.device = device
  }

  /** Whether there is a socket that was not dropped or closed. */
  get up(): boolean {
    return this.#ws !== undefined
  }

  /** The session it is in, counted from 1. */
  get session(): number {
    return this.#sessions
  }

  /** Opens a socket and says hello; the one it had counts no more. `resume`: takes its session up, if the hub lets it. */
  open({
    resume = false,
    ...hello
  }: {
    resume?: boolean
    [field: string]: unknown
  } = {}): Promise<HubFrames['welcome']> {
    this.#lose()
    const ws = new WebSocket(this.#url, 'switchhook.v1')
    this.#ws = ws
    const taken =
      resume && this.#session !== undefined ? { session: this.#session, seq: this.#seq } : undefined
    const said = { type: 'hello', token: this.token, device: this.device, ...hello, resume: taken }
    ws.on('error', () => {})
    ws.on('open', () => ws.send(JSON.stringify(said)))
    ws.on('close', () => this.#ws === ws && this.#lose())
    let welcomed = (_: HubFrames['welcome']): void => {}
    const welcome = new Promise<HubFrames['welcome']>(resolve => {
      welcomed = resolve
    })
    ws.on('message', data => {
      if (this.#ws !== ws) return
      const frame = JSON.parse(String(data)) as Frame
      if (frame.type === 'welcome') {
        if (!frame.resumed) {
          this.#sessions++
          this.#seq = 0
        }
        this.#session = frame.session
        welcomed(frame)
      }
      this.#hear(frame)
    })
    return within(welcome, () => `${this.device} was not welcomed: ${JSON.stringify(this.frames.at(-1))}`)
  }

  /** Sends a frame. */
  say(type: string, fields: object = {}): void {
    this.#ws?.send(JSON.stringify({ type, ...fields }))
  }

  /** Sends a frame, and settles with its answer. */
  ask(type: string, fields: object = {}): Promise<Answer> {
    if (this.#ws === undefined) return Promise.resolve({ type: 'lost' })
    const ref = `${++this.#refs}`
    const answer = new Promise<Answer>(resolve => this.#asked.set(ref, resolve))
    this.say(type, { ...fields, ref })
    return within(answer, () => `no answer to ${type}`)
  }

  /** Settles when all that the hub has sent so far is here. */
  async quiet(): Promise<void> {
    await this.ask('ping')
  }

  /** Cuts the connection without a word. */
  drop(): void {
    const ws = this.#ws
    this.#lose()
    ws?.terminate()
  }

  /** Closes with a code; settles when the hub has closed too. */
  close(code: number): Promise<void> {
    const ws = this.#ws
    this.#lose()
    if (ws === undefined) return Promise.resolve()
    const closed = new Promise<void>(resolve => ws.once('close', () => resolve()))
    ws.close(code)
    return within(closed, () => `${this.device} was not closed`)
  }

  /** What it heard about a call, in order. */
  heard(call: string): readonly Heard[] {
    return this.#calls.get(call) ?? []
  }

  /** The calls it heard of. */
  get calls(): readonly string[] {
    return [...this.#calls.keys()]
  }

  /** Forgets what it heard so far. */
  forget(): void {
    this.frames.length = 0
    this.#calls.clear()
  }

  /** Calls `listener` with each frame from now on, until the returned function is called. */
  on(listener: (frame: Frame) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Settles once `look` finds something, looked at now and after each frame. `what` says what is missing if it never does. */
  until<T>(look: () => T | undefined | false, what: string): Promise<T> {
    let check = (): void => {}
    const found = new Promise<T>(resolve => {
      check = () => {
        const value = look()
        if (value === undefined || value === false) return
        this.#waiting.delete(check)
        resolve(value)
      }
    })
    this.#waiting.add(check)
    check()
    return within(found, () => `${this.device ?? 'the gateway'} never heard ${what}`)
  }

  /** The frame of this type about a call, once it is there. */
  next<T extends CallFrame['type']>(call: string, type: T): Promise<Extract<CallFrame, { type: T }>> {
    const look = () => this.heard(call).find(({ frame }) => frame.type === type)?.frame
    return this.until(look, `${type} of ${call}`) as Promise<Extract<CallFrame, { type: T }>>
  }

  #hear(frame: Frame): void {
    if ('seq' in frame && frame.seq !== undefined) {
      if (frame.seq !== this.#seq + 1) this.faults.push(`${frame.type} ${frame.seq} came after ${this.#seq}`)
      this.#seq = frame.seq
      const heard = this.#calls.get(frame.call)
      if (heard === undefined) this.#calls.set(frame.call, [{ session: this.#sessions, frame }])
      else heard.push({ session: this.#sessions, frame })
    } else this.frames.push(frame)
    if ('ref' in frame && frame.ref !== undefined) {
      this.#asked.get(frame.ref)?.(frame)
      this.#asked.delete(frame.ref)
    }
    for (const listener of this.#listeners) listener(frame)
    for (const check of [...this.#waiting]) check()
  }

  #lose(): void {
    this.#ws = undefined
    for (const settle of this.#asked.values()) settle({ type: 'lost' })
    this.#asked.clear()
    for (const check of [...this.#waiting]) check()
  }
}

/** As `promise`, but what never comes is an error that says what it was. */
export const within = <T>(promise: Promise<T>, what: () => string): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(what())), patienceMs)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
