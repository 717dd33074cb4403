// A text as one SIP message (RFC 3261, sections 7 and 25; each is one WebSocket message, RFC 7118, section 4.1). What a
// server acts on is read strictly, so that no one after this has to ask: the start line, the fields that route and match,
// what may be there once only, and how long the body is. What it does not act on is left as it is.
//
// A request that is wrong and can be answered comes with what answers it; all else that is wrong is to be dropped.

import { isUri, parseNameAddr, parseUri } from './address.js'
import { Headers, keyOf, type SipMessage, type SipRequest, type SipResponse } from './message.js'
import { parseCseq, parseVia } from './via.js'
import { splitList } from './words.js'

/** Bounds of what is in a message; its whole size is for the transport to bound. */
export const sipBounds = {
  /** Header fields. */
  fields: 64,
  /** Header fields of one name. */
  repeated: 40,
  /** Characters of a header field, unfolded, and of the start line. */
  line: 8192,
} as const

export type BadStatus = 400 | 413 | 414 | 416 | 505

export interface Unparsed {
  readonly ok: false
  readonly status: BadStatus
  readonly reason: string
  /** Of a request that can be answered what `responseTo` needs. Absent: nothing is answered. */
  readonly partial?: SipRequest
}

export type Parsed = { readonly ok: true; readonly message: SipMessage } | Unparsed

/** Why a message is refused. */
interface Fault {
  readonly status: BadStatus
  readonly reason: string
}

const bad = (reason: string): Fault => ({ status: 400, reason })

/** What a header field must be. */
interface Rule {
  /** May it be there once only? */
  readonly once?: true
  /** Is a value, or an element of a list, well formed? */
  readonly isForm?: (value: string) => boolean
  readonly list?: true
}

/** A branch that is nothing but the mark of RFC 3261 names no transaction (section 8.1.1.7). */
const isVia = (value: string): boolean => {
  const read = parseVia(value)
  return read !== undefined && read.params.get('branch')?.toLowerCase() !== 'z9hg4bk'
}

const isAddress = (value: string): boolean => parseNameAddr(value) !== undefined
const addresses: Rule = { isForm: isAddress, list: true }
const once: Rule = { once: true }

