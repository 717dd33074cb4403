// SIP over WebSocket (RFC 7118) as a dialect of the hub: one SIP message is one text message. docs/sip.md says what of
// SIP is spoken.

import type { Clock } from '../../../runtime/index.js'
import type { SipAccounts } from '../../token/index.js'
import type { Dialect } from '../dialect.js'
import { Door } from './door.js'
import { Nonces } from './nonces.js'
import { SipTranslator } from './translator.js'

/** SIP, for those with a token of the hub and for these accounts. */
export const sip = (accounts: Pick<SipAccounts, 'find'>, clock: Clock): Dialect => {
  const door = new Door(accounts, new Nonces(clock), clock)
  return {
    path: '/sip',
    subprotocols: ['sip'],
    confirms: true,
    beat: '\r\n\r\n',
    open: line => new SipTranslator(line, door),
  }
}
