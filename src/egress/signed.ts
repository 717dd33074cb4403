// How an application that we ask or tell something knows that it is us: the X-Twilio-Signature header, as applications
// written for that language check it. What is signed is the address exactly as it goes on the wire, with the fields of
// a form that is posted; of any other body the address has the digest.

import { createHash, createHmac } from 'node:crypto'
import type { EgressRequest, Hop } from './egress.js'

/**
 * Fields as a query. A question mark stands there for itself (RFC 3986, section 3.4): the helper library, when it puts
 * the address of a request together again, takes `%3F` for one too.
 */
const queryOf = (form: URLSearchParams): string => form.toString().replaceAll('%3F', '?')

const extended = (url: URL, query: string): URL => {
  const longer = new URL(url)
  longer.search += `${url.search === '' ? '?' : '&'}${query}`
  return longer
}

/** The address that a form goes to: with GET the fields are its query, after what is there. */
export const addressed = ({ url, method }: Hop, form: URLSearchParams): URL =>
  method === 'GET' ? extended(url, queryOf(form)) : url

/** The address that a body which is no form goes to: the digest of the body is in its query, and so it is signed, too. */
export const digested = (url: URL, body: string): URL =>
  extended(url, `bodySHA256=${createHash('sha256').update(body).digest('hex')}`)

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

/** What is said to a server: fields, posted or in the query already, or a text in JSON. */
export type Message = { readonly form: URLSearchParams } | { readonly json: string }

/** Whether a hop is signed as the first one is: it leads to the same host, and not from https to http. */
const maySign = (url: URL, first: URL): boolean =>
  url.host === first.host && (url.protocol === 'https:' || first.protocol === 'http:')

/** Says a message to each hop, signed where there is a token, and only at the host of the `first`. */
export const signed =
  (first: URL, message: Message, authToken: string | undefined): EgressRequest['say'] =>
  ({ url, method }) => {
    const form = 'form' in message && method === 'POST' ? message.form : undefined
    const body = 'json' in message ? message.json : form?.toString()
    const type = form ? 'application/x-www-form-urlencoded; charset=utf-8' : 'application/json'
    return {
      headers: {
        ...(body !== undefined && { 'content-type': type }),
        ...(authToken !== undefined &&
          maySign(url, first) && { 'x-twilio-signature': signatureOf(authToken, url, form) }),
      },
      ...(body !== undefined && { body }),
    }
  }
