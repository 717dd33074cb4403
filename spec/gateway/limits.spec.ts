// Each limit, reached: what the peer is told, what counts it, and that nobody else notices. What bounds the wire is in
// wire.spec.ts and order.spec.ts; what is held back and kept for a client who does not read, in liveness.spec.ts.

import t from 'tap'
import { Outbox } from '../../src/gateway/outbox.js'
import { Bounds } from '../../src/limits/index.js'
import type { CallFrame, CallId } from '../../src/protocol/index.js'
import { newScene, type Scene } from '../support/fault.js'
import { type Client, until } from '../support/gateway.js'

const reached = (name: string): string => `switchhook_limit_reached_total{limit="${name}"}`
const limit = (name: string, code = 'too-many') => ({ code, metric: reached(name) })

/** A client that said hello, and the first frame it was told. */
const come = async (scene: Scene, account: string, device: string | undefined, scopes: string[]) => {
  const client = scene.client()
  await client.opened
  client.send({ type: 'hello', token: await scene.token(account, { scopes }), ...(device && { device }) })
  await until(() => client.frames.length > 0)
  return { client, first: client.frames[0] }
}

const leave = async (...clients: Client[]): Promise<void> => {
  for (const { ws, closed } of clients) {
    ws.close(1000)
    await closed
  }
}

const softphone = ['presence:register', 'call:receive', 'call:place']

t.test('an account has so many devices and no more; one of them may always come back', async t => {
  const scene = await newScene(t, { limits: { devicesPerAccount: 2 } })
  await scene.survives(t, limit('devicesPerAccount'), async () => {
    const one = await scene.phone('mallory', 'one')
    const two = await scene.phone('mallory', 'two')
    const three = await come(scene, 'mallory', 'three', softphone)
    t.match(three.first, {
      type: 'error',
      code: 'too-many',
      retry: true,
      message: 'at most 2 devices of one account (limits.devicesPerAccount)',
    })
    t.match(await three.client.closed, { code: 4429 })
    const again = await come(scene, 'mallory', 'two', softphone)
    t.match(again.first, { type: 'welcome' })
    t.match(await two.closed, { code: 4501 })
    const other = await come(scene, 'eve', 'one', softphone)
    t.match(other.first, { type: 'welcome' }, 'of another account there is room')
    await leave(one, again.client, other.client)
  })
})

t.test(
  'an account has so many sessions and no more; a newer connection of a device takes no other place',
  async t => {
    const scene = await newScene(t, { limits: { connectionsPerAccount: 3 } })
    await scene.survives(t, limit('connectionsPerAccount'), async () => {
      const walls = [
        await come(scene, 'mallory', undefined, ['presence:read']),
        await come(scene, 'mallory', undefined, ['presence:read']),
        await come(scene, 'mallory', 'desk', softphone),
      ]
      const over = await come(scene, 'mallory', undefined, ['presence:read'])
      t.match(over.first, { code: 'too-many', message: /at most 3 sessions of one account/ })
      const desk = await come(scene, 'mallory', 'desk', softphone)
      t.match(desk.first, { type: 'welcome' })
      await walls[2]!.client.closed
      await leave(walls[0]!.client)
      const next = await come(scene, 'mallory', undefined, ['presence:read'])
      t.match(next.first, { type: 'welcome' }, 'who goes makes room')
      const barred = await come(scene, 'support', 'desk', softphone)
      t.match(barred.first, { type: 'welcome' })
      await leave(walls[1]!.client, next.client, desk.client, barred.client)
    })
  },
)

t.test('what is refused by presence leaves its place among the sessions', async t => {
  const scene = await newScene(t, {
    limits: { connectionsPerAccount: 1 },
    tenant: { groups: { support: {} } },
  })
  for (let round = 0; round < 3; round++) {
    t.match((await come(scene, 'support', 'desk', softphone)).first, { code: 'name-taken' })
  }
})

