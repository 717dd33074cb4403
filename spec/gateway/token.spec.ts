// The token door against whoever knocks: what is taken, what is refused and in which words, and what is remembered.

import { createHmac, generateKeyPairSync, type KeyObject, sign as signBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { CompactEncrypt, exportJWK } from 'jose'
import t, { type Test } from 'tap'
import type { KeyConfig } from '../../src/config.js'
import { readConfig } from '../../src/config.js'
import {
  createKeySets,
  createVerifier,
  readKeys,
  type VerifierOptions,
} from '../../src/gateway/token/index.js'
import { Bounds } from '../../src/limits/index.js'
import { silentLog, VirtualClock } from '../../src/runtime/index.js'

const secret = 'a secret of thirty-two bytes or more, for HS256'
const other = 'the other tenant has a secret of its own, as long'
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ed = generateKeyPairSync('ed25519')
const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }) as string

const acme: KeyConfig[] = [
  { kid: 'k1', alg: 'HS256', secret },
  { kid: 'h384', alg: 'HS384', secret: secret.repeat(2) },
  { kid: 'h512', alg: 'HS512', secret: secret.repeat(2) },
  { kid: 'r', alg: 'RS256', publicKey: pem(rsa.publicKey) },
  { kid: 'p', alg: 'PS256', publicKey: pem(rsa.publicKey) },
  { kid: 'e', alg: 'ES256', publicKey: pem(ec.publicKey) },
  { kid: 'd', alg: 'EdDSA', publicKey: pem(ed.publicKey) },
]
const globex: KeyConfig[] = [
  { kid: 'k1', alg: 'HS256', secret: other },
  { kid: 'only-globex', alg: 'HS256', secret: other },
]
const solo: KeyConfig[] = [{ kid: 's1', alg: 'HS256', secret }]

const config = readConfig(
  { tenants: { acme: { keys: acme }, globex: { keys: globex }, solo: { keys: solo } } },
  { dir: '.', env: {} },
)
if (!config.ok) throw new Error(JSON.stringify(config.faults))
const sets = createKeySets({ fetch: config.value.fetch, clock: new VirtualClock(), log: silentLog })
const ring = await readKeys(config.value.tenants, sets)
if (!ring.ok) throw new Error(JSON.stringify(ring.faults))

const door = (options: Partial<VerifierOptions> = {}) => {
  const clock = new VirtualClock()
  const verifier = createVerifier({ audience: 'switchhook', keys: ring.value, clock, ...options })
  return { clock, verifier }
}
const start = new VirtualClock().wall() / 1000

type Sign = (input: string) => Buffer
const hmac =
  (hash = 'sha256', key: string | Buffer = secret): Sign =>
  input =>
    createHmac(hash, key).update(input).digest()
const b64 = (part: string | Buffer) => Buffer.from(part).toString('base64url')

/** Signs header and payload exactly as written. */
const raw = (header: string, payload: string | Buffer, sign: Sign = hmac()): string => {
  const input = `${b64(header)}.${b64(payload)}`
  return `${input}.${b64(sign(input))}`
}
const goodHeader = { alg: 'HS256', kid: 'k1' }
const goodClaims = { iss: 'acme', sub: 'alice', aud: 'switchhook', exp: start + 600 }

/** A good token but for what is given; `undefined` takes a member away. */
const token = (changes: { header?: object; claims?: object; sign?: Sign } = {}) =>
  raw(
    JSON.stringify({ ...goodHeader, ...changes.header }),
    JSON.stringify({ ...goodClaims, ...changes.claims }),
    changes.sign,
  )

/** The message a token is refused with by a fresh door, which must remember nothing of it. */
const refusal = async (t: Test, text: string): Promise<string> => {
  const { verifier } = door()
  const result = await verifier.verify(text)
  if (result.ok) return 'accepted'
  t.equal(result.code, 'unauthorized')
  t.equal(verifier.stats.cached, 0)
  for (const part of text.split('.')) {
    if (part.length > 8) t.notOk(result.message.includes(part), 'no part of the token is told back')
  }
  return result.message
}
const unverified = 'token is not signed by a key known here'
const spelling = 'token must be three parts of base64url, unpadded'

