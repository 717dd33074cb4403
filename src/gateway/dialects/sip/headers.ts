// The header fields of one SIP message, in their order. A name has one key however it is written: in any case, or in its
// compact form (RFC 3261, section 7.3.3; RFC 3515, 3841, 4028, 4474 and 6665). A field whose grammar is a list is a list
// here, be it in one line or in many; any other value is left whole, commas and all.
//
// A name that is no token is a fault of the caller and thrown. Values may be anything: the serialiser sees to them.

import { isToken, splitList } from './words.js'

const compactForms = {
  a: 'Accept-Contact',
  b: 'Referred-By',
  c: 'Content-Type',
  d: 'Request-Disposition',
  e: 'Content-Encoding',
  f: 'From',
  i: 'Call-ID',
  j: 'Reject-Contact',
  k: 'Supported',
  l: 'Content-Length',
  m: 'Contact',
  n: 'Identity-Info',
  o: 'Event',
  r: 'Refer-To',
  s: 'Subject',
  t: 'To',
  u: 'Allow-Events',
  v: 'Via',
  x: 'Session-Expires',
  y: 'Identity',
}

const lists = [
  ...[
    'Accept',
    'Accept-Contact',
    'Accept-Encoding',
    'Accept-Language',
    'Alert-Info',
    'Allow',
    'Allow-Events',
  ],
  ...[
    'Call-Info',
    'Contact',
    'Content-Encoding',
    'Content-Language',
    'Diversion',
    'Error-Info',
    'History-Info',
  ],
  ...[
    'In-Reply-To',
    'P-Asserted-Identity',
    'P-Associated-URI',
    'P-Preferred-Identity',
    'Path',
    'Proxy-Require',
  ],
  ...['Reason', 'Record-Route', 'Reject-Contact', 'Request-Disposition', 'Require', 'Route', 'Service-Route'],
  ...['Supported', 'Unsupported', 'Via', 'Warning'],
]

const others = [
  ...[
    'Authentication-Info',
    'Authorization',
    'CSeq',
    'Content-Disposition',
    'Date',
    'Expires',
    'Max-Forwards',
  ],
  ...['MIME-Version', 'Min-Expires', 'Min-SE', 'Organization', 'Priority', 'Proxy-Authenticate'],
  ...['Proxy-Authorization', 'Replaces', 'Reply-To', 'Retry-After', 'SIP-ETag', 'SIP-If-Match', 'Server'],
  ...['Subscription-State', 'Timestamp', 'User-Agent', 'WWW-Authenticate'],
]

/** How a known name is written. */
const spellings = new Map<string, string>()
/** The key of a known name, as it is mostly written. */
const keys = new Map<string, string>()
for (const name of [...Object.values(compactForms), ...lists, ...others]) {
  const key = name.toLowerCase()
  spellings.set(key, name)
  keys.set(key, key).set(name, key)
}
for (const [letter, name] of Object.entries(compactForms)) keys.set(letter, name.toLowerCase())
const listKeys = new Set(lists.map(name => name.toLowerCase()))

/** What stands for a header field's name, whatever its case and form. */
export const keyOf = (name: string): string => {
  const known = keys.get(name)
  if (known !== undefined) return known
  const lower = name.toLowerCase()
  return keys.get(lower) ?? lower
}

/** A header field as it is written: its name, and its value without white space around it. */
export type Field = readonly [name: string, value: string]

interface Line {
  readonly key: string
  readonly name: string
  readonly value: string
}

const lineOf = (name: string, value: string): Line => {
  const key = keyOf(name)
  const spelling = spellings.get(key)
  if (spelling !== undefined) return { key, name: spelling, value }
  if (!isToken(name)) throw new TypeError(`no name of a header field: ${JSON.stringify(name)}`)
  return { key, name, value }
}

export class Headers implements Iterable<Field> {
  #lines: Line[] = []

  constructor(fields: Iterable<Field> = []) {
    for (const [name, value] of fields) this.add(name, value)
  }

  /** The first value; of a list its first element. */
  get(name: string): string | undefined {
    const key = keyOf(name)
    if (listKeys.has(key)) return this.all(name)[0]
    return this.#lines.find(line => line.key === key)?.value
  }

  /** Every value, in order; of a list every element, and none that is empty. */
  all(name: string): string[] {
    const key = keyOf(name)
    const values = this.lines(name)
    return listKeys.has(key) ? values.flatMap(splitList).filter(element => element !== '') : values
  }

  /** The values line by line, as they are written. */
  lines(name: string): string[] {
    const key = keyOf(name)
    return this.#lines.filter(line => line.key === key).map(({ value }) => value)
  }

  has(name: string): boolean {
    const key = keyOf(name)
    return this.#lines.some(line => line.key === key)
  }

  /** A further line, after all others. */
  add(name: string, value: string): this {
    this.#lines.push(lineOf(name, value))
    return this
  }

  /** One line instead of all of that name, in the place of the first of them. */
  set(name: string, value: string): this {
    const line = lineOf(name, value)
    const place = this.#lines.findIndex(({ key }) => key === line.key)
    if (place < 0) return this.add(name, value)
    this.#lines[place] = line
    this.#lines = this.#lines.filter((each, at) => each.key !== line.key || at === place)
    return this
  }

  delete(name: string): this {
    const key = keyOf(name)
    this.#lines = this.#lines.filter(line => line.key !== key)
    return this
  }

  /** How many lines there are. */
  get size(): number {
    return this.#lines.length
  }

  /** Line by line, each under the name that is usual. */
  *[Symbol.iterator](): Iterator<Field> {
    for (const { name, value } of this.#lines) yield [name, value]
  }
}
