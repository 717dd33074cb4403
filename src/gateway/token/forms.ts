// The forms that a token may have. Each says by itself which tokens are meant to be of it; the first one that does judges
// the token, and no other: what is refused in one form is never tried in the next.

import type { Check } from '../../runtime/index.js'
import { accessToken } from './access-token.js'
import { capabilityToken } from './capability-token.js'
import type { Form, Header, Statement } from './claims.js'
import { ownToken } from './own-token.js'

const others: readonly Form[] = [accessToken, capabilityToken]

/** What a token says whose header is of good form; `claims` is whatever JSON it has. */
export const readClaims = (header: Header, claims: unknown): ReturnType<Check<Statement>> => {
  const said = Object(claims) as Readonly<Record<string, unknown>>
  const form = others.find(({ meant }) => meant(header, said)) ?? ownToken
  return form.read(header, claims)
}
