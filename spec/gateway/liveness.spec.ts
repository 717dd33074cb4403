// Who is still there, who keeps up, and how a hub goes down: heartbeats, back-pressure, drain and close.

import { once } from 'node:events'
import t from 'tap'
import { Expiry } from '../../src/gateway/expiry.js'
import { type Heart, Heartbeat } from '../../src/gateway/heartbeat.js'
import type { Clock } from '../../src/runtime/index.js'
import { maskedFrame, newStand, type Stand, until, upgradeRequest } from '../support/gateway.js'
import { Fold, settled } from '../support/presence-world.js'
import { acme } from '../support/room.js'

const entryOf = (stand: Stand, name: string) =>
  stand.room.presence.resource(acme, name as never, { view: 'routing', devices: true }).accounts![0]!
const rankOf = (stand: Stand, name: string) => entryOf(stand, name).devices![0]?.rank

t.test(
  '[U8] a client that falls silent is doubted, then dead within 25 s, then offline 15 s later',
  async t => {
    const stand = await newStand(t)
    const { client } = await stand.phone('alice', {}, {}, { autoPong: false })
    let pings = 0
    client.ws.on('ping', () => pings++)
    await stand.room.clock.settle(14_500)
    t.equal(rankOf(stand, 'alice'), 0)
    await until(() => pings === 1)
    await stand.room.clock.settle(1_000)
    t.equal(rankOf(stand, 'alice'), 2, 'suspect: ranked after everyone else')
    await until(() => pings === 2)
    client.ws.pong()
    await until(() => rankOf(stand, 'alice') === 0)
    await stand.room.clock.settle(24_500)
    t.equal(stand.gateway.counts.lingering, 0)
    await stand.room.clock.settle(500)
    await until(() => stand.gateway.counts.lingering === 1)
    t.match(await client.closed, { code: 1006 })
    t.equal(entryOf(stand, 'alice').status, 'available')
    await stand.room.clock.settle(15_010)
    t.equal(entryOf(stand, 'alice').status, 'offline')
  },
)

t.test('a client may ask for its own heartbeat, and any traffic counts as life', async t => {
  const stand = await newStand(t)
  const quick = await stand.phone('alice', { heartbeatMs: 5000 }, {}, { autoPong: false })
  const chatty = await stand.phone('bob', { heartbeatMs: 5000 }, {}, { autoPong: false })
  for (let second = 0; second < 14; second++) {
    await stand.room.clock.settle(1000)
    if (second % 7 === 6) await chatty.client.ask({ type: 'ping' }, 'pong')
  }
  t.match(await quick.client.closed, { code: 1006 })
  t.equal(chatty.client.ws.readyState, 1)
})

t.test('[FC3] a hub that was blocked blames no peer for its own absence', async t => {
  let now = 0
  let sweep = (): void => {}
  const clock: Clock = {
    now: () => now,
    wall: () => now,
    after(_, task) {
      sweep = task
      return { cancel() {} }
    },
  }
  const heard: string[] = []
  const heart: Heart = {
    ping: () => void heard.push('ping'),
    doubt: () => void heard.push('doubt'),
    dead: () => void heard.push('dead'),
    stuck: () => void heard.push('stuck'),
    hasRoom: () => true,
  }
  const thrown: unknown[] = []
  const heartbeat = new Heartbeat(clock, 10_000, error => thrown.push(error))
  const pulse = heartbeat.watch(heart)
  const bad = heartbeat.watch({
    ...heart,
    hasRoom() {
      throw new Error('no heart')
    },
  })
  now += 60_000
  sweep()
  t.same(heard, [])
  t.match(thrown, [{ message: 'no heart' }])
  bad.stop()
  for (let step = 0; step < 40; step++) {
    now += 250
    sweep()
  }
  t.same(heard, ['ping'])
  pulse.stop()
  let planned = false
  sweep()
  clock.after = () => {
    planned = true
    return { cancel() {} }
  }
  t.notOk(planned, 'nobody to watch: no timer')
  heartbeat.watch(heart).stop()
  t.ok(planned)
})

