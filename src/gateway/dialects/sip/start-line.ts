// The first line of a message (RFC 3261, sections 7.1 and 7.2), read to the letter: where one might guess what was meant,
// another would guess otherwise. What was meant as a request at all is told apart, since it can be answered.

import { isUri } from './address.js'
import { bad, type Fault, sipBounds } from './fault.js'
import type { SipRequest, SipResponse } from './message.js'

export interface StartLine {
  /** Of a request with a fault only the method may be known; the URI is '' then. */
  readonly line: Pick<SipRequest, 'method' | 'uri'> | Pick<SipResponse, 'status' | 'reason'>
  readonly fault?: Fault
}

// A response without a phrase ends with a space; that one is missing is understood all the same.
const statusLine = /^SIP\/2\.0 ([1-6]\d\d)(?: ([^\0\r\n]*))?$/i
const requestLine = /^[\w\-.!%*+`'~]+ (\S+) SIP\/(\d+\.\d+)$/i
const likeRequest = /^([\w\-.!%*+`'~]+)[ \t][^\r\n]*SIP\/\d+\.\d+[ \t]*$/i

/** What is wrong with a Request-URI: it must be one that a request can go to. */
const uriFault = (uri: string): Fault | undefined => {
  if (!isUri(uri)) return bad('Malformed Request-URI')
  if (!/^(?:sips?|tel):/i.test(uri)) return { status: 416, reason: 'Unsupported URI Scheme' }
  // Before the @ it is part of a name.
  return uri.includes('?', uri.indexOf('@')) ? bad('Header Fields in Request-URI') : undefined
}

const requestFault = (
  line: string,
  uri: string | undefined,
  version: string | undefined,
): Fault | undefined => {
  if (line.length > sipBounds.line) return { status: 414, reason: 'Request-URI Too Long' }
  if (uri === undefined) return bad('Malformed Request-Line')
  return version === '2.0' ? uriFault(uri) : { status: 505, reason: 'Version Not Supported' }
}

/** Undefined for what is no message of SIP. */
export const readStartLine = (line: string): StartLine | undefined => {
  const status = statusLine.exec(line)
  if (status !== null) return { line: { status: Number(status[1]), reason: status[2] ?? '' } }
  const method = likeRequest.exec(line)?.[1]
  if (method === undefined) return undefined
  const [, uri, version] = requestLine.exec(line) ?? []
  const fault = requestFault(line, uri, version)
  return { line: { method, uri: uri ?? '' }, ...(fault && { fault }) }
}