t.test('bytes a second are bounded, and a gateway may say so many times as much', async t => {
  const scene = await newScene(t)
  const large = { type: 'ping', filling: 'x'.repeat(60_000) }
  const small = { type: 'ping' }
  await scene.survives(t, limit('bytesPerSecond'), async () => {
    const phone = await scene.phone('mallory')
    for (let count = 0; count < 10; count++) phone.send(large)
    t.match(await phone.closed, { code: 4429, reason: 'too-many' })
    t.match(phone.frames.at(-1), {
      code: 'too-many',
      message: 'at most 262144 bytes a second on one connection (limits.bytesPerSecond)',
      retryAfterMs: Number,
    })
    const pings = await scene.phone('mallory')
    for (let count = 0; count < 198; count++) pings.ws.ping('x'.repeat(125))
    t.match(await pings.ask(small, 'pong'), {}, 'pings count by what they carry, too')
    await leave(pings)
  })
  await scene.survives(t, limit('framesPerSecond'), async () => {
    const scopes = ['call:inbound']
    const { client } = await come(scene, 'mallory', undefined, scopes)
    for (let count = 0; count < 10; count++) client.send(large)
    for (let count = 0; count < 3_000; count++) client.send({ type: 'ack', seq: 0 })
    await client.ask(small, 'pong')
    t.pass('twenty times as many')
    await client.ask(
      { type: 'token', token: await scene.token('mallory', { scopes: ['presence:read'] }) },
      'ok',
    )
    await scene.clock.settle(10_000)
    for (let count = 0; count < 300; count++) client.send(small)
    t.match(await client.closed, { code: 4429 }, 'with lesser rights it is nobody special')
    t.match(client.frames.at(-1), {
      message: 'at most 100 frames a second on one connection (limits.framesPerSecond)',
    })
  })
})

t.test('before the welcome little is kept, and for five seconds', async t => {
  const scene = await newScene(t)
  const frame = JSON.stringify({ type: 'ping', filling: 'x'.repeat(60_000) })
  for (const [name, sent] of [
    ['waitingFrames', Array(33).fill({ type: 'ping' })],
    ['waitingBytes', Array(5).fill(frame)],
  ] as const) {
    await scene.survives(t, limit(name), async () => {
      const client = scene.client()
      await client.opened
      for (const each of sent) client.send(each)
      t.match(await client.closed, { code: 4429 }, name)
    })
  }
  await scene.survives(t, limit('helloMs', 'no-hello'), async () => {
    const client = scene.client()
    await client.opened
    scene.clock.advance(5_000)
    t.match(await client.closed, { code: 4408 })
  })
})

t.test('what a session keeps for a resume is bounded by its size, too', async t => {
  const bounds = new Bounds({ unackedBytes: 10_000, unackedFrames: 5 })
  const call = 'c' as CallId
  const outbox = new Outbox(bounds)
  const signal = (size: number) => outbox.number({ type: 'signal', call, data: 'x'.repeat(size) })
  for (let count = 0; count < 7; count++) signal(10)
  t.same([outbox.unacked.length, bounds.reached.unackedFrames], [5, 2])
  signal(9_500)
  t.same([outbox.unacked.length, bounds.reached.unackedBytes], [1, 4])
  t.ok(outbox.covers(7))
  t.notOk(outbox.covers(6))
  signal(20_000)
  t.same(outbox.unacked, [], 'what is larger than all that may be kept is not')
  outbox.number({ type: 'answered', call, sdp: 'x'.repeat(9_000), by: {} } as never)
  const invite = {
    type: 'invite',
    call,
    from: '',
    to: '',
    destination: 'd',
    params: { a: 'x'.repeat(6_000) },
  }
  outbox.number({ ...invite, expiresMs: 1 } as unknown as CallFrame)
  t.match(outbox.unacked, [{ type: 'invite' }])
  outbox.clear()
  t.same(outbox.unacked, [])
  t.ok(outbox.covers(11))
})

t.test('requests of one account a second are bounded; a gateway may ask more often', async t => {
  const scene = await newScene(t, { limits: { requestsPerSecond: 5, gatewayFactor: 4 } })
  const ask = (account: string, scopes: string[]) =>
    scene.api('GET', '/v1/presence/alice', account, { scopes })
  const read = ['presence:read']
  await scene.survives(t, limit('requestsPerSecond'), async () => {
    for (let count = 0; count < 10; count++) t.equal((await ask('mallory', read)).status, 200)
    const refused = await ask('mallory', read)
    t.match([refused.status, refused.headers.get('retry-after')], [429, '1'])
    t.match(await refused.json(), {
      error: {
        code: 'too-many',
        message: 'at most 5 requests a second of one account (limits.requestsPerSecond)',
      },
    })
    t.equal((await ask('eve', read)).status, 200, 'another has their own')
    scene.clock.advance(200)
    t.equal((await ask('mallory', read)).status, 200, 'a fifth of a second later there is one more')
    for (let count = 0; count < 40; count++)
      t.equal((await ask('trunk', ['call:inbound', ...read])).status, 200)
    t.equal((await ask('trunk', ['call:inbound', ...read])).status, 429)
  })
})

