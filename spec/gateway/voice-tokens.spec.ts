// The tokens of a voice SDK: made by the package that its users make them with, and by hand where that would not make
// them. What holds for the project's own tokens holds for these too; here is what is theirs.

import { createHmac } from 'node:crypto'
import t, { type Test } from 'tap'
import twilio from 'twilio'
import { readConfig } from '../../src/config.js'
import {
  createVerifier,
  type KeySets,
  Revocations,
  readKeys,
  type VerifierOptions,
} from '../../src/gateway/token/index.js'
import type { AccountId, TenantId } from '../../src/protocol/index.js'

const { AccessToken, ClientCapability } = twilio.jwt
const { VoiceGrant, ChatGrant } = AccessToken
const { IncomingClientScope, OutgoingClientScope, EventStreamScope } = ClientCapability

const account = 'AC0123456789abcdef0123456789abcdef'
const other = 'ACfedcba9876543210fedcba9876543210'
const key = 'SK0123456789abcdef0123456789abcdef'
const secret = 'a secret of an API key, 32 bytes'
const otherSecret = 'the same key id, another secret!'
const authToken = '0123456789abcdef0123456789abcdef'

/** How often the set of keys at an address was asked. */
let asked = 0
const remote: Pick<KeySets, 'of'> = {
  of: () => ({
    find: async () => {
      asked++
      return undefined
    },
    ask: async () => ({ ok: false, why: '' }),
  }),
}

const config = readConfig(
  {
    tenants: {
      [account]: {
        keys: [
          { kid: key, alg: 'HS256', secret },
          { kid: 'SK512', alg: 'HS512', secret: secret.repeat(2) },
        ],
        authToken,
      },
      [other]: {
        keys: [
          { kid: key, alg: 'HS256', secret: otherSecret },
          { kid: 'SKother', alg: 'HS256', secret: otherSecret },
        ],
        authToken: 'thirty-one bytes: one too short',
      },
      remote: { keys: [{ jwksUrl: 'https://keys.example' }] },
    },
  },
  { dir: '.', env: {} },
)
if (!config.ok) throw new Error(JSON.stringify(config.faults))
const ring = await readKeys(config.value.tenants, remote as KeySets)
if (!ring.ok) throw new Error(JSON.stringify(ring.faults))

const start = Math.floor(Date.now() / 1000)
const clock = { wall: () => start * 1000 }
const door = (options: Partial<VerifierOptions> = {}) =>
  createVerifier({ audience: 'switchhook', keys: ring.value, clock, ...options })

const b64 = (part: string) => Buffer.from(part).toString('base64url')
/** Signs a header and claims as they are written. */
const raw = (header: string, claims: string, by = secret, hash = 'sha256') => {
  const input = `${b64(header)}.${b64(claims)}`
  return `${input}.${createHmac(hash, by).update(input).digest('base64url')}`
}

interface Changes {
  readonly header?: object
  readonly claims?: object
  readonly by?: string
}

const accessHeader = { alg: 'HS256', typ: 'JWT', cty: 'twilio-fpa;v=1' }
const accessClaims = {
  jti: `${key}-1`,
  iss: key,
  sub: account,
  exp: start + 600,
  grants: { identity: 'alice', voice: { incoming: { allow: true } } },
}
/** A good access token but for what is given; `undefined` takes a member away. */
const access = ({ header, claims, by }: Changes = {}) =>
  raw(JSON.stringify({ ...accessHeader, ...header }), JSON.stringify({ ...accessClaims, ...claims }), by)

const capabilityClaims = { iss: account, exp: start + 600, scope: 'scope:client:incoming?clientName=alice' }
/** The same for a capability token. */
const capability = ({ header, claims, by = authToken }: Changes = {}) =>
  raw(
    JSON.stringify({ alg: 'HS256', typ: 'JWT', ...header }),
    JSON.stringify({ ...capabilityClaims, ...claims }),
    by,
  )

/** The message a token is refused with by a fresh door, which must remember nothing of it, nor tell a part of it. */
const refusal = async (t: Test, token: string): Promise<string> => {
  const verifier = door()
  const result = await verifier.verify(token)
  if (result.ok) return 'accepted'
  t.equal(result.code, 'unauthorized')
  t.equal(verifier.stats.cached, 0)
  for (const part of token.split('.')) {
    if (part.length > 8) t.notOk(result.message.includes(part))
  }
  return result.message
}
const unverified = 'token is not signed by a key known here'
const name = 'must be a name: 1 to 128 ASCII letters'