t.test('a connection that has not said hello is swept too, and nobody is doubted for it', async t => {
  const stand = await newStand(t, { rest: { presence: { heartbeatMs: 1000 } } })
  const client = stand.client({ autoPong: false })
  await client.opened
  await stand.room.clock.settle(2000)
  t.equal(client.ws.readyState, 1)
  await stand.room.clock.settle(1000)
  t.match(await client.closed, { code: 1006 })
  const wall = await stand.phone('wall', {}, { scopes: ['presence:read'] }, { autoPong: false })
  await stand.room.clock.settle(3000)
  t.match(await wall.client.closed, { code: 1006 })
})

t.test('a device held suspect is asked at once, and cleared by its answer', async t => {
  const stand = await newStand(t)
  const { client } = await stand.phone('alice')
  const ping = once(client.ws, 'ping')
  const party = { tenant: acme, account: 'alice', device: 'phone' } as never
  stand.room.presence.suspect(party)
  t.equal(rankOf(stand, 'alice'), 2)
  await ping
  await until(() => rankOf(stand, 'alice') === 0)
  client.ws.terminate()
  await until(() => stand.gateway.counts.lingering === 1)
  stand.room.presence.suspect(party)
  t.equal(rankOf(stand, 'alice'), 2, 'one that is away cannot be asked')
})

t.test('[U8] who takes up a session has given a sign of life, and is doubted no longer', async t => {
  const stand = await newStand(t)
  const party = { tenant: acme, account: 'alice', device: 'phone' } as never
  const { client, welcome } = await stand.phone('alice', {}, {}, { autoPong: false })
  client.ws.terminate()
  await until(() => stand.gateway.counts.lingering === 1)
  stand.room.presence.suspect(party)
  const resume = { session: welcome.session, seq: 0 }
  const again = await stand.phone('alice', { resume }, {}, { autoPong: false })
  t.ok(again.welcome.resumed)
  t.equal(rankOf(stand, 'alice'), 0)
  stand.room.presence.suspect(party)
  t.ok((await stand.phone('alice', { resume }, {}, { autoPong: false })).welcome.resumed)
  t.equal(rankOf(stand, 'alice'), 0, 'also over a newer connection, before the old one is known to be dead')
})

/** Makes alice's presence change, `count` times, each in its own frame. */
const stir = async (stand: Stand, change: (status: string) => void, count: number) => {
  for (let turn = 0; turn < count; turn++) {
    change(turn % 2 === 0 ? 'away' : 'available')
    await stand.room.clock.settle(250)
  }
}

t.test(
  '[FF5] a subscriber that does not read gets a fresh snapshot once it does, instead of a backlog',
  async t => {
    const note = 'x'.repeat(200)
    const members = Array.from({ length: 300 }, (_, index) => `agent-${index}`)
    const wide = { groups: { all: { members } } }
    const stand = await newStand(t, { tenant: wide, limits: { crowdedBytes: 64 * 1024 } })
    const { client } = await stand.phone('wall', { device: undefined }, { scopes: ['presence:read'] })
    await client.ask({ type: 'subscribe', destinations: ['all'] }, 'ok')
    await client.next('presence')
    client.ws.pause()
    // The kernel takes some megabytes before anything is unsent here.
    const request = JSON.stringify({ type: 'presence', destinations: Array(100).fill('all') })
    client.ws.send(request)
    await until(() => stand.gateway.counts.framesIn === 3)
    const agent = await stand.phone('agent-1')
    await stir(stand, status => agent.client.send({ type: 'status', status, note: `${note}${status}` }), 10)
    await agent.client.ask({ type: 'ping' }, 'pong')
    t.equal(client.all('presence').length, 1)
    t.ok(stand.bounds.reached.crowdedBytes > 0, 'and that is counted')
    client.ws.resume()
    await client.next('resources')
    await stand.room.clock.settle(1000)
    await until(() => client.all('presence').length === 2)
    const last = client.all('presence').at(-1)!
    const now = stand.room.presence.resource(acme, 'all' as never, { view: 'full', devices: false })
    t.ok(last.snapshot)
    t.equal(last.version, now.version)
    t.equal(last.status, now.status)
  },
)

