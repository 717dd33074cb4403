// A message as text. Its Content-Length is what its body has in bytes, whatever a header field said. What comes from a
// value stays in its line: a line end or a NUL is a space there, in the Request-URI it is escaped.

import { isRequest, type SipMessage } from './message.js'
import { escapedBy, inOneLine, isToken } from './words.js'

const escapeUri = escapedBy(/[\0-\x20\x7f]/g)

const startLine = (message: SipMessage): string => {
  if (!isRequest(message)) return `SIP/2.0 ${message.status} ${inOneLine(message.reason)}`
  if (!isToken(message.method)) throw new TypeError(`no method: ${JSON.stringify(message.method)}`)
  return `${message.method} ${escapeUri(message.uri)} SIP/2.0`
}

/** The text of a message. Throws on a method that is no token: methods are never a peer's words. */
export const serialize = (message: SipMessage): string => {
  let text = `${startLine(message)}\r\n`
  for (const [name, value] of message.headers) {
    if (name !== 'Content-Length') text += `${name}: ${inOneLine(value)}\r\n`
  }
  return `${text}Content-Length: ${Buffer.byteLength(message.body)}\r\n\r\n${message.body}`
}