/** What the package makes of these grants. */
const made = (voice: object, identity = 'alice', options: object = {}, algorithm?: 'HS512') => {
  const token = new AccessToken(account, algorithm ? 'SK512' : key, algorithm ? secret.repeat(2) : secret, {
    identity,
    ttl: 3600,
    ...options,
  })
  token.addGrant(new VoiceGrant(voice))
  return token.toJwt(algorithm)
}

const grantOf = async (token: string) => {
  const result = await door().verify(token)
  if (!result.ok) throw new Error(result.message)
  return result.value
}

t.test(
  'an access token with a voice grant is a phone that rings, and places calls by its application',
  async t => {
    const token = made({
      incomingAllow: true,
      outgoingApplicationSid: 'AP1',
      outgoingApplicationParams: { team: 'red', note: 'a b' },
      endpointId: 'desk',
      pushCredentialSid: 'CR1',
    })
    const grant = await grantOf(token)
    const { expires, issued, jti, ...rest } = grant
    t.same(rest, {
      tenant: account,
      account: 'alice',
      scopes: new Set(['presence:register', 'call:receive', 'call:place']),
      groups: [],
      device: 'desk',
      application: { name: 'AP1', params: { team: 'red', note: 'a b' } },
    })
    t.ok(Math.abs(expires - (start + 3600) * 1000) < 60_000)
    t.ok(Math.abs(Number(issued) - start * 1000) < 60_000)
    t.match(jti, new RegExp(`^${key}-\\d+$`))
  },
)

t.test('it may do what its grant says and no more', async t => {
  const scopesOf = async (voice: object) => [...(await grantOf(made(voice))).scopes]
  t.same(await scopesOf({ incomingAllow: true }), ['presence:register', 'call:receive'])
  t.same(await scopesOf({ outgoingApplicationSid: 'AP1' }), ['presence:register', 'call:place'])
  t.same(await scopesOf({ incomingAllow: false }), [])
  t.same(await scopesOf({}), [])
  const bare = new AccessToken(account, key, secret, { identity: 'alice' })
  t.equal((await grantOf(bare.toJwt())).scopes.size, 0, 'nor without a voice grant')
  bare.addGrant(new ChatGrant({ serviceSid: 'IS1' }))
  t.equal((await grantOf(bare.toJwt())).scopes.size, 0, 'nor with one for something else')
  const denied = { grants: { ...accessClaims.grants, voice: { incoming: { allow: false } } } }
  t.equal((await grantOf(access({ claims: denied }))).scopes.size, 0)
  const words = { scope: 'admin', groups: ['support'], capacity: 9 }
  t.match(await grantOf(access({ claims: words })), {
    scopes: new Set(['presence:register', 'call:receive']),
    groups: [],
    capacity: undefined,
  })
  t.same((await grantOf(made({ outgoingApplicationSid: 'AP1' }))).application, { name: 'AP1', params: {} })
})

t.test(
  'a region and a time in the header and claims are taken as they come; the algorithm is the key’s',
  async t => {
    t.ok((await door().verify(made({}, 'alice', { region: 'ie1', nbf: start - 5 }))).ok)
    t.ok((await door().verify(made({}, 'alice', {}, 'HS512'))).ok)
    t.equal(await refusal(t, made({}, 'alice', { nbf: start + 120 })), 'token claims: nbf is in the future')
    t.equal(
      await refusal(t, made({}, 'alice', { ttl: 86_401 })),
      'token claims: exp gives the token a life over 24 h',
    )
    t.ok((await door().verify(made({}, 'alice', { ttl: 86_400 }))).ok)
  },
)