t.test('[FF5] until its snapshot has come, a subscriber that fell behind is told no changes', async t => {
  const members = Array.from({ length: 300 }, (_, index) => `agent-${index}`)
  const tenant = { groups: { all: { members } } }
  const stand = await newStand(t, { tenant, limits: { crowdedBytes: 64 * 1024 } })
  const { client } = await stand.phone('wall', { device: undefined }, { scopes: ['presence:read'] })
  const agent = await stand.phone('agent-1')
  await client.ask({ type: 'subscribe', destinations: ['all', 'agent-1'] }, 'ok')
  client.ws.pause()
  client.send({ type: 'presence', destinations: Array(100).fill('all') })
  await until(() => stand.gateway.counts.framesIn === 4)
  await stir(stand, status => agent.client.send({ type: 'status', status }), 2)
  await agent.client.ask({ type: 'ping' }, 'pong')
  client.ws.resume()
  await client.next('resources')
  const later = async (status: string) => {
    agent.client.send({ type: 'status', status })
    await agent.client.ask({ type: 'ping' }, 'pong')
    await client.ask({ type: 'ping' }, 'pong')
  }
  await later('busy')
  await client.ask({ type: 'subscribe', destinations: ['agent-1'] }, 'ok')
  await later('dnd')
  await stand.room.clock.settle(1000)
  await later('available')
  await stand.room.clock.settle(1000)
  await client.ask({ type: 'ping' }, 'pong')
  for (const name of ['all', 'agent-1']) {
    const fold = new Fold()
    for (const frame of client.all('presence')) if ((frame.destination as string) === name) fold.apply(frame)
    const now = stand.room.presence.resource(acme, name as never, { view: 'full', devices: false })
    t.same(fold.state, settled(now), name)
  }
})

t.test('[FF5] a peer with no room for 2.5 intervals is closed 1013, however alive', async t => {
  const members = Array.from({ length: 300 }, (_, index) => `agent-${index}`)
  const stand = await newStand(t, {
    tenant: { groups: { all: { members } } },
    limits: { crowdedBytes: 64 * 1024, unsentBytes: 1024 * 1024 * 1024 },
  })
  const { client } = await stand.phone('wall', { device: undefined }, { scopes: ['presence:read'] })
  await client.ask({ type: 'subscribe', destinations: ['all', 'agent-1'] }, 'ok')
  client.ws.pause()
  client.send({ type: 'presence', destinations: Array(150).fill('all') })
  for (let second = 0; second < 27; second++) {
    client.ws.pong()
    await stand.room.clock.settle(1000)
  }
  t.match(stand.gateway.counts, { lingering: 1, faults: { overloaded: 1 } })
  client.ws.resume()
  t.match(await client.closed, { code: 1013 })
})

t.test('[FF5] more unsent than the bound closes 1013 at once', async t => {
  const members = Array.from({ length: 300 }, (_, index) => `agent-${index}`)
  const stand = await newStand(t, {
    tenant: { groups: { all: { members } } },
    limits: { unsentBytes: 256 * 1024 },
  })
  const { client } = await stand.phone('wall', { device: undefined }, { scopes: ['presence:read'] })
  client.ws.pause()
  for (let count = 0; count < 20; count++) {
    client.send({ type: 'presence', destinations: Array(100).fill('all') })
  }
  await until(() => stand.gateway.counts.faults.overloaded === 1)
  client.ws.resume()
  t.match(await client.closed, { code: 1013, reason: 'overloaded' })
  t.match(client.frames.at(-1), {
    type: 'error',
    code: 'overloaded',
    message: 'at most 262144 bytes that wait to be read (limits.unsentBytes)',
    retry: true,
  })
  t.equal(stand.bounds.reached.unsentBytes, 1)
})

t.test('healing stops when there is no more room, and goes on later', async t => {
  const members = Array.from({ length: 1000 }, (_, index) => `agent-${index}`)
  const groups = Object.fromEntries(
    Array.from({ length: 100 }, (_, index) => [`group-${index}`, { members }]),
  )
  const stand = await newStand(t, { tenant: { groups }, limits: { crowdedBytes: 1024 } })
  const { client } = await stand.phone('wall', { device: undefined }, { scopes: ['presence:read'] })
  client.ws.pause()
  const destinations = Object.keys(groups)
  client.send({ type: 'subscribe', destinations })
  await until(() => stand.gateway.counts.framesIn === 2)
  const late = stand.gateway.counts.framesOut
  t.ok(late < 100, 'the rest is held back')
  client.send({ type: 'unsubscribe', destinations: destinations.slice(-1) })
  await until(() => stand.gateway.counts.framesIn === 3)
  client.ws.resume()
  const snapshots = () => new Set(client.all('presence').map(({ destination }) => destination as string))
  while (snapshots().size < 99) await stand.room.clock.settle(250)
  t.notOk(snapshots().has('group-99'), 'what is no longer watched is not healed')
})

