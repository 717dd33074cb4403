// A file that follows something in memory. Changes that come together are one write; one write is under way at a
// time; one that fails is told, and made again after growing delays, with whatever the content is by then. So what
// was changed is lost only with the process, and only if the disk refused it to the end. Who waits for a write does
// not wait for the gathering; all who come while one is under way share the next.

import { basename } from 'node:path'
import { ok, type Result, refuse } from '../errors.js'
import type { Clock, Log, Timer } from '../runtime/index.js'
import { type Disk, replaceFile } from './disk.js'

/** How long changes gather before a write, in milliseconds; doubled by each failure in a row, up to the longest. */
const GATHER_MS = 50
const LONGEST_MS = 30_000

export interface KeptFileOptions {
  readonly path: string
  /** The whole content as it is now. */
  readonly content: () => string
  readonly disk: Disk
  readonly clock: Clock
  readonly log: Log
}

const written = ok(undefined)

export class KeptFile {
  readonly #options: KeptFileOptions
  readonly counts = { written: 0, failed: 0 }
  /** Why the last write failed, until one succeeds. */
  trouble: string | undefined
  #failuresInARow = 0
  /** The content has changed since it was last taken for a write, or that write failed. */
  #changed = false
  #timer: Timer | undefined
  /** The write under way, and the one that comes after it. */
  #writing: Promise<Result<undefined>> | undefined
  #coming: Promise<Result<undefined>> | undefined
  #closing: Promise<void> | undefined

  constructor(options: KeptFileOptions) {
    this.#options = options
  }

  /** The content is not what it was. */
  changed(): void {
    this.#changed = true
    this.#schedule()
  }

  /** Settles once the content of now is on the disk, or with why that refuses it. Begins at once. */
  written(): Promise<Result<undefined>> {
    if (this.#coming !== undefined) return this.#coming
    if (!this.#changed) return this.#writing ?? Promise.resolve(written)
    if (this.#closing !== undefined) return Promise.resolve(refuse('draining', 'nothing more is kept'))
    return this.#next()
  }

  /** Writes what is not yet written, without the delay, and then no more. */
  close(): Promise<void> {
    this.#closing ??= this.#finish()
    return this.#closing
  }

  async #finish(): Promise<void> {
    this.#timer?.cancel()
    await (this.#coming ?? this.#writing)
    if (this.#changed) await this.#next()
    if (this.#changed) this.#options.log.error({ file: this.#options.path }, 'the last changes are lost')
  }

  #schedule(): void {
    if (this.#closing !== undefined || this.#timer !== undefined) return
    if (this.#writing !== undefined || this.#coming !== undefined) return
    const delay = Math.min(LONGEST_MS, GATHER_MS * 2 ** this.#failuresInARow)
    this.#timer = this.#options.clock.after(delay, () => void this.#next())
  }

  /** The write after the one that is under way. */
  #next(): Promise<Result<undefined>> {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#coming ??= (async () => {
      await this.#writing
      this.#writing = this.#coming
      this.#coming = undefined
      const outcome = await this.#write()
      this.#writing = undefined
      if (this.#changed) this.#schedule()
      return outcome
    })()
    return this.#coming
  }

  async #write(): Promise<Result<undefined>> {
    const { path, content, disk, log } = this.#options
    this.#changed = false
    try {
      await replaceFile(disk, path, content())
      if (this.trouble !== undefined) log.info({ file: path }, 'what is kept is written again')
      this.counts.written++
      this.#failuresInARow = 0
      this.trouble = undefined
      return written
    } catch (error) {
      this.#changed = true
      this.counts.failed++
      this.#failuresInARow++
      this.trouble = `${basename(path)} cannot be written (${(error as NodeJS.ErrnoException).code})`
      log.error({ file: path, error }, 'what is to be kept cannot be written, and is tried again')
      return refuse('overloaded', this.trouble)
    }
  }
}
