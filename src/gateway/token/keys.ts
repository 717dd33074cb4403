// A key that tokens are signed with: what each algorithm asks of it (RFC 7518 and RFC 8037), its reading from text,
// and its form for use. The algorithm belongs to the key; a token that names another finds none. Which key a token
// is signed with is the ring's to say.

import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto'
import { compactVerify, importSPKI } from 'jose'
import type { Algorithm } from '../../config.js'
import type { Fault } from '../../errors.js'

/** A key as text: UTF-8 for a secret, PEM for the others. */
export type KeyText = { readonly alg: Algorithm } & (
  | { readonly secret: string }
  | { readonly publicKey: string }
  | { readonly privateKey: string }
)

interface KeyRule {
  readonly needs: string
  readonly fits: (key: KeyObject) => boolean
}

const hmac = (bytes: number): KeyRule => ({
  needs: `a secret of at least ${bytes} bytes`,
  fits: key => (key.symmetricKeySize ?? 0) >= bytes,
})

const rsa: KeyRule = {
  needs: 'an RSA key of at least 2048 bits',
  fits: key => key.asymmetricKeyType === 'rsa' && Number(key.asymmetricKeyDetails?.modulusLength) >= 2048,
}

const rules: Record<Algorithm, KeyRule> = {
  HS256: hmac(32),
  HS384: hmac(48),
  HS512: hmac(64),
  RS256: rsa,
  PS256: rsa,
  ES256: {
    needs: 'an EC key on the curve P-256',
    fits: key => key.asymmetricKeyDetails?.namedCurve === 'prime256v1',
  },
  EdDSA: { needs: 'an Ed25519 key', fits: key => key.asymmetricKeyType === 'ed25519' },
}

/** The `kid` of a tenant's `authToken`, as a key: no token can say it. */
export const authTokenKid = Symbol('authToken')

/** Why a key does not do for an algorithm; undefined if it does. */
export const unfit = (key: KeyObject, alg: Algorithm): string | undefined =>
  rules[alg].fits(key) ? undefined : `must be ${rules[alg].needs} for ${alg}`

const publicPem = '-----BEGIN PUBLIC KEY-----'

const parse = (text: KeyText): KeyObject => {
  if ('secret' in text) return createSecretKey(text.secret, 'utf8')
  if ('privateKey' in text) return createPrivateKey(text.privateKey)
  // Node would take a private key too and derive the public one; a private key has no business here.
  if (!text.publicKey.trimStart().startsWith(publicPem)) throw new TypeError('not a public key')
  return createPublicKey(text.publicKey)
}

/** Reads a key and holds it to its algorithm. The fault's path is the name of the field. */
export const readKey = (text: KeyText): KeyObject | Fault => {
  const path = 'secret' in text ? 'secret' : 'privateKey' in text ? 'privateKey' : 'publicKey'
  let key: KeyObject
  try {
    key = parse(text)
  } catch {
    const pem = path === 'publicKey' ? publicPem : '-----BEGIN PRIVATE KEY-----'
    return { path, message: `must be a key in PEM (${pem})` }
  }
  const message = unfit(key, text.alg)
  return message === undefined ? key : { path, message }
}

/** One key that tokens may be signed with, ready for use. */
export interface TokenKey {
  readonly alg: Algorithm
  /** Whether a token, in the one canonical form of its three parts, bears this key's signature. Never rejects. */
  signed(token: string): boolean | Promise<boolean>
}

// An HMAC costs less than asking another thread for it, which is how jose would have it (RFC 7518, section 3.2).
const secretKey = (key: KeyObject, alg: Algorithm): TokenKey => {
  const hash = `sha${alg.slice(2)}`
  return {
    alg,
    signed(token) {
      const end = token.lastIndexOf('.')
      const signature = Buffer.from(token.slice(end + 1), 'base64url')
      const own = createHmac(hash, key).update(token.slice(0, end)).digest()
      return signature.length === own.length && timingSafeEqual(signature, own)
    },
  }
}

const publicKey = async (key: KeyObject, alg: Algorithm): Promise<TokenKey> => {
  // Imported once: from any other form jose would import it again for every token.
  const imported = await importSPKI(key.export({ type: 'spki', format: 'pem' }) as string, alg)
  return {
    alg,
    signed: token =>
      compactVerify(token, imported, { algorithms: [alg] }).then(
        () => true,
        () => false,
      ),
  }
}

/** A key that fits its algorithm, ready for use. */
export const tokenKey = async (key: KeyObject, alg: Algorithm): Promise<TokenKey> =>
  key.type === 'secret' ? secretKey(key, alg) : publicKey(key, alg)
