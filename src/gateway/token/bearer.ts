// The token of an HTTP request: the credentials of `Authorization: Bearer` (RFC 6750, section 2.1), and of
// nothing else. A token in a URL ends up in logs, so the URL is never looked at.

import { ok, type Result, refuse } from '../../errors.js'

const credentials = /^Bearer +([\w\-.~+/]+=*)$/i

/** Reads the value of an `Authorization` header. The scheme's case is free (RFC 9110, section 11.1). */
export const bearerOf = (header: string | undefined): Result<string> => {
  const token = credentials.exec(header ?? '')?.[1]
  return token === undefined ? refuse('unauthorized', 'send Authorization: Bearer and a token') : ok(token)
}
