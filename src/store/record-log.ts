// The call log: what is appended goes into files of JSON lines, each with its sum, named by number and never by time.
// Records that come while a write is under way are the next write, with one fsync for all. A file is never written to
// again by a later process, nor after a write or fsync of it failed, since nobody knows then what of it is on the disk:
// what was not known to be there goes into the next file. While the disk refuses, records wait in memory, and whoever
// waits for one is told that it is not kept yet.

import { basename, join } from 'node:path'
import type { CallId, TenantId } from '../protocol/index.js'
import type { Timer } from '../runtime/index.js'
import type { Ground } from './file-table.js'
import { lineOf } from './lines.js'
import { fileName, recallFile, sequenceOf } from './record-file.js'
import { RecordIndex } from './record-index.js'
import { findRecord, positionOf, readPage } from './record-reading.js'
import type { CallRecord, CallRecords, KeptKey, Position, RecordPage, RecordQuery } from './records.js'

const DAY_MS = 86_400_000

/** How long after a failed write the next one is, in milliseconds; doubled by each failure in a row, up to the longest. */
const RETRY_MS = 50
const LONGEST_MS = 30_000

export interface RecordLogOptions {
  /** A file that has so many bytes gets no more records. */
  readonly fileBytes: number
  /** How many bytes all files may have; the oldest goes first. */
  readonly keptBytes: number
  /** How long a record is kept at least. A file goes once all of its records are older. */
  readonly keptDays: number
  /** How long whoever waits for a record waits for a disk that is slow, in milliseconds: once, or twice as long. */
  readonly patienceMs: number
  /** Of how many keys of one tenant it is known at the start which calls they placed. */
  readonly keysPerTenant: number
}

interface Entry {
  readonly record: CallRecord
  readonly line: string
  readonly settled: (position: Position | undefined) => void
  /** Whoever waited for it has been told that it is not kept yet. */
  late: boolean
}

interface OpenFile {
  readonly handle: Awaited<ReturnType<Ground['disk']['open']>>
  readonly index: RecordIndex
  readonly path: string
  /** When it was begun, in milliseconds since 1970. */
  readonly begun: number
}

export class RecordLog implements CallRecords {
  readonly counts = { written: 0, late: 0, lost: 0, damaged: 0, torn: 0 }
  trouble: string | undefined
  readonly #ground: Ground
  readonly #options: RecordLogOptions
  /** The files, the oldest first; of the one that is written to, what is on the disk. */
  readonly #files: RecordIndex[] = []
  readonly #keys = new Map<TenantId, KeptKey[]>()
  #sequence = 0
  #file: OpenFile | undefined
  #waiting: Entry[] = []
  /** Those of the write that is under way. */
  #batch: readonly Entry[] = []
  #writing: Promise<void> | undefined
  #failuresInARow = 0
  #retry: Timer | undefined
  #closed = false

  private constructor(ground: Ground, options: RecordLogOptions) {
    this.#ground = ground
    this.#options = options
  }

  /** Opens the log of a folder, and makes whole what is there. Rejects as the disk does. */
  static async open(ground: Ground, options: RecordLogOptions): Promise<RecordLog> {
    const log = new RecordLog(ground, options)
    await log.#recall()
    await log.#forget()
    return log
  }

  get waiting(): number {
    return this.#batch.length + this.#waiting.length
  }

  get top(): Position {
    const last = this.#files.at(-1)
    return last === undefined ? 0 : positionOf(last.sequence, last.count)
  }

