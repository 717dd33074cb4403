// The reading of the call log: one record by its id, or a page of them from a position on. Which rows are worth reading
// is found in memory; only those are read from the disk, a few at most for one page, so that an answer costs no more
// however long the log is. A file that is removed meanwhile has no more records.

import { join } from 'node:path'
import type { CallId, TenantId } from '../protocol/index.js'
import type { Ground } from './file-table.js'
import { fileName, readRecord } from './record-file.js'
import type { RecordIndex } from './record-index.js'
import type { CallRecord, Position, RecordPage, RecordQuery } from './records.js'

/** Of this many rows the index is looked at for one page, and this many records are read. */
export const rowsPerPage = 200_000
export const readsPerPage = 500

const rowsOfFile = 2 ** 32

export const positionOf = (sequence: number, row: number): Position => sequence * rowsOfFile + row

/** How many rows of a file are below a position. */
const rowsBelow = (position: Position, { sequence, count }: RecordIndex): number =>
  Math.max(0, Math.min(count, position - positionOf(sequence, 0)))

/** Reads records of one file by their rows, while `work` lasts; undefined for one that is not there as it was. */
const reading = async <T>(
  { dir, disk }: Ground,
  index: RecordIndex,
  work: (read: (row: number) => Promise<CallRecord | undefined>) => Promise<T>,
): Promise<T | undefined> => {
  const handle = await disk.open(join(dir, fileName(index.sequence)), 'r').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  })
  if (handle === undefined) return undefined
  try {
    return await work(async row => {
      const { begin, end } = index.spanOf(row)
      const line = Buffer.alloc(end - begin - 1)
      const { bytesRead } = await handle.read(line, 0, line.length, begin)
      return readRecord(line.toString('utf8', 0, bytesRead))
    })
  } finally {
    await handle.close()
  }
}

/** Looks for a call in these files, the newest first. */
export const findRecord = async (
  ground: Ground,
  files: readonly RecordIndex[],
  tenant: TenantId,
  call: CallId,
): Promise<CallRecord | undefined> => {
  for (const index of files) {
    const rows = [...index.rowsOf(call)]
    if (rows.length === 0) continue
    const found = await reading(ground, index, async read => {
      for (const row of rows) {
        const record = await read(row)
        if (record?.call === call && record.tenant === tenant) return record
      }
      return undefined
    })
    if (found !== undefined) return found
  }
  return undefined
}

/** A page of these files, the newest first. */
export const readPage = async (
  ground: Ground,
  files: readonly RecordIndex[],
  query: RecordQuery,
): Promise<RecordPage> => {
  const { tenant, owner, below, limit, wants } = query
  const records: CallRecord[] = []
  let looks = rowsPerPage
  let reads = readsPerPage
  /** Goes through one file; gives where to stop, if it is there. */
  const scan = async (index: RecordIndex): Promise<Position | undefined> => {
    const judge = index.judge(query)
    const rows: number[] = []
    // As many candidates as can be needed: all that are read, and one more to know that there is more.
    let row = rowsBelow(below, index) - 1
    for (; row >= 0 && looks > 0 && rows.length <= reads; row--) {
      looks--
      if (judge(row)) rows.push(row)
    }
    const stop = row >= 0 ? positionOf(index.sequence, row + 1) : undefined
    if (rows.length === 0) return stop
    const found = await reading(ground, index, async read => {
      for (const row of rows) {
        if (records.length === limit || reads === 0) return positionOf(index.sequence, row + 1)
        reads--
        const record = await read(row)
        if (record === undefined || record.tenant !== tenant) continue
        if ((owner === undefined || record.owner === owner) && wants(record)) records.push(record)
      }
      return undefined
    })
    return found ?? stop
  }
  for (const index of files) {
    const next = await scan(index)
    if (next !== undefined) return { records, next }
  }
  return { records, next: undefined }
}
