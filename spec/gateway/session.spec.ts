// Sessions over real sockets: hello and welcome, one session a device, what a lost connection keeps and for how
// long, and the end of a token. Presence and router are the real ones, time is virtual.

import t from 'tap'
import type { CallId } from '../../src/protocol/index.js'
import { type Client, newStand, type Stand, until } from '../support/gateway.js'
import { acme, aSecret } from '../support/room.js'

const resourceOf = (stand: Stand, name: string) =>
  stand.room.presence.resource(acme, name as never, { view: 'routing', devices: true })
const linkOf = (stand: Stand, name: string) => resourceOf(stand, name).accounts![0]!.devices![0]?.link
const lingers = (stand: Stand, count = 1) => until(() => stand.gateway.counts.lingering === count)

/** Rings an account from outside, and gives the invite that its client got. */
const ring = async (stand: Stand, client: Client, to = 'alice') => {
  const { call, caller } = await stand.room.call(to)
  return { call, caller, invite: await client.next('invite') }
}

/** Rings, and has the client accept. */
const connect = async (stand: Stand, client: Client, to = 'alice') => {
  const rung = await ring(stand, client, to)
  await client.ask({ type: 'accept', call: rung.call }, 'ok')
  await client.next('connected')
  return rung
}

t.test('[C3] hello registers the device, and welcome says what the hub believes', async t => {
  const stand = await newStand(t, {
    tenant: { groups: { support: { members: ['alice'] }, night: { open: true } } },
  })
  const { client, welcome } = await stand.phone(
    'alice',
    {
      device: 'desk',
      ref: 'h1',
      client: 'spec/1',
      status: 'away',
      note: 'tea',
      capacity: 1,
      heartbeatMs: 5000,
    },
    { groups: ['night', 'nowhere'], capacity: 2 },
  )
  t.match(welcome, {
    ref: 'h1',
    session: /^[0-9a-f-]{36}$/,
    resumed: false,
    tenant: 'acme',
    account: 'alice',
    device: 'desk',
    scopes: ['presence:register', 'presence:read', 'call:receive', 'call:place'],
    groups: ['support', 'night'],
    canReceive: true,
    expires: '2026-01-01T01:00:00.000Z',
    heartbeatMs: 5000,
    lingerMs: 15_000,
  })
  t.match(resourceOf(stand, 'alice'), {
    status: 'away',
    accounts: [
      { note: 'tea', routing: { freeCapacity: 1 }, devices: [{ device: 'desk', client: 'spec/1' }] },
    ],
  })
  t.match(await client.next('self'), { status: 'away', devices: [{ device: 'desk' }] })
  t.match(stand.gateway.counts, { sockets: 1, sessions: 1, lingering: 0 })
})

t.test('[C2] a token without the permission leaves no trace in presence', async t => {
  const stand = await newStand(t)
  const refused = async (hello: object, scopes: string[]) => {
    const client = stand.client()
    await client.opened
    client.send({ type: 'hello', token: await stand.token('mallory', { scopes }), ...hello })
    t.match(await client.next('error'), { code: 'forbidden', retry: false })
    t.match(await client.closed, { code: 4502, reason: 'forbidden' })
  }
  await refused({ device: 'phone' }, [])
  await refused({ device: 'phone' }, ['call:receive'])
  await refused({}, ['presence:register', 'call:receive'])
  t.match(stand.gateway.counts, { sessions: 0, faults: { forbidden: 3 } })
  t.equal(stand.room.presence.counts.devices, 0)
  t.notOk(stand.room.presence.knows(acme, 'mallory' as never))
})

