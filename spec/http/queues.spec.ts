// Queues over HTTP: their figures as calls come and go, who may read them, and what Prometheus reads.

import t from 'tap'
import { newApi } from '../support/http-api.js'

const tenant = {
  groups: {
    support: { members: ['alice', 'bob'], queue: { serviceLevelMs: 10_000 } },
    sales: { members: ['carol'] },
  },
  routes: [
    { to: 'line', instructions: { steps: [{ enqueue: { group: 'support' } }] } },
    { to: 'vip', instructions: { steps: [{ enqueue: { group: 'support', priority: 9 } }] } },
    { to: 'sales', instructions: { steps: [{ enqueue: { group: 'sales' } }] } },
  ],
}

t.test('a queue: who waits, for how long, who is free, and what became of the others', async t => {
  const api = await newApi(t, { tenant })
  const { room } = api
  const token = await api.token('wallboard', ['presence:read', 'call:explain'])
  const read = async () => (await api.ask('GET', '/v1/queues/support', { token })).json
  t.same(await read(), {
    queue: 'support',
    waiting: 0,
    longestWaitMs: 0,
    answered: 0,
    abandoned: 0,
    unanswered: 0,
    serviceLevelMs: 10_000,
    freeAgents: 0,
    signedIn: 0,
  })
  await room.call('line')
  t.match(await read(), { waiting: 0, unanswered: 1, signedIn: 0, serviceLevel: 0 }, 'nobody is signed in')

  const alice = room.phone('alice')
  room.phone('bob', 'phone', { status: 'away' })
  t.match(await read(), { freeAgents: 1, signedIn: 2 })
  const first = await room.call('line')
  await room.clock.settle(4000)
  const second = await room.call('line')
  await room.clock.settle(2000)
  t.match(await read(), { waiting: 2, longestWaitMs: 6000, freeAgents: 0, expectedWaitMs: undefined })
  t.ok(alice.accept(first.call))
  await room.clock.settle(12_000)
  t.match(await read(), {
    waiting: 1,
    longestWaitMs: 14_000,
    answered: 1,
    unanswered: 1,
    serviceLevel: 0.5,
    averageWaitMs: 6000,
    expectedWaitMs: 24_000,
  })
  const explained = await api.ask('POST', '/v1/explain', { token, body: { to: 'line' } })
  t.match(explained.json, {
    verbs: ['enqueue'],
    dials: [],
    queues: [
      {
        queue: 'support',
        position: 2,
        expectedWaitMs: 24_000,
        destination: {
          strategy: 'longest-idle',
          order: [],
          skipped: [
            { account: 'alice', reason: 'busy' },
            { account: 'bob', reason: 'away' },
          ],
        },
      },
    ],
  })
  t.match((await api.ask('POST', '/v1/explain', { token, body: { to: 'vip' } })).json.queues, [
    { position: 1, expectedWaitMs: 12_000 },
  ])
  t.match((await api.ask('POST', '/v1/explain', { token, body: { to: 'sales' } })).json.queues, [
    { position: 1, expectedWaitMs: undefined },
  ])
  t.match(
    (await api.ask('GET', '/metrics')).text,
    /^switchhook_calls_waiting\{tenant="acme",queue="support"\} 1$/m,
  )

  room.router.hangup(alice.party, first.call)
  await room.clock.settle(30)
  t.ok(alice.accept(second.call))
  const third = await room.call('line')
  room.router.hangup(third.caller.request.caller, third.call)
  t.match(await read(), { waiting: 0, answered: 2, abandoned: 1, unanswered: 1, serviceLevel: 0.25 })
  t.notMatch((await api.ask('GET', '/metrics')).text, /^switchhook_calls_waiting\{/m)
  await room.clock.settle(3_600_000)
  t.match(await read(), { answered: 0, abandoned: 0, serviceLevel: undefined }, 'of the last hour')
})

t.test('all queues in which calls wait, or have waited within the hour, of those one may read', async t => {
  const api = await newApi(t, { tenant })
  const { room } = api
  const token = await api.token('wallboard', ['presence:read'])
  const list = async (by = token) => (await api.ask('GET', '/v1/queues', { token: by })).json.queues
  t.same(await list(), [])
  for (const name of ['alice', 'carol']) room.phone(name, 'phone', { status: 'away' })
  const first = await room.call('line')
  const { call, caller } = await room.call('sales')
  t.match(await list(), [
    { queue: 'sales', waiting: 1 },
    { queue: 'support', waiting: 1 },
  ])
  room.router.hangup(caller.request.caller, call)
  t.match(await list(), [{ queue: 'sales', waiting: 0, abandoned: 1 }, { queue: 'support' }])
  t.match(await list(await api.token('wallboard', ['presence:read:sales'])), [{ queue: 'sales' }])
  room.router.hangup(first.caller.request.caller, first.call)
  await room.clock.settle(3_599_990)
  t.equal((await list()).length, 2)
  await room.clock.settle(20)
  t.same(await list(await api.token('wallboard', ['presence:read'])), [], 'forgotten')

  const late = await room.call('sales')
  await room.clock.settle(1_800_000)
  room.router.hangup(late.caller.request.caller, late.call)
  await room.clock.settle(1_800_010)
  const again = await api.token('wallboard', ['presence:read'])
  t.match(await list(again), [{ queue: 'sales', abandoned: 1 }], 'not before the hour is over')
})

t.test('a queue is read by who may read its group, and there is none without a group', async t => {
  const api = await newApi(t, { tenant })
  const status = async (path: string, ...scopes: string[]) =>
    (await api.ask('GET', path, { token: await api.token('x', scopes) })).status
  t.equal(await status('/v1/queues/support', 'presence:read:support'), 200)
  t.equal(await status('/v1/queues/support', 'admin'), 200)
  t.equal(await status('/v1/queues/support', 'presence:read:sales'), 403)
  t.equal(await status('/v1/queues', 'call:inbound', 'presence:write'), 403)
  t.equal(await status('/v1/queues/nobody', 'presence:read'), 404)
  t.equal(await status('/v1/queues/no%20name', 'presence:read'), 400)
})