t.test('[FH5] [FH4] event streams and waiting requests of one account are bounded', async t => {
  const scene = await newScene(t, { limits: { streamsPerAccount: 2 } })
  const scopes = ['presence:read', 'call:inbound']
  await scene.survives(t, limit('streamsPerAccount'), async () => {
    const streams = [
      await scene.api('GET', '/v1/presence/alice/events', 'mallory', { scopes }),
      await scene.api('GET', '/v1/presence/bob/events', 'mallory', { scopes }),
    ]
    const third = () => scene.api('GET', '/v1/presence/carol/events', 'mallory', { scopes })
    const refused = await third()
    t.equal(refused.status, 429)
    t.match(await refused.json(), { error: { message: /at most 2 event streams and waiting requests/ } })
    const waiting = await scene.api(
      'POST',
      '/v1/calls?waitMs=1000',
      'mallory',
      { scopes },
      { to: 'x', from: '' },
    )
    t.equal(waiting.status, 429)
    t.equal((await scene.api('GET', '/v1/presence/alice', 'mallory', { scopes })).status, 200)
    await streams[0]!.body!.cancel()
    let again = await third()
    while (again.status === 429) again = await third()
    t.equal(again.status, 200, 'who goes makes room')
    await again.body!.cancel()
    await streams[1]!.body!.cancel()
  })
})

/** Places a call over HTTP. */
const place = (scene: Scene, account: string, body: object = {}, facts: object = {}) =>
  scene.api(
    'POST',
    '/v1/calls',
    account,
    { scopes: ['call:inbound', 'call:explain'], ...facts },
    { to: 'bob', from: '', ...body },
  )

t.test('a tenant has so many live calls and no more; another tenant has its own', async t => {
  const scene = await newScene(t, { limits: { callsPerTenant: 2 } })
  await scene.survives(t, limit('callsPerTenant'), async () => {
    const bob = await scene.phone('bob', 'desk', { capacity: 5 })
    const first = (await (await place(scene, 'trunk')).json()) as { call: string }
    t.equal((await place(scene, 'trunk')).status, 201)
    const refused = await place(scene, 'trunk')
    t.equal(refused.status, 429)
    t.match(await refused.json(), {
      error: { code: 'too-many', message: 'at most 2 live calls (limits.callsPerTenant)' },
    })
    t.equal((await place(scene, 'trunk', {}, { tenant: 'other' })).status, 201)
    const self = await bob.ask({ type: 'place', to: 'carol' }, 'error')
    t.match(self, { code: 'too-many' }, 'however it is placed')
    await scene.api('DELETE', `/v1/calls/${first.call}`, 'trunk', { scopes: ['call:inbound'] })
    t.equal((await place(scene, 'trunk')).status, 201, 'a call that ends makes room')
    await leave(bob)
    await scene.clock.settle(61_000)
  })
})

t.test('a call that its account has no place for takes none of the tenant’s', async t => {
  const scene = await newScene(t, { limits: { callsPerTenant: 2 } })
  const dave = await scene.phone('dave', 'desk')
  const erin = await scene.phone('erin', 'desk')
  await dave.ask({ type: 'place', to: 'erin' }, 'placed')
  for (let count = 0; count < 3; count++) {
    t.match(await dave.ask({ type: 'place', to: 'erin' }, 'error'), { code: 'busy' })
  }
  t.equal((await place(scene, 'trunk', { to: 'nobody' })).status, 201, 'there is still room for one')
  await leave(dave, erin)
})

