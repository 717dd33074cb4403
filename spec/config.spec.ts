import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  ConfigSchema,
  defaultLimits,
  fillShown,
  listOptions,
  loadConfig,
  readConfig,
  strategies,
} from '../src/config.js'

const secret = 'x'.repeat(64)
const key = { alg: 'HS256', secret }
const around = (dir = '.', env: Record<string, string> = {}) => ({ dir, env })
const read = (input: unknown, where = around()) => {
  const config = readConfig(input, where)
  if (!config.ok) throw new Error(JSON.stringify(config.faults))
  return config.value
}
const faults = (input: unknown, where = around()): string[] => {
  const config = readConfig(input, where)
  return config.ok ? [] : config.faults.map(({ path, message }) => `${path}: ${message}`)
}
const tenant = (acme: object) => ({ tenants: { acme: { keys: [key], ...acme } } })

t.test('every value has a default', async t => {
  t.same(read({}), {
    listen: { host: '127.0.0.1', port: 8080, trustProxy: [] },
    audience: 'switchhook',
    cors: [],
    drainMs: 30_000,
    presence: { heartbeatMs: 10_000, lingerMs: 15_000, reloadLingerMs: 5000 },
    calls: { lingerMs: 120_000, ringTimeoutMs: 12_000, totalTimeoutMs: 60_000, confirmMs: 3000 },
    records: { fileBytes: 32 * 1024 ** 2, keptBytes: 512 * 1024 ** 2, keptDays: 90, patienceMs: 10_000 },
    fetch: { allowPrivate: false, timeoutMs: 5000 },
    webhooks: { retryForMs: 3_600_000, timeoutMs: 10_000, atOnce: 4, gatherMs: 1000 },
    limits: defaultLimits,
    tenants: new Map(),
    dir: '.',
  })
  const { tenants } = read({
    ...tenant({ groups: { support: { members: ['alice', { account: 'bob', tier: 2 }] } } }),
  })
  t.same(tenants.get('acme' as never), {
    keys: [key],
    busyWhen: 'any',
    wrapupMs: 0,
    accounts: new Map(),
    groups: new Map([
      [
        'support',
        {
          members: [
            { account: 'alice', tier: 1, weight: 1, skills: [] },
            { account: 'bob', tier: 2, weight: 1, skills: [] },
          ],
          strategy: 'longest-idle',
          ringTimeoutMs: 12_000,
          tierDelayMs: 15_000,
          wrapupMs: 0,
          coolDownMs: { rejected: 0, busy: 0, missed: 10_000 },
          open: false,
          queue: { maxWaitMs: 3_600_000, maxLength: 100, serviceLevelMs: 20_000, leaveWhenEmpty: true },
        },
      ],
    ]),
    routes: [],
    applications: new Map(),
    sipDomain: 'acme',
    webhooks: [],
  })
})

