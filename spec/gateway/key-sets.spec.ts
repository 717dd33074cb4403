// Key sets at an address: which keys of them are used, how often they are asked for, and what holds while they are not
// to be had. Real HTTP on loopback, virtual time.

import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { readConfig } from '../../src/config.js'
import { createEgress } from '../../src/egress/index.js'
import { createKeySets, createVerifier, mintToken, readKeys } from '../../src/gateway/token/index.js'
import { silentLog, VirtualClock } from '../../src/runtime/index.js'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const weak = generateKeyPairSync('rsa', { modulusLength: 1024 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ec384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
const ed = generateKeyPairSync('ed25519')
const ed2 = generateKeyPairSync('ed25519')
const ed448 = generateKeyPairSync('ed448')
const jwk = (key: KeyObject, more: object = {}) => ({ ...key.export({ format: 'jwk' }), ...more })
const set = (...keys: unknown[]) => JSON.stringify({ keys })
const pkcs8 = ({ privateKey }: { privateKey: KeyObject }) =>
  privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
const minute = 60_000
const secret = 'a secret of at least thirty-two bytes'

type Answer = (response: ServerResponse) => void
const say =
  (text: string): Answer =>
  response =>
    response.end(text)
const down: Answer = response => response.writeHead(503).end()

/** A server of key sets that answers as it was last told, and a ring of the tenant `acme` that asks it. */
const stand = async (t: Test, answer: Answer, { fetch = {}, beside = [] as object[] } = {}) => {
  const clock = new VirtualClock()
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.url}`)
    world.answer(response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}/keys?secret=1`
  const logged: { facts: Record<string, unknown>; message: string }[] = []
  const log = {
    ...silentLog,
    warn: (facts: object, message: string) => {
      logged.push({ facts: { ...facts }, message })
    },
  }
  const tenants = { acme: { keys: [{ jwksUrl: url }, ...beside] } }
  const config = readConfig({ fetch: { allowPrivate: true, ...fetch }, tenants }, { dir: '.', env: {} })
  if (!config.ok) throw new Error(JSON.stringify(config.faults))
  const sets = createKeySets({ fetch: config.value.fetch, clock, log })
  const ring = await readKeys(config.value.tenants, sets)
  if (!ring.ok) throw new Error(JSON.stringify(ring.faults))
  t.teardown(async () => {
    await sets.close()
    server.closeAllConnections()
    server.close()
  })
  const world = {
    answer,
    clock,
    asked,
    logged,
    port,
    sets,
    verifier: createVerifier({ audience: 'switchhook', keys: ring.value, clock }),
    find: async (kid?: unknown) => (await ring.value.find('acme', kid))?.alg,
  }
  return world
}

t.test('keys of a set are used by what they are, and PS256 only where it is named', async t => {
  const world = await stand(
    t,
    say(
      set(
        jwk(rsa.publicKey, { kid: 'r' }),
        jwk(rsa.publicKey, { kid: 'p', alg: 'PS256', use: 'sig', key_ops: ['verify'] }),
        jwk(ec.publicKey, { kid: 'e', x5c: ['unread'] }),
        jwk(ed.publicKey, { kid: 'd' }),
      ),
    ),
  )
  const keys = [
    ['RS256', 'r', rsa],
    ['PS256', 'p', rsa],
    ['ES256', 'e', ec],
    ['EdDSA', 'd', ed],
  ] as const
  const who = { tenant: 'acme', account: 'alice', clock: world.clock }
  for (const [alg, kid, pair] of keys) {
    t.equal(await world.find(kid), alg)
    const token = await mintToken({ ...who, alg, kid, privateKey: pkcs8(pair) })
    t.match(await world.verifier.verify(token), { ok: true, value: { account: 'alice' } }, alg)
    const other = await mintToken({ ...who, alg, kid: 'none', privateKey: pkcs8(pair) })
    t.match(await world.verifier.verify(other), { ok: false, code: 'unauthorized' })
  }
  const wrong = await mintToken({ ...who, alg: 'PS256', kid: 'r', privateKey: pkcs8(rsa) })
  t.match(await world.verifier.verify(wrong), { ok: false }, 'the algorithm is the key’s')
  t.equal(await world.find(undefined), undefined)
  t.same([world.asked, world.logged], [['/keys?secret=1'], []])
})

t.test(
  '[FT13] keys of no use are passed over and logged, oct keys first of all, and others hold',
  async t => {
    const bad = [
      { kty: 'oct', k: 'c2VjcmV0', kid: 'x' },
      jwk(ed.privateKey, { kid: 'x' }),
      jwk(ed.publicKey, { kid: 'x', use: 'enc' }),
      jwk(ed.publicKey, { kid: 'x', key_ops: ['sign'] }),
      jwk(rsa.publicKey, { kid: 'x', alg: 'HS256' }),
      jwk(rsa.publicKey, { kid: 'x', alg: 'ES256' }),
      jwk(weak.publicKey, { kid: 'x' }),
      jwk(ec384.publicKey, { kid: 'x' }),
      jwk(ed448.publicKey, { kid: 'x' }),
      { kty: 'RSA', kid: 'x' },
      'key',
    ]
    const twice = jwk(ec.publicKey, { kid: 'x' })
    const world = await stand(t, say(set(...bad, jwk(ed.publicKey, { kid: 'x' }), twice)))
    t.equal(await world.find('x'), 'EdDSA', 'of those with one kid the first that is of use')
    t.equal(await world.find(undefined), 'EdDSA')
    t.match(world.logged, [
      {
        facts: {
          tenant: 'acme',
          url: `http://127.0.0.1:${world.port}/keys`,
          keys: [
            'keys[0].kty must be one of RSA, EC, OKP',
            'keys[1].d must be absent: private keys have no place in a set',
            'keys[2].use must be sig or absent',
            /^keys\[3\]\.key_ops\[0\] /,
            /^keys\[4\]\.alg must be one of RS256, PS256, ES256, EdDSA$/,
            'keys[5] must be an EC key on the curve P-256 for ES256',
            'keys[6] must be an RSA key of at least 2048 bits for RS256',
            'keys[7] must be an EC key on the curve P-256 for ES256',
            'keys[8] must be an Ed25519 key for EdDSA',
            'keys[9] must be a key',
            'keys[10] must be a JSON object',
            'keys[12].kid is there twice: the first one holds',
          ],
        },
      },
    ])
    t.equal(world.logged.length, 1)
  },
)

t.test('without a kid a key is found only where there is no other, in the set and beside it', async t => {
  const alone = await stand(t, say(set(jwk(ed.publicKey))))
  t.equal(await alone.find(undefined), 'EdDSA')
  t.equal(await alone.find('d'), undefined)
  const beside = [{ kid: 'own', alg: 'HS256', secret }]
  const both = await stand(t, say(set(jwk(ed.publicKey, { kid: 'd' }))), { beside })
  t.equal(await both.find('own'), 'HS256')
  t.equal(await both.find(undefined), undefined)
  t.same(both.asked, [], 'and nobody is asked for what is at hand')
  t.equal(await both.find('d'), 'EdDSA')
  t.same(await Promise.all(['own', 'd'].map(kid => both.find(kid))), ['HS256', 'EdDSA'])
})

t.test('[FT13] ten thousand unknown kids cause one request in a cool-down', async t => {
  const world = await stand(t, say(set(jwk(ed.publicKey, { kid: 'd' }))))
  const flood = () => Promise.all(Array.from({ length: 10_000 }, (_, n) => world.find(`k${n}`)))
  t.ok((await flood()).every(key => key === undefined))
  await flood()
  t.equal(world.asked.length, 1)
  world.clock.advance(30_000 - 1)
  await flood()
  t.equal(world.asked.length, 1)
  world.clock.advance(1)
  await flood()
  t.equal(world.asked.length, 2)
  t.equal(await world.find('d'), 'EdDSA')
})

t.test(
  '[FT13] a key that is new is found, once and again, and one that is gone is gone from memory too',
  async t => {
    const world = await stand(t, say(set(jwk(ed.publicKey, { kid: 'd' }))))
    const { clock, verifier } = world
    const mint = (kid: string, pair = ed) =>
      mintToken({ alg: 'EdDSA', kid, privateKey: pkcs8(pair), tenant: 'acme', account: 'alice', clock })
    const token = await mint('d')
    t.ok((await verifier.verify(token)).ok)
    clock.advance(10 * minute)
    t.ok((await verifier.verify(token)).ok)
    t.same(
      [world.asked.length, verifier.stats.checked],
      [2, 1],
      'asked again; a key that is still there is the same',
    )

    world.answer = say(set(jwk(ed.publicKey, { kid: 'd' }), jwk(ed2.publicKey, { kid: 'f' })))
    clock.advance(minute)
    t.ok((await verifier.verify(await mint('f', ed2))).ok, 'before the set is old')
    world.answer = say(set(jwk(ed2.publicKey, { kid: 'd' })))
    clock.advance(10 * minute - 1)
    t.ok((await verifier.verify(token)).ok)
    clock.advance(1)
    t.match(await verifier.verify(token), { ok: false, code: 'unauthorized' }, 'another key of that kid')
    t.ok((await verifier.verify(await mint('d', ed2))).ok)
    t.equal(await world.find('f'), undefined)
  },
)

t.test('[FT13] a server that is down at the start is asked again after the cool-down', async t => {
  const world = await stand(t, down)
  t.equal(await world.find('d'), undefined)
  world.answer = say(set(jwk(ed.publicKey, { kid: 'd' })))
  t.equal(await world.find('d'), undefined)
  world.clock.advance(30_000)
  t.equal(await world.find('d'), 'EdDSA')
  t.match(world.logged, [{ facts: { reason: 'answered 503' }, message: 'no key set: the last one holds' }])
})

t.test('[FT13] the last good set holds for a day while there is no other', async t => {
  const world = await stand(t, say(set(jwk(ed.publicKey, { kid: 'd' }))))
  t.equal(await world.find('d'), 'EdDSA')
  let written = 0
  const endless: Answer = response => {
    const more = () => {
      do written += 64 * 1024
      while (response.write(Buffer.alloc(64 * 1024, ' ')))
    }
    response.on('drain', more).on('error', () => {})
    more()
  }
  const bad: [Answer, RegExp][] = [
    [endless, /answered with more than 65536 bytes/],
    [down, /answered 503/],
    [say('<html>'), /is not JSON in UTF-8/],
    [response => response.end(Buffer.from([0x22, 0xff, 0x22])), /is not JSON in UTF-8/],
    [say('[]'), /is no key set: must be a JSON object/],
    [say('{"keys":{}}'), /is no key set: keys /],
    [say(' '.repeat(64 * 1024 + 1)), /answered with more than 65536 bytes/],
    [response => response.destroy(), /the connection failed/],
  ]
  for (const [answer, why] of bad) {
    world.answer = answer
    world.clock.advance(30 * minute)
    t.equal(await world.find('d'), 'EdDSA')
    t.match(world.logged.at(-1)?.facts, { reason: why })
  }
  t.ok(written < 32 * 1024 * 1024, `${written} bytes of a set without an end were sent`)
  world.clock.advance(24 * 60 * minute - bad.length * 30 * minute - 1)
  t.equal(await world.find('d'), 'EdDSA')
  world.clock.advance(1)
  t.equal(await world.find('d'), undefined)
})

t.test('[FT13] a redirect leads nowhere that the first hop could not', async t => {
  const away: Answer = response => response.writeHead(302, { location: 'http://169.254.169.254/' }).end()
  const world = await stand(t, away, { fetch: { allowHosts: ['127.0.0.1'] } })
  t.equal(await world.find('d'), undefined)
  t.match(world.logged[0]?.facts, { reason: '169.254.169.254 is not one of the allowed hosts' })

  const { clock, sets } = world
  const egress = createEgress({ allowPrivate: true, timeoutMs: 5000 }, clock)
  t.teardown(() => egress.close())
  const request = { method: 'GET' as const, say: () => ({ headers: {} }), wants: () => true, limit: 9 }
  const url = new URL(`http://127.0.0.1:${world.port}/`)
  t.match(await egress.ask({ ...request, url, secure: true }, 5000), {
    ok: false,
    why: /not asked without https/,
  })

  const logged: object[] = []
  const log = { ...silentLog, warn: (facts: object) => logged.push(facts) }
  const guarded = createKeySets({ fetch: { allowPrivate: false, timeoutMs: 5000 }, clock, log })
  const inside = guarded.of('acme', `https://127.0.0.1:${world.port}/`)
  t.ok('find' in inside && (await inside.find('d')) === undefined)
  t.match(logged, [{ reason: '127.0.0.1 is at 127.0.0.1, which is not a public address' }])
  await guarded.close()
  t.equal(sets.of('acme', url.href), sets.of('acme', url.href), 'one set for one address')
  t.not(sets.of('acme', url.href), sets.of('globex', url.href), 'and for one tenant')
})

t.test('[FT13] a slow server is waited for 5 s, and 1 s where the key is known from before', async t => {
  const world = await stand(t, say(set(jwk(ed.publicKey, { kid: 'd' }))))
  const { clock } = world
  t.equal(await world.find('d'), 'EdDSA')
  world.answer = () => {}
  clock.advance(10 * minute)
  let known: unknown = 'waits'
  let unknown: unknown = 'waits'
  const both = [
    world.find('d').then(key => {
      known = key
    }),
    world.find('f').then(key => {
      unknown = key
    }),
  ]
  await clock.settle(999)
  t.same([known, unknown], ['waits', 'waits'])
  await clock.settle(1)
  await both[0]
  t.same([known, unknown], ['EdDSA', 'waits'])
  await clock.settle(4000)
  await both[1]
  t.equal(unknown, undefined)
  t.equal(world.asked.length, 2)
  t.match(world.logged.at(-1)?.facts, { reason: 'gave no whole answer within 5000 ms' })
})

t.test('an address that could not be asked is a fault of the configuration', async t => {
  const faults = async (keys: object[], fetch: object = {}) => {
    const config = readConfig({ fetch, tenants: { acme: { keys } } }, { dir: '.', env: {} })
    if (!config.ok) return config.faults
    const sets = createKeySets({ fetch: config.value.fetch, clock: new VirtualClock(), log: silentLog })
    const ring = await readKeys(config.value.tenants, sets)
    return ring.ok ? [] : ring.faults
  }
  const path = 'tenants.acme.keys[0].jwksUrl'
  t.same(await faults([{ jwksUrl: 'keys.json' }]), [{ path, message: 'must be an absolute URL' }])
  t.same(await faults([{ jwksUrl: 'http://idp.example/' }]), [{ path, message: 'must be an https URL' }])
  t.same(await faults([{ jwksUrl: 'http://idp.example/' }], { allowPrivate: true }), [])
  t.same(await faults([{ jwksUrl: 'https://u:p@idp.example/' }]), [
    { path, message: 'must be a URL without a user or password' },
  ])
})
