// The engine that keeps in files: one for each table, the call log and the queue of deliveries, in a folder that is this process's alone. A
// folder that can not be used is a fault of the configuration.

import * as fs from 'node:fs/promises'
import Type from 'typebox'
import { GroupSchema } from '../config.js'
import { HubError } from '../errors.js'
import {
  type AccountId,
  AccountName,
  DeclaredWord,
  type Destination,
  DestinationName,
  StatusChange,
  systemName,
} from '../protocol/index.js'
import { type Clock, faultText, type Log } from '../runtime/index.js'
import { DeliveryLog } from './delivery-log.js'
import type { Disk } from './disk.js'
import { FileTable, type Ground, type TableForm } from './file-table.js'
import { takeLock } from './lock.js'
import { RecordLog, type RecordLogOptions } from './record-log.js'
import type { KeptGroup, KeptOverride, Store } from './store.js'

export interface FileStoreOptions {
  /** The folder, made if it is not there, for its owner's eyes only. */
  readonly dir: string
  readonly clock: Clock
  readonly log: Log
  /** How calls that are over are kept; absent: they are not. */
  readonly records?: RecordLogOptions
  /** The machine's own unless given. */
  readonly disk?: Disk
}

const { note, until } = StatusChange.properties

/** Who set an override: an account, or the hub itself. */
const Speaker = Type.Union([AccountName, Type.Literal(systemName)], {
  expected: `the name of an account, or ${systemName}`,
})

const overridesForm: TableForm = {
  file: 'overrides.jsonl',
  name: AccountName,
  value: { status: DeclaredWord, note, until, by: Speaker },
}

const revocationsForm: TableForm = {
  file: 'revocations.jsonl',
  name: Type.String(),
  value: { at: Type.Integer() },
}

const groupsForm: TableForm = {
  file: 'groups.jsonl',
  name: DestinationName,
  value: { group: Type.Optional(GroupSchema) },
}

const openFiles = async (ground: Ground, records: RecordLogOptions | undefined) => ({
  overrides: await FileTable.open<AccountId, KeptOverride>(overridesForm, ground),
  revocations: await FileTable.open<string, { readonly at: number }>(revocationsForm, ground),
  groups: await FileTable.open<Destination, KeptGroup>(groupsForm, ground),
  records: records && (await RecordLog.open(ground, records)),
  deliveries: await DeliveryLog.open(ground),
})

const open = async (ground: Ground, options: RecordLogOptions | undefined): Promise<Store> => {
  const { dir, disk } = ground
  await disk.mkdir(dir, { recursive: true, mode: 0o700 })
  const lock = await takeLock(disk, dir)
  if (!lock.ok) throw new HubError(lock.code, `dataDir ${lock.message}`)
  const { release } = lock.value
  const { overrides, revocations, groups, records, deliveries } = await openFiles(ground, options).catch(
    async error => {
      await release()
      throw error
    },
  )
  const tables = [overrides, revocations, groups]
  const kept = [...tables.map(({ kept }) => kept), deliveries]
  const sum = (what: 'written' | 'failed'): number =>
    kept.reduce((total, { counts }) => total + counts[what], 0)
  return {
    overrides,
    revocations,
    groups,
    records,
    deliveries,
    get trouble() {
      const troubles = [...kept.map(({ trouble }) => trouble), records?.trouble]
      return troubles.find(trouble => trouble !== undefined)
    },
    get counts() {
      return {
        written: sum('written'),
        failed: sum('failed'),
        damaged: [...tables, deliveries].filter(({ damaged }) => damaged).length,
      }
    },
    async close() {
      await Promise.all([...kept.map(each => each.close()), records?.close()])
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
    const { records, ...ground } = options
    return await open({ disk: fs, ...ground }, records)
  } catch (error) {
    if (error instanceof HubError) throw error
    const fault = {
      path: 'dataDir',
      message: `${options.dir} cannot be used (${(error as NodeJS.ErrnoException).message})`,
    }
    throw new HubError('invalid', faultText(fault), { faults: [fault], cause: error })
  }
}