t.test('what the file says replaces the defaults', async t => {
  const dir = t.testdir({ 'cert.pem': 'CERT', 'key.pem': 'KEY', 'token.txt': 'found in a file\n' })
  const groups = {
    lobby: { open: true, strategy: 'all' },
    sales: {
      ringTimeoutMs: 5,
      tierDelayMs: 0,
      wrapupMs: 7,
      coolDownMs: { busy: 3 },
      awayAfterMisses: 2,
      queue: { maxLength: 3, leaveWhenEmpty: false },
      members: [{ account: 'bob', weight: 3, skills: ['fr'], paused: 'training' }],
    },
  }
  const routes = [
    { to: '+1*', instructions: 'https://x.example' },
    { to: { pattern: '^x+$' }, instructions: {} },
  ]
  const config = read(
    {
      listen: { port: 0, host: '::', tls: { cert: 'cert.pem', key: 'key.pem' } },
      metrics: { port: 9 },
      dataDir: './data',
      audience: 'mine',
      cors: ['*'],
      drainMs: 5,
      presence: { lingerMs: 0 },
      calls: { ringTimeoutMs: 7000 },
      fetch: { allowHosts: ['x.example'], allowPrivate: true },
      tenants: {
        acme: {
          keys: [
            { kid: 'a', alg: 'HS256', secret: { env: 'SECRET' } },
            { kid: 'b', alg: 'ES256', publicKey: { file: 'key.pem' } },
          ],
          authToken: { file: 'token.txt' },
          busyWhen: 'all',
          wrapupMs: 9,
          accounts: { alice: { capacity: 2, sip: { secret: { file: 'token.txt' } } } },
          groups,
          routes,
          applications: { AP1: { steps: [] }, menu: 'https://x.example' },
          sipDomain: 'acme.example',
        },
      },
    },
    around(dir, { SECRET: secret }),
  )
  t.match(config, {
    listen: { port: 0, host: '::', tls: { cert: 'CERT', key: 'KEY' } },
    metrics: { host: '127.0.0.1', port: 9 },
    dataDir: join(dir, 'data'),
    audience: 'mine',
    cors: ['*'],
    drainMs: 5,
    presence: { lingerMs: 0, heartbeatMs: 10_000 },
    fetch: { allowHosts: ['x.example'], allowPrivate: true, timeoutMs: 5000 },
    dir,
  })
  const acme = config.tenants.get('acme' as never)
  t.match(acme, {
    keys: [
      { kid: 'a', alg: 'HS256', secret },
      { kid: 'b', alg: 'ES256', publicKey: 'KEY' },
    ],
    authToken: 'found in a file',
    busyWhen: 'all',
    wrapupMs: 9,
    routes,
  })
  t.same(acme?.accounts.get('alice' as never), {
    capacity: 2,
    sip: {
      secret: 'found in a file',
      algorithm: 'MD5',
      scope: 'presence:register presence:read call:receive call:place',
    },
  })
  t.same(
    [...(acme?.applications ?? [])],
    [
      ['AP1', { steps: [] }],
      ['menu', 'https://x.example'],
    ],
  )
  t.equal(acme?.sipDomain, 'acme.example')
  t.match(acme?.groups.get('lobby' as never), {
    open: true,
    strategy: 'all',
    ringTimeoutMs: 7000,
    members: [],
  })
  t.match(acme?.groups.get('sales' as never), {
    ringTimeoutMs: 5,
    tierDelayMs: 0,
    wrapupMs: 7,
    coolDownMs: { rejected: 0, busy: 3, missed: 10_000 },
    awayAfterMisses: 2,
    queue: { maxWaitMs: 3_600_000, maxLength: 3, serviceLevelMs: 20_000, leaveWhenEmpty: false },
    members: [{ account: 'bob', tier: 1, weight: 3, skills: ['fr'], paused: 'training' }],
  })
})

t.test('every fault of shape is told at once, each with its path', async t => {
  t.same(
    new Set(
      faults({
        lissen: {},
        listen: { port: 70_000 },
        tenants: { acme: { keys: [], groups: { support: { strategy: 'fastest', members: [{}] } } } },
      }),
    ),
    new Set([
      'lissen: is not known here',
      'listen.port: must be <= 65535',
      'tenants.acme.keys: must not have fewer than 1 items',
      `tenants.acme.groups.support.strategy: must be one of ${strategies.join(', ')}`,
      'tenants.acme.groups.support.members[0]: must be an account name, or { account, tier?, weight?, skills?, paused? }',
    ]),
  )
  t.same(faults([]).length, 1)
})

