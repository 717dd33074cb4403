// What a voice application is told when it is asked for instructions, and the signature that shows who asks: the
// form fields and the X-Twilio-Signature header that applications written for that language expect.

import { createHmac } from 'node:crypto'
import type { CallId, Params, TenantId } from '../../protocol/index.js'

/** The call that instructions are asked for. */
export interface InstructionRequest {
  readonly call: CallId
  readonly tenant: TenantId
  readonly from: string
  readonly to: string
  readonly direction: 'inbound' | 'outbound-dial'
  readonly params: Params
  /** The tenant's; absent: requests are not signed. */
  readonly authToken?: string
  /** The address of the document that a relative URL was found in. */
  readonly base?: string
}

/** The fields of a request: the call's own params, and over them what no param may change. */
export const formOf = (
  request: InstructionRequest,
  more: Readonly<Record<string, string>> = {},
): URLSearchParams =>
  new URLSearchParams([
    ...new Map([
      ...Object.entries(request.params),
      ...Object.entries({
        CallSid: request.call,
        AccountSid: request.tenant,
        From: request.from,
        To: request.to,
        CallStatus: 'ringing',
        ApiVersion: '2010-04-01',
        Direction: request.direction,
        ...more,
      }),
    ]),
  ])

/**
 * The fields as a query. A question mark stands there for itself (RFC 3986, section 3.4): the helper library, when it
 * puts the address of a request together again, takes `%3F` for one too.
 */
export const queryOf = (form: URLSearchParams): string => form.toString().replaceAll('%3F', '?')

/**
 * The value of X-Twilio-Signature: base64 of the HMAC-SHA1, under the tenant's token, of the URL exactly as it goes
 * on the wire and then, for a form that is posted, of each field's name and value, sorted by name.
 */
export const signatureOf = (authToken: string, url: URL, posted = new URLSearchParams()): string => {
  const fields = new URLSearchParams(posted)
  fields.sort()
  return createHmac('sha1', authToken)
    .update(url.href + [...fields].flat().join(''))
    .digest('base64')
}