t.test(
  'a hello that may not be a device is welcomed without one, if its token allows anything else',
  async t => {
    const stand = await newStand(t)
    const wallboard = await stand.phone(
      'wall',
      { device: 'tv' },
      { scopes: ['presence:read', 'call:receive'] },
    )
    t.match(wallboard.welcome, { device: null, canReceive: false, groups: [] })
    const trunk = await stand.phone('trunk', { device: undefined }, { scopes: ['call:inbound'] })
    t.match(trunk.welcome, { device: null })
    t.match(await trunk.client.ask({ type: 'accept', call: 'c' }, 'error'), { code: 'forbidden' })
    t.match(await trunk.client.ask({ type: 'status', status: 'away' }, 'error'), { code: 'forbidden' })
    t.equal(stand.room.presence.counts.devices, 0)
    const deaf = await stand.phone('bob', {}, { scopes: ['presence:register'] })
    t.match(deaf.welcome, { device: 'phone', canReceive: false })
  },
)

t.test('hello without a token, or with a bad one, is told so and closed 4401', async t => {
  const stand = await newStand(t)
  for (const hello of [{}, { token: 'abc.def.ghi' }]) {
    const client = stand.client()
    await client.opened
    client.send({ type: 'hello', device: 'phone', ref: 'h', ...hello })
    t.match(await client.next('error'), { ref: 'h', code: 'unauthorized', retry: false })
    t.match(await client.closed, { code: 4401 })
  }
})

t.test('nobody takes the name of a group', async t => {
  const stand = await newStand(t, { tenant: { groups: { support: {} } } })
  const client = stand.client()
  await client.opened
  client.send({ type: 'hello', device: 'phone', token: await stand.token('support') })
  t.match(await client.next('error'), { code: 'name-taken' })
  t.match(await client.closed, { code: 4502, reason: 'name-taken' })
  t.equal(stand.gateway.counts.sessions, 0)
})

t.test('no valid hello within 5 s is closed 4408, whatever else was sent', async t => {
  const stand = await newStand(t)
  const silent = stand.client()
  const busy = stand.client()
  await Promise.all([silent.opened, busy.opened])
  await stand.room.clock.settle(4000)
  busy.send({ type: 'hello', device: '..', ref: 'bad' })
  t.match(await busy.next('error'), { ref: 'bad', code: 'invalid', message: /device/ })
  busy.send({ type: 'ping' })
  await until(() => stand.gateway.counts.framesIn === 2)
  await stand.room.clock.settle(1000)
  for (const client of [silent, busy]) {
    t.match(await client.next('error'), { code: 'no-hello', retry: true })
    t.match(await client.closed, { code: 4408 })
  }
})

t.test('[U2] frames sent before welcome wait for it, in order', async t => {
  const stand = await newStand(t)
  const client = stand.client()
  await client.opened
  client.send({ type: 'ping', ref: 'before hello' })
  client.send({ type: 'hello', device: 'phone', token: await stand.token('alice') })
  client.send({ type: 'bogus', ref: 'unknown' })
  client.send({ type: 'subscribe', destinations: ['alice'], ref: 'sub' })
  client.send({ type: 'hello', ref: 'again' })
  await client.next('presence')
  await until(() => client.frames.length >= 6)
  t.match(
    client.frames.filter(({ type }) => type !== 'self'),
    [
      { type: 'welcome' },
      { type: 'pong', ref: 'before hello' },
      { type: 'error', ref: 'unknown', code: 'unknown-type' },
      { type: 'ok', ref: 'sub' },
      { type: 'presence', destination: 'alice' },
      { type: 'error', ref: 'again', code: 'invalid' },
    ],
  )
})

t.test('of frames that wait for welcome, the 33rd closes 4429, and so do too many bytes', async t => {
  const stand = await newStand(t)
  const many = stand.client()
  await many.opened
  for (let count = 0; count < 32; count++) many.send({ type: 'ping' })
  await until(() => stand.gateway.counts.framesIn === 32)
  t.match(stand.gateway.counts.faults, {})
  many.send({ type: 'ping' })
  t.match(await many.next('error'), { code: 'too-many' })
  t.match(await many.closed, { code: 4429 })
  const large = stand.client()
  await large.opened
  for (let count = 0; count < 5; count++) large.send({ type: 'ping', padding: 'x'.repeat(60_000) })
  t.match(await large.closed, { code: 4429 })
})