t.test('[FT1] [FT5] the header has one of the algorithms, and the type of a form that is known', async t => {
  for (const alg of ['none', 'nOnE', undefined])
    t.match(await refusal(t, access({ header: { alg } })), /^token header: alg /)
  for (const cty of ['twilio-fpa;v=2', 'twilio-fpa', 'TWILIO-FPA;v=1', '', 'JWT', 1, null]) {
    t.equal(
      await refusal(t, access({ header: { cty } })),
      'token header: cty must be twilio-fpa;v=1 or absent',
    )
  }
  t.match(
    await refusal(t, access({ header: { cty: undefined } })),
    /^token claims: aud is missing/,
    'without it, it is one of the hub’s own',
  )
  t.match(await refusal(t, access({ header: { crit: ['exp'] } })), /crit must be absent/)
  t.equal(await refusal(t, access({ header: { alg: 'HS384' } })), unverified)
})

t.test('[FT12] a key speaks for the tenant that has it, by its own secret', async t => {
  t.equal(await refusal(t, access({ claims: { sub: other } })), unverified, 'the other’s key of that id')
  t.equal(await refusal(t, access({ claims: { iss: 'SKother' }, by: otherSecret })), unverified)
  t.equal(await refusal(t, access({ by: otherSecret })), unverified)
  t.equal(await refusal(t, access({ claims: { sub: 'AC1' } })), unverified, 'no such tenant')
  t.equal(await refusal(t, access({ claims: { iss: 'SK1' } })), unverified)
  t.equal(await refusal(t, access({ claims: { iss: '__proto__' } })), unverified)
  t.equal(await refusal(t, access({ by: authToken })), unverified, 'an auth token is no API key')
  t.equal(
    await refusal(t, access({ header: { kid: key }, claims: { iss: 'SK1' } })),
    unverified,
    'and kid is not asked',
  )
  const elsewhere = access({ claims: { sub: other }, by: otherSecret })
  t.match(await door().verify(elsewhere), { ok: true, value: { tenant: other } })
})

t.test('[FT6] [FT8] each claim of an access token has its form, and the one at fault is named', async t => {
  const voice = (voice: unknown) => ({ grants: { identity: 'alice', voice } })
  const outgoing = (outgoing: unknown) => voice({ outgoing })
  const cases: [object, string][] = [
    [{ exp: undefined }, 'exp is missing'],
    [{ exp: '1' }, 'exp must be a time in whole seconds'],
    [{ exp: start - 60 }, 'exp has passed'],
    [{ exp: start + 86_400 + 61 }, 'exp gives the token a life over 24 h'],
    [{ iat: start + 61 }, 'iat is in the future'],
    [{ jti: 7 }, 'jti must '],
    [{ iss: undefined }, 'iss is missing'],
    [{ iss: '' }, 'iss must be the id of a key'],
    [{ iss: 'S'.repeat(129) }, 'iss must be the id of a key'],
    [{ sub: undefined }, 'sub is missing'],
    [{ sub: 'a..b' }, `sub ${name}`],
    [{ aud: 'elsewhere' }, 'aud must name switchhook'],
    [{ grants: undefined }, 'grants is missing'],
    [{ grants: [] }, 'grants must be a JSON object'],
    [{ grants: {} }, 'grants.identity is missing'],
    [{ grants: { identity: 'Alice Smith' } }, `grants.identity ${name}`],
    [{ grants: { identity: 7 } }, `grants.identity ${name}`],
    [voice('yes'), 'grants.voice must be a JSON object'],
    [voice({ incoming: true }), 'grants.voice.incoming must be a JSON object'],
    [voice({ incoming: { allow: 'true' } }), 'grants.voice.incoming.allow must be true or false'],
    [voice({ endpoint_id: 'a b' }), `grants.voice.endpoint_id ${name}`],
    [outgoing([]), 'grants.voice.outgoing must be a JSON object'],
    [outgoing({}), 'grants.voice.outgoing.application_sid is missing'],
    [outgoing({ application_sid: 'a b' }), `grants.voice.outgoing.application_sid ${name}`],
    [outgoing({ application_sid: 'AP1', params: 'a=b' }), 'grants.voice.outgoing.params must be a map'],
    [outgoing({ application_sid: 'AP1', params: { a: 1 } }), 'grants.voice.outgoing.params.a must '],
  ]
  for (const [claims, told] of cases) {
    const message = await refusal(t, access({ claims }))
    t.ok(message.startsWith(`token claims: ${told}`), message)
  }
  t.equal(await refusal(t, access({ claims: { aud: 'switchhook' } })), 'accepted')
})

