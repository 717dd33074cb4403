// Revocation over HTTP: who may, what is to be said, and that what is under way on a revoked token ends.

import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { Revocations } from '../../src/gateway/token/index.js'
import { Bounds } from '../../src/limits/index.js'
import { silentLog, VirtualClock } from '../../src/runtime/index.js'
import { openFileStore } from '../../src/store/index.js'
import { failingDisk } from '../support/disk.js'
import { newApi, until } from '../support/http-api.js'
import { acme, aSecret } from '../support/room.js'

const keys = [{ alg: 'HS256', secret: aSecret }]
const rest = { tenants: { acme: { keys }, globex: { keys } } }
const scopes = ['presence:read', 'call:inbound']

t.test(
  '[FT14] an administrator revokes an account: its tokens are refused, those from the cache too',
  async t => {
    const api = await newApi(t, { rest })
    const [admin, alice, bob, elsewhere] = await Promise.all([
      api.token('root', ['admin']),
      api.token('alice', scopes),
      api.token('bob', scopes),
      api.token('alice', scopes, 'globex'),
    ])
    const read = async (token: string) => (await api.ask('GET', '/v1/presence/alice', { token })).status
    t.equal(await read(alice), 200)
    const answer = await api.ask('POST', '/v1/revocations', { token: admin, body: { account: 'alice' } })
    t.match(answer, { status: 204, text: '' })
    const { status, json, headers } = await api.ask('GET', '/v1/presence/alice', { token: alice })
    t.same([status, json], [401, { error: { code: 'revoked', message: 'the token has been revoked' } }])
    t.equal(headers.get('www-authenticate'), 'Bearer error="invalid_token"')
    t.same([await read(bob), await read(elsewhere)], [200, 200])
    api.room.clock.advance(1000)
    t.equal(await read(await api.token('alice', scopes)), 200, 'a token issued later')
  },
)

t.test('a revocation names one token or one account, and needs the right', async t => {
  const api = await newApi(t)
  const token = await api.token('root', ['admin'])
  const refusal = async (body: object) =>
    (await api.ask('POST', '/v1/revocations', { token, body })).json.error
  t.match(await refusal({}), { code: 'invalid', message: 'jti is missing, and so is account' })
  t.match(await refusal({ jti: 'j', account: 'alice' }), {
    code: 'invalid',
    message: 'jti must not be there beside account',
    details: [{ path: 'jti' }],
  })
  t.match(await refusal({ jti: '' }), { code: 'invalid', message: /^jti / })
  t.match(await refusal({ jti: 'j'.repeat(257) }), { code: 'invalid', message: /^jti / })
  t.match(await refusal({ account: 'a..b' }), { code: 'invalid', message: /^account must be a name/ })
  const lesser = await api.token('eve', scopes)
  const { status } = await api.ask('POST', '/v1/revocations', { token: lesser, body: { jti: 'j' } })
  t.equal(status, 403)
  t.equal((await api.ask('POST', '/v1/revocations', { token, body: { jti: 'j' } })).status, 204)
})

t.test('a hub with no room for one more says so', async t => {
  const revocations = new Revocations(new VirtualClock(), { bounds: new Bounds({ revocationsPerTenant: 0 }) })
  const api = await newApi(t, { revocations })
  const token = await api.token('root', ['admin'])
  const answer = await api.ask('POST', '/v1/revocations', { token, body: { jti: 'j' } })
  t.match([answer.status, answer.json.error], [429, { code: 'too-many', message: /this one is not/ }])
})