t.test('a goodbye among the frames that waited ends them', async t => {
  const stand = await newStand(t)
  const client = stand.client()
  await client.opened
  client.send({ type: 'hello', device: 'phone', token: await stand.token('alice') })
  client.send({ type: 'leave' })
  client.send({ type: 'place', to: 'bob', ref: 'late' })
  t.match(await client.closed, { code: 1000, reason: 'leave' })
  t.equal(stand.room.router.counts.placed, 0)
  t.match(stand.gateway.counts, { sessions: 0 })
  t.equal(stand.room.presence.counts.devices, 0)
})

t.test('[U13] a newer connection of a device takes its place at once, unseen by others', async t => {
  const stand = await newStand(t)
  const old = await stand.phone('alice', { status: 'away' })
  const watcher = await stand.phone('bob', {}, {})
  await watcher.client.ask({ type: 'subscribe', destinations: ['alice'] }, 'ok')
  await watcher.client.next('presence')
  const fresh = await stand.phone('alice')
  t.match(await old.client.next('error'), { code: 'replaced', retry: false })
  t.match(await old.client.closed, { code: 4501 })
  t.not(fresh.welcome.session, old.welcome.session)
  t.match(resourceOf(stand, 'alice'), { status: 'away', accounts: [{ devices: [{ link: 'attached' }] }] })
  await stand.room.clock.settle(60_000)
  t.equal(watcher.client.all('presence').length, 1, 'nobody saw it')
  t.match(stand.gateway.counts, { sessions: 2 })
})

t.test('a newer connection inherits the calls, on both sides, and is told of them again', async t => {
  const stand = await newStand(t, { rest: { calls: { ringTimeoutMs: 60_000 } } })
  const old = await stand.phone('alice', {}, { capacity: 3 })
  const inbound = await connect(stand, old.client)
  const open = await ring(stand, old.client)
  const { call: placed } = await old.client.ask({ type: 'place', to: 'bob' }, 'placed')
  await stand.room.clock.settle()
  const fresh = await stand.phone('alice', {}, { capacity: 3 })
  t.match(await fresh.client.next('connected'), { call: inbound.call, seq: 1 })
  t.match(await fresh.client.next('invite'), { call: open.call, seq: 2 })
  t.match(await old.client.closed, { code: 4501 })
  t.equal(stand.room.router.get(acme, placed)?.reason, 'unavailable')
  t.equal(stand.room.router.get(acme, inbound.call)?.state, 'connected', 'no call was cut')
  t.match(await fresh.client.ask({ type: 'hangup', call: inbound.call }, 'ok'), {})
  t.match(await fresh.client.next('ended'), { call: inbound.call, reason: 'completed' })
})

t.test('a session taken up after a loss goes on: frames about calls come once, in order', async t => {
  const stand = await newStand(t)
  const first = await stand.phone('alice', {}, { capacity: 2 })
  const a = await ring(stand, first.client)
  t.equal(a.invite.seq, 1)
  first.client.ws.terminate()
  await lingers(stand)
  t.equal(linkOf(stand, 'alice'), 'lingering')
  t.ok(stand.room.router.hangup(a.caller.request.caller, a.call).ok)
  const b = await stand.room.call('alice')
  const { session } = first.welcome
  const second = await stand.phone('alice', { resume: { session, seq: 1 }, status: 'busy', note: 'back' })
  t.match(second.welcome, { resumed: true, session })
  t.match(await second.client.next('cancel'), { call: a.call, seq: 2, reason: 'caller-canceled' })
  t.match(await second.client.next('invite'), { call: b.call, seq: 3 })
  t.match(await second.client.next('self'), { note: 'back' })
  t.equal(second.client.all('invite').length, 1)
  t.equal(linkOf(stand, 'alice'), 'attached')
  t.match(resourceOf(stand, 'alice').accounts![0]!.note, 'back')

  second.client.send({ type: 'ack', seq: 3 })
  await second.client.ask({ type: 'ping' }, 'pong')
  second.client.ws.terminate()
  await lingers(stand)
  const unreached = await stand.phone('alice', { resume: { session, seq: 2 } })
  t.match(unreached.welcome, { resumed: false }, 'what was acked is not kept')
})

