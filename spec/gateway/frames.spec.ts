// What a client may say once it is welcomed, verb by verb, and what it is answered; the rights that each needs;
// and the faults: those that are answered, and those that end the connection. And a second language on the seam.

import { once } from 'node:events'
import t from 'tap'
import { maskedFrame, newStand, type Stand, until, upgradeRequest } from '../support/gateway.js'
import { acme } from '../support/room.js'

const resourceOf = (stand: Stand, name: string) =>
  stand.room.presence.resource(acme, name as never, { view: 'full', devices: true })

t.test(
  '[C3] a client changes its status, for its device or for the account, and reads show it before the reply',
  async t => {
    const stand = await newStand(t)
    const { client } = await stand.phone('alice')
    const status = async (frame: object) => {
      const reply = await client.ask({ type: 'status', ...frame }, 'ok')
      t.same(reply, { type: 'ok', ref: 'r' })
      return resourceOf(stand, 'alice')
    }
    t.match(await status({ status: 'away', note: 'lunch' }), {
      status: 'away',
      accounts: [{ note: 'lunch' }],
    })
    t.match(await status({ status: 'dnd', for: 'account', until: '2026-01-01T00:10:00Z' }), {
      status: 'dnd',
      accounts: [{ until: '2026-01-01T00:10:00.000Z' }],
    })
    t.match(await status({ status: null, for: 'account' }), { status: 'away' })
    t.match(await status({ status: 'available', for: 'device', note: '' }), { status: 'available' })
    t.match(await client.ask({ type: 'status', status: null }, 'error'), { code: 'invalid' })
    t.match(await client.ask({ type: 'status', status: 'asleep' }, 'error'), {
      code: 'invalid',
      message: /status must be/,
    })
    client.send({ type: 'status', status: 'busy' })
    await until(() => resourceOf(stand, 'alice').status === 'busy')

    const wall = await stand.phone('wall', {}, { scopes: ['presence:read'] })
    const own = { type: 'status', status: 'away', for: 'account' }
    t.match(await wall.client.ask(own, 'error'), { code: 'forbidden' })
    const chief = await stand.phone('chief', { device: undefined }, { scopes: ['presence:write'] })
    await chief.client.ask(own, 'ok')
  },
)

t.test('a person ends or extends their wrap-up, and hears when it is too late', async t => {
  const stand = await newStand(t, { tenant: { wrapupMs: 5_000 } })
  const { client } = await stand.phone('alice')
  const activity = () => resourceOf(stand, 'alice').accounts?.[0]?.activity
  const talk = async () => {
    const { call } = await stand.room.call('alice')
    await client.ask({ type: 'accept', call }, 'ok')
    await client.ask({ type: 'hangup', call }, 'ok')
    t.equal(activity(), 'wrapup')
  }
  await talk()
  t.same(await client.ask({ type: 'wrapup', endMs: 20_000 }, 'ok'), { type: 'ok', ref: 'r' })
  stand.room.clock.advance(9_000)
  t.equal(activity(), 'wrapup')
  await client.ask({ type: 'wrapup', endMs: 0 }, 'ok')
  t.equal(activity(), 'free')
  t.match(await client.ask({ type: 'wrapup', endMs: 1 }, 'error'), { code: 'conflict', retry: false })
  t.match(await client.ask({ type: 'wrapup', endMs: -1 }, 'error'), { code: 'invalid' })
  const wall = await stand.phone('wall', {}, { scopes: ['presence:read'] })
  t.match(await wall.client.ask({ type: 'wrapup', endMs: 0 }, 'error'), { code: 'forbidden' })
})

