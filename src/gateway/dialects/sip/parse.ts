// A text as one SIP message (RFC 3261, section 7; each is one WebSocket message, RFC 7118, section 4.1). What a server
// acts on is read strictly, so that no one after this has to ask: the start line, the fields that route and match, what
// may be there once only, and how long the body is. What it does not act on is left as it is.
//
// A request that is wrong and can be answered comes with what answers it; all else that is wrong is to be dropped.

import { bad, type Fault } from './fault.js'
import { mandatory, readFields } from './fields.js'
import { Headers, type SipMessage, type SipRequest } from './message.js'
import { readStartLine, type StartLine } from './start-line.js'
import { parseCseq } from './via.js'

export { type BadStatus, type Fault, sipBounds } from './fault.js'

export interface Unparsed extends Fault {
  readonly ok: false
  /** Of a request that can be answered what `responseTo` needs. Absent: nothing is answered. */
  readonly partial?: SipRequest
}

export type Parsed = { readonly ok: true; readonly message: SipMessage } | Unparsed

/** A NUL may stand in a quoted string behind a backslash; nobody means one, and many would stumble over it. */
const withoutQuotedNul = (head: string): string =>
  head.includes('\0') ? head.replace(/\\(.)/gsu, (pair, char) => (char === '\0' ? '\uFFFD' : pair)) : head

/** Whether the CSeq, which is there, is of the method of the request. */
const mismatch = (line: StartLine['line'], headers: Headers): Fault | undefined =>
  'method' in line && parseCseq(headers.get('CSeq') as string)?.method !== line.method
    ? bad('CSeq of Another Method')
    : undefined

/** The body that is announced: bytes beyond it are no part of the message, where some are missing it is none. */
const bodyOf = (rest: string, announced: string | undefined): string | undefined => {
  const bytes = Buffer.byteLength(rest)
  const length = Number(announced ?? bytes)
  if (length === bytes) return rest
  return length < bytes ? Buffer.from(rest).subarray(0, length).toString() : undefined
}

/** What an answer needs; undefined where none can be given, or, to an ACK, none may (RFC 3261, section 17). */
const partialOf = (line: StartLine['line'], headers: Headers): SipRequest | undefined => {
  if (!('method' in line) || line.method === 'ACK') return undefined
  if (!headers.has('Via') || !headers.has('CSeq')) return undefined
  const partial = new Headers()
  for (const name of mandatory) {
    const lines = headers.lines(name)
    for (const value of name === 'Via' ? lines : lines.slice(0, 1)) partial.add(name, value)
  }
  return { ...line, headers: partial, body: '' }
}

const isFolded = /\r\n[ \t]/
const folds = /\r\n[ \t]+/g

/** Reads one message. Never throws, whatever the text, and takes time that grows with its length only. */
export const parse = (text: string): Parsed => {
  const end = text.indexOf('\r\n\r\n')
  const head = withoutQuotedNul(end < 0 ? text : text.slice(0, end))
  const lines = (isFolded.test(head) ? head.replace(folds, ' ') : head).split('\r\n')
  const start = readStartLine(lines.shift() as string)
  if (start === undefined) return { ok: false, ...bad('Malformed Start Line') }
  const { line } = start
  const headers = new Headers()
  const fieldsFault = readFields(lines, headers)
  const body = end < 0 ? undefined : bodyOf(text.slice(end + 4), headers.get('Content-Length'))
  const fault = start.fault ?? fieldsFault ?? mismatch(line, headers)
  if (fault === undefined && body !== undefined) return { ok: true, message: { ...line, headers, body } }
  const partial = partialOf(line, headers)
  return { ok: false, ...(fault ?? bad('Unfinished Message')), ...(partial && { partial }) }
}
