// A JSON Web Key Set (RFC 7517, section 5) as it came over the network, into the keys in it that tokens may be signed
// with. A key that is of no use here is passed over, and it is said why: the others of the set are as good as before.

import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import Type, { type Static } from 'typebox'
import type { Algorithm } from '../../config.js'
import { ok, type Result, refuse } from '../../errors.js'
import { check, faultText } from '../../runtime/index.js'
import { type TokenKey, tokenKey, unfit } from './keys.js'

/** The algorithm of a key that names none. RSA keys serve PS256 only where they say so. */
const usual = { RSA: 'RS256', EC: 'ES256', OKP: 'EdDSA' } as const satisfies Record<string, Algorithm>

const Text = Type.Optional(Type.String())

const Jwk = Type.Object(
  {
    kty: Type.Enum(['RSA', 'EC', 'OKP']),
    kid: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    alg: Type.Optional(Type.Enum(['RS256', 'PS256', 'ES256', 'EdDSA'])),
    use: Type.Optional(Type.Literal('sig', { expected: 'sig or absent' })),
    key_ops: Type.Optional(Type.Array(Type.Literal('verify'), { minItems: 1 })),
    d: Type.Optional(Type.Never({ expected: 'absent: private keys have no place in a set' })),
    crv: Text,
    x: Text,
    y: Text,
    n: Text,
    e: Text,
  },
  { expected: 'a JSON object' },
)

const checkJwk = check(Jwk)
const checkSet = check(Type.Object({ keys: Type.Array(Type.Unknown()) }, { expected: 'a JSON object' }))

/** The usable keys of a set. */
export interface Jwks {
  /** By `kid`; the only one of a set also by `undefined`. */
  readonly keys: ReadonlyMap<unknown, TokenKey>
  /** By all that makes a key what it is, so that it stays the same object when the set is read again. */
  readonly byContent: ReadonlyMap<string, TokenKey>
  /** One line for each key that is of no use: `keys[2].kty must be one of RSA, EC, OKP`. */
  readonly passedOver: readonly string[]
}

export const noKeys: Jwks = { keys: new Map(), byContent: new Map(), passedOver: [] }

const parse = ({ kty, crv, x, y, n, e }: Static<typeof Jwk>): KeyObject | undefined => {
  try {
    return createPublicKey({ key: { kty, crv, x, y, n, e } as JsonWebKey, format: 'jwk' })
  } catch {
    return undefined
  }
}

/** Reads a set; the keys that `former` had are taken from there. Refused with `invalid` if it is no set at all. */
export const readJwks = async (bytes: Uint8Array, former: Jwks): Promise<Result<Jwks>> => {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return refuse('invalid', 'is not JSON in UTF-8')
  }
  const set = checkSet(json)
  if (!set.ok) return refuse('invalid', `is no key set: ${set.faults.map(faultText).join('; ')}`)

  const keys = new Map<unknown, TokenKey>()
  const byContent = new Map<string, TokenKey>()
  const passedOver: string[] = []
  const usable: TokenKey[] = []
  for (const [index, each] of set.value.keys.entries()) {
    const at = `keys[${index}]`
    const checked = checkJwk(each)
    if (!checked.ok) {
      passedOver.push(...checked.faults.map(({ path, message }) => `${at}${path && `.${path}`} ${message}`))
      continue
    }
    const jwk = checked.value
    const { kty, kid, alg = usual[kty], crv, x, y, n, e } = jwk
    if (kid !== undefined && keys.has(kid)) {
      passedOver.push(`${at}.kid is there twice: the first one holds`)
      continue
    }
    const object = parse(jwk)
    const fault = object === undefined ? 'must be a key' : unfit(object, alg)
    if (object === undefined || fault !== undefined) {
      passedOver.push(`${at} ${fault}`)
      continue
    }
    const content = JSON.stringify([alg, kid, kty, crv, x, y, n, e])
    const key = former.byContent.get(content) ?? (await tokenKey(object, alg))
    byContent.set(content, key)
    usable.push(key)
    if (kid !== undefined) keys.set(kid, key)
  }
  const [only, ...others] = usable
  if (only !== undefined && others.length === 0) keys.set(undefined, only)
  return ok({ keys, byContent, passedOver })
}