t.test(
  '[C12] a subscriber gets ok, a snapshot of each destination, then an update for each change',
  async t => {
    const stand = await newStand(t, { tenant: { groups: { support: { members: ['alice', 'bob'] } } } })
    const alice = await stand.phone('alice')
    const { client } = await stand.phone('wall', {}, { scopes: ['presence:read'] })
    const before = client.frames.length
    client.send({ type: 'subscribe', destinations: ['support', 'alice', 'support', 'nobody'], ref: 's' })
    await until(() => client.frames.length === before + 4)
    t.match(client.frames.slice(before), [
      { type: 'ok', ref: 's', refused: [] },
      {
        type: 'presence',
        destination: 'support',
        snapshot: true,
        accounts: [{ account: 'alice' }, { account: 'bob' }],
      },
      { type: 'presence', destination: 'alice', snapshot: true },
      { type: 'presence', destination: 'nobody', snapshot: true, status: 'offline' },
    ])
    t.notOk('devices' in client.all('presence')[0]!.accounts![0]!)
    await alice.client.ask({ type: 'status', status: 'away' }, 'ok')
    await until(() => client.all('presence').length === 5)
    const diffs = new Map(
      client
        .all('presence')
        .slice(3)
        .map(frame => [frame.destination as string, frame]),
    )
    t.match(diffs.get('support'), { snapshot: false, status: 'away' })
    t.match(diffs.get('alice'), { snapshot: false, status: 'away' })
    t.match(
      await client.ask({ type: 'unsubscribe', destinations: ['support', 'alice', 'unknown'] }, 'ok'),
      {},
    )
    await alice.client.ask({ type: 'status', status: 'busy' }, 'ok')
    await stand.room.clock.settle(1000)
    await client.ask({ type: 'ping' }, 'pong')
    t.equal(client.all('presence').length, 5)
  },
)

t.test('[FO5] what may not be read is refused by name, and subscriptions are bounded', async t => {
  const stand = await newStand(t, { limits: { subscriptionsPerSession: 2 } })
  const some = ['presence:register', 'presence:read:bob', 'presence:read:alice', 'presence:read:carol']
  const { client } = await stand.phone('alice', {}, { scopes: some })
  t.same((await client.ask({ type: 'subscribe', destinations: ['bob', 'dave', 'alice'] }, 'ok')).refused, [
    { destination: 'dave', code: 'forbidden' },
  ])
  t.match(await client.next('presence'), {
    destination: 'bob',
    accounts: [{ account: 'bob', devices: undefined }],
  })
  t.match(await client.next('presence'), {
    destination: 'alice',
    accounts: [{ devices: [{ device: 'phone' }] }],
  })
  t.same(
    (await client.ask({ type: 'subscribe', destinations: ['carol', 'bob'], view: 'summary' }, 'ok')).refused,
    [{ destination: 'carol', code: 'too-many' }],
  )
  t.notOk((await client.next('presence')).accounts)
  t.same((await client.ask({ type: 'subscribe', destinations: ['bob'], view: 'routing' }, 'ok')).refused, [
    { destination: 'bob', code: 'forbidden' },
  ])
  t.equal(stand.room.presence.counts.subscriptions, 2)
})

t.test('[C11] the presence of many is read in one frame, in the order asked', async t => {
  const stand = await newStand(t, { tenant: { groups: { support: { members: ['alice'] } } } })
  const { client } = await stand.phone('alice', {}, { scopes: ['presence:register', 'presence:read'] })
  const { resources } = await client.ask(
    { type: 'presence', destinations: ['zoe', 'support', 'alice'] },
    'resources',
  )
  t.match(resources, [
    { destination: 'zoe', status: 'offline' },
    { destination: 'support', kind: 'group', status: 'available' },
    { destination: 'alice', accounts: [{ devices: [{ link: 'attached' }] }] },
  ])
  t.match(await client.ask({ type: 'presence', destinations: ['alice'], view: 'routing' }, 'error'), {
    code: 'forbidden',
    message: /alice/,
  })
  const few = await stand.phone('bob', {}, { scopes: ['presence:read:alice'] })
  t.match(await few.client.ask({ type: 'presence', destinations: ['alice', 'bob'] }, 'error'), {
    code: 'forbidden',
    message: /bob/,
  })
  const members = Array.from({ length: 101 }, (_, index) => `agent-${index}`)
  const crowd = await newStand(t, { tenant: { groups: { all: { members } } } })
  const wall = await crowd.phone('wall', { device: undefined }, { scopes: ['presence:read'] })
  t.match(await wall.client.ask({ type: 'presence', destinations: Array(500).fill('all') }, 'error'), {
    code: 'too-large',
    message: /at most 50000 accounts in all/,
  })
  t.match(await wall.client.ask({ type: 'ping' }, 'pong'), {}, 'the session lives')
  const router = await stand.phone('router', {}, { scopes: ['presence:read', 'presence:route'] })
  const view = { type: 'presence', destinations: ['alice'], view: 'routing' }
  t.match((await router.client.ask(view, 'resources')).resources[0], {
    accounts: [{ routing: { canReceive: false } }],
  })
})