t.test('[FT9] [FT11] nothing is said twice, nothing is inherited, and nothing is too long', async t => {
  const header = JSON.stringify(accessHeader)
  const twice = JSON.stringify(accessClaims).replace('"allow":true', '"allow":false,"all\\u006fw":true')
  t.equal(await refusal(t, raw(header, twice)), 'token claims must have each key once')
  const inherited = JSON.stringify({ ...accessClaims, grants: {} }).replace(
    '"grants":{}',
    '"grants":{"__proto__":{"identity":"alice"}}',
  )
  t.equal(await refusal(t, raw(header, inherited)), 'token claims: grants.identity is missing')
  const params = JSON.stringify(accessClaims).replace(
    '"incoming":{"allow":true}',
    '"outgoing":{"application_sid":"AP1","params":{"__proto__":"x"}}',
  )
  const { application } = await grantOf(raw(header, params))
  t.same(Object.entries(application?.params ?? {}), [['__proto__', 'x']])
  const long = access({ claims: { grants: { identity: 'a'.repeat(10_000) } } })
  t.equal(await refusal(t, long), 'token must keep within 8192 characters')
})

/** What the package makes of these words. */
const capable = (...words: { payload(): string }[]) => {
  const token = new ClientCapability({ accountSid: account, authToken, ttl: 600 })
  for (const word of words) token.addScope(word as never)
  return token.toJwt()
}

t.test('a capability token is the same phone, signed by the auth token of its tenant', async t => {
  const grant = await grantOf(
    capable(
      new IncomingClientScope('alice'),
      new OutgoingClientScope({
        applicationSid: 'AP1',
        clientName: 'alice',
        params: { team: 'red', note: 'a b&c=d' },
      }),
      new EventStreamScope({ status: 'a b' }),
    ),
  )
  const { expires, issued, ...rest } = grant
  t.same(rest, {
    tenant: account,
    account: 'alice',
    scopes: new Set(['presence:register', 'call:receive', 'call:place']),
    groups: [],
    application: { name: 'AP1', params: { team: 'red', note: 'a b&c=d' } },
  })
  t.ok(Math.abs(expires - (start + 600) * 1000) < 60_000)
  t.ok(Number(issued) <= start * 1000)
  t.same(
    [...(await grantOf(capable(new IncomingClientScope('alice')))).scopes],
    ['presence:register', 'call:receive'],
  )
  const outgoing = await grantOf(
    capable(new OutgoingClientScope({ applicationSid: 'AP1', clientName: 'bob' } as never)),
  )
  t.match(outgoing, { account: 'bob', scopes: new Set(['presence:register', 'call:place']) })
  t.same(outgoing.application, { name: 'AP1', params: {} })
})

t.test('its words are read however they are spelt, and those of other services passed over', async t => {
  const said = async (scope: string) => grantOf(capability({ claims: { scope } }))
  const outgoing = 'scope:client:outgoing?appSid=AP1&clientName=al%69ce'
  for (const params of ['appParams=a%3Db%2520c%26d%3D', 'params=a%3Db+c%26d%3D']) {
    t.match(await said(`${outgoing}&${params}`), {
      account: 'alice',
      application: { name: 'AP1', params: { a: 'b c', d: '' } },
    })
  }
  const incoming = 'scope:client:incoming?clientName=alice'
  for (const word of [
    'scope:stream:subscribe?path=/2010-04-01/Events',
    'scope:stream:subscribe?path=%2F2010-04-01%2FEvents&params=a%3Db&appParams=c%3Dd',
    'scope:client:incomingly?clientName=mallory',
    'admin presence:write call:place',
    '',
  ]) {
    t.match(await said(`${incoming} ${word}`), { account: 'alice', application: undefined }, word)
    t.same([...(await said(`${incoming} ${word}`)).scopes], ['presence:register', 'call:receive'], word)
  }
})

