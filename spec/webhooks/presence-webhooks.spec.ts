// Presence as applications outside are told of it: signed JSON, a snapshot first, then what changed, gathered; and a
// receiver that missed something begins anew.

import t, { type Test } from 'tap'
import twilio from 'twilio'
import { PresenceWebhooks } from '../../src/webhooks/index.js'
import { answering, authToken, deliveriesFor, receiver, taking } from '../support/receivers.js'
import { configOf, newRoom } from '../support/room.js'

t.setTimeout(30_000)

const groups = { support: { members: ['alice', 'bob'] } }

const stand = async (t: Test, hook: object = {}) => {
  const app = await receiver(t)
  const tenantOf = (hooks: object[]) => ({ authToken, groups, webhooks: hooks })
  const hookOf = (more: object = {}) => ({
    url: `${app.url}/presence?a=1`,
    destinations: ['support'],
    ...hook,
    ...more,
  })
  const tenant = tenantOf([hookOf()])
  const room = newRoom(tenant)
  t.teardown(() => room.close())
  const world = deliveriesFor(t, { clock: room.clock, webhooks: { retryForMs: 10_000 } })
  let ids = 0
  const webhooks = new PresenceWebhooks(
    {
      presence: room.presence,
      deliveries: world.deliveries,
      gatherMs: 1_000,
      clock: room.clock,
      newId: () => `id-${++ids}`,
    },
    room.config.tenants,
  )
  t.teardown(() => webhooks.close())
  return {
    ...world,
    app,
    room,
    webhooks,
    tenants: (...hooks: object[]) => configOf(tenantOf(hooks)).tenants,
    hookOf,
    bodies: () => app.told.map(({ body }) => JSON.parse(body)),
    /** Lets so much time pass, and what is on its way arrive. */
    async over(count: number, ms = 0) {
      await room.clock.settle(ms)
      await world.until(() => app.told.length >= count && world.deliveries.waiting === 0)
    },
  }
}

t.test('a snapshot at the start, then what changes, in JSON that the library finds signed', async t => {
  const { app, room, bodies, over } = await stand(t)
  await over(1)
  room.phone('alice')
  await over(2, 1_000)
  t.match(bodies(), [
    {
      event: 'presence.changed',
      id: 'id-1',
      tenant: 'acme',
      destination: 'support',
      kind: 'group',
      at: '2026-01-01T00:00:00.000Z',
      snapshot: true,
      status: 'offline',
      counts: { offline: 2 },
      accounts: [
        { account: 'alice', status: 'offline' },
        { account: 'bob', status: 'offline' },
      ],
      removed: [],
    },
    {
      id: 'id-2',
      at: '2026-01-01T00:00:01.000Z',
      snapshot: false,
      status: 'available',
      counts: { available: 1, offline: 1 },
      accounts: [{ account: 'alice', status: 'available' }],
    },
  ])
  const [first, second] = bodies()
  t.equal(second.prev, first.version)
  t.ok(second.version > first.version)
  t.notOk('prev' in first)
  t.notOk('devices' in second.accounts[0])
  for (const { method, url, headers, body, id } of app.told) {
    t.match([method, headers['content-type'], id], ['POST', 'application/json', JSON.parse(body).id])
    const signature = String(headers['x-twilio-signature'])
    t.ok(twilio.validateRequestWithBody(authToken, signature, app.url + url, body), url)
    t.notOk(twilio.validateRequestWithBody(authToken, signature, app.url + url, `${body} `))
    t.match(url, /^\/presence\?a=1&bodySHA256=[0-9a-f]{64}$/)
  }
})

