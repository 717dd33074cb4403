// The audience of B2: thousands of readers who are all sent the same messages in the same order. The first copy of a
// message is read; every other copy must be the same bytes, which costs next to nothing to see. A reader who is sent
// something else (a snapshot in place of what it missed) is followed on its own until it is where the others are.
// So what every reader holds is known at any time, and so is when each change reached each of them.

import { fold } from '../../src/client/fold.js'
import type { HubFrames, Resource } from '../../src/client/index.js'
import { WrongResult } from './benchmark.js'
import type { Listener } from './raw-socket.js'

export type PresenceFrame = HubFrames['presence']

/** What a message says: the changes in it, and the presence that it is where the sender keeps any. */
export interface Said {
  readonly changes: readonly number[]
  readonly frame?: PresenceFrame
}

interface Message extends Said {
  readonly bytes: Buffer
  readonly since: number
  /** How many readers got it how many milliseconds after the first. */
  readonly arrivals: number[]
  arrived: number
}

/** Accounts that change by turns: a later change of one replaces an earlier one of the same. */
export const accounts = 1000

export class Audience {
  readonly size: number
  /** The change that was offered last; they count from 1. */
  last = 0
  /** Readers that had to be followed on their own so far. */
  strayed = 0
  readonly #read: (bytes: Buffer) => Said | undefined
  /** Where each reader is in `#messages`; -1 on its own. */
  readonly #places: Int32Array
  readonly #strays = new Map<number, Resource>()
  #messages: Message[] = []
  #held: Resource | undefined
  #offeredAt: number[] = []
  #first = 1
  #seen: number[] = new Array(accounts).fill(0)
  #begunAt = 0
  #lastAt = 0
  #strayLateMs: number[] = []
  #wake: () => void = () => {}

  /** `read` says what is in a message; undefined: nothing of interest. */
  constructor(size: number, read: (bytes: Buffer) => Said | undefined) {
    this.size = size
    this.#read = read
    this.#places = new Int32Array(size)
  }

  /** What every reader holds that is where the others are. */
  get held(): Resource | undefined {
    return this.#held
  }

  /** What reader `index` hears goes here. `held`: the snapshot that all of them begin with. */
  listener(index: number): Listener {
    return { message: bytes => this.#hear(index, bytes) }
  }

  start(held: Resource): void {
    this.#held = held
  }

  /** Notes that one more change is on its way; its number. */
  offered(): number {
    this.#offeredAt.push(performance.now())
    return ++this.last
  }

  /** Counts from here. */
  begin(): void {
    this.#messages = []
    this.#places.fill(0)
    this.#offeredAt = []
    this.#first = this.last + 1
    this.#strayLateMs = []
    this.#begunAt = performance.now()
    this.#lastAt = this.#begunAt
  }

  /** What came of it since `begin`. */
  end() {
    let deliveries = this.#strayLateMs.length
    for (const { changes, arrived } of this.#messages) deliveries += changes.length * arrived
    return {
      deliveries,
      tookMs: this.#lastAt - this.#begunAt,
      lateMs: (share: number) => this.#lateMs(share),
    }
  }

  /** Settles once every change, or a later one of its account, is with every reader. */
  async settled(): Promise<void> {
    await this.#until(() => {
      for (let id = this.last; id > Math.max(0, this.last - accounts); id--) {
        if ((this.#seen[id % accounts] ?? 0) < id) return false
      }
      return this.#even
    })
    for (const [index, stray] of this.#strays) {
      if (JSON.stringify(stray) !== JSON.stringify(this.#held)) {
        throw new WrongResult(`reader ${index} holds something else than the others`)
      }
      this.#strays.delete(index)
      this.#places[index] = this.#messages.length
    }
  }

  /** Settles once this change is with every reader. */
  arrival(change: number): Promise<void> {
    return this.#until(() => {
      const message = this.#messages.findLast(({ changes }) => changes.includes(change))
      return message !== undefined && message.arrived === this.size
    })
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      await new Promise<void>(resolve => {
        const before = this.#wake
        this.#wake = () => {
          before()
          resolve()
        }
      })
    }
  }

  /** Whether all readers are at the end of what there is. */
  get #even(): boolean {
    const last = this.#messages.at(-1)
    if (last !== undefined && last.arrived < this.size - this.#strays.size) return false
    for (const { version } of this.#strays.values()) if (version !== this.#held?.version) return false
    return true
  }

  #hear(index: number, bytes: Buffer): void {
    const place = this.#places[index] as number
    if (place < 0) {
      this.#alone(index, bytes)
      return
    }
    let message = this.#messages[place]
    if (message === undefined) {
      const said = this.#read(bytes)
      if (said === undefined) return
      if (said.frame?.snapshot) {
        this.#stray(index, bytes)
        return
      }
      this.#follow(said)
      message = { ...said, bytes: Buffer.from(bytes), since: performance.now(), arrivals: [], arrived: 0 }
      this.#messages.push(message)
    } else if (!message.bytes.equals(bytes)) {
      if (this.#read(bytes) !== undefined) this.#stray(index, bytes)
      return
    }
    const now = performance.now()
    this.#lastAt = now
    const late = Math.floor(now - message.since)
    message.arrivals[late] = (message.arrivals[late] ?? 0) + 1
    this.#places[index] = place + 1
    if (++message.arrived === this.size - this.#strays.size) this.#awake()
  }

  /** What all hold after this message. */
  #follow({ changes, frame }: Said): void {
    for (const id of changes) this.#seen[id % accounts] = Math.max(this.#seen[id % accounts] ?? 0, id)
    if (frame === undefined) return
    const held = fold(this.#held, frame)
    if (held === 'gap') throw new WrongResult(`a gap: ${frame.prev} does not follow ${this.#held?.version}`)
    this.#held = held
  }

  #stray(index: number, bytes: Buffer): void {
    this.strayed++
    this.#places[index] = -1
    this.#alone(index, bytes)
  }

  #alone(index: number, bytes: Buffer): void {
    const said = this.#read(bytes)
    if (said?.frame === undefined) return
    const held = fold(this.#strays.get(index), said.frame)
    if (held === 'gap') throw new WrongResult(`reader ${index} was sent something that follows nothing`)
    this.#strays.set(index, held)
    const now = performance.now()
    this.#lastAt = now
    for (const id of said.changes) {
      if (id >= this.#first) this.#strayLateMs.push(now - (this.#offeredAt[id - this.#first] ?? now))
    }
    this.#awake()
  }

  #awake(): void {
    const wake = this.#wake
    this.#wake = () => {}
    wake()
  }

  /** How late the deliveries are, to the millisecond: each change of a message with each arrival of it. */
  #lateMs(share: number): number {
    const late: number[] = []
    const count = (ms: number, times: number): void => {
      const bin = Math.max(0, Math.floor(ms))
      late[bin] = (late[bin] ?? 0) + times
    }
    for (const { changes, since, arrivals } of this.#messages) {
      for (const id of changes) {
        const after = since - (this.#offeredAt[id - this.#first] ?? since)
        for (const [ms, times] of arrivals.entries()) if (times !== undefined) count(after + ms, times)
      }
    }
    for (const ms of this.#strayLateMs) count(ms, 1)
    let left = late.reduce((sum, times) => sum + times, 0) * share
    for (const [ms, times = 0] of late.entries()) {
      left -= times
      if (left <= 0) return ms
    }
    return late.length
  }
}
