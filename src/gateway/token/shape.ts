// The form of a token, judged before any key is looked for: a JWS in compact serialization (RFC 7515,
// section 7.1) in its one canonical spelling, whose header and payload are JSON objects that say each thing
// once. One token has one spelling: else copies of it would flood a cache, or slip past a list of revoked ones.
// What a peer could learn from a refusal here is in this file, never in the keys.

import Type, { type Static } from 'typebox'
import { algorithms } from '../../config.js'
import { ok, type Result, refuse } from '../../errors.js'
import { type Check, check, faultText } from '../../runtime/index.js'
import { accessTokenType } from './access-token.js'
import type { Statement } from './claims.js'
import { readClaims } from './forms.js'

/** The longest token that is looked at, in characters. */
export const tokenLimit = 8192

const Absent = Type.Optional(Type.Never({ expected: 'absent' }))

// `jku`, `x5u`, `jwk` and `x5c` are left unread: a token does not choose its own key. `kid` is any value;
// one that is not text finds no key, and is told no more than that.
const Header = Type.Object(
  {
    alg: Type.Enum([...algorithms]),
    kid: Type.Optional(Type.Unknown()),
    typ: Type.Optional(Type.String({ pattern: '^[Jj][Ww][Tt]$', expected: 'JWT or absent' })),
    cty: Type.Optional(Type.Enum([accessTokenType], { expected: `${accessTokenType} or absent` })),
    crit: Absent,
    b64: Absent,
    zip: Absent,
  },
  { expected: 'a JSON object' },
)

const checkHeader = check(Header)

/** What a token says of itself, believed by nobody yet. */
export interface Unverified {
  readonly alg: Static<typeof Header>['alg']
  readonly statement: Statement
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The bytes of one part if it is canonical base64url (RFC 7515, section 2): no padding, and no other last character. */
const bytesOf = (part: string): Buffer | undefined => {
  const bytes = Buffer.from(part, 'base64url')
  return bytes.toString('base64url') === part ? bytes : undefined
}

// In valid JSON a text followed by a colon is a key, of the innermost object that is open.
const keysAndBraces = /("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?|[{}]/g

/** Whether any object in `json`, which is valid, has the same key twice, however it is escaped. */
const repeatsKey = (json: string): boolean => {
  const open: Set<unknown>[] = []
  for (const [token, text, colon] of json.matchAll(keysAndBraces)) {
    if (token === '{') open.push(new Set())
    else if (token === '}') open.pop()
    else if (text !== undefined && colon !== undefined) {
      const keys = open.at(-1)
      const key: unknown = JSON.parse(text)
      if (keys?.has(key)) return true
      keys?.add(key)
    }
  }
  return false
}

const readObject = <T>(what: string, bytes: Buffer, fits: Check<T>): Result<T> => {
  let json: string
  let value: unknown
  try {
    json = utf8.decode(bytes)
    value = JSON.parse(json)
  } catch {
    return refuse('unauthorized', `token ${what} must be JSON in UTF-8`)
  }
  if (repeatsKey(json)) return refuse('unauthorized', `token ${what} must have each key once`)
  const checked = fits(value)
  if (checked.ok) return ok(checked.value)
  return refuse('unauthorized', `token ${what}: ${checked.faults.slice(0, 3).map(faultText).join('; ')}`)
}

/** Reads a token of at most `tokenLimit` characters. The refusal names the header parameter or claim at fault. */
export const readToken = (token: string): Result<Unverified> => {
  const [header, payload, signature, ...more] = token.split('.').map(bytesOf)
  if (!header || !payload || !signature?.length || more.length > 0) {
    return refuse('unauthorized', 'token must be three parts of base64url, unpadded')
  }
  const head = readObject('header', header, checkHeader)
  if (!head.ok) return head
  const statement = readObject('claims', payload, claims => readClaims(head.value, claims))
  if (!statement.ok) return statement
  return ok({ alg: head.value.alg, statement: statement.value })
}
