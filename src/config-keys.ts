// The keys of a tenant as a configuration has them: of one of three kinds, with a secret that is long enough, and told
// apart by their ids. Whether a public key is one, and where a set of keys is, is judged by the token room.

import type { Static } from 'typebox'
import type { Reading } from './config-reading.js'
import type { Algorithm, Key } from './config-schema.js'

/** Where `keys[].secret` and `publicKey` have been read; or where a set of keys is. Exactly one of the three kinds. */
export type KeyConfig =
  | { readonly kid?: string; readonly alg: Algorithm; readonly secret: string }
  | {
      readonly kid?: string
      readonly alg: Algorithm
      readonly publicKey: string
    }
  /** The address of a JSON Web Key Set, checked where it is asked. */
  | { readonly jwksUrl: string }

type KeyInput = Static<typeof Key>

/** The least bytes of an HMAC secret: the size of the hash (RFC 7518, section 3.2). */
const secretBytes = { HS256: 32, HS384: 48, HS512: 64 } as const

const isHmac = (alg: Algorithm): alg is keyof typeof secretBytes => alg in secretBytes

const readOwnKey = (
  reading: Reading,
  path: string,
  alg: Algorithm,
  { kid, secret, publicKey }: KeyInput,
): KeyConfig => {
  if ((secret === undefined) === (publicKey === undefined)) {
    reading.fault(path, 'must have one of secret and publicKey')
  }
  const named = { ...(kid === undefined ? {} : { kid }), alg }
  if (secret === undefined) {
    if (isHmac(alg)) reading.fault(`${path}.alg`, `${alg} needs a secret, not a publicKey`)
    return { ...named, publicKey: reading.text(`${path}.publicKey`, publicKey ?? '') }
  }
  const before = reading.faults.length
  const text = reading.text(`${path}.secret`, secret)
  if (!isHmac(alg)) reading.fault(`${path}.alg`, `${alg} needs a publicKey, not a secret`)
  else if (reading.faults.length === before && Buffer.byteLength(text) < secretBytes[alg]) {
    reading.fault(`${path}.secret`, `must be at least ${secretBytes[alg]} bytes for ${alg}`)
  }
  return { ...named, secret: text }
}

const readKey = (reading: Reading, path: string, { jwksUrl, alg, ...rest }: KeyInput): KeyConfig[] => {
  if (jwksUrl !== undefined) {
    const alone = alg === undefined && Object.keys(rest).length === 0
    if (!alone) reading.fault(path, 'must have nothing beside jwksUrl')
    return [{ jwksUrl }]
  }
  if (alg !== undefined) return [readOwnKey(reading, path, alg, rest)]
  reading.fault(`${path}.alg`, 'is missing')
  return []
}

/** The keys that stand at `path`. */
export const readKeys = (reading: Reading, path: string, keys: readonly KeyInput[]): KeyConfig[] => {
  const kids = new Set<string>()
  return keys.flatMap((input, index) => {
    const at = `${path}[${index}]`
    const { kid, jwksUrl } = input
    if (kid !== undefined && kids.has(kid)) reading.fault(`${at}.kid`, `${kid} is there twice`)
    if (kid !== undefined) kids.add(kid)
    if (kid === undefined && jwksUrl === undefined && keys.length > 1) {
      reading.fault(`${at}.kid`, 'is missing: a tenant with several keys tells them apart by it')
    }
    return readKey(reading, at, input)
  })
}
