// The claims of a token (RFC 7519, section 4): their form, the rules of time that go beyond the RFC,
// and the grant they amount to. Form is judged before any crypto, so that nothing large or odd costs a
// signature check; audience and expiry are judged after it, by the verifier.

import Type, { type Static } from 'typebox'
import { AccountName, TenantName } from '../../protocol/index.js'
import { check } from '../../runtime/index.js'
import { type Grant, scopesOf } from './grant.js'

/** How far the clocks of issuer and hub may differ, in seconds; holds for `exp`, `nbf` and `iat` alike. */
export const skewSeconds = 60

/** The longest life a token may have, in seconds: 24 h. */
export const longestLifeSeconds = 86_400

// RFC 7519 allows fractions in a NumericDate; the hub does not, nor what JSON reads as Infinity.
const Seconds = Type.Integer({
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  expected: 'a time in whole seconds since 1970',
})

export const Claims = Type.Object(
  {
    iss: TenantName,
    sub: AccountName,
    aud: Type.Union([Type.String(), Type.Array(Type.String())], { expected: 'text, or a list of texts' }),
    exp: Seconds,
    nbf: Type.Optional(Seconds),
    iat: Type.Optional(Seconds),
    jti: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    scope: Type.Optional(Type.String()),
    groups: Type.Optional(Type.Array(Type.String({ maxLength: 128 }), { maxItems: 100 })),
    capacity: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
  },
  { expected: 'a JSON object' },
)
/** The claims the hub reads; others are ignored (RFC 7519, section 4). */
export type Claims = Static<typeof Claims>

export const checkClaims = check(Claims)

/** What is wrong with the times of well-formed claims, at `now` in seconds since 1970; undefined if nothing. */
export const timeFault = ({ exp, iat }: Claims, now: number): string | undefined => {
  if (iat !== undefined && iat > now + skewSeconds) return 'iat is in the future'
  if (exp - (iat ?? now + skewSeconds) > longestLifeSeconds) return 'exp gives the token a life over 24 h'
  return undefined
}

/**
 * What is wrong with claims whose signature is good, at `now` in seconds since 1970: whom they are for, and when they
 * hold (RFC 7519, sections 4.1.3 to 4.1.5); undefined if nothing.
 */
export const claimFault = (claims: Claims, audience: string, now: number): string | undefined => {
  const { aud, exp, nbf } = claims
  if (!(typeof aud === 'string' ? aud === audience : aud.includes(audience)))
    return `aud must name ${audience}`
  if (nbf !== undefined && nbf > now + skewSeconds) return 'nbf is in the future'
  if (exp <= now - skewSeconds) return 'exp has passed'
  return timeFault(claims, now)
}

/** The grant of claims that were verified at `now`, milliseconds since 1970. */
export const grantOf = (
  { iss, sub, exp, iat, scope = '', groups = [], capacity, jti }: Claims,
  now: number,
): Grant => ({
  tenant: iss,
  account: sub,
  scopes: scopesOf(scope),
  expires: exp * 1000,
  groups,
  ...(capacity !== undefined && { capacity }),
  ...(jti !== undefined && { jti }),
  // What is here has been issued, whatever the issuer's clock says.
  ...(iat !== undefined && { issued: Math.min(iat * 1000, now) }),
})
