import { createHmac, generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { span } from '../../src/cli/span.js'
import { allowedBy, scopeFacts } from '../../src/cli/token/words.js'
import { type MintOptions, mintToken, scopes } from '../../src/gateway/token/index.js'
import { secret, tokenOf } from '../support/hub.js'
import { createTerminal } from '../support/terminal.js'

const wall = Date.now
const hourAgo = { wall: () => Date.now() - 7_200_000 }
const mint = (more: object = {}) =>
  mintToken({
    ...('privateKey' in more ? {} : { alg: 'HS256', secret }),
    ...{ tenant: 'acme', account: 'alice', clock: { wall }, ...more },
  } as MintOptions)

interface Where {
  readonly cwd?: string
  readonly env?: Record<string, string>
  readonly stdin?: string
}

const check = async (args: readonly string[], { cwd = '.', env = {}, stdin = '' }: Where = {}) => {
  const terminal = createTerminal({ cwd, env })
  terminal.stdin.end(stdin)
  const code = await terminal.run('token', '--check', ...args)
  return { code, text: terminal.stdout.text, error: terminal.stderr.text, out: terminal.stdout }
}

/** A token of any content, signed with the secret. */
const signed = (header: unknown, claims: unknown): string => {
  const said = [header, claims].map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${said}.${createHmac('sha256', secret).update(said).digest('base64url')}`
}

t.test('[U16] a token is explained claim by claim, and accepted by whoever has its key', async t => {
  const token = await mint({
    kid: 'k1',
    jti: 'j1',
    groups: ['lobby'],
    capacity: 2,
    scopes: ['call:place:bob', 'presence:read', 'own:thing'],
  })
  const { code, text, error } = await check([token, '--secret', secret])
  t.equal(code, 0, error)
  t.match(text, /^ {2}kid {2}k1 {5}which key it is signed with$/m)
  t.match(text, /^ {2}iss +acme +the tenant$/m)
  t.match(text, /^ {2}exp +\d+ +ends 20.*Z, in 59 minutes$/m)
  t.match(text, /^ {2}iat +\d+ +was issued 20.*Z, \d+ seconds? ago$/m)
  t.match(text, /^ {2}groups +\["lobby"\] +groups to join/m)
  t.match(text, /^ {2}call:place:bob +to call bob$/m)
  t.match(text, /^ {2}own:thing +is not known here, and passed over$/m)
  t.match(text, /^accepted for another 59 minutes, unless it was revoked$/m)
  t.notMatch(text, String(token.split('.')[2]), 'the signature is not shown')
  t.notMatch(text, secret)

  const { code: jsonCode, out } = await check([token, '--secret', secret, '--kid', 'k1', '--json'])
  t.equal(jsonCode, 0)
  t.match(out.events, [
    {
      event: 'token',
      from: 'the command line',
      accepted: true,
      signature: 'good',
      refusals: [],
      scopes: [{ scope: 'call:place:bob', allows: 'to call bob' }, {}, { scope: 'own:thing' }],
      header: [{ name: 'alg', value: 'HS256' }, {}, {}],
    },
  ])
  t.notMatch(out.text, String(token.split('.')[2]))
})

t.test('without a key all but the signature is judged, and that is said', async t => {
  const good = await check([await mint()])
  t.equal(good.code, 1)
  t.match(good.text, /^undecided: all but the signature is good, and that was not checked/m)
  const { code, text } = await check([await mint({ clock: hourAgo, audience: 'elsewhere' })])
  t.equal(code, 1)
  t.match(text, /^ {2}exp .*, 1 hour ago$/m)
  t.match(text, /^refused token claims: aud must name switchhook \(unauthorized\)$/m)
  t.notMatch(text, /undecided|accepted/)
  t.match((await check([await mint({ audience: 'elsewhere' }), '--audience', 'elsewhere'])).text, /undecided/)
})

t.test('a configuration says which tenant, key, algorithm or group it is that does not fit', async t => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const cwd = t.testdir({
    'hub.json': JSON.stringify({
      tenants: {
        acme: {
          keys: [
            { kid: 'k1', alg: 'HS256', secret },
            { kid: 'k2', alg: 'ES256', publicKey },
          ],
          groups: { support: {} },
        },
        solo: { keys: [{ alg: 'HS256', secret }] },
      },
    }),
    'empty.json': '{}',
    'bad.json': '{"tenants":{"acme":{"keys":[]}}}',
    'weak.json': JSON.stringify({ tenants: { acme: { keys: [{ alg: 'ES256', publicKey: 'no' }] } } }),
    'key.pem': publicKey,
  })
  const by = async (token: string, file = 'hub.json') => {
    const { code, text, error } = await check([token, '--config', file], { cwd })
    return `${code} ${text
      .split('\n')
      .filter(line => /^(refused|accepted)/.test(line))
      .join('|')}${error}`
  }
  t.match(await by(await mint({ kid: 'k1' })), /^0 accepted/)
  t.match(await by(await mint({ tenant: 'solo' })), /^0 accepted/)
  t.match(await by(await mint({ kid: 'k2', alg: 'ES256', privateKey })), /^0 accepted/)
  t.match(
    await by(await mint({ kid: 'k1', tenant: 'none' })),
    '1 refused there is no tenant none, only acme, solo (unauthorized)',
  )
  t.match(await by(await mint(), 'empty.json'), /there is no tenant acme, only none/)
  t.match(await by(await mint({ kid: 'k9' })), '1 refused no key of acme has the id k9 (unauthorized)')
  t.match(await by(await mint()), /^1 refused kid is missing: the tenant has several keys/)
  t.match(
    await by(await mint({ kid: 'k2' })),
    '1 refused alg: the key is for ES256, and the token says HS256',
  )
  t.match(
    await by(await mint({ kid: 'k1', secret: 'x'.repeat(32) })),
    /^1 refused the signature is not that of the key/,
  )
  t.match(
    await by(await mint({ kid: 'k1', account: 'support' })),
    '1 refused support is the name of a group (name-taken)',
  )
  t.match(
    await by(await mint({ kid: 'k1', scopes: ['own:thing'] })),
    '1 refused it has no permission that the hub knows (forbidden)',
  )
  t.match(
    await by(signed({ alg: 'HS256' }, { iss: 'solo', sub: 'a', aud: 'switchhook', exp: 2e9 })),
    /24 h .*\|refused it has no/s,
  )
  t.match(
    await by(await mint({ kid: 'k1', clock: hourAgo })),
    '1 refused token claims: exp has passed (unauthorized)',
  )
  t.match(
    await by(await mint({ kid: 'k1', clock: hourAgo, secret: 'x'.repeat(32) })),
    /^1 refused the signature.*\|refused token claims: exp has passed/,
    'everything is told',
  )
  t.match(await by(await mint(), 'bad.json'), /^2 switchhook: bad\.json: tenants\.acme\.keys/)
  t.match(
    await by(await mint(), 'weak.json'),
    /^2 switchhook: weak\.json: tenants\.acme\.keys\[0\]\.publicKey/,
  )
  const own = await mint({ alg: 'ES256', privateKey, kid: 'any' })
  t.match(await check([own, '--public-key', 'key.pem'], { cwd }), { code: 0 })
  t.match(await check([own, '--secret', secret]), {
    code: 1,
    text: /the key is for HS256, and the token says ES256/,
  })
})

t.test('access tokens and capability tokens are explained and judged as what they are', async t => {
  const cwd = t.testdir({
    'hub.json': JSON.stringify({
      tenants: {
        AC1: {
          keys: [{ kid: 'SK1', alg: 'HS256', secret }],
          authToken: secret,
          groups: { support: {} },
        },
        AC2: { keys: [{ kid: 'SK1', alg: 'HS256', secret }] },
      },
    }),
  })
  const by = async (token: string) => check([token, '--config', 'hub.json'], { cwd })
  const exp = Math.floor(Date.now() / 1000) + 600
  const access = (claims: object, identity = 'alice') =>
    signed(
      { alg: 'HS256', cty: 'twilio-fpa;v=1' },
      {
        ...{ iss: 'SK1', sub: 'AC1', exp, scope: 'admin', ...claims },
        grants: { identity, voice: { incoming: { allow: true } } },
      },
    )
  const good = await by(access({}))
  t.equal(good.code, 0)
  t.match(good.text, /^ {2}cty +twilio-fpa;v=1 +its form: an access token$/m)
  t.match(good.text, /^ {2}iss +SK1 +which key it is signed with$/m)
  t.match(good.text, /^ {2}sub +AC1 +the tenant$/m)
  t.match(good.text, / the account it speaks for, and what it/)
  t.match(good.text, /^ {2}call:receive +to be offered calls/m)
  t.notMatch(good.text, /^ {2}admin/m)
  t.match((await by(access({ sub: 'AC3' }))).text, /^refused there is no tenant AC3, only AC1, AC2/m)
  t.match((await by(access({ iss: 'SK9' }))).text, /^refused no key of AC1 has the id SK9/m)
  t.match((await by(access({}, 'support'))).text, /^refused support is the name of a group/m)

  const scope =
    'scope:client:incoming?clientName=alice scope:client:outgoing?appSid=AP1 scope:stream:subscribe?path=/x'
  const older = await by(signed({ alg: 'HS256' }, { iss: 'AC1', exp, scope }))
  t.equal(older.code, 0)
  t.match(older.text, /^ {2}iss +AC1 +the tenant$/m)
  t.match(older.text, / to be present as a device, and to be offered/)
  t.match(older.text, / to be present as a device, and to place calls/)
  t.match(older.text, / is not known here, and passed over$/m)
  const none = signed({ alg: 'HS256' }, { iss: 'AC2', exp, scope })
  t.match((await by(none)).text, /^refused AC2 has no authToken of at least 32 bytes/m)
  t.match(await check([none, '--secret', secret]), { code: 0 }, 'or by the secret alone')
})

/** A key set at an address, and a configuration that names it. */
const keySet = async (t: Test, answer: unknown) => {
  const server = createServer((_, response) => response.end(JSON.stringify(answer))).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`
  return t.testdir({
    'hub.json': JSON.stringify({ fetch: { allowPrivate: true }, tenants: { acme: { keys: [{ jwksUrl }] } } }),
  })
}

t.test('a key set is asked for as the hub does, and what is wrong with it is noted', async t => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const jwk = publicKey.export({ format: 'jwk' })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
  const token = await mint({ alg: 'EdDSA', privateKey: pem, kid: 'e1' })
  const good = await keySet(t, { keys: [{ ...jwk, kid: 'e1' }, { kty: 'oct' }] })
  const { code, text } = await check([token, '--config', 'hub.json'], { cwd: good })
  t.equal(code, 0)
  t.match(text, /^note http:\/\/127\.0\.0\.1:\d+\/keys: keys\[1\]\.kty must be one of/m)
  await t.test('not a set', async t => {
    const { code, text } = await check([token, '--config', 'hub.json'], { cwd: await keySet(t, []) })
    t.equal(code, 1)
    t.match(text, /^note .*: is no key set/m)
    t.match(text, /^refused no key of acme has the id e1/m)
  })
})

