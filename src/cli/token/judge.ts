// Whether a hub would take a token, judged by the hub's own verifier. That tells a stranger only that the token is not
// signed by a key known there; whoever has the keys is told more here: which tenant, key or algorithm does not fit.
// Without keys all but the signature is judged, by the same verifier with a key that takes any.

import type { Config } from '../../config.js'
import { type Refusal, type Result, refuse } from '../../errors.js'
import {
  authTokenKid,
  createVerifier,
  type KeyRing,
  readToken,
  type Unverified,
} from '../../gateway/token/index.js'

/** What a token says of itself, as far as it can be read: JSON objects, or nothing. */
export interface Said {
  readonly header?: Readonly<Record<string, unknown>>
  readonly claims?: Readonly<Record<string, unknown>>
}

const partOf = (text = ''): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}

/** Reads what can be read. Believed by nobody. */
export const readSaid = (token: string): Said => {
  const [header, claims] = token.split('.').slice(0, 2).map(partOf)
  return { ...(header && { header }), ...(claims && { claims }) }
}

/** The keys to judge by: a ring, and the tenants that it has them for. */
export interface Keys {
  readonly ring: KeyRing
  readonly tenants: Config['tenants']
}

export interface Judgement {
  readonly signature: 'good' | 'bad' | 'unchecked'
  /** Everything for which it would be refused. */
  readonly refusals: readonly Refusal[]
}

interface Terms {
  readonly audience: string
  readonly clock: { readonly wall: () => number }
  readonly keys?: Keys
}

/**
 * What a token says whose form is good, whatever its key. One of good form is refused by the verifier, too, but only after
 * a key was looked for.
 */
export const judgeForm = async (token: string, { audience, clock }: Terms): Promise<Result<Unverified>> => {
  let sought = false
  const keys: KeyRing = {
    async find() {
      sought = true
      return undefined
    },
  }
  const judged = await createVerifier({ audience, clock, keys }).verify(token)
  return sought || judged.ok ? readToken(token) : judged
}

/** What is wrong with the claims, whoever signed them. */
const judgeClaims = async (
  token: string,
  { alg }: Unverified,
  { audience, clock }: Terms,
): Promise<Refusal | undefined> => {
  const keys: KeyRing = { find: async () => ({ alg, signed: () => true }) }
  const judged = await createVerifier({ audience, clock, keys }).verify(token)
  return judged.ok ? undefined : judged
}

/** Why no key of the ring has signed it. */
const judgeKey = async (
  { alg, statement: { tenant, kid } }: Unverified,
  { ring, tenants }: Keys,
): Promise<Refusal> => {
  const no = (message: string): Refusal => refuse('unauthorized', message)
  if (!tenants.has(tenant))
    return no(`there is no tenant ${tenant}, only ${[...tenants.keys()].join(', ') || 'none'}`)
  const key = await ring.find(tenant, kid)
  if (key === undefined && kid === authTokenKid)
    return no(`${tenant} has no authToken of at least 32 bytes, which signs capability tokens`)
  if (key === undefined && kid === undefined)
    return no('kid is missing: the tenant has several keys, or none that can be had')
  if (key === undefined) return no(`no key of ${tenant} has the id ${kid}`)
  if (key.alg !== alg) return no(`alg: the key is for ${key.alg}, and the token says ${alg}`)
  return no('the signature is not that of the key: another key signed it, or it was changed since')
}

/** What the claims are not enough for, though they are well-formed. */
const judgeUse = ({ statement: { tenant, allows } }: Unverified, keys: Keys | undefined): Refusal[] => {
  const { account, scopes } = allows
  const settings = keys?.tenants.get(tenant)
  return [
    ...(scopes.size > 0 ? [] : [refuse('forbidden', 'it has no permission that the hub knows')]),
    ...([...(settings?.groups.keys() ?? [])].some(name => (name as string) === account)
      ? [refuse('name-taken', `${account} is the name of a group`)]
      : []),
  ]
}

/** Judges a token of good form as the hub would that has these keys; `said` is what it says. */
export const judge = async (token: string, said: Unverified, terms: Terms): Promise<Judgement> => {
  const { audience, clock, keys } = terms
  const claims = await judgeClaims(token, said, terms)
  const rest = [...(claims ? [claims] : []), ...judgeUse(said, keys)]
  if (keys === undefined) return { signature: 'unchecked', refusals: rest }
  const verdict = await createVerifier({ audience, clock, keys: keys.ring }).verify(token)
  // The signature is checked before the claims: whoever is refused for these has passed it.
  if (verdict.ok || verdict.message === claims?.message) return { signature: 'good', refusals: rest }
  return { signature: 'bad', refusals: [await judgeKey(said, keys), ...rest] }
}
