// A disk in memory, as far as the store uses one: it fails when told, keeps calls waiting when told, and may lose its
// power. Then of each file is left what was synced; what came after that is there or not, as whoever asks says; and
// what a failed fsync was to write is zeros for ever, since the system takes such pages for written (as Linux does).

import { basename, dirname } from 'node:path'
import type { Disk } from '../../src/store/index.js'

export type DiskCall = keyof Disk | 'write' | 'sync' | 'syncFolder' | 'truncate' | 'read' | 'close'

interface MemoryFile {
  content: Buffer
  /** So much of it is on the disk itself. */
  synced: number
  /** What a failed fsync has dropped. */
  readonly dropped: [begin: number, end: number][]
}

const failure = (code: string, call: string): Error =>
  Object.assign(new Error(`${code}: told to fail, ${call}`), { code, syscall: call })

export class MemoryDisk {
  readonly files = new Map<string, MemoryFile>()
  /** What was called, in order. */
  readonly calls: string[] = []
  readonly #failing = new Map<DiskCall, string>()
  readonly #held = new Map<DiskCall, Promise<void>>()

  /** From now on, the call fails so. */
  fail(call: DiskCall, code: string): void {
    this.#failing.set(call, code)
  }

  heal(): void {
    this.#failing.clear()
  }

  /** Such calls wait until the answer is called. */
  hold(call: DiskCall): () => void {
    let release = () => {}
    this.#held.set(call, new Promise(resolve => (release = resolve)))
    return () => {
      this.#held.delete(call)
      release()
    }
  }

  put(path: string, content: Buffer): void {
    this.files.set(path, { content, synced: content.length, dropped: [] })
  }

  content(path: string): Buffer {
    return this.#file(path, 'readFile').content
  }

  /** The names in all folders, but for locks. */
  get names(): string[] {
    return [...this.files.keys()]
      .map(path => basename(path))
      .filter(name => !name.startsWith('lock.'))
      .sort()
  }

  /** The power is cut. `kept`: how many of the bytes that were never synced are there all the same. */
  losePower(kept: (unsynced: number) => number = () => 0): void {
    for (const file of this.files.values()) {
      for (const [begin, end] of file.dropped) file.content.fill(0, begin, end)
      const length = file.synced + kept(file.content.length - file.synced)
      file.content = file.content.subarray(0, length)
      file.synced = length
      file.dropped.length = 0
    }
    for (const path of this.files.keys()) if (basename(path).startsWith('lock.')) this.files.delete(path)
  }

  readonly disk: Disk = {
    mkdir: (async () => {
      await this.#enter('mkdir')
      return undefined
    }) as never,
    readdir: (async (dir: string) => {
      await this.#enter('readdir')
      return [...this.files.keys()].filter(path => dirname(path) === dir).map(path => basename(path))
    }) as never,
    readFile: (async (path: string, encoding?: 'utf8') => {
      await this.#enter('readFile')
      const { content } = this.#file(path, 'readFile')
      return encoding === undefined ? content : content.toString(encoding)
    }) as never,
    copyFile: (async (from: string, to: string) => {
      await this.#enter('copyFile')
      this.put(to, Buffer.from(this.#file(from, 'copyFile').content))
    }) as never,
    rename: (async (from: string, to: string) => {
      await this.#enter('rename')
      this.files.set(to, this.#file(from, 'rename'))
      this.files.delete(from)
    }) as never,
    rm: (async (path: string) => {
      await this.#enter('rm')
      this.files.delete(path)
    }) as never,
    open: (async (path: string, flags = 'r') => {
      await this.#enter('open')
      if (flags === 'wx' || flags === 'ax') {
        if (this.files.has(path)) throw failure('EEXIST', 'open')
        this.files.set(path, { content: Buffer.alloc(0), synced: 0, dropped: [] })
      }
      const isFolder =
        flags === 'r' && !this.files.has(path) && [...this.files.keys()].some(name => dirname(name) === path)
      return isFolder ? this.#folder() : this.#handle(this.#file(path, 'open'))
    }) as never,
  }

  #folder() {
    return { sync: () => this.#enter('syncFolder'), close: async () => {} }
  }

  #handle(file: MemoryFile) {
    return {
      close: () => this.#enter('close'),
      writeFile: async (data: string | Buffer) => {
        const bytes = Buffer.from(data as string)
        const append = (part: Buffer) => (file.content = Buffer.concat([file.content, part]))
        // As a disk that is full: some of it is there.
        if (this.#failing.has('write')) append(bytes.subarray(0, bytes.length / 2))
        await this.#enter('write')
        append(bytes)
      },
      sync: async () => {
        const { length } = file.content
        try {
          await this.#enter('sync')
        } catch (error) {
          file.dropped.push([file.synced, length])
          throw error
        } finally {
          file.synced = Math.max(file.synced, length)
        }
      },
      truncate: async (length: number) => {
        await this.#enter('truncate')
        file.content = file.content.subarray(0, length)
        file.synced = Math.min(file.synced, length)
      },
      read: async (into: Buffer, offset: number, length: number, position: number) => {
        await this.#enter('read')
        return { bytesRead: file.content.copy(into, offset, position, position + length) }
      },
    }
  }

  async #enter(call: DiskCall): Promise<void> {
    this.calls.push(call)
    await this.#held.get(call)
    const code = this.#failing.get(call)
    if (code !== undefined) throw failure(code, call)
  }

  #file(path: string, call: string): MemoryFile {
    const file = this.files.get(path)
    if (file === undefined) throw failure('ENOENT', call)
    return file
  }
}