const rules = new Map<string, Rule>([
  ['via', { isForm: isVia, list: true }],
  ['from', { once: true, isForm: isAddress }],
  ['to', { once: true, isForm: isAddress }],
  ['call-id', { once: true, isForm: value => /^\S+$/.test(value) }],
  ['cseq', { once: true, isForm: value => parseCseq(value) !== undefined }],
  ['max-forwards', { once: true, isForm: value => /^\d+$/.test(value) && Number(value) <= 255 }],
  ['content-length', { once: true, isForm: value => /^\d+$/.test(value) }],
  ['contact', { isForm: value => value === '*' || isAddress(value), list: true }],
  ['route', addresses],
  ['record-route', addresses],
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

const mandatory = ['Via', 'From', 'To', 'Call-ID', 'CSeq']

const isRight = ({ isForm, list }: Rule, value: string): boolean =>
  isForm === undefined || (list ? splitList(value).every(isForm) : isForm(value))

const fieldName = /^([\w\-.!%*+`'~]+)[ \t]*:/
const unprintable = /[\0\r\n]/

/** Reads the header fields as far as they can be read; the first fault is told. */
const readFields = (lines: readonly string[], headers: Headers): Fault | undefined => {
  const counts = new Map<string, number>()
  let fault: Fault | undefined
  for (const line of lines) {
    const [start, name = ''] = fieldName.exec(line) ?? []
    if (start === undefined || unprintable.test(line)) {
      fault ??= bad('Malformed Header Field')
      continue
    }
    if (line.length > sipBounds.line) {
      fault ??= { status: 413, reason: 'Header Field Too Long' }
      continue
    }
    const key = keyOf(name)
    const value = line.slice(start.length).trim()
    const count = (counts.get(key) ?? 0) + 1
    counts.set(key, count)
    if (count > sipBounds.repeated) return { status: 413, reason: `Too Many ${name}` }
    const rule = rules.get(key)
    if (rule?.once && count > 1) fault ??= bad(`More Than One ${name}`)
    else if (rule !== undefined && !isRight(rule, value)) fault ??= bad(`Malformed ${name}`)
    headers.add(name, value)
  }
  const missing = mandatory.find(name => !headers.has(name))
  return fault ?? (missing === undefined ? undefined : bad(`Missing ${missing}`))
}

/** A start line: of a request maybe with a fault, and then as far as it could be read. */
type Start =
  | (Pick<SipRequest, 'method' | 'uri'> & { readonly fault?: Fault | undefined })
  | Pick<SipResponse, 'status' | 'reason'>

const requestLine = /^([\w\-.!%*+`'~]+) (\S+) SIP\/(\d+\.\d+)$/i
const statusLine = /^SIP\/2\.0 ([1-6]\d\d)(?: ([^\0\r\n]*))?$/i
/** What was meant as a request, whatever is wrong with it. */
const likeRequest = /^([\w\-.!%*+`'~]+)[ \t][^\r\n]*SIP\/\d+\.\d+[ \t]*$/i

/** What is wrong with a Request-URI: it must be one that a request can go to. */
const uriFault = (uri: string): Fault | undefined => {
  if (!isUri(uri)) return bad('Malformed Request-URI')
  const read = parseUri(uri)
  if (read !== undefined) return read.headers.size === 0 ? undefined : bad('Header Fields in the Request-URI')
  return /^tel:/i.test(uri) ? undefined : { status: 416, reason: 'Unsupported URI Scheme' }
}

const readStart = (line: string): Start | undefined => {
  const status = statusLine.exec(line)
  if (status !== null) return { status: Number(status[1]), reason: status[2] ?? '' }
  const method = likeRequest.exec(line)?.[1]
  if (method === undefined) return undefined
  if (line.length > sipBounds.line)
    return { method, uri: '', fault: { status: 414, reason: 'Request-URI Too Long' } }
  const [, , uri, version] = requestLine.exec(line) ?? []
  if (uri === undefined) return { method, uri: '', fault: bad('Malformed Request-Line') }
  if (version !== '2.0') return { method, uri, fault: { status: 505, reason: 'Version Not Supported' } }
  return { method, uri, fault: uriFault(uri) }
}

/** A NUL may stand in a quoted string behind a backslash; nobody means one, and many would stumble over it. */
const withoutQuotedNul = (head: string): string =>
  head.includes('\0') ? head.replace(/\\(.)/gsu, (pair, char) => (char === '\0' ? '\uFFFD' : pair)) : head

/** The body that is announced: bytes beyond it are no part of the message, missing ones make it wrong. */
const bodyOf = (rest: string, announced: string | undefined): string | undefined => {
  const bytes = Buffer.byteLength(rest)
  const length = Number(announced ?? bytes)
  if (length === bytes) return rest
  return length < bytes ? Buffer.from(rest).subarray(0, length).toString() : undefined
}

/** What an answer needs; undefined where none can be given, or, to an ACK, none may (RFC 3261, section 17). */
const partialOf = (method: string, uri: string, headers: Headers): SipRequest | undefined => {
  if (method === 'ACK' || !headers.has('Via') || !headers.has('CSeq')) return undefined
  const partial = new Headers()
  for (const name of mandatory) {
    const lines = headers.lines(name)
    for (const value of name === 'Via' ? lines : lines.slice(0, 1)) partial.add(name, value)
  }
  return { method, uri, headers: partial, body: '' }
}

/** Reads one message. Never throws, whatever the text. */
export const parse = (text: string): Parsed => {
  const end = text.indexOf('\r\n\r\n')
  const head = withoutQuotedNul(end < 0 ? text : text.slice(0, end))
  const lines = head.replace(/\r\n[ \t]+/g, ' ').split('\r\n')
  const start = readStart(lines[0] ?? '')
  if (start === undefined) return { ok: false, ...bad('Malformed Start Line') }
  const headers = new Headers()
  const fieldsFault = readFields(lines.slice(1, sipBounds.fields + 1), headers)
  const body = bodyOf(end < 0 ? '' : text.slice(end + 4), headers.get('Content-Length'))
  const isMismatch = 'method' in start && parseCseq(headers.get('CSeq') ?? '')?.method !== start.method
  const fault =
    ('fault' in start ? start.fault : undefined) ??
    (end < 0 ? bad('Unfinished Head') : undefined) ??
    (lines.length > sipBounds.fields + 1
      ? ({ status: 413, reason: 'Too Many Header Fields' } as const)
      : undefined) ??
    fieldsFault ??
    (isMismatch ? bad('CSeq of Another Method') : undefined)
  if (fault === undefined && body !== undefined) {
    const message =
      'method' in start
        ? { method: start.method, uri: start.uri, headers, body }
        : { ...start, headers, body }
    return { ok: true, message }
  }
  const partial = 'method' in start ? partialOf(start.method, start.uri, headers) : undefined
  return { ok: false, ...(fault ?? bad('Body Shorter Than Content-Length')), ...(partial && { partial }) }
}
