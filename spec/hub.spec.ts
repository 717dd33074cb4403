import { generateKeyPairSync } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { WebSocket } from 'ws'
import { Softphone } from '../src/client/index.js'
import { mintToken } from '../src/gateway/token/index.js'
import { createHub } from '../src/hub.js'
import { type Log, silentLog, systemClock } from '../src/runtime/index.js'
import { configOf, secret, startApplication, startHub, tokenOf, until } from './support/hub.js'

const keys = [{ alg: 'HS256' as const, secret }]
const newSecret = 'another secret of at least thirty-two bytes'

t.test('a hub is built from plain options, and names every fault at once', async t => {
  const error = await createHub({
    listen: { port: 0 },
    tenants: {
      acme: {
        keys: [{ alg: 'ES256', publicKey: 'no key' }],
        routes: [{ to: 'x', instructions: { steps: [{ dance: {} }] } }],
        webhooks: [
          { url: 'https://example.com', destinations: ['a'] },
          { url: 'ftp://example.com', destinations: ['a'] },
        ],
      },
    },
  }).catch(error => error)
  t.match(error, { code: 'invalid' })
  t.match(
    error.faults.map(({ path }: { path: string }) => path),
    [
      'tenants.acme.keys[0].publicKey',
      /^tenants\.acme\.routes\[0\]\.instructions/,
      'tenants.acme.webhooks[1].url',
    ],
  )
  await t.rejects(createHub({ listen: { port: -1 } } as never), { code: 'invalid', message: /listen\.port/ })
  await t.rejects(createHub({ tenants: { acme: { keys, routes: [{ to: 'x', instructions: 7 }] } } }), {
    code: 'invalid',
  })
  await t.rejects(createHub({ tenants: { acme: { keys: [{ alg: 'EdDSA', publicKey: 'no key' }] } } }), {
    code: 'invalid',
  })
})

t.test('another configuration at run time: keys, members and routes; whoever is there stays', async t => {
  const application = await startApplication(t, {
    '/in': '<Response><Dial><Client>bob</Client></Dial></Response>',
  })
  const config = configOf({ groups: { support: { members: ['alice'] } } })
  const world = await startHub(t, config)
  const alice = await world.phone('alice')
  const bob = await world.phone('bob')
  const watcher = await world.visitor('watcher', ['presence:read'])
  const watch = watcher.subscribe('support')
  await watch.ready
  const next = {
    listen: { port: 0 },
    fetch: { allowPrivate: true },
    tenants: {
      acme: {
        keys: [
          ...keys.map(key => ({ ...key, kid: 'old' })),
          { alg: 'HS256' as const, secret: newSecret, kid: 'new' },
        ],
        groups: { support: { members: ['alice', 'bob'] } },
        routes: [{ to: '+1555*', instructions: `${application.url}/in` }],
      },
    },
  }
  t.same(await world.hub.reload(next), [])
  await until(
    () => watch.resource?.counts.available === 2,
    check => watch.on('change', check),
  )
  const unnamed = (await world.api()).place({ to: '+15550100', from: 'x' })
  await t.rejects(unnamed, { code: 'unauthorized' }, 'a kid is needed now')
  const gateway = new Softphone({
    url: world.listening.url,
    token: await tokenOf('trunk', { scopes: ['call:inbound'], secret: newSecret, kid: 'new' }),
    WebSocket: WebSocket as never,
  })
  await gateway.connect()
  const placed = await gateway.place({ to: '+15550100', from: 'x' })
  t.equal((await bob.invited()).id, placed.id)
  t.equal(alice.softphone.connection.state, 'online', 'a session keeps the token it came with')
  await gateway.close()

  const same = await world.hub.reload({ ...next, drainMs: 1, calls: { lingerMs: 1 }, listen: { port: 1 } })
  t.same(same, ['listen', 'drainMs', 'calls'], 'what waits for a new start')
  await t.rejects(world.hub.reload({ ...next, tenants: { acme: { keys: [] } } }), { code: 'invalid' })
  t.equal((await tokenOf('x')).split('.').length, 3)
})

t.test(
  '[FT14] what is revoked is closed everywhere, and stays revoked under another configuration',
  async t => {
    const world = await startHub(t)
    const { softphone } = await world.phone('alice')
    const token = await tokenOf('alice')
    const ended = until(
      () => softphone.connection.state === 'closed' && softphone.connection,
      check => softphone.on('connection', check),
    )
    const admin = { authorization: `Bearer ${await tokenOf('root', { scopes: ['admin'] })}` }
    const { status } = await fetch(`${world.listening.url}/v1/revocations`, {
      method: 'POST',
      headers: { ...admin, 'content-type': 'application/json' },
      body: JSON.stringify({ account: 'alice' }),
    })
    t.equal(status, 204)
    t.match(await ended, { code: 4504 })
    await world.hub.reload(configOf())
    const headers = { authorization: `Bearer ${token}` }
    const refused = await fetch(`${world.listening.url}/v1/presence/alice`, { headers })
    t.match([refused.status, await refused.json()], [401, { error: { code: 'revoked' } }])
  },
)

