// The engine that keeps in files: `overrides.json` in a folder that is this process's alone. All of it is in memory,
// and the file follows. A file that can not be understood is moved aside, never overwritten, and the store begins
// without it; a folder that can not be used is a fault of the configuration.

import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import Type from 'typebox'
import { HubError } from '../errors.js'
import {
  type AccountId,
  AccountName,
  DeclaredWord,
  StatusChange,
  type TenantId,
  TenantName,
} from '../protocol/index.js'
import { type Check, type Clock, check, faultText, type Log } from '../runtime/index.js'
import type { Disk } from './disk.js'
import { KeptFile } from './kept-file.js'
import { takeLock } from './lock.js'
import type { KeptOverride, Store } from './store.js'

export interface FileStoreOptions {
  /** The folder, made if it is not there, for its owner's eyes only. */
  readonly dir: string
  readonly clock: Clock
  readonly log: Log
  /** The machine's own unless given. */
  readonly disk?: Disk
}

const file = 'overrides.json'

const { note, until } = StatusChange.properties
const Content = Type.Object({
  version: Type.Literal(1),
  overrides: Type.Array(
    Type.Object({
      tenant: TenantName,
      account: AccountName,
      status: DeclaredWord,
      note,
      until,
      by: AccountName,
    }),
  ),
})
const contentCheck = check(Content)

/** What a file holds, or why that can not be understood. */
const understand = (text: string): ReturnType<Check<Type.Static<typeof Content>>> => {
  try {
    return contentCheck(JSON.parse(text))
  } catch (error) {
    return { ok: false, faults: [{ path: '', message: (error as Error).message }] }
  }
}

type Overrides = Map<TenantId, Map<AccountId, KeptOverride>>

const put = (all: Overrides, tenant: TenantId, account: AccountId, override: KeptOverride): void => {
  const accounts = all.get(tenant) ?? new Map<AccountId, KeptOverride>()
  all.set(tenant, accounts.set(account, override))
}

const contentOf = (all: Overrides): string => {
  const overrides = [...all].flatMap(([tenant, accounts]) =>
    [...accounts].map(([account, override]) => ({ tenant, account, ...override })),
  )
  return JSON.stringify({ version: 1, overrides })
}

/** Moves a file aside under a name that is not taken. */
const moveAside = async (disk: Disk, dir: string): Promise<string> => {
  const taken = new Set(await disk.readdir(dir))
  let number = 1
  while (taken.has(`${file}.damaged-${number}`)) number++
  const aside = `${file}.damaged-${number}`
  await disk.rename(join(dir, file), join(dir, aside))
  return aside
}

const textOf = async (disk: Disk, path: string): Promise<string | undefined> => {
  try {
    return await disk.readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** What is kept of an earlier run, and how many files were moved aside for it. */
const recall = async (disk: Disk, dir: string, log: Log): Promise<{ all: Overrides; damaged: number }> => {
  const all: Overrides = new Map()
  const text = await textOf(disk, join(dir, file))
  if (text === undefined) return { all, damaged: 0 }
  const read = understand(text)
  if (read.ok) {
    for (const { tenant, account, ...override } of read.value.overrides) put(all, tenant, account, override)
    return { all, damaged: 0 }
  }
  const aside = await moveAside(disk, dir)
  log.error({ dir, aside, faults: read.faults.map(faultText) }, `${file} is damaged, and was moved aside`)
  return { all, damaged: 1 }
}

const open = async ({ dir, clock, log, disk }: Required<FileStoreOptions>): Promise<Store> => {
  await disk.mkdir(dir, { recursive: true, mode: 0o700 })
  const lock = await takeLock(disk, dir)
  if (!lock.ok) throw new HubError(lock.code, `dataDir ${lock.message}`)
  const { release } = lock.value
  const { all, damaged } = await recall(disk, dir, log).catch(async error => {
    await release()
    throw error
  })
  const kept = new KeptFile({ path: join(dir, file), content: () => contentOf(all), disk, clock, log })
  return {
    load: tenant => [...(all.get(tenant) ?? [])],
    save(tenant, account, override) {
      if (override !== undefined) put(all, tenant, account, override)
      else if (!all.get(tenant)?.delete(account)) return
      kept.changed()
    },
    get trouble() {
      return kept.trouble
    },
    get counts() {
      return { ...kept.counts, damaged }
    },
    async close() {
      await kept.close()
      await release()
    },
  }
}

/**
 * Opens the store in a folder. Throws `HubError`: `conflict` where another process has the folder, with its pid;
 * `invalid`, with a fault at `dataDir`, where it can not be used.
 */
export const openFileStore = async (options: FileStoreOptions): Promise<Store> => {
  try {
    return await open({ disk: fs, ...options })
  } catch (error) {
    if (error instanceof HubError) throw error
    const fault = {
      path: 'dataDir',
      message: `${options.dir} cannot be used (${(error as NodeJS.ErrnoException).message})`,
    }
    throw new HubError('invalid', faultText(fault), { faults: [fault], cause: error })
  }
}
