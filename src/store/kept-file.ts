// A file that follows something in memory. Changes that come together are one write; one write is under way at a
// time; one that fails is told, and made again after growing delays, with whatever the content is by then. So what
// was changed is lost only with the process, and only if the disk refused it to the end.

import { basename } from 'node:path'
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

export class KeptFile {
  readonly #options: KeptFileOptions
  readonly counts = { written: 0, failed: 0 }
  /** Why the last write failed, until one succeeds. */
  trouble: string | undefined
  #failuresInARow = 0
  /** The content has changed since it was last taken for a write, or that write failed. */
  #changed = false
  #timer: Timer | undefined
  #writing: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor(options: KeptFileOptions) {
    this.#options = options
  }

  /** The content is not what it was. Once closed, that is nothing to the file. */
  changed(): void {
    if (this.#closing !== undefined) return
    this.#changed = true
    this.#schedule()
  }

  /** Writes what is not yet written, without the delay, and then no more. */
  close(): Promise<void> {
    this.#closing ??= this.#finish()
    return this.#closing
  }

  async #finish(): Promise<void> {
    this.#timer?.cancel()
    await this.#writing
    if (this.#changed) await this.#write()
    if (this.#changed) this.#options.log.error({ file: this.#options.path }, 'the last changes are lost')
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#writing !== undefined) return
    const delay = Math.min(LONGEST_MS, GATHER_MS * 2 ** this.#failuresInARow)
    this.#timer = this.#options.clock.after(delay, () => {
      this.#timer = undefined
      this.#writing = this.#write().then(() => {
        this.#writing = undefined
        if (this.#changed && this.#closing === undefined) this.#schedule()
      })
    })
  }

  async #write(): Promise<void> {
    const { path, content, disk, log } = this.#options
    this.#changed = false
    try {
      await replaceFile(disk, path, content())
      if (this.trouble !== undefined) log.info({ file: path }, 'what is kept is written again')
      this.counts.written++
      this.#failuresInARow = 0
      this.trouble = undefined
    } catch (error) {
      this.#changed = true
      this.counts.failed++
      this.#failuresInARow++
      this.trouble = `${basename(path)} cannot be written (${(error as NodeJS.ErrnoException).code})`
      log.error({ file: path, error }, 'what is to be kept cannot be written, and is tried again')
    }
  }
}
