// A table in a file: all of it is in memory, and the file follows. A file that is not as it was written is put aside
// under another name, told, and never trusted: what is whole of it goes on, the rest is lost.

import { join } from 'node:path'
import Type, { type TSchema } from 'typebox'
import type { Result } from '../errors.js'
import { type TenantId, TenantName } from '../protocol/index.js'
import { type Clock, check, type Log } from '../runtime/index.js'
import type { Disk } from './disk.js'
import { KeptFile } from './kept-file.js'
import { contentOf, lineOf, readContent } from './lines.js'
import type { Table } from './store.js'

/** What a table's file is called, and what it holds. */
export interface TableForm {
  readonly file: string
  readonly name: TSchema
  readonly value: Readonly<Record<string, TSchema>>
}

export interface Ground {
  readonly dir: string
  readonly disk: Disk
  readonly clock: Clock
  readonly log: Log
}

/** A value as it is in memory, and as it is in the file. */
interface Entry<Value> {
  readonly value: Value
  readonly line: string
}

/** Puts a copy aside under a name that is not taken: the file itself stays until it is replaced by a good one. */
export const putAside = async ({ dir, disk }: Ground, file: string): Promise<string> => {
  const taken = new Set(await disk.readdir(dir))
  let number = 1
  while (taken.has(`${file}.damaged-${number}`)) number++
  const aside = `${file}.damaged-${number}`
  await disk.copyFile(join(dir, file), join(dir, aside))
  return aside
}

/** The text of a file; undefined where there is none. */
export const textOf = async (disk: Disk, path: string): Promise<string | undefined> => {
  try {
    return await disk.readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

export class FileTable<Name extends string, Value extends object> implements Table<Name, Value> {
  readonly kept: KeptFile
  /** Whether its file was put aside. */
  damaged = false
  readonly #file: string
  readonly #ground: Ground
  readonly #entries = new Map<TenantId, Map<Name, Entry<Value>>>()

  private constructor({ file }: TableForm, ground: Ground) {
    this.#file = file
    this.#ground = ground
    this.kept = new KeptFile({
      ...ground,
      path: join(ground.dir, file),
      content: () =>
        contentOf([...this.#entries.values()].flatMap(own => [...own.values()].map(({ line }) => line))),
    })
  }

  /** Opens a table with what its file has. Rejects as the disk does. */
  static async open<Name extends string, Value extends object>(
    form: TableForm,
    ground: Ground,
  ): Promise<FileTable<Name, Value>> {
    const table = new FileTable<Name, Value>(form, ground)
    const text = await textOf(ground.disk, join(ground.dir, form.file))
    if (text !== undefined) await table.#recall(text, form)
    return table
  }

  async #recall(text: string, { name, value }: TableForm): Promise<void> {
    const fits = check(Type.Object({ tenant: TenantName, name, ...value }))
    const { records, faults } = readContent(text, fits)
    for (const { tenant, name, ...value } of records) this.#put(tenant, name as Name, value as Value)
    if (faults.length === 0) return
    const aside = await putAside(this.#ground, this.#file)
    this.damaged = true
    this.kept.changed()
    const { dir, log } = this.#ground
    log.error({ dir, aside, faults, whole: records.length }, `${this.#file} is damaged, and was put aside`)
  }

  #put(tenant: TenantId, name: Name, value: Value): void {
    const own = this.#entries.get(tenant) ?? new Map<Name, Entry<Value>>()
    // Saved again, it is the latest.
    own.delete(name)
    this.#entries.set(tenant, own.set(name, { value, line: lineOf({ tenant, name, ...value }) }))
  }

  tenants(): readonly TenantId[] {
    return [...this.#entries.keys()]
  }

  load(tenant: TenantId): readonly (readonly [Name, Value])[] {
    return [...(this.#entries.get(tenant) ?? [])].map(([name, { value }]) => [name, value])
  }

  save(tenant: TenantId, name: Name, value: Value | undefined): void {
    if (value !== undefined) this.#put(tenant, name, value)
    else {
      const own = this.#entries.get(tenant)
      if (!own?.delete(name)) return
      if (own.size === 0) this.#entries.delete(tenant)
    }
    this.kept.changed()
  }

  written(): Promise<Result<undefined>> {
    return this.kept.written()
  }
}