t.test('[FX7] what is no token is shown as far as it can be read, and nothing of it is obeyed', async t => {
  const cases: [string, RegExp][] = [
    [
      'abc',
      /^header: cannot be read\nclaims: cannot be read\nscope: no permission\nrefused token must be three parts/m,
    ],
    [`${Buffer.from('[1').toString('base64url')}.bnVsbA.x`, /^header: cannot be read/m],
    [signed({ alg: 'none' }, { iss: 'acme' }), /^refused token header: alg must be one of/m],
    [
      signed(
        { alg: 'HS256', jku: 'https://evil.example' },
        { iss: 'a\x1b[31m', exp: 'soon', nbf: 9e99, scope: 5, __x: { a: 1 } },
      ),
      /jku +https:\/\/evil\.example +is passed over[\s\S]*iss +a\\u\{1b\}\[31m[\s\S]*exp +soon +ends is no time[\s\S]*__x +\{"a":1\} +is passed over[\s\S]*refused token claims: /,
    ],
  ]
  for (const [token, shown] of cases) {
    const { code, text } = await check([token, '--secret', secret])
    t.equal(code, 1)
    t.match(text, shown)
    t.notMatch(text, '\x1b')
  }
})

t.test('the token comes as an argument, on standard input or from the environment', async t => {
  const token = await tokenOf('alice')
  const env = { SWITCHHOOK_TOKEN: await tokenOf('bob') }
  t.match(await check(['--secret', secret], { env }), {
    code: 0,
    text: /from SWITCHHOOK_TOKEN[\s\S]*sub +bob/,
  })
  t.match(await check(['-', '--secret', secret], { env, stdin: `Bearer ${token}\n` }), {
    code: 0,
    text: /from standard input[\s\S]*sub +alice/,
  })
  t.match(await check(['--secret', secret], { stdin: token }), { code: 0, text: /from standard input/ })
  t.match(await check([], {}), {
    code: 2,
    error: 'switchhook: --check: there is no token on standard input\n',
  })
  t.match(await check([''], { env }), { code: 2, error: 'switchhook: --check: the token is empty\n' })
  const typing = createTerminal()
  typing.stdin.isTTY = true
  t.equal(await typing.run('token', '--check'), 2, 'nobody is kept waiting for a token that is to be typed')
  t.match(
    typing.stderr.text,
    /^switchhook: --check needs a token: give it, or - .*, or set SWITCHHOOK_TOKEN\n$/,
  )
  t.match(await check(['-'], { stdin: 'x'.repeat(70_000) }), { code: 2, error: /holds more than a token/ })
})

t.test('a flag that makes no sense is named', async t => {
  const cwd = t.testdir({ short: 'short', 'not.pem': 'no' })
  const token = await tokenOf('alice')
  const refused = async (...args: string[]) => {
    const { code, error } = await check([token, ...args], { cwd })
    t.equal(code, 2, args.join(' '))
    return error
  }
  t.match(await refused('--secret', 'short'), /^switchhook: --secret must be at least 32 bytes for HS256\n$/)
  t.match(await refused('--secret-file', 'short'), /^switchhook: --secret-file must be at least 32 bytes/)
  t.match(await refused('--secret-file', 'none'), /--secret-file none cannot be read/)
  t.match(await refused('--public-key', 'not.pem'), /^switchhook: --public-key must be a key in PEM/)
  t.match(await refused('--secret', secret, '--alg', 'ES256'), /^switchhook: --alg ES256 needs a publicKey/)
  t.match(await refused('--secret', secret, '--tenant', 'a..b'), /^switchhook: --tenant must be a name/)
  t.match(await refused('--secret', secret, '--account', 'x'), /--check \[token\].*--account <name>/)
  t.match(await refused('--secret', secret, '--config', 'x'), /--secret <text>.*--config <file>/)
  t.match(await check([token, '--secret', secret, '--tenant', 'other']), {
    code: 1,
    text: /there is no tenant acme, only other/,
  })
  for (const flag of ['--config', '--public-key']) {
    const terminal = createTerminal()
    t.equal(await terminal.run('token', flag, 'x'), 2)
    t.equal(terminal.stderr.text, `switchhook: ${flag} goes with --check\n`)
  }
})

t.test('every permission is said in words, and spans of time as people say them', async t => {
  for (const scope of scopes) t.match(allowedBy(scope), /\w/, scope)
  t.equal(allowedBy('presence:read:support'), 'to read and watch support')
  t.equal(allowedBy('call:place:'), undefined)
  t.same(scopeFacts(undefined), [])
  t.same([0, 999, 1000, 60_000, 7_200_000, 200_000_000].map(span), [
    '0 seconds',
    '0 seconds',
    '1 second',
    '1 minute',
    '2 hours',
    '2 days',
  ])
})