t.test(
  '[FT13] the last good key set holds under another configuration, though its server is down',
  async t => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const jwks = JSON.stringify({ keys: [publicKey.export({ format: 'jwk' })] })
    const issuer = await startApplication(t, { '/keys': jwks })
    const config = configOf({ keys: [{ jwksUrl: `${issuer.url}/keys` }] })
    const world = await startHub(t, config)
    const read = async (account: string) => {
      const token = await mintToken({
        alg: 'EdDSA',
        privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
        tenant: 'acme',
        account,
        clock: { wall: Date.now },
      })
      const headers = { authorization: `Bearer ${token}` }
      return (await fetch(`${world.listening.url}/v1/presence/alice`, { headers })).status
    }
    t.equal(await read('alice'), 200)
    await world.hub.reload(config)
    t.equal(await read('bob'), 200)
    t.equal(issuer.asked.length, 1, 'nobody was asked again')
  },
)

t.test('an IPv6 host and TLS show in the addresses', async t => {
  const hub = await createHub({ listen: { host: '::1', port: 0 } })
  const { url, socket, port } = await hub.listen()
  t.equal(url, `http://[::1]:${port}`)
  t.equal(socket, `ws://[::1]:${port}/v1/socket`)
  await hub.close()

  const tls = { cert: 'spec/support/tls/cert.pem', key: 'spec/support/tls/key.pem' }
  const secure = await createHub({ listen: { port: 0, tls } })
  const listening = await secure.listen()
  t.match([listening.url, listening.socket], [/^https:/, /^wss:/])
  await secure.close()
})

t.test('a hub drains: nobody new, and it waits for the last call, or for its drain time', async t => {
  const world = await startHub(t)
  const alice = await world.phone('alice')
  const api = await world.api()
  await api.place({ to: 'alice', from: 'x' })
  const call = await alice.invited()
  await call.accept()
  const drained = Promise.all([world.hub.drain(), world.hub.drain()])
  await t.rejects(api.place({ to: 'alice', from: 'x' }), { code: 'draining' })
  t.equal((await fetch(`${world.listening.url}/readyz`)).status, 503)
  await call.hangup()
  await drained

  const short = await startHub(t, configOf({}, { drainMs: 50 }))
  const bob = await short.phone('bob')
  await (await short.api()).place({ to: 'bob', from: 'x' })
  await (await bob.invited()).accept()
  await short.hub.drain()
  await Promise.all([short.hub.close(), short.hub.close()])
})

t.test(
  '[FC6] a hub that is short of memory takes on nothing new, keeps what it has, and recovers',
  async t => {
    let share = 0.5
    let ahead = 0
    const machine = systemClock(error => t.fail(String(error)))
    const clock = { ...machine, now: () => machine.now() + ahead }
    const world = await startHub(t, configOf(), { clock, heapShare: () => share })
    const alice = await world.phone('alice')
    const bob = await world.phone('bob')
    const api = await world.api()
    const headers = {
      authorization: `Bearer ${await tokenOf('gateway', { scopes: ['admin', 'call:place'] })}`,
    }
    const ask = async (method: string, path: string, body?: object) => {
      const answer = await fetch(`${world.listening.url}${path}`, {
        method,
        headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
        ...(body && { body: JSON.stringify(body) }),
      })
      const text = await answer.text()
      return { status: answer.status, body: text === '' ? {} : JSON.parse(text) }
    }
    const measured = (now: number) => {
      share = now
      // By then the last measure is old.
      ahead += 20
    }
    const { call } = await api.place({ to: 'alice', from: 'x' })
    const ringing = await alice.invited()
    await ringing.accept()

    measured(0.9)
    const message = 'the hub is short of memory, and takes on nothing new'
    t.match(await ask('GET', '/readyz'), {
      status: 503,
      body: { error: { code: 'overloaded', details: [{ path: 'memory', message }] } },
    })
    t.equal((await ask('GET', '/healthz')).status, 200)
    await t.rejects(api.place({ to: 'bob', from: 'x' }), { code: 'overloaded', message })
    await t.rejects(bob.softphone.place({ to: 'alice' }), { code: 'overloaded', message })
    t.match(await ask('GET', '/v1/presence/alice'), { status: 503, body: { error: { code: 'overloaded' } } })
    const newcomer = new WebSocket(world.listening.socket, { headers })
    const refused = await new Promise<number | undefined>(resolve => {
      newcomer.on('unexpected-response', (_request, response) => {
        resolve(response.statusCode)
        newcomer.terminate()
      })
      newcomer.on('error', () => {})
    })
    t.equal(refused, 503)
    t.equal(alice.softphone.connection.state, 'online')
    t.equal((await ask('POST', '/v1/revocations', { jti: 'stolen' })).status, 204, 'tokens are taken back')
    t.equal((await ask('POST', `/v1/calls/${call}`, { signal: 1 })).status, 200, 'calls go on')
    t.equal((await ask('DELETE', `/v1/calls/${call}`)).status, 204, 'and end')

    measured(0.7)
    await t.rejects(api.place({ to: 'bob', from: 'x' }), { code: 'overloaded' }, 'not at once')
    measured(0.6)
    t.equal((await ask('GET', '/readyz')).status, 200)
    await world.phone('carol')
    await api.place({ to: 'bob', from: 'x' })
    await bob.invited()
  },
)

