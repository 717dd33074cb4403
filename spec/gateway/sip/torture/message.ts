// How the torture messages are written down: a start line, header fields as they stand on the wire, and a body, with line
// ends and a true Content-Length put in. What each must give is beside it.

import type { BadStatus } from '../../../../src/gateway/dialects/sip/parse.js'

export interface Torture {
  /** Its section in RFC 4475, and the name it has there. */
  readonly section: string
  readonly name: string
  readonly title: string
  readonly text: string
}

export interface Valid extends Torture {
  /** Some of its main values. */
  readonly gives: object
}

export interface Invalid extends Torture {
  /** What a server says, or that it says nothing. */
  readonly gives: BadStatus | 'dropped'
}

/** A description of a session, as long as any in the RFC. */
export const sdp = [
  'v=0',
  'o=torture 2890844526 2890842807 IN IP4 192.0.2.1',
  's=-',
  'c=IN IP4 192.0.2.1',
  't=0 0',
  'm=audio 49172 RTP/AVP 0 12',
  'm=video 3227 RTP/AVP 31',
  'a=rtpmap:31 LPC',
  '',
].join('\r\n')

/** Fields may be folded: their line ends are put right too. Without a length of their own they get the true one. */
export const message = (start: string, fields: readonly string[], body = ''): string => {
  const hasLength = fields.some(field => /^(content-length|l)[ ]*:/i.test(field))
  const all = hasLength ? fields : [...fields, `Content-Length: ${Buffer.byteLength(body)}`]
  return `${[start, ...all].join('\r\n').replace(/\r?\n/g, '\r\n')}\r\n\r\n${body}`
}
