// Who a client is, as its requests say: by a token of the hub's (RFC 8898), or by the secret of a SIP account (RFC 7616).
// A request without either is answered with a challenge, and nothing of it is kept. Tokens are for the session to
// judge; a secret that is proven is a grant for as long as a registration may last, which each one proves anew.

import type { Clock } from '../../../runtime/index.js'
import { type Grant, grantOfSip, type SipAccounts } from '../../token/index.js'
import { accountOf, parseNameAddr, parseUri } from './address.js'
import { challenge, type DigestCredentials, readAuthorization, verify } from './digest.js'
import { longestSeconds } from './lifetimes.js'
import type { SipRequest, SipResponse } from './message.js'
import type { Nonces } from './nonces.js'
import { responseTo } from './response.js'
import { newToken } from './transactions.js'

/** What is proven, as a `hello` or a `token` takes it; or what is answered to a request that proves nothing. */
export type Proof =
  | { readonly ok: true; readonly token: string; readonly grant?: Grant }
  | { readonly ok: false; readonly response: SipResponse }

/** The address that a request comes from; parsing has seen that there is one. */
export const senderOf = ({ headers }: SipRequest): { readonly account: string; readonly domain: string } => {
  const { uri } = parseNameAddr(headers.get('From') as string) as { uri: string }
  return { account: accountOf(uri) ?? '', domain: parseUri(uri)?.host ?? 'invalid' }
}

export class Door {
  readonly #accounts: Pick<SipAccounts, 'find'>
  readonly #nonces: Nonces
  readonly #clock: Clock

  constructor(accounts: Pick<SipAccounts, 'find'>, nonces: Nonces, clock: Clock) {
    this.#accounts = accounts
    this.#nonces = nonces
    this.#clock = clock
  }

  prove(request: SipRequest): Proof {
    const given = readAuthorization(request.headers.get('Authorization') ?? '')
    if (given?.scheme === 'bearer') return { ok: true, token: given.token }
    return given === undefined
      ? { ok: false, response: this.challenge(request) }
      : this.#judge(request, given)
  }

  /** Asks for a proof; `stale`: the one that came was right, and too old. */
  challenge(request: SipRequest, stale = false): SipResponse {
    const { account, domain } = senderOf(request)
    const algorithm = this.#accounts.find(domain, account)?.algorithm ?? 'MD5'
    const asked = challenge({ realm: domain, nonce: this.#nonces.mint(domain), algorithm, stale })
    return responseTo(request, 401, { toTag: newToken(), headers: [['WWW-Authenticate', asked]] })
  }

  #judge(request: SipRequest, authorization: DigestCredentials): Proof {
    const { domain } = senderOf(request)
    const account = this.#accounts.find(domain, authorization.username)
    const verdict = verify({
      authorization,
      method: request.method,
      uri: request.uri,
      realm: domain,
      secret: account?.secret,
      algorithm: account?.algorithm ?? 'MD5',
      nonces: this.#nonces,
    })
    if (account === undefined || verdict !== 'proven') {
      return { ok: false, response: this.challenge(request, verdict === 'stale') }
    }
    const expires = this.#clock.wall() + longestSeconds * 1000
    return { ok: true, token: '', grant: grantOfSip(account, expires) }
  }
}