t.test(
  '[FH8] a thousand calls a minute to rising numbers are slowed down, of one token and of a tenant',
  async t => {
    const scene = await newScene(t, { limits: { callsPerMinutePerTenant: 1_200 } })
    const rise = async (accounts: readonly string[]) => {
      let taken = 0
      let last: Response | undefined
      for (let count = 0; count < 1_000; count++) {
        const account = accounts[count % accounts.length]!
        const answer = await place(scene, account, { to: `+1900555${String(count).padStart(4, '0')}` })
        if (answer.status === 201) taken++
        else last = answer
        scene.clock.advance(60)
      }
      return { taken, last }
    }
    await scene.survives(t, limit('callsPerMinutePerAccount'), async () => {
      const { taken, last } = await rise(['thief'])
      t.ok(taken >= 695 && taken <= 705, `${taken} of 1000 in a minute: a hundred at once, then ten a second`)
      t.match([last?.status, last?.headers.get('retry-after')], [429, '1'])
      t.match(await last?.json(), {
        error: {
          code: 'too-many',
          message: 'at most 600 calls a minute placed by one account (limits.callsPerMinutePerAccount)',
        },
      })
      t.equal((await place(scene, 'trunk')).status, 201, 'the others of the tenant go on')
    })
    await scene.clock.settle(60_000)
    await scene.survives(t, limit('callsPerMinutePerTenant'), async () => {
      const crowd = Array.from({ length: 100 }, (_, index) => `thief-${index}`)
      let refused = 0
      for (let count = 0; count < 300; count++) {
        const { status } = await place(scene, crowd[count % 100]!, { to: `+1900556${count}` })
        if (status === 429) refused++
      }
      t.equal(refused, 100, 'of three hundred at once two hundred')
      t.equal(
        (await place(scene, 'trunk', {}, { tenant: 'other' })).status,
        201,
        'and another tenant is not slower',
      )
    })
    await scene.clock.settle(60_000)
    await scene.survives(t, limit('callsPerMinutePerAccount'), async () => {
      const phone = await scene.phone('mallory', 'phone', { capacity: 100 })
      let taken = 0
      for (let count = 0; count < 100; count++) {
        phone.send({ type: 'place', to: `+1900557${count}`, ref: String(count) })
        await until(() => phone.frames.some(frame => 'ref' in frame && frame.ref === String(count)))
        const reply = phone.frames.find(frame => 'ref' in frame && frame.ref === String(count))
        if (reply?.type === 'placed') taken++
        else t.match(reply, { code: 'too-many', retryAfterMs: Number, message: /at most 30 calls a minute/ })
        await scene.clock.settle(60)
      }
      t.equal(taken, 7, 'a softphone places five at once, then one each two seconds')
      await leave(phone)
    })
  },
)

t.test('parameters are bounded by number and by size, however a call is placed', async t => {
  const scene = await newScene(t, { limits: { params: 3, paramsBytes: 100 } })
  const many = { a: '1', b: '2', c: '3', d: '4' }
  const large = { a: 'é'.repeat(50) }
  await scene.survives(t, limit('params', 'invalid'), async () => {
    const phone = await scene.phone('mallory')
    const told = await phone.ask({ type: 'place', to: 'bob', params: many }, 'error')
    t.match(told, { code: 'invalid', message: 'at most 3 params in a call (limits.params)' })
    const http = await place(scene, 'trunk', { params: many })
    t.match([http.status, (await http.json()) as object], [400, { error: { message: /limits\.params/ } }])
    await leave(phone)
  })
  await scene.survives(t, limit('paramsBytes', 'invalid'), async () => {
    const http = await place(scene, 'trunk', { params: large })
    t.match((await http.json()) as object, {
      error: { message: 'at most 100 bytes in the params of a call (limits.paramsBytes)' },
    })
    t.equal((await place(scene, 'trunk', { params: { a: 'é'.repeat(49) } })).status, 201)
  })
})

t.test('what is kept of one call is bounded: its timeline is cut, the oldest events go', async t => {
  const scene = await newScene(t, { limits: { callBytes: 500 } })
  const bob = await scene.phone('bob', 'desk')
  const { call } = (await (await place(scene, 'trunk')).json()) as { call: string }
  await bob.next('invite')
  for (let count = 0; count < 20; count++)
    await bob.ask({ type: 'signal', call, data: 'x'.repeat(200) }, 'ok')
  await bob.ask({ type: 'reject', call }, 'ok')
  const explained = { scopes: ['call:inbound', 'call:explain'] }
  const view = (await (await scene.api('GET', `/v1/calls/${call}`, 'trunk', explained)).json()) as {
    state: string
    timeline: { event: string }[]
  }
  t.equal(view.state, 'ended')
  t.equal(view.timeline.at(-1)?.event, 'cut')
  const events = await scene.api('GET', `/v1/calls/${call}/events`, 'trunk', explained)
  const text = await events.text()
  t.ok(text.length < 700)
  t.match(text, /event: ended/)
  t.ok((await scene.metric(reached('callBytes'))) > 15)
  await leave(bob)
})

