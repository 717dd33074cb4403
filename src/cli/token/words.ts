// A token in words: each parameter of its header and each claim, what it says here and now. Nothing is judged here, and
// its signature is not looked at. What it says came over a wire and may be anything.

import { type Scope, scopesOf } from '../../gateway/token/index.js'
import { inWords } from '../span.js'

/** What each permission allows. */
const allowed: Readonly<Record<Scope, string>> = {
  'presence:register': 'to be present as a device, and to set its own status',
  'call:receive': 'to be offered calls, and to accept them',
  'call:place': 'to call anyone, in its own name',
  'presence:read': 'to read and watch all destinations',
  'presence:devices': 'to see the devices of other accounts',
  'presence:route': 'the view routing: what the router decides by',
  'presence:write': 'to set the status of any account',
  'call:inbound': 'to bring calls from outside, and to follow and end those',
  'call:explain': "to see a call's timeline, and who would be rung",
  admin: 'all for its tenant, except to be a phone',
}

/** What the services of a capability token allow. */
const services = {
  incoming: 'to be present as a device, and to be offered calls',
  outgoing: 'to be present as a device, and to place calls by an application',
}

/** What a word of the claim `scope` allows; undefined: the hub does not know it, and passes it over. */
export const allowedBy = (word: string): string | undefined => {
  const [, service] = /^scope:client:(incoming|outgoing)\b/.exec(word) ?? []
  if (service !== undefined) return services[service as keyof typeof services]
  if (scopesOf(word).size === 0) return undefined
  const [, base, name] = /^(presence:read|call:place):(.*)$/.exec(word) ?? []
  if (base === undefined) return allowed[word as Scope]
  return base === 'call:place' ? `to call ${name}` : `to read and watch ${name}`
}

/** One line of an explanation. */
export interface Fact {
  readonly name: string
  readonly value: unknown
  readonly means: string
}

/** A time by the clock of the people who read it, and how far off it is. */
const moment = (seconds: unknown, now: number): string => {
  const at = new Date(Number(seconds) * 1000)
  if (typeof seconds !== 'number' || Number.isNaN(at.getTime())) return 'is no time'
  return `${at.toISOString().replace('.000Z', 'Z')}, ${inWords(at.getTime() - now)}`
}

type Words = (value: unknown, now: number) => string

const headerWords: ReadonlyMap<string, Words> = new Map(
  Object.entries<Words>({
    alg: () => "the algorithm; it must be the key's",
    kid: () => 'which key it is signed with',
    typ: () => 'its type: JWT, or none',
    cty: () => 'its form: an access token',
  }),
)

const claimWords: ReadonlyMap<string, Words> = new Map(
  Object.entries<Words>({
    iss: () => 'the tenant',
    sub: () => 'the account it speaks for',
    aud: () => 'the hub it is for',
    exp: (value, now) => `ends ${moment(value, now)}`,
    nbf: (value, now) => `begins ${moment(value, now)}`,
    iat: (value, now) => `was issued ${moment(value, now)}`,
    jti: () => 'its own name, by which it can be revoked',
    scope: () => 'what it allows, word by word',
    groups: () => 'groups to join while present, where those are open',
    capacity: () => "calls at once, unless the directory's word is another",
  }),
)

/** Where an access token says something else by the same names. */
const accessWords: ReadonlyMap<string, Words> = new Map([
  ...claimWords,
  ...Object.entries<Words>({
    iss: () => 'which key it is signed with',
    sub: () => 'the tenant',
    grants: () => 'the account it speaks for, and what it allows',
    scope: () => 'is passed over',
  }),
])

/** Each in its own words, in the order of the token; what the hub does not read is said to be passed over. */
const factsBy =
  (words: ReadonlyMap<string, Words>) =>
  (part: object, now: number): Fact[] =>
    Object.entries(part).map(([name, value]) => ({
      name,
      value,
      means: words.get(name)?.(value, now) ?? 'is passed over',
    }))

export const headerFacts = factsBy(headerWords)
export const claimFacts = { own: factsBy(claimWords), access: factsBy(accessWords) }

/** The words of a `scope` claim, each with what it allows. */
export const scopeFacts = (scope: unknown): readonly { scope: string; allows: string | undefined }[] =>
  (typeof scope === 'string' ? scope.split(' ') : [])
    .filter(word => word !== '')
    .map(word => ({ scope: word, allows: allowedBy(word) }))
