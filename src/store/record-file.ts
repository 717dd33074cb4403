// One file of the call log as it is found at the start, and made whole again: a line that a crash left unfinished is
// cut off, with whatever a power loss put behind it; lines that are not as they were written are put aside with a copy
// of the whole file, and told; every other record stays, once.

import { join } from 'node:path'
import Type from 'typebox'
import { AccountName, TenantName, Time } from '../protocol/index.js'
import { check } from '../runtime/index.js'
import { replaceFile } from './disk.js'
import { type Ground, putAside } from './file-table.js'
import { recordOf } from './lines.js'
import { RecordIndex } from './record-index.js'
import type { CallRecord } from './records.js'

const name = /^calls-(\d{6,12})\.jsonl$/

export const fileName = (sequence: number): string => `calls-${String(sequence).padStart(6, '0')}.jsonl`

/** The number in a file's name; undefined for what is no file of the log. */
export const sequenceOf = (file: string): number | undefined => {
  const [, digits] = name.exec(file) ?? []
  return digits === undefined ? undefined : Number(digits)
}

/** As much of a record as is relied upon. */
const fits = check(
  Type.Object({
    call: Type.String(),
    tenant: TenantName,
    owner: AccountName,
    createdAt: Time,
    endedAt: Time,
    reason: Type.String(),
    attempts: Type.Array(Type.Object({})),
    timeline: Type.Array(Type.Object({})),
  }),
)

/** The record of a line, if it is one. */
export const readRecord = (line: string): CallRecord | undefined => {
  const checked = fits(recordOf(line))
  return checked.ok ? (checked.value as object as CallRecord) : undefined
}

interface Whole {
  readonly record: CallRecord
  readonly line: Buffer
}

/** The lines of a file's content: the whole ones, the numbers of the damaged, and how many bytes follow the last. */
export const readRecords = (content: Buffer): { whole: Whole[]; damaged: number[]; torn: number } => {
  const whole: Whole[] = []
  const damaged: number[] = []
  let begin = 0
  let number = 0
  for (let end = content.indexOf(10); end >= 0; end = content.indexOf(10, begin)) {
    number++
    const record = readRecord(content.toString('utf8', begin, end))
    if (record === undefined) damaged.push(number)
    else whole.push({ record, line: content.subarray(begin, end + 1) })
    begin = end + 1
  }
  return { whole, damaged, torn: content.length - begin }
}

const truncate = async ({ dir, disk }: Ground, file: string, bytes: number): Promise<void> => {
  const handle = await disk.open(join(dir, file), 'r+')
  try {
    await handle.truncate(bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** So many numbers of damaged lines are told. */
const toldLines = 10

export interface Recalled {
  readonly index: RecordIndex
  readonly damaged: number
  readonly torn: boolean
}

/**
 * Reads a file, repairs it, and gives its index; `keep` is asked of each whole record whether it is new. Rejects as
 * the disk does.
 */
export const recallFile = async (
  ground: Ground,
  sequence: number,
  keep: (record: CallRecord) => boolean,
): Promise<Recalled> => {
  const { dir, disk, log } = ground
  const file = fileName(sequence)
  const { whole, damaged, torn } = readRecords(await disk.readFile(join(dir, file)))
  const index = new RecordIndex(sequence)
  const kept = whole.filter(({ record }) => keep(record))
  for (const { record, line } of kept) index.add(record, line.length)
  if (damaged.length > 0) {
    const aside = await putAside(ground, file)
    const facts = { dir, aside, lines: damaged.slice(0, toldLines), damaged: damaged.length }
    log.error({ ...facts, whole: whole.length }, `${file} is damaged, and was put aside`)
  }
  if (damaged.length > 0 || kept.length < whole.length) {
    await replaceFile(disk, join(dir, file), Buffer.concat(kept.map(({ line }) => line)))
  } else if (torn > 0) {
    await truncate(ground, file, index.bytes)
    log.warn({ dir, file, bytes: torn }, 'a record was not finished, and is cut off')
  }
  return { index, damaged: damaged.length, torn: torn > 0 }
}
