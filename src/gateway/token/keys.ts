// The keys that tokens are signed with: what each algorithm asks of its key (RFC 7518 and RFC 8037), and the
// ring that finds a key by tenant and `kid`. Faults of configured keys come all at once, before the hub starts.
// The algorithm belongs to the key; a token that names another finds none.

import { createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from 'node:crypto'
import { type CryptoKey, importSPKI } from 'jose'
import type { Algorithm, Config, KeyConfig, Read } from '../../config.js'
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
  const { needs, fits } = rules[text.alg]
  return fits(key) ? key : { path, message: `must be ${needs} for ${text.alg}` }
}

/** One key that tokens may be signed with, ready for use. */
export interface TokenKey {
  readonly alg: Algorithm
  readonly key: CryptoKey
}

/** Where the verifier finds keys. */
export interface KeyRing {
  /** The tenant's key of this `kid`, whatever value that is; `undefined` finds the only key of a tenant with one. */
  find(tenant: string, kid: unknown): TokenKey | undefined
}

// A CryptoKey is imported once; from any other form jose would import a secret again for every token.
const importKey = (key: KeyObject, alg: Algorithm): Promise<CryptoKey> =>
  key.type === 'secret'
    ? crypto.subtle.importKey('raw', key.export(), { name: 'HMAC', hash: `SHA-${alg.slice(2)}` }, false, [
        'verify',
      ])
    : importSPKI(key.export({ type: 'spki', format: 'pem' }) as string, alg)

const tokenKey = async (config: KeyConfig): Promise<TokenKey | Fault> => {
  const key = readKey(config)
  return 'path' in key ? key : { alg: config.alg, key: await importKey(key, config.alg) }
}

/** Reads the keys of all tenants. Faults have paths such as `tenants.acme.keys[0].publicKey`. */
export const readKeys = async (tenants: Config['tenants']): Promise<Read<KeyRing>> => {
  const faults: Fault[] = []
  const ring = new Map<string, Map<unknown, TokenKey>>()
  for (const [tenant, { keys }] of tenants) {
    const byKid = new Map<unknown, TokenKey>()
    ring.set(tenant, byKid)
    for (const [index, config] of keys.entries()) {
      const key = await tokenKey(config)
      if ('path' in key) {
        faults.push({ ...key, path: `tenants.${tenant}.keys[${index}].${key.path}` })
        continue
      }
      if ('kid' in config) byKid.set(config.kid, key)
      if (keys.length === 1) byKid.set(undefined, key)
    }
  }
  if (faults.length > 0) return { ok: false, faults }
  return { ok: true, value: { find: (tenant, kid) => ring.get(tenant)?.get(kid) } }
}
