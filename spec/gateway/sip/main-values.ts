// The values of a message that a server acts on, as plain objects: what specs compare.

import { accountOf, parseNameAddr, parseUri } from '../../../src/gateway/dialects/sip/address.js'
import { readAuthorization } from '../../../src/gateway/dialects/sip/digest.js'
import { isRequest, type SipMessage } from '../../../src/gateway/dialects/sip/message.js'
import { parseCseq, parseVia } from '../../../src/gateway/dialects/sip/via.js'

const addressValues = (value: string | undefined) => {
  const address = parseNameAddr(value ?? '')
  if (address === undefined) return undefined
  const uri = parseUri(address.uri)
  return {
    displayName: address.displayName,
    uri: address.uri,
    params: Object.fromEntries(address.params),
    account: accountOf(address.uri),
    uriParams: Object.fromEntries(uri?.params ?? []),
    uriHeaders: Object.fromEntries(uri?.headers ?? []),
  }
}

const viaValues = (value: string) => {
  const via = parseVia(value)
  return via && { ...via, params: Object.fromEntries(via.params) }
}

export const mainValues = (message: SipMessage) => {
  const { headers, body } = message
  const maxForwards = headers.get('Max-Forwards')
  return {
    ...(isRequest(message)
      ? { method: message.method, uri: message.uri, account: accountOf(message.uri) }
      : { status: message.status, reason: message.reason }),
    vias: headers.all('Via').map(viaValues),
    from: addressValues(headers.get('From')),
    to: addressValues(headers.get('To')),
    callId: headers.get('Call-ID'),
    cseq: parseCseq(headers.get('CSeq') ?? ''),
    maxForwards: maxForwards === undefined ? undefined : Number(maxForwards),
    contacts: headers.all('Contact').map(addressValues),
    routes: headers.all('Route').map(addressValues),
    accepts: headers.all('Accept'),
    requires: headers.all('Require'),
    authorization: readAuthorization(headers.get('Authorization') ?? ''),
    // The length is the serialiser's.
    fields: Object.fromEntries([...headers].filter(([name]) => name !== 'Content-Length')),
    body,
  }
}