t.test('a good token becomes the grant its claims describe', async t => {
  const { verifier } = door()
  const claims = {
    scope:
      'presence:register presence:read:support call:place:+15550100 fly presence:read:a..b admin:x admin',
    groups: ['support'],
    capacity: 3,
    jti: 'j-1',
    iat: start,
    nbf: start,
    aud: ['elsewhere', 'switchhook'],
    'https://example.com/tier': { gold: [{ since: 'x', at: 'y' }, { since: 'z' }] },
  }
  t.same(await verifier.verify(token({ header: { typ: 'jwt' }, claims })), {
    ok: true,
    value: {
      tenant: 'acme',
      account: 'alice',
      scopes: new Set(['presence:register', 'presence:read:support', 'call:place:+15550100', 'admin']),
      expires: (start + 600) * 1000,
      groups: ['support'],
      capacity: 3,
      jti: 'j-1',
      issued: start * 1000,
    },
  })
})

t.test('a token without any known scope is verified all the same, and grants nothing', async t => {
  const { verifier } = door()
  const expected = {
    tenant: 'acme',
    account: 'alice',
    scopes: new Set(),
    expires: (start + 600) * 1000,
    groups: [],
  }
  t.same(await verifier.verify(token()), { ok: true, value: expected })
  t.same(await verifier.verify(token({ claims: { scope: 'fly' } })), { ok: true, value: expected })
})

t.test('every algorithm verifies with its own key', async t => {
  const { verifier } = door()
  const digest =
    (hash: string | null, key: Parameters<typeof signBytes>[2]): Sign =>
    input =>
      signBytes(hash, Buffer.from(input), key)
  const pss = { key: rsa.privateKey, padding: 6, saltLength: 32 }
  const signers: Record<string, [string, Sign]> = {
    HS256: ['k1', hmac()],
    HS384: ['h384', hmac('sha384', secret.repeat(2))],
    HS512: ['h512', hmac('sha512', secret.repeat(2))],
    RS256: ['r', digest('sha256', rsa.privateKey)],
    PS256: ['p', digest('sha256', pss)],
    ES256: ['e', digest('sha256', { key: ec.privateKey, dsaEncoding: 'ieee-p1363' })],
    EdDSA: ['d', digest(null, ed.privateKey)],
  }
  for (const [alg, [kid, sign]] of Object.entries(signers)) {
    const good = token({ header: { alg, kid }, sign })
    t.match(await verifier.verify(good), { ok: true, value: { account: 'alice' } }, alg)
    const forged = token({ header: { alg, kid }, sign: input => sign(`${input}!`) })
    t.equal(await refusal(t, forged), unverified, `${alg} with another signature`)
  }
})

t.test('iss alone finds the key of a tenant that has one, and of no other', async t => {
  const { verifier } = door()
  const claims = { iss: 'solo' }
  t.ok((await verifier.verify(token({ header: { kid: undefined }, claims }))).ok)
  t.ok((await verifier.verify(token({ header: { kid: 's1' }, claims }))).ok)
  t.equal(await refusal(t, token({ header: { kid: 's2' }, claims })), unverified)
  t.equal(await refusal(t, token({ header: { kid: undefined } })), unverified)
})

t.test('[FT1] alg none, in any case, or missing', async t => {
  const named = 'token header: alg must be one of HS256, HS384, HS512, RS256, PS256, ES256, EdDSA'
  for (const alg of ['none', 'nOnE', 'NONE', '', 'hs256', 'ES512', 7, null, ['HS256']]) {
    t.equal(await refusal(t, token({ header: { alg } })), named, String(alg))
  }
  t.equal(await refusal(t, token({ header: { alg: undefined } })), 'token header: alg is missing')
  const unsigned = token({ header: { alg: 'none' }, sign: () => Buffer.alloc(0) })
  t.equal(await refusal(t, unsigned), spelling)
})

