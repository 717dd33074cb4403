// What a SIP message is (RFC 3261, section 7): a request or a response, its header fields and its body. Values only:
// parse.ts and serialize.ts turn them into text and back, and response.ts makes the one from the other.

import type { Headers } from './headers.js'

export { type Field, Headers, keyOf } from './headers.js'

export interface SipRequest {
  /** A method is told by its case too. */
  readonly method: string
  /** The Request-URI as it was written. */
  readonly uri: string
  readonly headers: Headers
  readonly body: string
}

export interface SipResponse {
  /** From 100 to 699. */
  readonly status: number
  readonly reason: string
  readonly headers: Headers
  readonly body: string
}

export type SipMessage = SipRequest | SipResponse

export const isRequest = (message: SipMessage): message is SipRequest => 'method' in message