t.test('[U11] a drop that resumes in time is seen by nobody', async t => {
  const stand = await newStand(t)
  const { client, welcome } = await stand.phone('alice')
  const watcher = await stand.phone('bob')
  await watcher.client.ask({ type: 'subscribe', destinations: ['alice'] }, 'ok')
  await watcher.client.next('presence')
  client.ws.terminate()
  await lingers(stand)
  await stand.room.clock.settle(14_000)
  const again = await stand.phone('alice', { resume: { session: welcome.session, seq: 0 } })
  t.ok(again.welcome.resumed)
  await stand.room.clock.settle(14_000)
  t.equal(watcher.client.all('presence').length, 1)
  again.client.ws.terminate()
  await lingers(stand)
  await stand.room.clock.settle(15_005)
  t.match(await watcher.client.next('presence'), { status: 'offline', snapshot: false })
  t.match(stand.gateway.counts, { sessions: 1, lingering: 0 })
})

t.test(
  '[FO1] what cannot be resumed begins anew: wrong account, wrong device, unknown, ahead of the hub',
  async t => {
    const stand = await newStand(t)
    const mine = await stand.phone('alice')
    const { session } = mine.welcome
    const resumed = async (account: string, hello: object, says = {}) =>
      (await stand.phone(account, hello, says)).welcome.resumed
    t.notOk(await resumed('bob', { resume: { session, seq: 0 } }))
    t.notOk(await resumed('alice', { device: 'other', resume: { session, seq: 0 } }))
    t.notOk(await resumed('alice', { device: undefined, resume: { session, seq: 0 } }))
    t.notOk(await resumed('alice', { device: 'third', resume: { session: 'no-such', seq: 0 } }))
    t.equal(mine.client.ws.readyState, 1, 'none of them touched it')
    t.notOk(await resumed('alice', { resume: { session, seq: 7 } }))
    t.match(await mine.client.closed, { code: 4501 })
  },
)

t.test('another tenant cannot take up a session, or be told from one that never was', async t => {
  const keys = [{ alg: 'HS256', secret: aSecret }]
  const stand = await newStand(t, { rest: { tenants: { acme: { keys }, globex: { keys } } } })
  const mine = await stand.phone('alice')
  const resume = { session: mine.welcome.session, seq: 0 }
  const theirs = await stand.phone('alice', { resume }, { tenant: 'globex' })
  t.match(theirs.welcome, { resumed: false, tenant: 'globex' })
  t.equal(mine.client.ws.readyState, 1)
})

t.test('a session resumed while its old connection still stands goes on over the newer one', async t => {
  const stand = await newStand(t)
  const first = await stand.phone('alice')
  const resume = { session: first.welcome.session, seq: 0 }
  const [second, third] = await Promise.all([
    stand.phone('alice', { resume }),
    stand.phone('alice', { resume }),
  ])
  t.ok(second.welcome.resumed && third.welcome.resumed)
  t.match(await first.client.closed, { code: 4501 })
  const [loser, winner] = second.client.ws.readyState === 1 ? [third, second] : [second, third]
  t.match(await loser.client.closed, { code: 4501 })
  t.match(await winner.client.ask({ type: 'ping' }, 'pong'), {})
  t.match(stand.gateway.counts, { sessions: 1, lingering: 0 })
  t.equal(linkOf(stand, 'alice'), 'attached')
})

