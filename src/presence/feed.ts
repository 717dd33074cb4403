// The feed: who watches what, and when they are told. A channel is one destination at one level; it sends a
// snapshot to whoever joins and numbered diffs from then on. With nothing under way a change goes out at the end
// of the turn that made it; for a short time after each flush changes gather, an account's later state replacing
// its earlier one. All readers of a channel get the same frame object, so that it is encoded once.

import type { AccountId, PresenceFrame } from '../protocol/index.js'
import type { Clock, TurnEnd } from '../runtime/index.js'
import type { Reader } from './link.js'
import type { AccountRecord, GroupRecord, Level } from './records.js'
import { accountEntry, headOf, resourceOf } from './render.js'

/** How long changes gather after a flush: 20 ms, longer the larger the audience, at most 200 ms. */
export const gatherMs = (audience: number): number => Math.min(200, 20 + Math.floor(audience / 50))

export class Channel {
  topic: GroupRecord | AccountRecord
  readonly level: Level
  readonly #clock: Clock
  readonly #turnEnd: TurnEnd<() => void>
  readonly #gathers: boolean
  #prompt: Channel | undefined
  /** Each reader, and the version it has been brought to. */
  readonly #readers = new Map<Reader, number>()
  readonly #changed = new Set<AccountRecord>()
  readonly #removed = new Set<AccountId>()
  #gathering = false
  /** The last snapshot, for whoever joins before the next change: kept for as long as memory is not wanted. */
  #snapshot: WeakRef<PresenceFrame> | undefined

  constructor(
    topic: GroupRecord | AccountRecord,
    level: Level,
    clock: Clock,
    turnEnd: TurnEnd<() => void>,
    gathers = true,
  ) {
    this.#gathers = gathers
    this.topic = topic
    this.level = level
    this.#clock = clock
    this.#turnEnd = turnEnd
  }

  get size(): number {
    return this.#readers.size + (this.#prompt?.size ?? 0)
  }

  join(reader: Reader): void {
    if (reader.prompt && this.#gathers) {
      this.#prompt ??= new Channel(this.topic, this.level, this.#clock, this.#turnEnd, false)
      this.#prompt.join(reader)
      return
    }
    const snapshot = this.#current()
    this.#readers.set(reader, snapshot.version)
    reader.send(snapshot)
  }

  leave(reader: Reader): void {
    this.#readers.delete(reader)
    this.#prompt?.leave(reader)
  }

  /** The destination's name stands for something else now: its readers begin anew with that. */
  turn(topic: GroupRecord | AccountRecord): void {
    this.topic = topic
    this.#changed.clear()
    this.#removed.clear()
    for (const reader of this.#readers.keys()) this.join(reader)
    this.#prompt?.turn(topic)
  }

  /** An account of this destination changed. */
  changed(account: AccountRecord): void {
    this.#prompt?.changed(account)
    if (this.#readers.size === 0) return
    this.#removed.delete(account.account)
    this.#changed.add(account)
    this.#plan()
  }

  /** An account is no longer in this destination. */
  removed(account: AccountRecord): void {
    this.#prompt?.removed(account)
    if (this.#readers.size === 0) return
    this.#changed.delete(account)
    this.#removed.add(account.account)
    this.#plan()
  }

  /** The snapshot of this version, the same object for all who join at it. */
  #current(): PresenceFrame {
    const known = this.#snapshot?.deref()
    if (known?.version === this.topic.versions[this.level]) return known
    const { accounts, ...head } = resourceOf(this.topic, this.level, {}, false)
    const made: PresenceFrame = { type: 'presence', snapshot: true, ...head, ...(accounts && { accounts }) }
    this.#snapshot = new WeakRef(made)
    return made
  }

  #plan(): void {
    if (!this.#gathering) this.#turnEnd.add(this.#flush)
  }

  #gathered(): void {
    this.#gathering = false
    if (this.#changed.size + this.#removed.size > 0) this.#flush()
  }

  readonly #flush = (): void => {
    const { topic, level } = this
    const version = topic.versions[level]
    const body = {
      ...headOf(topic, level),
      ...(level > 0 && { accounts: [...this.#changed].map(account => accountEntry(account, level, false)) }),
      ...(level > 0 && this.#removed.size > 0 && { removed: [...this.#removed] }),
    }
    this.#changed.clear()
    this.#removed.clear()
    this.#gathering = this.#gathers
    if (this.#gathers) this.#clock.after(gatherMs(this.#readers.size), () => this.#gathered())
    // Readers are in the order in which they joined, so those at the same version stand together. Who joins because
    // of what is being sent comes last, and is ahead of this flush already.
    let frame: PresenceFrame | undefined
    for (const [reader, prev] of this.#readers) {
      if (prev >= version) continue
      if (frame?.prev !== prev) frame = { type: 'presence', snapshot: false, prev, ...body }
      this.#readers.set(reader, version)
      reader.send(frame)
    }
  }
}