  append(record: CallRecord, settled: Entry['settled']): void {
    const entry = { record, line: lineOf(record), settled, late: false }
    this.#waiting.push(entry)
    if (this.#closed || this.trouble !== undefined) queueMicrotask(() => this.#despair([entry]))
    if (this.#retry === undefined && !this.#closed) this.#begin()
  }

  find(tenant: TenantId, call: CallId): Promise<CallRecord | undefined> {
    return findRecord(this.#ground, this.#files.toReversed(), tenant, call)
  }

  page(query: RecordQuery): Promise<RecordPage> {
    return readPage(this.#ground, this.#files.toReversed(), query)
  }

  keys(tenant: TenantId): readonly KeptKey[] {
    return this.#keys.get(tenant) ?? []
  }

  /** Writes what waits, once more if the disk refused it, and then no more. */
  async close(): Promise<void> {
    this.#retry?.cancel()
    this.#retry = undefined
    this.#begin()
    this.#closed = true
    await this.#writing
    // Where that try failed another is due, which there will not be.
    ;(this.#retry as Timer | undefined)?.cancel()
    await this.#leave()
    const lost = this.#waiting.splice(0)
    if (lost.length === 0) return
    this.counts.lost += lost.length
    this.#ground.log.error({ calls: lost.map(({ record }) => record.call).slice(0, 100) }, 'records are lost')
  }

  async #recall(): Promise<void> {
    const { dir, disk, clock } = this.#ground
    const { keysPerTenant } = this.#options
    const seen = new Set<CallId>()
    const yesterday = clock.wall() - DAY_MS
    const keep = ({ call, tenant, createdAt, idempotency }: CallRecord): boolean => {
      // One that was written again, after a failure that was none, is there twice.
      if (seen.has(call)) return false
      seen.add(call)
      const at = Date.parse(createdAt)
      if (idempotency !== undefined && at > yesterday) {
        const keys = this.#keys.get(tenant) ?? []
        this.#keys.set(tenant, keys)
        keys.push({ ...idempotency, call, at })
        if (keys.length > keysPerTenant) keys.shift()
      }
      return true
    }
    const numbers = (await disk.readdir(dir)).map(sequenceOf).filter(number => number !== undefined)
    for (const sequence of numbers.sort((a, b) => a - b)) {
      this.#sequence = sequence
      const { index, damaged, torn } = await recallFile(this.#ground, sequence, keep)
      this.counts.damaged += damaged
      this.counts.torn += Number(torn)
      if (index.count > 0) this.#files.push(index)
      else await disk.rm(join(dir, fileName(sequence)), { force: true })
    }
  }

  #begin(): void {
    this.#writing ??= this.#writeAll()
  }

  async #writeAll(): Promise<void> {
    // What else comes in this turn is part of it.
    await undefined
    while (this.#waiting.length > 0) {
      this.#batch = this.#waiting
      this.#waiting = []
      const patience = this.#losePatience()
      const written = await this.#write(this.#batch)
      patience()
      const batch = this.#batch
      this.#batch = []
      if (!written) {
        this.#waiting = [...batch, ...this.#waiting]
        this.#despair(this.#waiting)
        break
      }
      this.#keepAll(batch)
      const { index, begun } = this.#file as OpenFile
      if (index.bytes >= this.#options.fileBytes || this.#ground.clock.wall() - begun >= DAY_MS) {
        await this.#leave()
      }
    }
    // In the turn of the last look: whoever comes after it begins anew.
    this.#writing = undefined
  }

  /** Writes them to the disk itself, and whether it took them. */
  async #write(batch: readonly Entry[]): Promise<boolean> {
    const { clock, log } = this.#ground
    try {
      this.#file ??= await this.#next()
      await this.#file.handle.writeFile(batch.map(({ line }) => line).join(''))
      await this.#file.handle.sync()
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      this.trouble = `records of calls cannot be written (${code})`
      log.error({ file: this.#file && basename(this.#file.path), error, waiting: this.waiting }, this.trouble)
      await this.#leave()
      const delay = Math.min(LONGEST_MS, RETRY_MS * 2 ** this.#failuresInARow++)
      this.#retry = clock.after(delay, () => {
        this.#retry = undefined
        this.#begin()
      })
      return false
    }
    if (this.trouble !== undefined) log.info({}, 'records of calls are written again')
    this.trouble = undefined
    this.#failuresInARow = 0
    return true
  }

  #keepAll(batch: readonly Entry[]): void {
    const { index } = this.#file as OpenFile
    if (index.count === 0) this.#files.push(index)
    for (const { record, line, settled } of batch) {
      const position = positionOf(index.sequence, index.count)
      index.add(record, Buffer.byteLength(line))
      this.counts.written++
      this.#tell(settled, position)
    }
  }

  /** Whoever is told may fail: that is no fault of the disk, and keeps nobody else from hearing. */
  #tell(settled: Entry['settled'], position: Position | undefined): void {
    try {
      settled(position)
    } catch (error) {
      this.#ground.log.error({ error }, 'who waited for a record failed')
    }
  }

  /** Tells those who wait that it is not kept yet. */
  #despair(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.late) continue
      entry.late = true
      this.counts.late++
      this.#tell(entry.settled, undefined)
    }
  }

  /** Lets nobody wait for a slow disk for too long; returns how to stop. */
  #losePatience(): () => void {
    const { clock } = this.#ground
    const { patienceMs } = this.#options
    const lose = (): void => {
      timer = clock.after(patienceMs, lose)
      this.#despair([...this.#batch, ...this.#waiting])
    }
    let timer = clock.after(patienceMs, lose)
    return () => timer.cancel()
  }

  /** A new file, whose name lasts; what is too much is forgotten for it. */
  async #next(): Promise<OpenFile> {
    const { dir, disk, clock } = this.#ground
    const index = new RecordIndex(++this.#sequence)
    const path = join(dir, fileName(index.sequence))
    const file = { handle: await disk.open(path, 'ax', 0o600), index, path, begun: clock.wall() }
    // Whatever fails from here on, the file is left.
    this.#file = file
    const folder = await disk.open(dir, 'r')
    await folder.sync().finally(() => folder.close())
    await this.#forget()
    return file
  }

  /** Writes to this file no more. One without a record goes, if it can. */
  async #leave(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    if (file === undefined) return
    // What is to be on the disk is there already.
    await file.handle.close().catch(() => {})
    if (file.index.count === 0) await this.#ground.disk.rm(file.path, { force: true }).catch(() => {})
  }

  /** Removes the oldest files, as far as that is asked for. */
  async #forget(): Promise<void> {
    const { dir, disk, clock, log } = this.#ground
    const { keptBytes, keptDays } = this.#options
    const before = clock.wall() - keptDays * DAY_MS
    let bytes = this.#files.reduce((sum, file) => sum + file.bytes, 0)
    for (const { sequence, bytes: own, latest } of [...this.#files]) {
      if (bytes <= keptBytes && latest >= before) return
      bytes -= own
      this.#files.shift()
      const file = fileName(sequence)
      await disk.rm(join(dir, file), { force: true }).catch((error: unknown) => {
        log.warn({ dir, file, error }, 'old records cannot be removed, and are again there at the next start')
      })
    }
  }
}