t.test(
  '[FT2] a public key used as an HMAC secret: the algorithm is the key’s, not the token’s word',
  async t => {
    const sign = hmac('sha256', pem(rsa.publicKey))
    t.equal(await refusal(t, token({ header: { alg: 'HS256', kid: 'r' }, sign })), unverified)
    const ps = { key: rsa.privateKey, padding: 6, saltLength: 32 }
    const crossed = token({
      header: { alg: 'PS256', kid: 'r' },
      sign: input => signBytes('sha256', Buffer.from(input), ps),
    })
    t.equal(await refusal(t, crossed), unverified)
    const { verifier } = door()
    await verifier.verify(crossed)
    t.equal(verifier.stats.checked, 0, 'and no signature is checked for it')
  },
)

t.test('[FT3] a hostile kid is a kid that is not known, as an unknown iss and a bad signature', async t => {
  const kids = ['../../dev/null', "k1' OR '1'='1", 'k'.repeat(5000), '__proto__', 'constructor', '', 1, null]
  for (const kid of [...kids, ['k1'], { k1: 1 }, 'k1 ', 'K1', 'k2']) {
    t.equal(await refusal(t, token({ header: { kid } })), unverified, JSON.stringify(kid).slice(0, 20))
  }
  t.match(await refusal(t, token({ header: { kid: 'k'.repeat(10_000) } })), 'within 8192')
  t.equal(await refusal(t, token({ claims: { iss: 'initech' } })), unverified)
  t.equal(await refusal(t, token({ claims: { iss: '__proto__' } })), unverified)
  t.equal(await refusal(t, token({ sign: hmac('sha256', other) })), unverified)
  t.equal(await refusal(t, token({ sign: () => Buffer.from('x') })), unverified)
})