t.test('a session that only changes connections was never lost: nobody is rung in its stead', async t => {
  const stand = await newStand(t, { tenant: { groups: { support: { members: ['alice', 'bob'] } } } })
  const first = await stand.phone('alice')
  const bob = await stand.phone('bob')
  const { call } = await ring(stand, first.client, 'support')
  await first.client.ask({ type: 'ringing', call }, 'ok')
  const second = await stand.phone('alice', {
    resume: { session: first.welcome.session, seq: 1 },
    status: 'away',
  })
  t.ok(second.welcome.resumed)
  await stand.room.clock.settle()
  await bob.client.ask({ type: 'ping' }, 'pong')
  t.same(bob.client.all('invite'), [])
  await second.client.ask({ type: 'accept', call }, 'ok')
  const events = stand.room.router.get(acme, call)!.timeline.map(({ event }) => event)
  t.notOk(events.includes('lost') || events.includes('back'), events.join())
  await second.client.ask({ type: 'hangup', call }, 'ok')
  t.equal(resourceOf(stand, 'alice').status, 'away')
})

t.test('a session without a device is taken up too, and heals what it watches', async t => {
  const stand = await newStand(t)
  const scopes = ['presence:read', 'call:inbound']
  const wall = await stand.phone('wall', { device: undefined }, { scopes })
  await wall.client.ask({ type: 'subscribe', destinations: ['alice'] }, 'ok')
  await wall.client.next('presence')
  const { call } = await wall.client.ask({ type: 'place', to: 'alice', from: '+15550199' }, 'placed')
  wall.client.ws.terminate()
  await lingers(stand)
  await stand.phone('alice')
  await stand.room.clock.settle(100)
  const resume = { session: wall.welcome.session, seq: 0 }
  const back = await stand.phone('wall', { device: undefined, resume, status: 'away' }, { scopes })
  t.ok(back.welcome.resumed)
  t.match(await back.client.next('ended'), { call, reason: 'unavailable' })
  t.match(await back.client.next('presence'), { snapshot: true, destination: 'alice', status: 'available' })
  t.equal(back.client.all('presence').length, 1)
})

t.test('a caller without a device that leaves gives up its calls', async t => {
  const stand = await newStand(t)
  const alice = await stand.phone('alice')
  const trunk = await stand.phone('trunk', { device: undefined }, { scopes: ['call:inbound'] })
  const { call } = await trunk.client.ask({ type: 'place', to: 'alice' }, 'placed')
  await alice.client.next('invite')
  trunk.client.send({ type: 'leave' })
  t.match(await alice.client.next('cancel'), { call, reason: 'caller-canceled' })
  t.match(await trunk.client.closed, { code: 1000 })
  t.equal(trunk.client.all('ended').length, 0)
})

t.test('a goodbye ends the session at once, a reload has 5 s, a loss 15', async t => {
  const stand = await newStand(t)
  const there = () => stand.room.presence.counts.devices
  const left = await stand.phone('alice')
  left.client.ws.close(1000)
  await until(() => there() === 0)
  const faulty = await stand.phone('alice')
  faulty.client.send('not JSON')
  t.match(await faulty.client.closed, { code: 4500 })
  t.equal(there(), 0, 'who must not come back does not linger')
  for (const [code, ms] of [
    [1001, 5000],
    [4000, 15_000],
  ] as const) {
    const { client } = await stand.phone('alice')
    client.ws.close(code)
    await lingers(stand)
    await stand.room.clock.settle(ms - 5)
    t.equal(there(), 1, `still lingers before ${ms}`)
    await stand.room.clock.settle(10)
    t.equal(there(), 0, `gone after ${ms}`)
  }
})

