// What every form of token has in common: the registered claims (RFC 7519, section 4), the rules of time, which go
// beyond the RFC, and the grant that a token amounts to. Form is judged before any crypto, so that nothing large or odd
// costs a signature check; audience and expiry are judged after it, by the verifier.

import Type, { type Static } from 'typebox'
import type { TenantId } from '../../protocol/index.js'
import type { Check } from '../../runtime/index.js'
import type { Grant } from './grant.js'

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

export const Audience = Type.Union([Type.String(), Type.Array(Type.String())], {
  expected: 'text, or a list of texts',
})

/** The claims that mean the same in every form. */
export const registered = {
  exp: Seconds,
  nbf: Type.Optional(Seconds),
  iat: Type.Optional(Seconds),
  jti: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
}

/** When a token holds, in seconds since 1970, whom it is for, and what it is called. */
export interface Terms {
  readonly exp: number
  readonly nbf?: number
  readonly iat?: number
  readonly jti?: string
  readonly aud?: Static<typeof Audience>
}

/** What a token says, in whatever form; believed by nobody before its signature. */
export interface Statement {
  readonly tenant: TenantId
  /** Which of the tenant's keys it says that it is signed with: any value. */
  readonly kid: unknown
  readonly terms: Terms
  readonly allows: Omit<Grant, 'tenant' | 'expires' | 'issued' | 'jti'>
}

/** A header of good form. */
export interface Header {
  readonly kid?: unknown
  readonly cty?: unknown
}

/** How one kind of token says all this. */
export interface Form {
  /** Whether a token is meant to have this form; nothing of its claims has been judged. */
  meant(header: Header, claims: Readonly<Record<string, unknown>>): boolean
  /** Judges the claims. A fault's path is the claim. */
  read(header: Header, claims: unknown): ReturnType<Check<Statement>>
}

/** What is wrong with the times of well-formed claims, at `now` in seconds since 1970; undefined if nothing. */
export const timeFault = ({ exp, iat }: Terms, now: number): string | undefined => {
  if (iat !== undefined && iat > now + skewSeconds) return 'iat is in the future'
  if (exp - (iat ?? now + skewSeconds) > longestLifeSeconds) return 'exp gives the token a life over 24 h'
  return undefined
}

/**
 * What is wrong with claims whose signature is good, at `now` in seconds since 1970: whom they are for, where they say
 * so, and when they hold (RFC 7519, sections 4.1.3 to 4.1.5); undefined if nothing.
 */
export const claimFault = (terms: Terms, audience: string, now: number): string | undefined => {
  const { aud = audience, exp, nbf } = terms
  if (!(typeof aud === 'string' ? aud === audience : aud.includes(audience)))
    return `aud must name ${audience}`
  if (nbf !== undefined && nbf > now + skewSeconds) return 'nbf is in the future'
  if (exp <= now - skewSeconds) return 'exp has passed'
  return timeFault(terms, now)
}

/** The grant of a token that was verified at `now`, milliseconds since 1970. */
export const grantOf = ({ tenant, terms: { exp, iat, jti }, allows }: Statement, now: number): Grant => ({
  tenant,
  ...allows,
  expires: exp * 1000,
  ...(jti !== undefined && { jti }),
  // What is here has been issued, whatever the issuer's clock says.
  ...(iat !== undefined && { issued: Math.min(iat * 1000, now) }),
})
