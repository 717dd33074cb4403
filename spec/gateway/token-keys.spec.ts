// Keys as they are configured, tokens as they are minted and carried, and what a grant allows.

import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import t from 'tap'
import { type KeyConfig, readConfig } from '../../src/config.js'
import {
  allows,
  bearerOf,
  createKeySets,
  createVerifier,
  type Grant,
  type MintOptions,
  mintToken,
  readKeys,
  type Scope,
  scopes,
} from '../../src/gateway/token/index.js'
import type { AccountId, TenantId } from '../../src/protocol/index.js'
import { silentLog, VirtualClock } from '../../src/runtime/index.js'

const secret = 'a secret of sixty-four bytes or more: long enough for any of the three HMACs'
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const weak = generateKeyPairSync('rsa', { modulusLength: 1024 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ec384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
const ed = generateKeyPairSync('ed25519')
const ed448 = generateKeyPairSync('ed448')
const spki = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }) as string
const pkcs8 = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }) as string
const clock = new VirtualClock()
const sets = createKeySets({ fetch: { allowPrivate: false, timeoutMs: 5000 }, clock, log: silentLog })

/** The tenants of a configuration, with keys that `readConfig` would have refused as well. */
const tenantsWith = (keys: Record<string, readonly KeyConfig[]>) => {
  const names = Object.keys(keys)
  const read = readConfig(
    {
      tenants: Object.fromEntries(names.map(name => [name, { keys: [{ alg: 'HS256', secret }] }])),
    },
    { dir: '.', env: {} },
  )
  if (!read.ok) throw new Error(JSON.stringify(read.faults))
  return new Map(
    [...read.value.tenants].map(([name, tenant]) => [name, { ...tenant, keys: keys[name] ?? [] }]),
  )
}

t.test('every fault of every configured key is told at once, by its path', async t => {
  const keys: [KeyConfig, string, string][] = [
    [
      { alg: 'RS256', publicKey: 'not a key' },
      'publicKey',
      'must be a key in PEM (-----BEGIN PUBLIC KEY-----)',
    ],
    [
      { alg: 'RS256', publicKey: '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----' },
      'publicKey',
      'must be a key in PEM (-----BEGIN PUBLIC KEY-----)',
    ],
    [
      { alg: 'ES256', publicKey: pkcs8(ec.privateKey) },
      'publicKey',
      'must be a key in PEM (-----BEGIN PUBLIC KEY-----)',
    ],
    [
      { alg: 'ES256', publicKey: spki(rsa.publicKey) },
      'publicKey',
      'must be an EC key on the curve P-256 for ES256',
    ],
    [
      { alg: 'ES256', publicKey: spki(ec384.publicKey) },
      'publicKey',
      'must be an EC key on the curve P-256 for ES256',
    ],
    [
      { alg: 'RS256', publicKey: spki(weak.publicKey) },
      'publicKey',
      'must be an RSA key of at least 2048 bits for RS256',
    ],
    [
      { alg: 'PS256', publicKey: spki(ec.publicKey) },
      'publicKey',
      'must be an RSA key of at least 2048 bits for PS256',
    ],
    [{ alg: 'EdDSA', publicKey: spki(ed448.publicKey) }, 'publicKey', 'must be an Ed25519 key for EdDSA'],
    [
      { alg: 'HS256', publicKey: spki(ec.publicKey) },
      'publicKey',
      'must be a secret of at least 32 bytes for HS256',
    ],
    [{ alg: 'HS512', secret: 'x'.repeat(63) }, 'secret', 'must be a secret of at least 64 bytes for HS512'],
    [{ alg: 'EdDSA', secret }, 'secret', 'must be an Ed25519 key for EdDSA'],
  ]
  const good: KeyConfig = { kid: 'good', alg: 'ES256', publicKey: `\n${spki(ec.publicKey)}` }
  const read = await readKeys(
    tenantsWith({ acme: [good, ...keys.map(([key]) => key)], globex: [{ alg: 'HS256', secret: 'short' }] }),
    sets,
  )
  t.same(read, {
    ok: false,
    faults: [
      ...keys.map(([, field, message], index) => ({
        path: `tenants.acme.keys[${index + 1}].${field}`,
        message,
      })),
      { path: 'tenants.globex.keys[0].secret', message: 'must be a secret of at least 32 bytes for HS256' },
    ],
  })
})

t.test('a key is found by tenant and kid, or without one where the tenant has a single key', async t => {
  const read = await readKeys(
    tenantsWith({
      acme: [{ kid: 'k1', alg: 'EdDSA', publicKey: spki(ed.publicKey) }],
      globex: [
        { kid: 'k1', alg: 'HS256', secret },
        { kid: 'k2', alg: 'HS384', secret },
      ],
      solo: [{ alg: 'HS512', secret }],
    }),
    sets,
  )
  if (!read.ok) throw new Error(JSON.stringify(read.faults))
  const found = async (tenant: string, kid: unknown) => (await read.value.find(tenant, kid))?.alg
  t.equal(await found('acme', 'k1'), 'EdDSA')
  t.equal(await found('acme', undefined), 'EdDSA')
  t.equal(await found('acme', 'k2'), undefined)
  t.equal(await found('globex', 'k1'), 'HS256')
  t.equal(await found('globex', 'k2'), 'HS384')
  t.equal(await found('globex', undefined), undefined)
  t.equal(await found('solo', undefined), 'HS512')
  t.equal(await found('solo', 'k1'), undefined)
  t.equal(await found('initech', 'k1'), undefined)
})

const verifierOf = async (key: KeyConfig, audience = 'switchhook') => {
  const read = await readKeys(tenantsWith({ acme: [key] }), sets)
  if (!read.ok) throw new Error(JSON.stringify(read.faults))
  return createVerifier({ audience, keys: read.value, clock })
}