t.test(
  'a session in a connected call lingers for as long as calls do, and no longer than the call',
  async t => {
    const stand = await newStand(t)
    const { client } = await stand.phone('alice')
    const { call, caller } = await connect(stand, client)
    client.ws.close(1001)
    await lingers(stand)
    await stand.room.clock.settle(60_000)
    t.match(resourceOf(stand, 'alice'), { status: 'busy', accounts: [{ devices: [{ link: 'lingering' }] }] })
    t.ok(stand.room.router.hangup(caller.request.caller, call).ok)
    await stand.room.clock.settle(10)
    t.match(stand.gateway.counts, { sessions: 0 }, 'its own time was up long before')

    const other = await stand.phone('bob')
    const second = await connect(stand, other.client, 'bob')
    other.client.ws.terminate()
    await lingers(stand)
    await stand.room.clock.settle(119_000)
    t.equal(stand.room.router.get(acme, second.call)?.state, 'connected')
    await stand.room.clock.settle(1_010)
    t.match(stand.room.router.get(acme, second.call), { state: 'ended', reason: 'failed' })
    t.match(stand.gateway.counts, { sessions: 0 })
  },
)

t.test('a lingering device is inherited by its new session, calls included', async t => {
  const stand = await newStand(t)
  const { client } = await stand.phone('alice', { note: 'tea' }, { capacity: 2 })
  const { call } = await connect(stand, client)
  client.ws.terminate()
  await lingers(stand)
  await stand.room.clock.settle(20_000)
  const fresh = await stand.phone('alice', {}, { capacity: 2 })
  t.notOk(fresh.welcome.resumed)
  t.match(await fresh.client.next('connected'), { call, seq: 1 })
  await stand.room.clock.settle(200_000)
  t.equal(stand.room.router.get(acme, call as CallId)?.state, 'connected')
  t.match(resourceOf(stand, 'alice').accounts![0], { note: 'tea', devices: [{ link: 'attached' }] })
})

t.test('a client that missed more frames than are kept begins anew', async t => {
  const stand = await newStand(t, { limits: { unackedFrames: 2 } })
  const { client, welcome } = await stand.phone('alice')
  for (let count = 0; count < 2; count++) {
    const { call } = await ring(stand, client)
    await client.ask({ type: 'reject', call }, 'ok')
    const { call: next } = await ring(stand, client)
    await client.ask({ type: 'reject', call: next, reason: 'busy' }, 'ok')
  }
  await stand.room.clock.settle()
  await client.ask({ type: 'ping' }, 'pong')
  const seq = Math.max(...client.frames.map(frame => ('seq' in frame && frame.seq) || 0))
  t.ok(seq > 3)
  client.ws.terminate()
  await lingers(stand)
  const near = await stand.phone('alice', { resume: { session: welcome.session, seq: seq - 2 } })
  t.ok(near.welcome.resumed)
  near.client.ws.terminate()
  await lingers(stand)
  const far = await stand.phone('alice', { resume: { session: welcome.session, seq: seq - 3 } })
  t.notOk(far.welcome.resumed)
})

t.test('[U3] a token is refreshed in place, after a warning 60 s before its end', async t => {
  const stand = await newStand(t)
  const { client } = await stand.phone('alice')
  await stand.room.clock.settle(3_540_000)
  t.match(await client.next('token-expiring'), { inMs: 60_000 })
  const token = await stand.token('alice')
  const reply = await client.ask({ type: 'token', token }, 'ok')
  t.match(reply, { expires: '2026-01-01T01:59:00.000Z' })
  await stand.room.clock.settle(600_000)
  t.equal(client.ws.readyState, 1)
  t.match(await client.ask({ type: 'token', token: 'nonsense' }, 'error'), { code: 'unauthorized' })
  t.equal(client.all('token-expiring').length, 1)
})

