// Tokens for development: what `switchhook token`, `--dev` and the specs sign, by the rules that the verifier
// holds them to, so that a token minted here is never refused there for its form. Production tokens come from
// the platform's own issuer.

import { SignJWT } from 'jose'
import { HubError } from '../../errors.js'
import { type Clock, faultText } from '../../runtime/index.js'
import { timeFault } from './claims.js'
import { type KeyText, readKey } from './keys.js'
import { checkClaims } from './own-token.js'

/** What a development token says. The key is a `secret` (UTF-8 text) or a `privateKey` (PEM) that fits `alg`. */
export type MintOptions = Exclude<KeyText, { publicKey: string }> & {
  readonly kid?: string
  readonly tenant: string
  readonly account: string
  /** Default: what a softphone needs. */
  readonly scopes?: readonly string[]
  readonly groups?: readonly string[]
  readonly capacity?: number
  readonly jti?: string
  /** Default `switchhook`. */
  readonly audience?: string
  /** Default one hour; at most 24 h. */
  readonly expiresInSeconds?: number
  readonly clock: Pick<Clock, 'wall'>
}

const softphone = ['presence:register', 'presence:read', 'call:receive', 'call:place']

/** Signs a token (RFC 7519). Throws `HubError` `invalid`, naming the option or claim that the hub would refuse. */
export const mintToken = async (options: MintOptions): Promise<string> => {
  const { alg, kid, scopes = softphone, audience = 'switchhook', expiresInSeconds = 3600, clock } = options
  const { tenant, account, groups, capacity, jti } = options
  const key = readKey(options)
  if ('path' in key) throw new HubError('invalid', faultText(key), { faults: [key] })
  const iat = Math.floor(clock.wall() / 1000)
  const claims = {
    iss: tenant,
    sub: account,
    aud: audience,
    iat,
    exp: iat + expiresInSeconds,
    scope: scopes.join(' '),
    ...(groups !== undefined && { groups: [...groups] }),
    ...(capacity !== undefined && { capacity }),
    ...(jti !== undefined && { jti }),
  }
  const checked = checkClaims(claims)
  if (!checked.ok) {
    throw new HubError('invalid', checked.faults.map(faultText).join('; '), { faults: checked.faults })
  }
  const fault = timeFault(checked.value, iat)
  if (fault !== undefined) throw new HubError('invalid', fault)
  return new SignJWT(claims)
    .setProtectedHeader({ alg, typ: 'JWT', ...(kid !== undefined && { kid }) })
    .sign(key)
}