t.test('a call goes from a caller to a device and back over two sockets, every fact once', async t => {
  const stand = await newStand(t)
  const gateway = await stand.phone('trunk', { device: undefined }, { scopes: ['call:inbound'] })
  const alice = await stand.phone('alice')
  const params = { ticket: '7' }
  gateway.client.send({ type: 'place', to: 'alice', from: '+15550199', sdp: 'offer', params, ref: 'p' })
  const { call, ref } = await gateway.client.next('placed')
  t.equal(ref, 'p')
  t.match(await alice.client.next('invite'), {
    seq: 1,
    call,
    from: '+15550199',
    to: 'alice',
    sdp: 'offer',
    params,
  })
  t.match(await gateway.client.next('progress'), { seq: 1, call, state: 'trying' })
  alice.client.send({ type: 'ringing', call })
  t.match(await gateway.client.next('progress'), { seq: 2, state: 'ringing' })
  t.match(await alice.client.ask({ type: 'ringing', call }, 'ok'), { type: 'ok', ref: 'r' })
  t.same(await alice.client.ask({ type: 'accept', call, sdp: 'answer' }, 'ok'), { type: 'ok', ref: 'r' })
  t.match(await alice.client.next('connected'), { seq: 2, call }, 'after the reply')
  t.match(await gateway.client.next('answered'), { sdp: 'answer', by: { account: 'alice', device: 'phone' } })
  await alice.client.ask({ type: 'signal', call, data: { dtmf: '1' } }, 'ok')
  t.match(await gateway.client.next('signal'), { data: { dtmf: '1' }, from: { account: 'alice' } })
  await gateway.client.ask({ type: 'signal', call, data: [1, null] }, 'ok')
  t.match(await alice.client.next('signal'), { data: [1, null] })
  await gateway.client.ask({ type: 'hangup', call, reason: 'done' }, 'ok')
  t.match(await alice.client.next('ended'), { seq: 4, call, reason: 'completed' })
  t.match(await gateway.client.next('ended'), { seq: 5, call, reason: 'completed' })
  t.match(await alice.client.ask({ type: 'accept', call }, 'error'), { code: 'call-gone' })
  t.match(await gateway.client.ask({ type: 'hangup', call }, 'error'), { code: 'call-gone' })
  t.match(await gateway.client.ask({ type: 'signal', call, data: 1 }, 'error'), { code: 'call-gone' })
  t.match(await alice.client.ask({ type: 'reject', call }, 'error'), { code: 'call-gone' })
})