t.test(
  '[FT14] the answer waits for the disk; a disk that refuses is told of, and the token refused',
  async t => {
    const fault = failingDisk()
    const clock = new VirtualClock()
    const store = await openFileStore({ dir: t.testdir(), clock, log: silentLog, disk: fault.disk })
    t.teardown(() => store.close())
    const revocations = new Revocations(clock, { kept: store.revocations })
    const api = await newApi(t, { revocations, store })
    const admin = await api.token('root', ['admin'])
    const alice = await api.token('alice', scopes)
    const revoke = () => api.ask('POST', '/v1/revocations', { token: admin, body: { account: 'alice' } })
    const read = async () => (await api.ask('GET', '/v1/presence/alice', { token: alice })).status
    t.equal(await read(), 200)
    fault.fail('write', 'ENOSPC')
    const { status, json, headers } = await revoke()
    t.match(
      [status, json.error, headers.get('retry-after')],
      [
        503,
        {
          code: 'overloaded',
          message: /^revoked, but not yet kept: revocations\.jsonl cannot be written \(ENOSPC\); /,
        },
        /^\d+$/,
      ],
    )
    t.equal(await read(), 401, 'it is revoked all the same')
    fault.heal()
    const release = fault.hold()
    let answered = false
    const again = revoke().finally(() => {
      answered = true
    })
    await until(() => fault.calls.filter(call => call === 'write').length === 2)
    for (let turns = 0; turns < 100; turns++) await new Promise(resolve => setImmediate(resolve))
    t.notOk(answered, 'not before it is on the disk')
    release()
    t.equal((await again).status, 204)
    t.equal(store.counts.written, 1)
  },
)

t.test('[FT14] streams that are read on a revoked token are cut off, and others go on', async t => {
  const api = await newApi(t)
  const [alice, bob] = await Promise.all([api.token('alice', scopes), api.token('bob', scopes)])
  api.room.phone('carol')
  const { json } = await api.ask('POST', '/v1/calls', { token: alice, body: { to: 'carol', from: '' } })
  const feeds = await Promise.all([
    api.follow(`/v1/calls/${json.call}/events`, { token: alice }),
    api.follow('/v1/presence/carol/events', { token: alice }),
  ])
  const other = await api.follow('/v1/presence/dave/events', { token: bob })
  for (const feed of [...feeds, other]) await feed.next()
  const admin = await api.token('root', ['admin'])
  await api.ask('POST', '/v1/revocations', { token: admin, body: { account: 'alice' } })
  for (const feed of feeds) await t.rejects(feed.rest(), /terminated/)
  api.room.phone('dave')
  t.match(await other.next(), { event: 'presence' })
})

t.test('[FT14] a request whose token is revoked while its body comes in does nothing', async t => {
  const revocations = new Revocations(new VirtualClock())
  const api = await newApi(t, { revocations })
  const token = await api.token('pbx', scopes)
  const body = JSON.stringify({ to: 'alice', from: '' })
  const socket = connect(api.port, '127.0.0.1')
  const arrival = api.arrival()
  socket.write(
    `POST /v1/calls HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer ${token}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 5)}`,
  )
  const { request } = await arrival
  // The body is read once the token is verified.
  await once(request, 'resume')
  revocations.revoke(acme, { account: 'pbx' as never })
  socket.write(body.slice(5))
  const [answer] = await once(socket, 'data')
  t.match(String(answer), /^HTTP\/1.1 401 .*"code":"revoked"/s)
  t.equal(api.room.router.counts.placed, 0)
  socket.destroy()
})

t.test(
  '[FT14] who waits for a call on a token that is revoked waits no longer, and learns nothing of it',
  async t => {
    const revocations = new Revocations(new VirtualClock())
    const api = await newApi(t, { revocations })
    const carol = api.room.phone('carol')
    const token = await api.token('pbx', [...scopes, 'call:explain'])
    const waiting = api.ask('POST', '/v1/calls?waitMs=60000', { token, body: { to: 'carol', from: '' } })
    await until(() => api.room.router.counts.live === 1)
    await api.room.clock.settle()
    revocations.revoke(acme, { account: 'dave' as never })
    revocations.revoke(acme, { account: 'pbx' as never })
    const { status, json } = await waiting
    t.match([status, json], [401, { error: { code: 'revoked' } }])
    t.ok(carol.accept(carol.frames.find(frame => frame.type === 'invite')!.call), 'the call goes on')
  },
)

t.test('[FT14] an explanation that took time is not for a token that was revoked meanwhile', async t => {
  const revocations = new Revocations(new VirtualClock())
  const explain = () => {
    revocations.revoke(acme, { account: 'pbx' as never })
    return Promise.resolve({ ok: true, value: {} } as never)
  }
  const api = await newApi(t, { revocations, wrap: ({ router }) => ({ router: { ...router, explain } }) })
  const token = await api.token('pbx', ['call:explain'])
  const { status, json } = await api.ask('POST', '/v1/explain', { token, body: { to: 'carol' } })
  t.match([status, json], [401, { error: { code: 'revoked' } }])
})