t.test('every fault of sense is told at once too, and no secret is', async t => {
  const told = faults(
    {
      listen: { tls: { cert: 'no.pem', key: 'no.pem' } },
      tenants: {
        'a..b': { keys: [key] },
        acme: {
          keys: [
            { kid: 'a', alg: 'HS256' },
            { kid: 'a', alg: 'HS512', secret: 'short-and-secret' },
            { alg: 'ES256', secret },
            { kid: 'c', alg: 'HS256', publicKey: 'PEM' },
            { kid: 'd', alg: 'HS256', secret: { env: 'UNSET' } },
            { kid: 'e', alg: 'HS256', secret, publicKey: 'PEM' },
            { kid: 'f', alg: 'HS256', secret: { file: 'no.txt' } },
          ],
          accounts: { sales: {}, '.x': {} },
          groups: { sales: {}, bob: {}, support: { members: ['bob', 'bob', 'b b'] } },
          routes: [
            { to: { pattern: '(' }, instructions: 1 },
            { to: '1', instructions: 1 },
          ],
          webhooks: [{ url: 'https://example.com', destinations: ['sales', 'b b'] }],
        },
      },
    },
    around('/nowhere'),
  )
  const has = (start: string) =>
    t.ok(
      told.some(line => line.startsWith(start)),
      start,
    )
  has('listen.tls.cert: cannot be read: no.pem (ENOENT)')
  has('listen.tls.key: cannot be read: no.pem (ENOENT)')
  has('tenants.a..b: must be a name')
  has('tenants.acme.keys[0]: must have one of secret and publicKey')
  has('tenants.acme.keys[0].alg: HS256 needs a secret')
  has('tenants.acme.keys[1].kid: a is there twice')
  has('tenants.acme.keys[1].secret: must be at least 64 bytes for HS512')
  has('tenants.acme.keys[2].kid: is missing')
  has('tenants.acme.keys[2].alg: ES256 needs a publicKey, not a secret')
  has('tenants.acme.keys[3].alg: HS256 needs a secret, not a publicKey')
  has('tenants.acme.keys[4].secret.env: names UNSET, which is not set')
  has('tenants.acme.keys[5]: must have one of secret and publicKey')
  has('tenants.acme.keys[6].secret.file: cannot be read: no.txt (ENOENT)')
  has('tenants.acme.accounts..x: must be a name')
  has('tenants.acme.groups.sales: is also the name of an account')
  has('tenants.acme.groups.bob: is also the name of an account')
  has('tenants.acme.groups.support.members[1]: bob is there twice')
  has('tenants.acme.groups.support.members[2]: must be a name')
  has('tenants.acme.routes[0].to.pattern: Invalid regular expression')
  has('tenants.acme.webhooks[0].destinations[1]: must be a name')
  t.equal(told.length, 20)
  t.notMatch(told.join(), /short-and-secret|xxxx/)
})

t.test(
  'a file is read with paths that begin at its folder; one that cannot be read is a fault with its name',
  async t => {
    const dir = t.testdir({
      'good.json': JSON.stringify(tenant({ authToken: { file: 'token' } })),
      'bad.json': '{ "listen": ',
      token: 'abc',
    })
    const good = loadConfig(join(dir, 'good.json'))
    t.match(good, { ok: true, value: { dir } })
    t.match(good.ok && good.value.tenants.get('acme' as never)?.authToken, 'abc')
    t.match(loadConfig(join(dir, 'bad.json')), {
      ok: false,
      faults: [{ path: /bad\.json$/, message: /is not JSON/ }],
    })
    for (const [text, line] of [
      ['', 1],
      ['{\n"listen": ', 2],
      ['{\n"secret": "a secret" "b" }', 2],
      ['{\n\n"secret": a secret\n}\n', 3],
      ['{\n"secret": "a secret\n"}', 2],
      ['a secret', 1],
    ] as const) {
      writeFileSync(join(dir, 'bad.json'), text)
      const bad = loadConfig(join(dir, 'bad.json'))
      t.same(
        bad.ok || bad.faults.map(({ message }) => message),
        [`is not JSON (line ${line})`],
        'where, and nothing of what stands there',
      )
    }
    t.match(loadConfig(join(dir, 'none.json')), {
      ok: false,
      faults: [{ path: /none\.json$/, message: /ENOENT/ }],
    })
    writeFileSync(join(dir, 'env.json'), JSON.stringify(tenant({ authToken: { env: 'TOKEN' } })))
    t.match(loadConfig(join(dir, 'env.json'), { TOKEN: 'x' }), { ok: true })
  },
)

t.test('a key has its algorithm, or is a set at an address and nothing else', async t => {
  const jwksUrl = 'https://idp.example/keys'
  const keysOf = (...keys: object[]) => ({ tenants: { acme: { keys } } })
  t.same(read(keysOf({ jwksUrl }, { ...key, kid: 'k' })).tenants.get('acme' as never)?.keys, [
    { jwksUrl },
    { ...key, kid: 'k' },
  ])
  t.same(faults(keysOf({ jwksUrl, kid: 'k' }, { jwksUrl, alg: 'RS256' }, { secret, kid: 'k' })), [
    'tenants.acme.keys[0]: must have nothing beside jwksUrl',
    'tenants.acme.keys[1]: must have nothing beside jwksUrl',
    'tenants.acme.keys[2].kid: k is there twice',
    'tenants.acme.keys[2].alg: is missing',
  ])
})