t.test('placing a call: from oneself with call:place, from anyone with call:inbound', async t => {
  const stand = await newStand(t)
  const placed = async (who: string, hello: object, scopes: string[], frame: object) => {
    const { client } = await stand.phone(who, { device: who, ...hello }, { scopes, capacity: 5 })
    const { call } = await client.ask({ type: 'place', to: 'support', ...frame }, 'placed')
    const view = stand.room.router.get(acme, call)!
    return { from: view.from, direction: view.timeline[0]!.direction }
  }
  const refused = async (who: string, scopes: string[], frame: object) => {
    const { client } = await stand.phone(who, {}, { scopes })
    return (await client.ask({ type: 'place', to: 'support', ...frame }, 'error')).code
  }
  const register = 'presence:register'
  t.same(await placed('alice', {}, [register, 'call:place'], {}), {
    from: 'alice',
    direction: 'outbound-dial',
  })
  t.same(await placed('bob', {}, [register, 'call:place:support'], { from: 'bob' }), {
    from: 'bob',
    direction: 'outbound-dial',
  })
  t.same(await placed('carol', {}, [register, 'call:inbound'], {}), { from: 'carol', direction: 'inbound' })
  t.same(await placed('chief', {}, [register, 'admin'], {}), { from: 'chief', direction: 'outbound-dial' })
  t.same(await placed('trunk', { device: undefined }, ['admin'], { from: '+1555' }), {
    from: '+1555',
    direction: 'inbound',
  })
  t.equal(await refused('dave', [register], {}), 'forbidden')
  t.equal(await refused('dave', [register, 'call:place:sales'], {}), 'forbidden')
  t.equal(await refused('dave', [register, 'call:place'], { from: 'alice' }), 'forbidden')
  await stand.phone('frank')
  const { client } = await stand.phone('erin', {}, { scopes: [register, 'call:place'] })
  await client.ask({ type: 'place', to: 'frank' }, 'placed')
  t.match(await client.ask({ type: 'place', to: 'frank' }, 'error'), { code: 'busy', retry: true })
})

t.test(
  '[FO2] a device without call:receive accepts nothing, and a stranger’s call looks like none',
  async t => {
    const stand = await newStand(t)
    const deaf = await stand.phone('alice', {}, { scopes: ['presence:register'] })
    t.match(await deaf.client.ask({ type: 'accept', call: 'call-1' }, 'error'), { code: 'forbidden' })
    const bob = await stand.phone('bob')
    await stand.phone('carol')
    const { call } = await stand.room.call('carol')
    const stranger = await bob.client.ask({ type: 'accept', call }, 'error')
    const unknown = await bob.client.ask({ type: 'accept', call: 'never-was' }, 'error')
    t.same(stranger, unknown)
    t.match(unknown, { code: 'call-gone', retry: false })
  },
)

t.test('faults that are answered: unknown type, bad field, no such call; the session lives', async t => {
  const stand = await newStand(t)
  const { client } = await stand.phone('alice')
  const told = async (frame: object) => client.ask(frame, 'error')
  t.match(await told({ type: 'dance' }), { ref: 'r', code: 'unknown-type', message: /dance/ })
  t.match(await told({ type: 'subscribe', destinations: 'alice' }), {
    code: 'invalid',
    message: /destinations/,
  })
  t.match(await told({ type: 'transfer', call: 'c', to: 'bob' }), { code: 'call-gone' })
  t.match(await told({ type: 'hello' }), { code: 'invalid', message: 'hello comes once' })
  client.send({ type: 'ping', ref: 'x'.repeat(65) })
  t.notOk('ref' in (await client.next('error')))
  t.match(await client.ask({ type: 'ack', seq: 99 }, 'ok'), { ref: 'r' })
  client.send({ type: 'ping' })
  t.same(await client.next('pong'), { type: 'pong' })
})