t.test('what a capability token may not say is refused, and what is at fault is named', async t => {
  const cases: [object, string][] = [
    [{ iss: 'a..b' }, `iss ${name}`],
    [{ exp: undefined }, 'exp is missing'],
    [{ exp: start + 86_400 + 61 }, 'exp gives the token a life over 24 h'],
    [{ aud: ['elsewhere'] }, 'aud must name switchhook'],
  ]
  for (const [claims, told] of cases) {
    const message = await refusal(t, capability({ claims }))
    t.ok(message.startsWith(`token claims: ${told}`), message)
  }
  const scopes: [string, string][] = [
    ['scope:client:incoming', 'scope.incoming.clientName is missing'],
    ['scope:client:incoming?clientName=', `scope.incoming.clientName ${name}`],
    ['scope:client:incoming?clientName=a%20b', `scope.incoming.clientName ${name}`],
    ['scope:client:incoming?clientName=%zz', `scope.incoming.clientName ${name}`],
    ['scope:client:incoming?clientName=a&clientName=b', 'scope must say each thing once'],
    [
      'scope:client:incoming?clientName=a scope:client:incoming?clientName=a',
      'scope must have client:incoming once',
    ],
    ['scope:client:outgoing?clientName=a', 'scope.outgoing.appSid is missing'],
    ['scope:client:outgoing?clientName=a&appSid=%00', `scope.outgoing.appSid ${name}`],
    [
      'scope:client:outgoing?clientName=a&appSid=AP1&appParams=a%3D1%26a%3D2',
      'scope must say each thing once',
    ],
    ['scope:client:outgoing?appSid=AP1', 'scope must name a client (clientName)'],
    ['scope:stream:subscribe?path=/2010-04-01/Events', 'scope must name a client (clientName)'],
    [
      'scope:client:incoming?clientName=a scope:client:outgoing?clientName=b&appSid=AP1',
      'scope must name one client (clientName)',
    ],
  ]
  for (const [scope, told] of scopes) {
    const message = await refusal(t, capability({ claims: { scope } }))
    t.ok(message.startsWith(`token claims: ${told}`), message)
  }
  t.match(
    await refusal(t, capability({ claims: { scope: ['scope:client:incoming?clientName=alice'] } })),
    /^token claims: sub is missing/,
  )
})

t.test('[FT2] [FT12] an auth token is good for capability tokens of its tenant alone, by HS256', async t => {
  t.equal(await refusal(t, capability({ claims: { iss: other } })), unverified)
  t.equal(await refusal(t, capability({ by: secret })), unverified, 'an API key is no auth token')
  t.equal(await refusal(t, capability({ claims: { iss: 'AC1' } })), unverified)
  const short = 'thirty-one bytes: one too short'
  t.equal(await refusal(t, capability({ claims: { iss: other }, by: short })), unverified)
  const own = { sub: 'alice', aud: 'switchhook', scope: 'admin' }
  for (const kid of [undefined, 'authToken', 'Symbol(authToken)'])
    t.equal(await refusal(t, capability({ header: { kid }, claims: own })), unverified)
  const header = JSON.stringify({ alg: 'HS512' })
  t.equal(await refusal(t, raw(header, JSON.stringify(capabilityClaims), authToken, 'sha512')), unverified)
  asked = 0
  t.equal(await refusal(t, capability({ claims: { iss: 'remote' } })), unverified)
  t.equal(asked, 0, 'no set of keys is asked for it')
  t.equal(await refusal(t, access({ claims: { sub: 'remote' } })), unverified)
  t.equal(asked, 1, 'as one is for an API key')
  const both = { sub: 'alice', aud: 'switchhook', exp: start + 600, iss: account }
  const ours = JSON.stringify({ ...both, scope: capabilityClaims.scope })
  const grant = await grantOf(raw(JSON.stringify({ alg: 'HS256', kid: key }), ours))
  t.equal(grant.scopes.size, 0, 'with a sub it is one of the hub’s own, and such words mean nothing there')
})

t.test('they are remembered, and taken back by name or account, as all others', async t => {
  const revocations = new Revocations(clock)
  const verifier = door({ revocations })
  const tenant = account as TenantId
  const text = access()
  const older = capability()
  for (const token of [text, text, older, older]) t.ok((await verifier.verify(token)).ok)
  t.same(verifier.stats, { cached: 2, checked: 2 })
  revocations.revoke(tenant, { jti: `${key}-1` })
  t.match(await verifier.verify(text), { ok: false, code: 'revoked' })
  t.ok((await verifier.verify(older)).ok)
  revocations.revoke(tenant, { account: 'alice' as AccountId })
  t.match(await verifier.verify(older), { ok: false, code: 'revoked' })
})