t.test('a minted token is taken by the hub that has its key', async t => {
  const who = { tenant: 'acme', account: 'alice', clock }
  const expires = clock.wall() + 3_600_000
  const pairs: [MintOptions, KeyConfig][] = [
    [
      { ...who, alg: 'HS256', secret, kid: 'k1' },
      { alg: 'HS256', secret, kid: 'k1' },
    ],
    [
      { ...who, alg: 'HS512', secret },
      { alg: 'HS512', secret },
    ],
    [
      { ...who, alg: 'PS256', privateKey: pkcs8(rsa.privateKey) },
      { alg: 'PS256', publicKey: spki(rsa.publicKey) },
    ],
    [
      { ...who, alg: 'ES256', privateKey: pkcs8(ec.privateKey) },
      { alg: 'ES256', publicKey: spki(ec.publicKey) },
    ],
    [
      { ...who, alg: 'EdDSA', privateKey: pkcs8(ed.privateKey) },
      { alg: 'EdDSA', publicKey: spki(ed.publicKey) },
    ],
  ]
  for (const [options, key] of pairs) {
    const verifier = await verifierOf(key)
    t.same(await verifier.verify(await mintToken(options)), {
      ok: true,
      value: {
        tenant: 'acme',
        account: 'alice',
        scopes: new Set(['presence:register', 'presence:read', 'call:receive', 'call:place']),
        expires,
        groups: [],
        issued: clock.wall(),
      },
    })
  }
})

t.test('a minted token says what it was asked to say', async t => {
  const token = await mintToken({
    alg: 'HS256',
    secret,
    kid: 'k1',
    tenant: 'acme',
    account: 'gateway',
    scopes: ['call:inbound', 'presence:read:support'],
    groups: ['support'],
    capacity: 2,
    jti: 'j-1',
    audience: 'hub.example',
    expiresInSeconds: 86_400,
    clock,
  })
  const iat = clock.wall() / 1000
  t.same(decodeProtectedHeader(token), { alg: 'HS256', typ: 'JWT', kid: 'k1' })
  t.same(decodeJwt(token), {
    iss: 'acme',
    sub: 'gateway',
    aud: 'hub.example',
    iat,
    exp: iat + 86_400,
    scope: 'call:inbound presence:read:support',
    groups: ['support'],
    capacity: 2,
    jti: 'j-1',
  })
  const verifier = await verifierOf({ alg: 'HS256', secret, kid: 'k1' }, 'hub.example')
  t.match(await verifier.verify(token), {
    ok: true,
    value: { scopes: new Set(['call:inbound', 'presence:read:support']), groups: ['support'] },
  })
})

t.test('what the hub would refuse is not minted', async t => {
  const good = { alg: 'HS256', secret, tenant: 'acme', account: 'alice', clock } as const
  const cases: [MintOptions, RegExp][] = [
    [{ ...good, secret: 'short' }, /^secret must be a secret of at least 32 bytes for HS256$/],
    [
      { alg: 'ES256', privateKey: 'junk', tenant: 'acme', account: 'alice', clock },
      /^privateKey must be a key in PEM \(-----BEGIN PRIVATE KEY-----\)$/,
    ],
    [
      { alg: 'ES256', privateKey: pkcs8(rsa.privateKey), tenant: 'acme', account: 'alice', clock },
      /^privateKey must be an EC key on the curve P-256 for ES256$/,
    ],
    [{ ...good, account: 'a..b', capacity: 0 }, /^sub must be a name: .*; capacity must be /],
    [{ ...good, expiresInSeconds: 1.5 }, /^exp must be a time in whole seconds/],
    [{ ...good, expiresInSeconds: 86_401 }, /^exp gives the token a life over 24 h$/],
  ]
  for (const [options, message] of cases) {
    await t.rejects(mintToken(options), { name: 'HubError', code: 'invalid', message })
  }
})

t.test('credentials are read from Authorization: Bearer, and from nothing else', async t => {
  t.same(bearerOf('Bearer abc.def.ghi'), { ok: true, value: 'abc.def.ghi' })
  t.same(bearerOf('bEARER  a-b_c~d+e/f=='), { ok: true, value: 'a-b_c~d+e/f==' })
  const refused = { ok: false, code: 'unauthorized', message: 'send Authorization: Bearer and a token' }
  for (const header of [
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Basic YTpi',
    'Bearerabc',
    'Bearer a b',
    'Bearer a,b',
    'Bearer é',
    ' Bearer a',
    'Bearer =',
  ]) {
    t.same(bearerOf(header), refused, String(header))
  }
})

t.test('a permission is had by name, for one destination, or as an administrator', async t => {
  const grant = (...words: string[]): Grant => ({
    tenant: 'acme' as TenantId,
    account: 'alice' as AccountId,
    scopes: new Set(words),
    expires: 0,
    groups: [],
  })
  t.ok(allows(grant('presence:read'), 'presence:read'))
  t.ok(allows(grant('presence:read'), 'presence:read', 'support'))
  t.ok(allows(grant('presence:read:support'), 'presence:read', 'support'))
  t.notOk(allows(grant('presence:read:support'), 'presence:read', 'sales'))
  t.notOk(allows(grant('presence:read:support'), 'presence:read'))
  t.notOk(allows(grant('presence:read:support'), 'call:place', 'support'))
  t.notOk(allows(grant(), 'presence:register'))
  const denied = scopes.filter((scope: Scope) => !allows(grant('admin'), scope, 'support'))
  t.same(denied, ['presence:register', 'call:receive'], 'being a phone is not administration')
  t.ok(allows(grant('admin', 'call:receive'), 'call:receive'))
})