t.test('an override outlasts its hub: status, note, until and by, and what is made of them', async t => {
  const dataDir = join(t.testdir(), 'data')
  const config = configOf({ groups: { support: { members: ['alice'] } } }, { dataDir })
  const end = new Date(Date.now() + 3_600_000).toISOString()
  const first = await startHub(t, config)
  const headers = {
    authorization: `Bearer ${await tokenOf('boss', { scopes: ['presence:write', 'presence:read'] })}`,
    'content-type': 'application/json',
  }
  const put = await fetch(`${first.listening.url}/v1/presence/alice/status`, {
    method: 'PUT',
    headers,
    body: JSON.stringify({ status: 'dnd', note: 'in a meeting', until: end }),
  })
  t.equal(put.status, 200)
  await t.rejects(createHub(config), {
    code: 'conflict',
    message: new RegExp(`${dataDir} .* ${process.pid} `),
  })
  t.same(await first.hub.reload({ ...config, dataDir: `${dataDir}2` }), ['dataDir'])
  await first.hub.close()

  const second = await startHub(t, config)
  const read = async (destination: string) =>
    (await fetch(`${second.listening.url}/v1/presence/${destination}`, { headers })).json()
  const alice = { account: 'alice', note: 'in a meeting', until: end }
  t.match(await read('alice'), { status: 'offline', accounts: [{ ...alice, status: 'offline' }] })
  const { softphone } = await second.phone('alice')
  const self = await until(
    () => softphone.self,
    check => softphone.on('self', check),
  )
  t.match(self, { status: 'dnd', override: 'dnd', until: end, by: 'boss' })
  t.match(await read('support'), {
    status: 'dnd',
    counts: { dnd: 1, available: 0 },
    accounts: [{ ...alice, status: 'dnd' }],
  })
})

t.test('[FD1] a hub that can not write its dataDir says so to /readyz, and goes on', async t => {
  const dataDir = t.testdir()
  const said = new EventEmitter()
  const log: Log = {
    ...silentLog,
    info: (_facts, message) => void said.emit(message),
    error: (_facts, message) => void said.emit(message),
  }
  const world = await startHub(t, configOf({}, { dataDir }), { log })
  const phone = await world.phone('alice')
  mkdirSync(join(dataDir, 'overrides.jsonl'))
  const failed = once(said, 'what is to be kept cannot be written, and is tried again')
  await phone.softphone.status({ status: 'away', for: 'account' })
  await failed
  const ready = async () => {
    const answer = await fetch(`${world.listening.url}/readyz`)
    return { status: answer.status, text: await answer.text() }
  }
  t.match(await ready(), { status: 503, text: /store: overrides\.jsonl cannot be written \(EISDIR\)/ })
  const healed = once(said, 'what is kept is written again')
  rmdirSync(join(dataDir, 'overrides.jsonl'))
  await healed
  t.equal((await ready()).status, 200)
  t.match(readFileSync(join(dataDir, 'overrides.jsonl'), 'utf8'), /"status":"away"/)
})

t.test('a hub that cannot be put together lets go of its dataDir; without one it says so', async t => {
  const dataDir = t.testdir()
  const config = configOf({}, { dataDir })
  const tls = { cert: 'no certificate', key: 'no key' }
  await t.rejects(createHub({ ...config, listen: { ...config.listen, tls } }))
  t.same(readdirSync(dataDir), [])
  await (await createHub(config)).close()
  const said: string[] = []
  const log: Log = { ...silentLog, info: (_facts, message) => void said.push(message) }
  await (await createHub(configOf(), { log })).close()
  t.same(said, ['no dataDir: nothing is kept over a restart'])
})
