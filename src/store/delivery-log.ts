// The queue of deliveries in a file: a line for each that was handed over and for each that is over, with its sum,
// appended in groups with one fsync. Once most of the file is of deliveries that are over, it is replaced by one that
// has only the others; and so it is after a write or fsync that failed, since nobody knows then what of it is on the
// disk. What a crash left unfinished is dropped at the start; what is not as it was written is put aside, and told.

import { join } from 'node:path'
import Type from 'typebox'
import { check, type Timer } from '../runtime/index.js'
import { type DeliveryQueue, KeptDelivery } from './deliveries.js'
import { replaceFile } from './disk.js'
import { type Ground, putAside, textOf } from './file-table.js'
import { lineOf, recordOf } from './lines.js'

const file = 'deliveries.jsonl'

/** A file may have so many bytes beyond twice what was to be delivered when it was begun. */
const SLACK_BYTES = 256 * 1024

/** How long after a failed write the next one is, in milliseconds; doubled by each failure in a row, up to the longest. */
const RETRY_MS = 50
const LONGEST_MS = 30_000

/** How long whoever waits for a slow disk does so. */
const PATIENCE_MS = 10_000

const Line = check(
  Type.Union([Type.Object({ put: KeptDelivery }), Type.Object({ over: Type.String() })], {
    expected: 'a delivery, or one that is over',
  }),
)

interface OpenFile {
  readonly handle: Awaited<ReturnType<Ground['disk']['open']>>
  bytes: number
  /** How many bytes it may come to have. */
  readonly room: number
}

export class DeliveryLog implements DeliveryQueue {
  readonly counts = { written: 0, failed: 0 }
  trouble: string | undefined
  /** Whether its file was put aside. */
  damaged = false
  readonly #ground: Ground
  readonly #path: string
  readonly #live = new Map<string, KeptDelivery>()
  /** What the file is yet to say, by id: a delivery, or that there is none any more. */
  #pending = new Map<string, KeptDelivery | undefined>()
  /** Who waits for what is pending, and for the write that is under way. */
  #waiting: (() => void)[] = []
  #batch: (() => void)[] = []
  #file: OpenFile | undefined
  #writing: Promise<void> | undefined
  #failuresInARow = 0
  #retry: Timer | undefined
  #closed = false

  private constructor(ground: Ground) {
    this.#ground = ground
    this.#path = join(ground.dir, file)
  }