t.test('[FC4] a verb that throws costs its client an answer, not the session', async t => {
  const errors: object[] = []
  const stand = await newStand(t, { log: { info() {}, warn() {}, error: facts => void errors.push(facts) } })
  const { client } = await stand.phone('alice')
  stand.room.presence.override = () => {
    throw new Error('the graph is on fire')
  }
  t.match(await client.ask({ type: 'status', status: 'away', for: 'account' }, 'error'), {
    code: 'internal',
    message: 'something went wrong here',
    retry: true,
  })
  t.match(errors, [{ error: { message: 'the graph is on fire' }, frame: 'status' }])
  stand.room.presence.attach = () => {
    throw new Error('still on fire')
  }
  const next = stand.client()
  await next.opened
  next.send({ type: 'hello', token: await stand.token('bob'), device: 'phone', ref: 'h' })
  t.match(await next.next('error'), { code: 'internal', ref: 'h' })
  t.match(await next.closed, { code: 1011 })
  stand.room.presence.attach = () => ({ ok: false, code: 'conflict', message: 'not now' })
  const last = stand.client()
  await last.opened
  last.send({ type: 'hello', token: await stand.token('bob'), device: 'phone' })
  t.match(await last.next('error'), { code: 'conflict' })
  t.match(await last.closed, { code: 4502 }, 'a refusal without a close code of its own')
})

t.test('[FF6] what is no frame closes 4500, before and after welcome', async t => {
  const stand = await newStand(t)
  for (const text of ['', 'null', '[]', '{', '{}', '{"type":7}', '"hello"', '['.repeat(30_000)]) {
    const client = stand.client()
    await client.opened
    client.send(text)
    t.match(await client.next('error'), { code: 'malformed', retry: false })
    t.match(await client.closed, { code: 4500, reason: 'malformed' }, text.slice(0, 10))
  }
  const { client } = await stand.phone('alice')
  client.send('{"type":')
  t.match(await client.closed, { code: 4500 })
  t.equal(stand.room.presence.counts.devices, 0)
})

t.test('binary closes 1003, too large a message 1009, and what breaks RFC 6455 as that says', async t => {
  const stand = await newStand(t)
  const { client } = await stand.phone('alice')
  client.ws.send(Buffer.from('{"type":"ping"}'))
  t.match(await client.next('error'), { code: 'unsupported-media-type' })
  t.match(await client.closed, { code: 1003 })
  const large = stand.client()
  await large.opened
  large.send('x'.repeat(64 * 1024 + 1))
  t.match(await large.closed, { code: 1009 })
  const { tcp, text } = stand.raw()
  tcp.write(upgradeRequest())
  await until(() => text().includes('\r\n\r\n'))
  tcp.write(Buffer.from([0x83, 0x80, 0, 0, 0, 0]))
  await once(tcp, 'close')
  t.equal(text().charCodeAt(text().length - 1), 1002 & 0xff)
  await until(() => stand.gateway.counts.sockets === 0)
})

t.test('[FF3] unfinished fragments are bounded', async t => {
  const stand = await newStand(t)
  const { tcp, text } = stand.raw()
  tcp.write(upgradeRequest())
  await until(() => text().includes('\r\n\r\n'))
  for (let count = 0; count < 66; count++) tcp.write(maskedFrame(count === 0 ? 1 : 0, 'x', false))
  await once(tcp, 'close')
  t.equal(stand.gateway.counts.framesIn, 0)
})

t.test('[FF4] a flood closes 4429, control frames counted', async t => {
  const stand = await newStand(t)
  const { client } = await stand.phone('alice')
  const pong = once(client.ws, 'pong')
  for (let count = 0; count < 199; count++) client.ws.ping(`beat ${count}`)
  t.equal(String((await pong)[0]), 'beat 0')
  t.match(await client.ask({ type: 'ping' }, 'error'), { code: 'too-many', retry: true })
  t.match(await client.closed, { code: 4429 })
  const steady = await stand.phone('bob')
  for (let second = 0; second < 5; second++) {
    for (let count = 0; count < 100; count++) steady.client.ws.pong()
    await steady.client.ask({ type: 'ping' }, 'pong')
    await stand.room.clock.settle(1010)
  }
  t.equal(steady.client.ws.readyState, 1)
  for (let count = 0; count < 300; count++) steady.client.ws.pong()
  t.match(await steady.client.closed, { code: 4429, reason: 'too-many' })
  t.equal(stand.gateway.counts.faults['too-many'], 2)
})