t.test('[FF8] a connection reset in the middle of a write is only a loss', async t => {
  const lines: string[] = []
  const stand = await newStand(t, {
    log: {
      info: (_, message) => void lines.push(message),
      warn() {},
      error: (_, message) => void lines.push(message),
    },
  })
  const { tcp, text } = stand.raw()
  tcp.write(upgradeRequest())
  const hello = JSON.stringify({ type: 'hello', device: 'phone', token: await stand.token('alice') })
  tcp.write(maskedFrame(1, hello))
  await until(() => text().includes('"self"'))
  tcp.resetAndDestroy()
  stand.room.presence.send({ tenant: acme, account: 'alice', device: 'phone' } as never, {
    type: 'drain',
    reconnectAfterMs: 1,
  })
  await until(() => stand.gateway.counts.lingering === 1)
  await until(() => stand.gateway.counts.sockets === 0)
  t.same(lines, [], 'nothing threw')
})

t.test('[U14] drain sends everyone elsewhere, spread in time, and takes nobody new', async t => {
  let draw = 0
  const stand = await newStand(t, { rest: { drainMs: 10_000 }, random: () => [0.1, 0.9][draw++]! })
  const one = await stand.phone('alice')
  const two = await stand.phone('bob')
  const greeted = stand.client()
  await greeted.opened
  stand.gateway.drain()
  t.match(await one.client.next('drain'), { reconnectAfterMs: 500 })
  t.match(await two.client.next('drain'), { reconnectAfterMs: 4500 })
  greeted.send({ type: 'hello', token: await stand.token('carol'), device: 'phone' })
  t.match(await greeted.next('error'), { code: 'draining', retry: true })
  t.match(await greeted.closed, { code: 1012 })
  const { tcp, text, closed } = stand.raw()
  tcp.write(upgradeRequest())
  await closed
  t.match(text(), /^HTTP\/1.1 503 .*\r\nRetry-After: 10\r\n.*"draining"/s)
  await one.client.ask({ type: 'ping' }, 'pong')
})

t.test('close ends every session and connection, also of a peer that does not answer', async t => {
  const stand = await newStand(t)
  const phone = await stand.phone('alice')
  const away = await stand.phone('bob')
  away.client.ws.terminate()
  await until(() => stand.gateway.counts.lingering === 1)
  const { tcp, text, closed } = stand.raw()
  tcp.write(upgradeRequest())
  await until(() => text().includes('\r\n\r\n'))
  await until(() => stand.gateway.counts.sockets === 2)
  const over = stand.gateway.close()
  t.match(await phone.client.closed, { code: 1012, reason: 'restart' })
  t.match(stand.gateway.counts, { sessions: 0, lingering: 0 })
  t.equal(stand.room.presence.counts.devices, 0)
  await until(() => stand.gateway.counts.sockets === 1)
  stand.room.clock.advance(5000)
  await Promise.all([over, closed])
  t.equal(stand.gateway.counts.sockets, 0)
})

t.test('[FC1] a token ends by the wall clock, also when that steps back', async t => {
  let wall = 0
  let due = (): void => {}
  const waits: number[] = []
  const clock: Clock = {
    now: () => 0,
    wall: () => wall,
    after(ms, task) {
      waits.push(ms)
      due = task
      return { cancel() {} }
    },
  }
  const said: (string | number)[] = []
  const expiry = new Expiry(clock, {
    expiring: inMs => said.push(inMs),
    expire: () => said.push('end'),
  })
  expiry.set(100_000)
  wall = -60_000
  due()
  t.same(said, [])
  wall = 40_000
  due()
  wall = 100_000
  due()
  t.same(said, [60_000, 'end'])
  t.same(waits, [40_000, 60_000, 60_000])
})