t.test('what changes meanwhile is one notice, in which the later state stands for the earlier', async t => {
  const { room, app, bodies, over, deliveries, until } = await stand(t)
  await over(1)
  let release = () => {}
  app.answers(res => (release = () => res.end()))
  const alice = room.phone('alice')
  await room.clock.settle(1_000)
  await until(() => app.told.length === 2)
  const bob = room.phone('bob')
  await room.clock.settle(5_000)
  alice.leave()
  await room.clock.settle(1_000)
  bob.leave()
  room.phone('bob')
  await room.clock.settle(1_000)
  t.equal(deliveries.waiting, 1, 'one is under way at a time')
  app.answers(taking)
  release()
  await over(3)
  t.match(bodies().slice(1), [
    { accounts: [{ account: 'alice', status: 'available' }] },
    {
      status: 'available',
      accounts: [
        { account: 'bob', status: 'available' },
        { account: 'alice', status: 'offline' },
      ],
    },
  ])
  const versions = bodies().map(({ version }) => version)
  t.same(
    versions,
    [...versions].sort((a, b) => a - b),
  )
  t.equal(bodies()[2].prev, versions[1])
  room.phone('alice')
  await room.clock.settle(999)
  t.equal(app.told.length, 3, 'and one goes out in each second')
  await over(4, 1)
})

t.test('a view without accounts; people by their own name; who leaves a group', async t => {
  const { room, bodies, over, app, webhooks, tenants, hookOf } = await stand(t, {
    view: 'summary',
    destinations: ['support', 'alice'],
  })
  await over(2)
  t.match(bodies(), [
    { destination: 'support', kind: 'group' },
    { destination: 'alice', kind: 'account', status: 'offline' },
  ])
  t.notOk('accounts' in bodies()[0])
  room.phone('alice')
  await over(4, 1_000)
  webhooks.configure(tenants(hookOf({ view: 'full', destinations: ['support'] })))
  await over(5)
  const smaller = configOf({ authToken, groups: { support: { members: ['bob'] } } }).tenants
  room.presence.configure(smaller)
  await over(6, 1_000)
  t.match(bodies()[5], { snapshot: false, accounts: [], removed: ['alice'], status: 'offline' })
  room.presence.configure(room.config.tenants)
  await over(7, 1_000)
  t.match(bodies()[6], { accounts: [{ account: 'alice' }], removed: [] })
  t.equal(app.told.length, 7)
})

t.test('a receiver that did not take one is told the whole with the next change', async t => {
  const { room, app, bodies, over, deliveries, until } = await stand(t)
  await over(1)
  app.answers(answering(404))
  room.phone('alice')
  await over(2, 1_000)
  app.answers(taking)
  await room.clock.settle(10_000)
  t.equal(app.told.length, 2, 'nothing to say, nothing is said')
  const bob = room.phone('bob')
  await over(3, 1_000)
  t.match(bodies()[2], { snapshot: true, counts: { available: 2 } })

  // One that is given up while there is news already.
  app.answers(answering(500))
  bob.leave()
  await room.clock.settle(1_000)
  await until(() => deliveries.counts.failed === 1)
  room.phone('bob', 'desk')
  app.answers(answering(410))
  await room.clock.settle(1_000)
  await until(() => deliveries.counts.refused === 2)
  app.answers(taking)
  await room.clock.settle(1_000)
  await until(() => deliveries.waiting === 0 && bodies().at(-1).snapshot)
  t.match(bodies().at(-1), { snapshot: true, counts: { available: 2 } })
})

t.test('what is watched is changed by a new configuration; what stays goes on as it is', async t => {
  const { room, app, bodies, over, webhooks, tenants, hookOf } = await stand(t)
  await over(1)
  t.equal(room.presence.counts.subscriptions, 1)
  webhooks.configure(tenants(hookOf(), hookOf({ destinations: ['bob'] })))
  await over(2)
  t.match(bodies()[1], { destination: 'bob', snapshot: true })
  webhooks.configure(tenants(hookOf({ destinations: ['bob'] })))
  t.equal(room.presence.counts.subscriptions, 1)
  room.phone('alice')
  await room.clock.settle(2_000)
  t.equal(app.told.length, 2)
  room.phone('bob')
  await over(3, 1_000)
  t.match(bodies()[2], { destination: 'bob', snapshot: false })
  webhooks.close()
  t.equal(room.presence.counts.subscriptions, 0)
})