t.test(
  '[U3] at its token’s end a session begins nothing, keeps its calls, and closes 4401 after the last',
  async t => {
    const stand = await newStand(t)
    const { client } = await stand.phone('alice', {}, { expiresInSeconds: 90, capacity: 2 })
    const idle = await stand.phone('bob', {}, { expiresInSeconds: 90 })
    const { call } = await connect(stand, client)
    await stand.room.clock.settle(90_000)
    t.match(await idle.client.next('error'), { code: 'unauthorized' })
    t.match(await idle.client.closed, { code: 4401 })
    for (const frame of [
      { type: 'place', to: 'bob' },
      { type: 'subscribe', destinations: ['bob'] },
      { type: 'presence', destinations: ['bob'] },
      { type: 'status', status: 'away' },
    ]) {
      t.match(await client.ask(frame, 'error'), { code: 'unauthorized' }, frame.type)
    }
    t.match(resourceOf(stand, 'alice').accounts![0]!.routing, { canReceive: false })
    t.match(await client.ask({ type: 'signal', call, data: 1 }, 'ok'), {})
    await client.ask({ type: 'hangup', call }, 'ok')
    await stand.room.clock.settle(5)
    t.match(await client.next('ended'), { call })
    t.match(await client.closed, { code: 4401 })
  },
)

t.test(
  '[FT15] who may no longer be offered calls gives up what rings, and keeps what is connected',
  async t => {
    const support = { members: ['alice', 'bob'], strategy: 'order' }
    const stand = await newStand(t, { tenant: { groups: { support } } })
    const scopes = ['presence:register']
    const alice = await stand.phone('alice', {}, { capacity: 2 })
    const bob = await stand.phone('bob', {}, { capacity: 2 })
    const connected = await connect(stand, alice.client)
    const open = await ring(stand, alice.client, 'support')
    const token = await stand.token('alice', { scopes, capacity: 2 })
    await alice.client.ask({ type: 'token', token }, 'ok')
    await stand.room.clock.settle()
    t.match(await bob.client.next('invite'), { call: open.call }, 'the next is rung at once')
    t.equal(stand.room.router.get(acme, connected.call)?.state, 'connected')

    const lesser = await stand.phone('bob', {}, { scopes, capacity: 2 })
    t.match(await lesser.client.next('invite'), { call: open.call })
    t.match(await lesser.client.next('cancel'), { call: open.call }, 'a newer connection with less, too')
    t.equal(stand.room.router.get(acme, open.call)?.reason, 'busy')
  },
)

t.test('a fresh token in the moment after the last call keeps the session', async t => {
  const stand = await newStand(t)
  const { client } = await stand.phone('alice', {}, { expiresInSeconds: 90 })
  const { call } = await connect(stand, client)
  await stand.room.clock.settle(90_000)
  await client.ask({ type: 'hangup', call }, 'ok')
  await client.ask({ type: 'token', token: await stand.token('alice') }, 'ok')
  await stand.room.clock.settle(5)
  t.match(await client.ask({ type: 'ping' }, 'pong'), {})
  t.match(resourceOf(stand, 'alice').accounts![0]!.routing, { canReceive: true })
})

t.test('a token that ends while its client is away is forgotten with a fresh one', async t => {
  const stand = await newStand(t)
  const { client, welcome } = await stand.phone('alice', {}, { expiresInSeconds: 61 })
  await stand.room.clock.settle(55_000)
  client.ws.terminate()
  await lingers(stand)
  await stand.room.clock.settle(10_000)
  const again = await stand.phone('alice', { resume: { session: welcome.session, seq: 0 } })
  t.match(again.welcome, { resumed: true, canReceive: true, expires: '2026-01-01T01:01:05.000Z' })
})

t.test('a token within the clocks’ tolerance is welcomed, and ended at once', async t => {
  const stand = await newStand(t)
  const token = await stand.token('alice', { expiresInSeconds: 10 })
  await stand.room.clock.settle(30_000)
  const client = stand.client()
  await client.opened
  client.send({ type: 'hello', token, device: 'phone' })
  t.match(await client.next('welcome'), { canReceive: false })
  t.match(await client.next('token-expiring'), { inMs: 0 })
  t.match(await client.closed, { code: 4401 })
})