t.test('a SIP account has a secret of some length, and a domain has one tenant', async t => {
  const withSip = (sip: object) => tenant({ accounts: { alice: { sip } } })
  const at = 'tenants.acme.accounts.alice.sip'
  t.same(faults(withSip({ secret: 'twelve chars', algorithm: 'SHA-256' })), [])
  t.same(faults(withSip({ secret: 'hidden word' })), [`${at}.secret: must be at least 12 characters`])
  t.same(faults(withSip({ secret: { env: 'UNSET' } })), [`${at}.secret.env: names UNSET, which is not set`])
  t.same(faults(withSip({})), [`${at}.secret: is missing`])
  t.same(faults(withSip({ secret: 'twelve chars', algorithm: 'SHA-1' })), [
    `${at}.algorithm: must be one of MD5, SHA-256`,
  ])
  const domains = (...tenants: [string, string?][]) =>
    faults({
      tenants: Object.fromEntries(
        tenants.map(([name, sipDomain]) => [name, { keys: [key], ...(sipDomain && { sipDomain }) }]),
      ),
    })
  t.same(domains(['a'], ['b', 'b.example'], ['c']), [])
  t.same(domains(['a'], ['b', 'A'], ['c', 'b']), [
    'tenants.b.sipDomain: must be another than that of a, which has a',
  ])
  t.same(domains(['a', 'sip:a']), ['tenants.a.sipDomain: must be a domain'])
})

t.test('the schema says of every option what it means, and lists what holds', async t => {
  const all = listOptions(ConfigSchema)
  for (const { path, description } of all) {
    t.match(description, /^[A-Z].*\.$/, `${path} says in a sentence what it means`)
    if (path.endsWith('Ms')) t.match(description, /milliseconds/, `${path} says its unit`)
  }
  const byPath = new Map(all.map(option => [option.path, option]))
  t.match(byPath.get('listen.port'), { value: 8080, given: false, required: false, section: false })
  t.match(byPath.get('listen'), { section: true })
  t.match(byPath.get('listen.tls.cert'), { required: true, value: undefined })
  t.match(
    byPath.get('tenants.NAME.groups.NAME.members'),
    { value: [] },
    'a list is shown with what it may hold',
  )
  t.match(byPath.get('tenants.NAME.groups.NAME.members[].tier'), { value: 1 })
  t.match(byPath.get('tenants.NAME.keys[].secret'), { description: /HS/ })
  t.notOk(byPath.has('tenants.NAME.keys[].secret.env'), 'a reference is one option')

  const holds = new Map(
    listOptions(ConfigSchema, {
      listen: { port: 9 },
      tenants: { acme: { keys: [{ alg: 'HS256', secret }], groups: { support: { members: ['alice'] } } } },
    }).map(({ path, value, given }) => [path, [value, given]]),
  )
  t.same(holds.get('listen.port'), [9, true])
  t.same(holds.get('listen.host'), ['127.0.0.1', false])
  t.same(holds.get('listen.tls'), [undefined, false])
  t.same(holds.get('tenants.acme.keys[0].alg'), ['HS256', true])
  t.same(holds.get('tenants.acme.groups.support.members'), [['alice'], true])
  t.same(holds.get('tenants.acme.accounts'), [{}, false])
})

t.test('what is shown of a configuration holds no secret, and no query of an address', async t => {
  const shown = fillShown(ConfigSchema, {
    tenants: {
      acme: {
        keys: [
          { kid: 'a', alg: 'HS256', secret },
          { kid: 'b', alg: 'HS256', secret: { env: 'NAME' } },
          { jwksUrl: 'https://idp.example/keys?code=hidden' },
        ],
        authToken: 'hidden',
        accounts: { alice: { sip: { secret: 'hidden from all' } }, bob: { sip: { secret: { env: 'BOB' } } } },
        applications: { AP1: 'https://x.example/in?code=hidden' },
        routes: [
          { to: '1', instructions: 'https://x.example/in?code=hidden' },
          { to: '2', instructions: { url: 'https://x.example/in', fallbackUrl: 'http://x.example/?hidden' } },
          { to: '3', instructions: { steps: [{ pause: { ms: 1 } }, null] } },
        ],
      },
    },
  })
  t.match(shown, {
    listen: { port: 8080 },
    tenants: {
      acme: {
        keys: [{ secret: '(not shown)' }, { secret: { env: 'NAME' } }, {}],
        busyWhen: 'any',
        accounts: {
          alice: { sip: { secret: '(not shown)', algorithm: 'MD5' } },
          bob: { sip: { secret: { env: 'BOB' } } },
        },
        routes: [{}, {}, { instructions: { steps: [{ pause: { ms: 1 } }, null] } }],
      },
    },
  })
  t.notMatch(JSON.stringify(shown), /hidden|thirty|xxxx/)
})