t.test('[FT4] jku, x5u, jwk and x5c are left unread, and nothing is fetched', async t => {
  let requests = 0
  const server = createServer((_request, response) => {
    requests++
    response.end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`
  const jwk = await exportJWK(ec.publicKey)
  const header = { jku: url, x5u: url, jwk, x5c: [b64('a certificate')] }
  t.equal(await refusal(t, token({ header })), 'accepted')
  const own = token({
    header: { ...header, alg: 'ES256', kid: 'mine' },
    sign: input => signBytes('sha256', Buffer.from(input), { key: ec.privateKey, dsaEncoding: 'ieee-p1363' }),
  })
  t.equal(await refusal(t, own), unverified)
  t.equal(requests, 0)
})

t.test('[FT5] crit, b64, zip, another typ, and an encrypted token', async t => {
  const absent = (name: string) => `token header: ${name} must be absent`
  for (const crit of [['exp'], ['b64'], [], null]) {
    t.equal(await refusal(t, token({ header: { crit } })), absent('crit'))
  }
  t.equal(await refusal(t, token({ header: { b64: false } })), absent('b64'))
  t.equal(await refusal(t, token({ header: { b64: true } })), absent('b64'))
  t.equal(await refusal(t, token({ header: { zip: 'DEF' } })), absent('zip'))
  for (const typ of ['dpop+jwt', 'at+jwt', 'JWE', '', 'JWT ', 1, null]) {
    t.equal(await refusal(t, token({ header: { typ } })), 'token header: typ must be JWT or absent')
  }
  const jwe = await new CompactEncrypt(Buffer.from(JSON.stringify(goodClaims)))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
    .encrypt(Buffer.alloc(32, 7))
  t.equal(await refusal(t, jwe), spelling)
})

t.test('[FT6] exp: absent, of another type, out of range, passed, or too far ahead', async t => {
  const form = 'token claims: exp must be a time in whole seconds since 1970'
  const written = [
    '1e400',
    '-1e400',
    '9e99',
    `${start + 600}.5`,
    `"${start + 600}"`,
    '-1',
    'null',
    '[]',
    'true',
  ]
  for (const exp of written) {
    const payload = JSON.stringify(goodClaims).replace(`${goodClaims.exp}`, exp)
    t.equal(await refusal(t, raw(JSON.stringify(goodHeader), payload)), form, exp)
  }
  t.equal(await refusal(t, token({ claims: { exp: undefined } })), 'token claims: exp is missing')
  t.equal(await refusal(t, token({ claims: { exp: start - 60 } })), 'token claims: exp has passed')
  t.equal(await refusal(t, token({ claims: { exp: start - 59 } })), 'accepted', 'within the skew')
  t.equal(await refusal(t, token({ claims: { exp: 0 } })), 'token claims: exp has passed')

  const life = 'token claims: exp gives the token a life over 24 h'
  const day = 86_400
  t.equal(await refusal(t, token({ claims: { exp: Number.MAX_SAFE_INTEGER } })), life)
  t.equal(
    await refusal(t, token({ claims: { exp: start + day + 60 } })),
    'accepted',
    'within the skew of now',
  )
  t.equal(await refusal(t, token({ claims: { exp: start + day + 61 } })), life)
  t.equal(await refusal(t, token({ claims: { iat: start - 60, exp: start + day - 60 } })), 'accepted')
  t.equal(await refusal(t, token({ claims: { iat: start - 60, exp: start + day - 59 } })), life)
})

t.test('[FT7] iat and nbf in the future beyond the skew', async t => {
  t.equal(await refusal(t, token({ claims: { iat: start + 60, nbf: start + 60 } })), 'accepted')
  t.equal(await refusal(t, token({ claims: { iat: start + 61 } })), 'token claims: iat is in the future')
  t.equal(await refusal(t, token({ claims: { nbf: start + 61 } })), 'token claims: nbf is in the future')
  const bad = [1.5, 'now', null, -1]
  for (const at of bad) {
    t.match(await refusal(t, token({ claims: { iat: at } })), /^token claims: iat must be a time/)
    t.match(await refusal(t, token({ claims: { nbf: at } })), /^token claims: nbf must be a time/)
  }
})

t.test('[FT8] sub, iss and aud of a wrong type or form, with the claim named', async t => {
  const names = [
    '',
    'a'.repeat(129),
    'a\u0000b',
    'ali\u202ece',
    'a..b',
    '.a',
    'a b',
    'é',
    1,
    null,
    {},
    ['alice'],
  ]
  for (const claim of ['iss', 'sub']) {
    for (const name of names) {
      const message = await refusal(t, token({ claims: { [claim]: name } }))
      t.ok(message.startsWith(`token claims: ${claim} must be a name: 1 to 128`), message)
    }
    t.equal(await refusal(t, token({ claims: { [claim]: undefined } })), `token claims: ${claim} is missing`)
  }
  for (const aud of [1, null, { switchhook: true }, [1], ['switchhook', null]]) {
    t.equal(
      await refusal(t, token({ claims: { aud } })),
      'token claims: aud must be text, or a list of texts',
    )
  }
  for (const aud of ['', 'SWITCHHOOK', 'switchhook ', [], ['elsewhere']]) {
    t.equal(await refusal(t, token({ claims: { aud } })), 'token claims: aud must name switchhook')
  }
  t.equal(await refusal(t, token({ claims: { aud: undefined } })), 'token claims: aud is missing')
})

t.test('the other claims have a form too, and only it is told', async t => {
  const cases: [object, string][] = [
    [{ jti: '' }, 'jti'],
    [{ jti: 7 }, 'jti'],
    [{ scope: ['admin'] }, 'scope'],
    [{ groups: 'support' }, 'groups'],
    [{ groups: [1] }, 'groups[0]'],
    [{ groups: Array.from({ length: 101 }, () => 'g') }, 'groups'],
    [{ capacity: 0 }, 'capacity'],
    [{ capacity: 1001 }, 'capacity'],
    [{ capacity: 1.5 }, 'capacity'],
  ]
  for (const [claims, named] of cases) {
    const message = await refusal(t, token({ claims }))
    t.ok(message.startsWith(`token claims: ${named} must `), message)
  }
  const many = await refusal(t, token({ claims: { groups: Array.from({ length: 90 }, () => 1) } }))
  t.equal(many.split(';').length, 3, 'and of many faults the first three')
})

t.test('[FT9] a key that is there twice, at any depth and however spelt, and __proto__', async t => {
  const header = JSON.stringify(goodHeader)
  const claims = JSON.stringify(goodClaims)
  const twice = (what: string) => `token ${what} must have each key once`
  const members: [string, string][] = [
    ['exp', '"exp":1'],
    ['sub, escaped', '"s\\u0075b":"mallory"'],
    ['a claim nobody reads', '"x":1, "x" :1'],
    ['in a nested object', '"x":[{"y":{"a":1,"b":"a","a":1}}]'],
    ['two empty ones', '"":1,"":1'],
    ['__proto__', '"__proto__":{},"__proto__":{}'],
    ['with quotes', '"a\\"":1,"a\\u0022":2'],
  ]
  for (const [name, extra] of members) {
    t.equal(await refusal(t, raw(header, claims.replace(/}$/, `,${extra}}`))), twice('claims'), name)
  }
  t.equal(await refusal(t, raw('{"alg":"HS256","kid":"k1","alg":"none"}', claims)), twice('header'))
  t.equal(await refusal(t, raw('{"alg":"HS256","kid":"k1","kid":"k1"}', claims)), twice('header'))

  const once = '"x":[{"a":1,"b":"a"},{"a":2}],"y":{"a":"a\\":\\"","sub:":1},"z":["sub","sub"]'
  t.equal(await refusal(t, raw(header, claims.replace(/}$/, `,${once}}`))), 'accepted')

  const { verifier } = door()
  const polluted = claims.replace(/}$/, ',"__proto__":{"scope":"admin","capacity":5}}')
  const result = await verifier.verify(raw(header, polluted))
  t.ok(result.ok && result.value.scopes.size === 0 && result.value.capacity === undefined)
  const inherited = `{"alg":"HS256","__proto__":{"kid":"k1"}}`
  t.equal(await refusal(t, raw(inherited, claims)), unverified)
})

t.test('a header or payload that is not one JSON object in UTF-8', async t => {
  const header = JSON.stringify(goodHeader)
  const claims = JSON.stringify(goodClaims)
  for (const text of ['', 'alice', '{', '\ufeff{}', `${claims}x`]) {
    t.equal(await refusal(t, raw(header, text)), 'token claims must be JSON in UTF-8', text.slice(0, 9))
    t.equal(await refusal(t, raw(text, claims)), 'token header must be JSON in UTF-8', text.slice(0, 9))
  }
  const latin = Buffer.from(JSON.stringify({ ...goodClaims, x: 'é' }), 'latin1')
  t.equal(await refusal(t, raw(header, latin)), 'token claims must be JSON in UTF-8')
  for (const text of ['[]', 'null', '"x"', '7']) {
    t.equal(await refusal(t, raw(header, text)), 'token claims: must be a JSON object')
    t.equal(await refusal(t, raw(text, claims)), 'token header: must be a JSON object')
  }
})

t.test(
  '[FT10] ten thousand other spellings of a good token are refused, and the cache stays as it was',
  async t => {
    const { verifier } = door()
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    // Lengths that leave bits over in every part, so that each has last characters of the same meaning.
    const good = token({ header: { x: 'abcd' }, claims: { jti: 'ÿ?ÿ>ÿ?', x: 'ab' } })
    const parts = good.split('.')
    t.ok(parts.every(part => part.length % 4 > 1))
    t.match(good, /[-_]/)
    t.ok((await verifier.verify(good)).ok)

    const respell: ((part: string, a: number) => string)[] = [
      (part, a) => {
        const spare = part.length % 4 === 2 ? 16 : 4
        const last = alphabet.indexOf(part.at(-1) as string)
        return part.slice(0, -1) + alphabet[last + 1 + (a % (spare - 1))]
      },
      (part, a) => part + '='.repeat(1 + (a % 3)),
      (part, a) => {
        const at = a % (part.length + 1)
        return (
          part.slice(0, at) +
          [' ', '\n', '\r', '\t', '\0', '!', '~', '\u00e9', '\u202e'][a % 9] +
          part.slice(at)
        )
      },
      part => part.replaceAll('-', '+').replaceAll('_', '/'),
      (part, a) => part + alphabet[a % 64],
    ]
    const spellings = fc
      .tuple(fc.nat(2), fc.nat(respell.length - 1), fc.nat(1e6))
      .map(([which, how, a]) =>
        parts.map((part, index) => (index === which ? respell[how]?.(part, a) : part)).join('.'),
      )
      .filter(text => text !== good)
    await fc.assert(
      fc.asyncProperty(spellings, async text => {
        const result = await verifier.verify(text)
        return !result.ok && verifier.stats.cached === 1
      }),
      { numRuns: 10_000 },
    )
    t.equal(verifier.stats.cached, 1)

    for (const text of ['', '.', '..', '...', `${good}.`, `.${good}`, parts.slice(0, 2).join('.')]) {
      t.equal(await refusal(t, text), spelling)
    }
  },
)

t.test('[FT11] a token too large is refused before any crypto', async t => {
  const { verifier } = door()
  const large = [
    'a'.repeat(1024 * 1024),
    token({ claims: { scope: 'call:place '.repeat(800_000) } }),
    token({ claims: { groups: Array.from({ length: 100_000 }, (_, n) => `g${n}`) } }),
  ]
  for (const text of large) {
    t.same(await verifier.verify(text), {
      ok: false,
      code: 'unauthorized',
      message: 'token must keep within 8192 characters',
    })
  }
  await verifier.verify(token({ claims: { groups: Array.from({ length: 1000 }, () => 'g') } }))
  t.same(verifier.stats, { cached: 0, checked: 0 })
})

t.test('[FT12] one tenant’s key speaks for that tenant alone', async t => {
  const { verifier } = door()
  const globexSign = hmac('sha256', other)
  t.equal(await refusal(t, token({ header: { kid: 'only-globex' }, sign: globexSign })), unverified)
  t.equal(await refusal(t, token({ header: { kid: 'only-globex' } })), unverified)
  t.equal(await refusal(t, token({ sign: globexSign })), unverified, 'the same kid, the other’s secret')
  t.match(await verifier.verify(token({ claims: { iss: 'globex' }, sign: globexSign })), {
    ok: true,
    value: { tenant: 'globex' },
  })
})

t.test('a token is checked once, and remembered until it would be refused', async t => {
  const { clock, verifier } = door()
  const text = token()
  const first = await verifier.verify(text)
  t.same(verifier.stats, { cached: 1, checked: 1 })
  clock.advance(600_000 + 59_000)
  t.same(await verifier.verify(text), first)
  t.same(verifier.stats, { cached: 1, checked: 1 }, 'no crypto for the second')
  clock.advance(1_001)
  t.match(await verifier.verify(text), { ok: false, message: 'token claims: exp has passed' })
  t.same(verifier.stats, { cached: 0, checked: 2 })
})

t.test('callers who come at once with the same token share one check', async t => {
  const { verifier } = door()
  const results = await Promise.all(Array.from({ length: 100 }, () => verifier.verify(token())))
  t.ok(results.every(result => result.ok))
  t.equal(verifier.stats.checked, 1)
  const forged = token({ sign: hmac('sha256', other) })
  await Promise.all(Array.from({ length: 100 }, () => verifier.verify(forged)))
  t.same(verifier.stats, { cached: 1, checked: 2 })
  await verifier.verify(forged)
  t.equal(verifier.stats.checked, 3, 'and a refusal is not remembered')
})

t.test('the cache keeps within its size, the least used token first to go', async t => {
  const bounds = new Bounds({ cachedTokens: 2 })
  const { verifier } = door({ bounds })
  const [a, b, c] = ['a', 'b', 'c'].map(jti => token({ claims: { jti } })) as [string, string, string]
  for (const text of [a, b, a, c, a]) t.ok((await verifier.verify(text)).ok)
  t.same(verifier.stats, { cached: 2, checked: 3 })
  await verifier.verify(b)
  t.equal(verifier.stats.checked, 4)
  t.equal(bounds.reached.cachedTokens, 2)
})

t.test('the audience is the hub’s own', async t => {
  const { verifier } = door({ audience: 'hub.example' })
  t.ok((await verifier.verify(token({ claims: { aud: 'hub.example' } }))).ok)
  t.match(await verifier.verify(token()), { ok: false, message: 'token claims: aud must name hub.example' })
})
