// What is answered to a request (RFC 3261, section 8.2.6): the header fields that lead a response back are copied, and
// To has a tag from the second answer on. The phrases are those of section 21 and of the RFCs that extend it.

import { tagOf } from './address.js'
import { type Field, Headers, type SipRequest, type SipResponse } from './message.js'

export const reasonPhrases: Readonly<Record<number, string>> = {
  100: 'Trying',
  180: 'Ringing',
  181: 'Call Is Being Forwarded',
  182: 'Queued',
  183: 'Session Progress',
  199: 'Early Dialog Terminated',
  200: 'OK',
  202: 'Accepted',
  204: 'No Notification',
  300: 'Multiple Choices',
  301: 'Moved Permanently',
  302: 'Moved Temporarily',
  305: 'Use Proxy',
  380: 'Alternative Service',
  400: 'Bad Request',
  401: 'Unauthorized',
  402: 'Payment Required',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  407: 'Proxy Authentication Required',
  408: 'Request Timeout',
  410: 'Gone',
  412: 'Conditional Request Failed',
  413: 'Request Entity Too Large',
  414: 'Request-URI Too Long',
  415: 'Unsupported Media Type',
  416: 'Unsupported URI Scheme',
  420: 'Bad Extension',
  421: 'Extension Required',
  422: 'Session Interval Too Small',
  423: 'Interval Too Brief',
  433: 'Anonymity Disallowed',
  480: 'Temporarily Unavailable',
  481: 'Call/Transaction Does Not Exist',
  482: 'Loop Detected',
  483: 'Too Many Hops',
  484: 'Address Incomplete',
  485: 'Ambiguous',
  486: 'Busy Here',
  487: 'Request Terminated',
  488: 'Not Acceptable Here',
  489: 'Bad Event',
  491: 'Request Pending',
  493: 'Undecipherable',
  500: 'Server Internal Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Server Time-out',
  505: 'Version Not Supported',
  513: 'Message Too Large',
  580: 'Precondition Failure',
  600: 'Busy Everywhere',
  603: 'Decline',
  604: 'Does Not Exist Anywhere',
  606: 'Not Acceptable',
}

export interface Answer {
  /** Absent: the phrase of the status. */
  readonly reason?: string
  /** For a To that has none yet: every response but 100 has one. */
  readonly toTag?: string
  readonly headers?: Iterable<Field>
  readonly body?: string
}

const copied = ['Via', 'From', 'To', 'Call-ID', 'CSeq']

/** The response to a request, or to what could be read of one. */
export const responseTo = (
  request: SipRequest,
  status: number,
  { reason = reasonPhrases[status] ?? '', toTag, headers = [], body = '' }: Answer = {},
): SipResponse => {
  const fields = new Headers()
  for (const name of copied) {
    for (const value of request.headers.lines(name)) fields.add(name, value)
  }
  const to = fields.get('To')
  if (toTag !== undefined && to !== undefined && tagOf(to) === undefined) {
    fields.set('To', `${to};tag=${toTag}`)
  }
  for (const [name, value] of headers) fields.add(name, value)
  return { status, reason, headers: fields, body }
}
