// The form of a kept file: JSON lines, each an array of a CRC-32 and the record that it is of. The first record says
// which form this is and how many others follow. So a bit that flipped, a torn end, and lines that are gone are seen;
// what is whole of such a file can be told from what is not.

import { crc32 } from 'node:zlib'
import { type Check, faultText } from '../runtime/index.js'

const version = 1

/** So many faults of a file are told one by one. */
const toldFaults = 10

const sumOf = (text: string): string => crc32(text).toString(16).padStart(8, '0')

/** One line, its end included. */
export const lineOf = (record: object): string => {
  const text = JSON.stringify(record)
  return `["${sumOf(text)}",${text}]\n`
}

/** The content of a file with these lines. */
export const contentOf = (lines: readonly string[]): string =>
  lineOf({ version, records: lines.length }) + lines.join('')

/** The record of a line; undefined where it is not as it was written. */
export const recordOf = (line: string): unknown => {
  const [, sum, text = ''] = /^\["([0-9a-f]{8})",(.*)\]$/s.exec(line) ?? []
  try {
    return sum === sumOf(text) ? JSON.parse(text) : undefined
  } catch {
    return undefined
  }
}

/** What is whole of a file's content, and what is wrong with the rest: nothing, if it is as it was written. */
export const readContent = <T>(text: string, fits: Check<T>): { records: T[]; faults: string[] } => {
  const [first = '', ...rest] = text.replace(/\n$/, '').split('\n')
  const head = recordOf(first) as { version?: unknown; records?: unknown } | undefined
  const records: T[] = []
  if (head !== undefined && head?.version !== version) {
    return { records, faults: [`is of version ${head?.version}, which is not known here`] }
  }
  const faults = head === undefined ? ['line 1 is damaged'] : []
  rest.forEach((line, index) => {
    const record = recordOf(line)
    const checked = record === undefined ? undefined : fits(record)
    if (checked?.ok) records.push(checked.value)
    else faults.push(`line ${index + 2} ${checked ? checked.faults.map(faultText).join('; ') : 'is damaged'}`)
  })
  if (head !== undefined && rest.length !== head.records)
    faults.push(`${rest.length} lines of ${head.records}`)
  const more = faults.length - toldFaults
  return { records, faults: more > 0 ? [...faults.slice(0, toldFaults), `and ${more} more`] : faults }
}
