// The header fields of a message, line by line (RFC 3261, section 7.3): what a server acts on must be well formed, and
// there as often as it may be. A field nobody here knows is left as it is.

import { parseNameAddr } from './address.js'
import { bad, type Fault, sipBounds } from './fault.js'
import { type Headers, keyOf } from './headers.js'
import { parseCseq, parseVia } from './via.js'
import { isToken, splitList, trimmed } from './words.js'

/** What leads an answer back, and every message has. */
export const mandatory = ['Via', 'From', 'To', 'Call-ID', 'CSeq'] as const

interface Rule {
  /** May it be there once only? */
  readonly once?: true
  /** Is the value well formed? */
  readonly isForm?: (value: string) => boolean
}

/** A branch that is nothing but the mark of RFC 3261 names no transaction (section 8.1.1.7). */
const isVia = (value: string): boolean => {
  const read = parseVia(value)
  return read !== undefined && read.params.get('branch')?.toLowerCase() !== 'z9hg4bk'
}

const isAddress = (value: string): boolean => parseNameAddr(value) !== undefined
const areAddresses = (value: string): boolean => splitList(value).every(isAddress)
const isNumber = (value: string): boolean => /^\d+$/.test(value)
const once: Rule = { once: true }

const rules = new Map<string, Rule>([
  ['via', { isForm: value => splitList(value).every(isVia) }],
  ['from', { once: true, isForm: isAddress }],
  ['to', { once: true, isForm: isAddress }],
  ['call-id', { once: true, isForm: value => /^\S+$/.test(value) }],
  ['cseq', { once: true, isForm: value => parseCseq(value) !== undefined }],
  ['max-forwards', { once: true, isForm: value => isNumber(value) && Number(value) <= 255 }],
  ['content-length', { once: true, isForm: isNumber }],
  ['contact', { isForm: value => value === '*' || areAddresses(value) }],
  ['route', { isForm: areAddresses }],
  ['record-route', { isForm: areAddresses }],
  ['content-type', once],
  ['date', once],
  ['event', once],
  ['expires', once],
  ['refer-to', once],
  ['replaces', once],
  ['session-expires', once],
  ['sip-if-match', once],
  ['subscription-state', once],
])

/** What is wrong with the value of a field that is there for the `count`th time. */
const faultOf = (name: string, value: string, count: number): Fault | undefined => {
  if (count > sipBounds.repeated) return { status: 413, reason: `Too Many ${name}` }
  const rule = rules.get(keyOf(name))
  if (rule === undefined) return undefined
  if (rule.once && count > 1) return bad(`More Than One ${name}`)
  return rule.isForm === undefined || rule.isForm(value) ? undefined : bad(`Malformed ${name}`)
}

const unprintable = /[\0\r\n]/

/** Adds the fields to `headers` as far as they can be read, and tells the first fault. */
export const readFields = (lines: readonly string[], headers: Headers): Fault | undefined => {
  const counts = new Map<string, number>()
  let fault: Fault | undefined
  for (const line of lines.slice(0, sipBounds.fields)) {
    const colon = line.indexOf(':')
    const name = trimmed(line.slice(0, Math.max(colon, 0)))
    if (line.length > sipBounds.line) {
      fault ??= { status: 413, reason: 'Header Field Too Long' }
    } else if (!isToken(name) || unprintable.test(line)) {
      fault ??= bad('Malformed Header Field')
    } else {
      const key = keyOf(name)
      const value = trimmed(line.slice(colon + 1))
      const count = (counts.get(key) ?? 0) + 1
      counts.set(key, count)
      fault ??= faultOf(name, value, count)
      headers.add(name, value)
    }
  }
  if (lines.length > sipBounds.fields) return { status: 413, reason: 'Too Many Header Fields' }
  const missing = mandatory.find(name => !headers.has(name))
  return fault ?? (missing === undefined ? undefined : bad(`Missing ${missing}`))
}