  /** Opens the queue of a folder, and makes whole what is there. Rejects as the disk does. */
  static async open(ground: Ground): Promise<DeliveryLog> {
    const log = new DeliveryLog(ground)
    const text = await textOf(ground.disk, log.#path)
    if (text !== undefined) await log.#recover(text)
    return log
  }

  recall(): readonly KeptDelivery[] {
    return [...this.#live.values()]
  }

  put(delivery: KeptDelivery): void {
    this.#live.set(delivery.id, delivery)
    this.#note(delivery.id, delivery)
  }

  remove(id: string): void {
    if (!this.#live.delete(id)) return
    // Of what the file was not told there is nothing to tell.
    if (!this.#pending.delete(id)) this.#note(id, undefined)
  }

  kept(then: () => void): void {
    if (this.#writing === undefined || this.trouble !== undefined) {
      then()
      return
    }
    let told = false
    const tell = (): void => {
      timer.cancel()
      if (told) return
      told = true
      this.#tell(then)
    }
    const timer = this.#ground.clock.after(PATIENCE_MS, tell)
    const waiters = this.#pending.size > 0 ? this.#waiting : this.#batch
    waiters.push(tell)
  }

  /** Writes what is pending, once more if the disk refused it, and then no more. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#writing
    this.#retry?.cancel()
    await this.#writeAll()
    this.#retry?.cancel()
    await this.#leave()
    if (this.trouble !== undefined) this.#ground.log.error({ file: this.#path }, 'the last changes are lost')
  }

  async #recover(text: string): Promise<void> {
    const lines = text.split('\n')
    const torn = lines.pop() !== ''
    let damaged = 0
    for (const line of lines) {
      const checked = Line(recordOf(line))
      if (!checked.ok) damaged++
      else if ('put' in checked.value) this.#live.set(checked.value.put.id, checked.value.put)
      else this.#live.delete(checked.value.over)
    }
    const { dir, log } = this.#ground
    const facts = { dir, waiting: this.#live.size }
    if (damaged > 0) {
      this.damaged = true
      const aside = await putAside(this.#ground, file)
      log.error({ ...facts, aside, damaged }, `${file} is damaged, and was put aside`)
    }
    if (torn) log.warn({ ...facts, file }, 'a line was not finished, and is dropped')
    await this.#begin()
  }

  #note(id: string, delivery: KeptDelivery | undefined): void {
    this.#pending.set(id, delivery)
    if (this.#retry === undefined && !this.#closed) this.#writing ??= this.#writeAll()
  }

  async #writeAll(): Promise<void> {
    // What else comes in this turn is part of it.
    await undefined
    // After a failure there is a file to write even if all that it was to say is over.
    while (this.#pending.size > 0 || this.trouble !== undefined) {
      const pending = this.#pending
      this.#pending = new Map()
      this.#batch = this.#waiting
      this.#waiting = []
      const written = await this.#write(pending)
      if (!written) this.#pending = new Map([...pending, ...this.#pending])
      for (const tell of this.#batch.splice(0)) tell()
      if (!written) break
    }
    const waiting = this.#waiting.splice(0)
    this.#writing = undefined
    // What they waited for is over already, or refused by the disk.
    for (const tell of waiting) tell()
  }

  /** Writes this to the disk itself, and whether it took it. */
  async #write(pending: ReadonlyMap<string, KeptDelivery | undefined>): Promise<boolean> {
    const { clock, log } = this.#ground
    try {
      const open = this.#file
      const lines = [...pending].map(([id, put]) => lineOf(put ? { put } : { over: id })).join('')
      const bytes = Buffer.byteLength(lines)
      if (open === undefined || open.bytes + bytes > open.room) await this.#begin()
      else {
        await open.handle.writeFile(lines)
        await open.handle.sync()
        open.bytes += bytes
      }
    } catch (error) {
      this.counts.failed++
      this.trouble = `${file} cannot be written (${(error as NodeJS.ErrnoException).code})`
      log.error({ file: this.#path, error }, this.trouble)
      await this.#leave()
      const delay = Math.min(LONGEST_MS, RETRY_MS * 2 ** this.#failuresInARow++)
      this.#retry = clock.after(delay, () => {
        this.#retry = undefined
        this.#writing ??= this.#writeAll()
      })
      return false
    }
    this.counts.written++
    if (this.trouble !== undefined) log.info({ file: this.#path }, 'deliveries are written again')
    this.trouble = undefined
    this.#failuresInARow = 0
    return true
  }

  /** A new file in place of the one before, with nothing but what is to be delivered. */
  async #begin(): Promise<void> {
    const { disk } = this.#ground
    const content = [...this.#live.values()].map(put => lineOf({ put })).join('')
    await this.#leave()
    await replaceFile(disk, this.#path, content)
    const bytes = Buffer.byteLength(content)
    this.#file = {
      handle: await disk.open(this.#path, 'a', 0o600),
      bytes,
      room: 2 * bytes + SLACK_BYTES,
    }
  }

  async #leave(): Promise<void> {
    const open = this.#file
    this.#file = undefined
    // What is to be on the disk is there already.
    await open?.handle.close().catch(() => {})
  }

  /** Whoever is told may fail: that is no fault of the disk, and keeps nobody else from hearing. */
  #tell(then: () => void): void {
    try {
      then()
    } catch (error) {
      this.#ground.log.error({ error }, 'who waited for a delivery to be kept failed')
    }
  }
}
