// Where the records of one file are, and as much of each as decides whether it is worth reading: 20 bytes a record,
// whatever is in it. Names are there as their sums, so that what an index finds may be wrong, and is looked at; what
// it does not find is not there.

import { crc32 } from 'node:zlib'
import type { CallRecord, RecordQuery } from './records.js'

type Column = 'call' | 'tenant' | 'owner' | 'second' | 'offset'
type Columns = Readonly<Record<Column, Uint32Array>>

const columnsOf = (rows: number): Columns => ({
  call: new Uint32Array(rows),
  tenant: new Uint32Array(rows),
  owner: new Uint32Array(rows),
  second: new Uint32Array(rows),
  offset: new Uint32Array(rows),
})

const secondOf = (ms: number): number => Math.floor(ms / 1000)

/** What of a query is judged without reading. */
export type RowQuery = Pick<RecordQuery, 'tenant' | 'owner' | 'since' | 'until'>

export class RecordIndex {
  /** The number of its file. */
  readonly sequence: number
  /** How many records there are. */
  count = 0
  /** How long the file is, as far as its records are in it. */
  bytes = 0
  /** When the last of its calls ended, in milliseconds since 1970. */
  latest = 0
  #columns = columnsOf(64)

  constructor(sequence: number) {
    this.sequence = sequence
  }

  /** The record that comes next in the file, and how many bytes its line has. */
  add({ call, tenant, owner, createdAt, endedAt }: CallRecord, bytes: number): void {
    if (this.count === this.#columns.call.length) this.#widen()
    const row = this.count++
    this.#columns.call[row] = crc32(call)
    this.#columns.tenant[row] = crc32(tenant)
    this.#columns.owner[row] = crc32(owner)
    this.#columns.second[row] = secondOf(Date.parse(createdAt))
    this.#columns.offset[row] = this.bytes
    this.bytes += bytes
    this.latest = Math.max(this.latest, Date.parse(endedAt))
  }

  /** Where the line of a row begins and ends. */
  spanOf(row: number): { readonly begin: number; readonly end: number } {
    const { offset } = this.#columns
    return { begin: Number(offset[row]), end: row + 1 < this.count ? Number(offset[row + 1]) : this.bytes }
  }

  /** The rows that may be this call, the latest first. */
  *rowsOf(call: string): Generator<number> {
    const sum = crc32(call)
    const own = this.#columns.call.subarray(0, this.count)
    for (let row = own.lastIndexOf(sum); row >= 0; row = row === 0 ? -1 : own.lastIndexOf(sum, row - 1)) {
      yield row
    }
  }

  /** What decides of a row whether it may be meant. */
  judge({ tenant, owner, since, until }: RowQuery): (row: number) => boolean {
    const { tenant: tenants, owner: owners, second } = this.#columns
    const tenantSum = crc32(tenant)
    const ownerSum = owner === undefined ? undefined : crc32(owner)
    const from = since === undefined ? 0 : secondOf(since)
    const to = until === undefined ? Number.POSITIVE_INFINITY : until / 1000
    return row =>
      tenants[row] === tenantSum &&
      (ownerSum === undefined || owners[row] === ownerSum) &&
      Number(second[row]) >= from &&
      Number(second[row]) < to
  }

  #widen(): void {
    const wider = columnsOf(2 * this.count)
    for (const [name, column] of Object.entries(this.#columns)) wider[name as Column].set(column)
    this.#columns = wider
  }
}