t.test(
  '[FT15] lesser rights take effect at once, and a token of another account ends the session',
  async t => {
    const stand = await newStand(t)
    const all = ['presence:register', 'presence:read', 'presence:devices', 'presence:route', 'call:receive']
    const { client } = await stand.phone('alice', {}, { scopes: all })
    await stand.phone('bob')
    await client.ask({ type: 'subscribe', destinations: ['bob', 'carol', 'alice'] }, 'ok')
    await client.ask({ type: 'subscribe', destinations: ['dave'], view: 'routing' }, 'ok')
    await client.next('presence')
    const watched = () => stand.room.presence.counts.subscriptions
    t.equal(watched(), 4)
    const lesser = ['presence:register', 'presence:read:bob', 'presence:read:alice']
    await client.ask({ type: 'token', token: await stand.token('alice', { scopes: lesser }) }, 'ok')
    t.match(await client.next('presence'), {
      destination: 'bob',
      snapshot: true,
      accounts: [{ devices: undefined }],
    })
    t.equal(watched(), 2)
    t.match(resourceOf(stand, 'alice').accounts![0]!.routing, { canReceive: false })

    const misfit = async (account: string, says = {}) => {
      const victim = await stand.phone('erin')
      victim.client.send({ type: 'token', token: await stand.token(account, says) })
      t.match(await victim.client.next('error'), { code: 'forbidden' })
      t.match(await victim.client.closed, { code: 4502 })
    }
    await misfit('mallory')
    await misfit('erin', { scopes: ['presence:read'] })
  },
)

t.test(
  'what comes while a fresh token is verified waits for it, on this connection and the next',
  async t => {
    let hold: Promise<unknown> = Promise.resolve()
    const tokens = new Map<string, unknown>()
    const stand = await newStand(t, {
      verifier: {
        async verify(token) {
          await hold
          const found = tokens.get(token)
          if (found === undefined) throw new Error('no such token')
          return { ok: true, value: found } as never
        },
      },
    })
    const grantOf = (account: string, scopes: string[]) => ({
      tenant: 'acme',
      account,
      scopes: new Set(scopes),
      expires: Date.UTC(2026, 0, 1, 1),
      groups: [],
    })
    tokens.set('plain', grantOf('alice', ['presence:register']))
    tokens.set('more', grantOf('alice', ['presence:register', 'presence:read']))
    const open = async (resume?: object) => {
      const client = stand.client()
      await client.opened
      client.send({ type: 'hello', token: 'plain', device: 'phone', ...(resume && { resume }) })
      return { client, welcome: await client.next('welcome') }
    }
    const { client, welcome } = await open()
    let release = (): void => {}
    const holdOn = () => {
      hold = new Promise<void>(resolve => {
        release = resolve
      })
    }
    holdOn()
    client.send({ type: 'token', token: 'more', ref: 't1' })
    client.send({ type: 'subscribe', destinations: ['bob'], ref: 's1' })
    await until(() => stand.gateway.counts.framesIn === 3)
    release()
    t.match(await client.next('ok'), { ref: 't1' })
    t.match(await client.next('ok'), { ref: 's1', refused: [] })
    t.match(await client.ask({ type: 'token', token: 'unknown' }, 'error'), { code: 'internal' })

    holdOn()
    client.send({ type: 'token', token: 'more', ref: 't2' })
    await until(() => stand.gateway.counts.framesIn === 5)
    const releaseToken = release
    hold = Promise.resolve()
    const second = await open({ session: welcome.session, seq: 0 })
    t.ok(second.welcome.resumed)
    second.client.send({ type: 'ping', ref: 'waits' })
    await until(() => stand.gateway.counts.framesIn === 7)
    t.same(second.client.all('pong'), [])
    releaseToken()
    t.match(await second.client.next('pong'), { ref: 'waits' })

    holdOn()
    second.client.send({ type: 'token', token: 'more' })
    await until(() => stand.gateway.counts.framesIn === 8)
    second.client.ws.close(1000)
    await until(() => stand.gateway.counts.sockets === 0)
    release()
    await stand.room.clock.settle()
    t.equal(stand.gateway.counts.sessions, 0)
  },
)