t.test('ended calls stay readable for a quarter of an hour, or until newer ones need the room', async t => {
  const some = await newScene(t, { limits: { endedCallsPerTenant: 3 } })
  const ended = async (scene: Scene, body: object = {}, facts = {}) =>
    ((await (await place(scene, 'trunk', { to: 'nobody', ...body }, facts)).json()) as { call: string }).call
  const readable = async (scene: Scene, call: string, facts = {}) =>
    (await scene.api('GET', `/v1/calls/${call}`, 'trunk', { scopes: ['call:inbound'], ...facts })).status ===
    200
  const theirs = await ended(some, {}, { tenant: 'other' })
  const calls = [await ended(some), await ended(some), await ended(some), await ended(some)]
  const there = []
  for (const call of calls) there.push(await readable(some, call))
  t.same(there, [false, true, true, true])
  t.ok(await readable(some, theirs, { tenant: 'other' }), 'another tenant’s are not pushed out')
  t.equal(await some.metric(reached('endedCallsPerTenant')), 1)
  await some.clock.settle(15 * 60_000)
  t.notOk(await readable(some, calls[3]!))
  const list = await some.api('GET', '/v1/calls', 'trunk', { scopes: ['call:inbound'] })
  t.same(((await list.json()) as { calls: object[] }).calls, [])

  const small = await newScene(t, { limits: { endedCallBytesPerTenant: 2_000 } })
  const first = await ended(small)
  for (let count = 0; count < 10; count++) await ended(small)
  const last = await ended(small)
  t.same([await readable(small, first), await readable(small, last)], [false, true])
  t.ok((await small.metric(reached('endedCallBytesPerTenant'))) > 0)
})

t.test('idempotency keys are remembered for each tenant by itself', async t => {
  const scene = await newScene(t, { limits: { idempotencyKeysPerTenant: 2 } })
  const keyed = async (key: string, tenant = 'acme') => {
    const authorization = `Bearer ${await scene.token('trunk', { scopes: ['call:inbound'], tenant })}`
    const headers = { authorization, 'content-type': 'application/json', 'idempotency-key': key }
    const body = JSON.stringify({ to: 'nobody', from: '' })
    return (await fetch(`${scene.url}/v1/calls`, { method: 'POST', headers, body })).status
  }
  t.same(
    [await keyed('a', 'other'), await keyed('a'), await keyed('b'), await keyed('c')],
    [201, 201, 201, 201],
  )
  t.same(
    [await keyed('c'), await keyed('a', 'other')],
    [200, 200],
    'another tenant’s keys are safe from this one’s',
  )
  t.equal(await keyed('a'), 201, 'the one that was used longest ago is forgotten')
  t.equal(await scene.metric(reached('idempotencyKeysPerTenant')), 2)
})

t.test('a tenant has so many overridden accounts and no more', async t => {
  const scene = await newScene(t, { limits: { overridesPerTenant: 2 } })
  const set = async (account: string, status: string | null, tenant = 'acme') =>
    scene.api(
      'PUT',
      `/v1/presence/${account}/status`,
      'chief',
      { scopes: ['presence:write'], tenant },
      { status },
    )
  await scene.survives(t, limit('overridesPerTenant'), async () => {
    for (const account of ['made-up-1', 'made-up-2']) t.equal((await set(account, 'away')).status, 200)
    const refused = await set('made-up-3', 'away')
    t.equal(refused.status, 429)
    t.match(await refused.json(), {
      error: { message: 'at most 2 overridden accounts (limits.overridesPerTenant)' },
    })
    t.equal((await set('made-up-1', 'dnd')).status, 200, 'who is among them may be changed')
    t.equal((await set('made-up-3', null)).status, 200, 'or freed')
    t.equal((await set('made-up-3', 'away', 'other')).status, 200, 'another tenant has its own')
    await set('made-up-3', null, 'other')
    t.equal((await set('made-up-2', null)).status, 200)
    t.equal((await set('made-up-3', 'away')).status, 200, 'and who is freed makes room')
    for (const account of ['made-up-1', 'made-up-3']) await set(account, null)
  })
})
