// Presence over HTTP: the resource of one and of many, who may read how much of it, and a supervisor's word.

import t from 'tap'
import { EventStream } from '../../src/http/event-stream.js'
import { PresenceEvents } from '../../src/http/presence-events.js'
import { newApi } from '../support/http-api.js'
import { aSecret } from '../support/room.js'

const tenant = { groups: { support: { members: ['alice', 'bob', 'carol'] } } }

const stand = async (test: Parameters<typeof newApi>[0]) => {
  const api = await newApi(test, {
    rest: {
      tenants: {
        acme: { keys: [{ alg: 'HS256', secret: aSecret }], ...tenant },
        globex: { keys: [{ alg: 'HS256', secret: aSecret }] },
      },
    },
  })
  api.room.phone('alice')
  const read = await api.token('wallboard', ['presence:read'])
  const get = (path: string, token = read) => api.ask('GET', `/v1/presence${path}`, { token })
  return { api, read, get }
}

t.test('[C7] the presence status resource of a destination is read by name', async t => {
  const { api, get } = await stand(t)
  const { status, json } = await get('/support')
  t.equal(status, 200)
  t.match(json, {
    destination: 'support',
    kind: 'group',
    status: 'available',
    counts: { available: 1, offline: 2 },
  })
  t.same(
    json.accounts.map(({ account }: { account: string }) => account),
    ['alice', 'bob', 'carol'],
  )
  t.notOk('devices' in json.accounts[0], 'who is there is not how many phones they have')
  t.match((await get('/nobody')).json, { kind: 'account', status: 'offline' })
  const elsewhere = await api.token('wallboard', ['presence:read'], 'globex')
  t.match((await get('/alice', elsewhere)).json, { status: 'offline' }, 'another tenant sees nothing of it')
})

t.test('a view says how much; pages go on from a cursor', async t => {
  const { get } = await stand(t)
  t.notOk('accounts' in (await get('/support?view=summary')).json)
  const first = (await get('/support?limit=2')).json
  t.equal(first.accounts.length, 2)
  const second = (await get(`/support?limit=2&cursor=${first.cursor}`)).json
  t.match(second.accounts, [{ account: 'carol' }])
  t.notOk('cursor' in second)
})

t.test('devices are shown by right, and always one’s own', async t => {
  const { api, get } = await stand(t)
  const devices = await api.token('lead', ['presence:read', 'presence:devices'])
  t.match((await get('/support', devices)).json.accounts[0].devices, [{ device: 'phone', link: 'attached' }])
  const own = await api.token('alice', ['presence:read'])
  t.match((await get('/alice', own)).json.accounts[0].devices, [{ device: 'phone' }])
  t.notOk('devices' in (await get('/support', own)).json.accounts[0])
})

t.test('[C7] the routing view is for the router', async t => {
  const { api, get } = await stand(t)
  t.match((await get('/support?view=routing')).json.error, { code: 'forbidden', message: /presence:route/ })
  const router = await api.token('router', ['presence:read', 'presence:route'])
  t.match((await get('/support?view=routing', router)).json.accounts[0], {
    routing: { canReceive: true, freeCapacity: 1 },
    devices: [{ rank: 0 }],
  })
})

t.test('a token for one destination reads that one only', async t => {
  const { api, get } = await stand(t)
  const token = await api.token('wallboard', ['presence:read:support'])
  t.equal((await get('/support', token)).status, 200)
  t.match((await get('/alice', token)).json.error, { code: 'forbidden', message: /presence:read for alice/ })
  t.equal((await get('?destination=support&destination=alice', token)).status, 403)
  const none = await api.token('eve', ['call:place'])
  t.equal((await get('/support', none)).status, 403)
})

t.test('[C11] many destinations are one request and one answer, in the order asked', async t => {
  const { api, read, get } = await stand(t)
  const names = ({ resources }: { resources: { destination: string }[] }) => resources.map(r => r.destination)
  t.same(names((await get('?destination=bob&destination=support&destination=alice')).json), [
    'bob',
    'support',
    'alice',
  ])
  t.same(names((await get('?destination=bob&view=summary')).json), ['bob'])
  const destinations = Array.from({ length: 500 }, (_, n) => `contact-${499 - n}`)
  const post = (body: object) => api.ask('POST', '/v1/presence', { token: read, body })
  t.same(names((await post({ destinations, view: 'summary' })).json), destinations)
  t.same((await post({ destinations: [] })).json, { resources: [] })

  t.match((await post({ destinations: [...destinations, 'one-more'] })).json.error, {
    code: 'invalid',
    message: /destinations/,
  })
  t.match((await post({ destinations: ['..'] })).json.error, {
    code: 'invalid',
    message: /destinations\[0\] must be a name/,
  })
  t.match((await post({ destinations: ['a'], view: 'all' })).json.error, { code: 'invalid', message: /view/ })
  const query = Array.from({ length: 101 }, (_, n) => `destination=a${n}`).join('&')
  t.match((await get(`?${query}`)).json.error, { code: 'invalid', message: /destination/ })
  t.match((await get('')).json.error, { code: 'invalid', message: /destination is missing/ })
})

t.test('what several destinations hold in all is bounded; one alone, and a summary, are not', async t => {
  const members = Array.from({ length: 25_001 }, (_, n) => `agent-${n}`)
  const keys = [{ alg: 'HS256', secret: aSecret }]
  const api = await newApi(t, { rest: { tenants: { acme: { keys, groups: { all: { members } } } } } })
  const token = await api.token('wallboard', ['presence:read'])
  const post = (body: object) => api.ask('POST', '/v1/presence', { token, body })
  const twice = await post({ destinations: ['all', 'all'] })
  t.equal(twice.status, 413)
  t.match(twice.json.error, { code: 'too-large', message: /at most 50000 accounts in all.*view summary/ })
  t.equal((await post({ destinations: ['all'] })).status, 200)
  t.equal((await post({ destinations: Array(500).fill('all'), view: 'summary' })).status, 200)
  t.equal((await api.ask('GET', '/v1/presence/all', { token })).status, 200)
})

t.test('[FH6] names are percent-decoded once, and held to the rule for names', async t => {
  const { api, read, get } = await stand(t)
  t.equal((await get('/%61lice')).json.destination, 'alice')
  t.equal((await get('/%2B15550100')).json.destination, '+15550100')
  t.equal((await get(`/${'%61'.repeat(128)}`)).json.destination, 'a'.repeat(128))
  for (const name of ['%00', 'a..b', '.a', 'a.', '%2561', 'a%2Fb', '%C3%A9', 'a%20b', 'a'.repeat(129)]) {
    const { status, json } = await get(`/${name}`)
    t.match([status, json.error], [400, { code: 'invalid', message: /destination must be a name/ }], name)
  }
  for (const name of ['..', '%2e%2e', '.']) {
    const head = `Host: hub\r\nAuthorization: Bearer ${read}\r\nConnection: close`
    const heard = await api.raw(`GET /v1/presence/${name} HTTP/1.1\r\n${head}\r\n\r\n`)
    t.match(heard, /^HTTP\/1.1 400 .*destination must be a name/s, name)
  }
  const bad = await get('/%zz')
  t.match([bad.status, bad.json.error], [400, { code: 'invalid', message: /percent-encoded/ }])
})

t.test('[FH6] limits and cursors out of bounds are refused, naming the field', async t => {
  const { get } = await stand(t)
  for (const [query, path] of [
    ['limit=10001', 'limit'],
    ['limit=0', 'limit'],
    ['limit=1e3', 'limit'],
    ['limit=9999999999999999', 'limit'],
    ['cursor=-1', 'cursor'],
    ['cursor=1234567890123456', 'cursor'],
    ['cursor=x', 'cursor'],
    ['cursor=1&cursor=2', 'cursor'],
    ['view=everything', 'view'],
  ] as const) {
    const { status, json } = await get(`/support?${query}`)
    t.match([status, json.error.details[0].path], [400, path], query)
  }
})

t.test('a supervisor sets an account’s status, and clears it', async t => {
  const { api, get } = await stand(t)
  const supervisor = await api.token('lead', ['presence:write'])
  const put = (account: string, body: object, token = supervisor) =>
    api.ask('PUT', `/v1/presence/${account}/status`, { token, body })
  const set = await put('alice', { status: 'away', note: 'lunch', until: '2026-01-01T01:00:00Z' })
  t.match([set.status, set.json], [200, {}])
  t.match((await get('/alice')).json.accounts[0], {
    status: 'away',
    note: 'lunch',
    until: '2026-01-01T01:00:00.000Z',
  })
  t.equal((await put('alice', { status: null }, await api.token('root', ['admin']))).status, 200)
  t.equal((await get('/alice')).json.status, 'available')

  t.match((await put('support', { status: 'away' })).json.error, { code: 'name-taken' })
  t.match((await put('alice', { status: 'asleep' })).json.error, { code: 'invalid', message: /status/ })
  t.match((await put('alice', { status: 'away', until: '2020-01-01T00:00:00Z' })).json.error, {
    code: 'invalid',
    message: /until/,
  })
  t.match((await put('.a', { status: 'away' })).json.error, { code: 'invalid', message: /account/ })
  t.equal((await put('alice', { status: 'away' }, await api.token('alice', ['presence:read']))).status, 403)
})

t.test('[C12] the feed as server-sent events: a snapshot, then each change', async t => {
  const { api, read, get } = await stand(t)
  const feed = await api.follow('/v1/presence/support/events', { token: read })
  const next = async () => {
    for (;;) {
      const event = await feed.next()
      if (event?.event === 'presence') return JSON.parse(String(event.data))
    }
  }
  const snapshot = await next()
  t.match(snapshot, { snapshot: true, destination: 'support', counts: { available: 1 } })
  t.notOk('devices' in snapshot.accounts[0])
  const bob = api.room.phone('bob')
  const diff = await next()
  t.match(diff, {
    snapshot: false,
    prev: snapshot.version,
    accounts: [{ account: 'bob', status: 'available' }],
  })
  bob.leave()
  await api.room.clock.settle(100)
  t.match(await next(), { prev: diff.version, accounts: [{ account: 'bob', status: 'offline' }] })
  t.equal(api.room.presence.counts.subscriptions, 1)
  await api.room.clock.settle(3600_000)
  await feed.rest()
  t.equal(api.room.presence.counts.subscriptions, 0, 'it ends with the token')

  t.equal((await get('/support/events?view=routing')).status, 403)
  t.equal((await api.ask('GET', '/v1/presence/support/events')).status, 401)
})

t.test(
  '[FH5] a reader of the feed with no room finds a fresh snapshot in place of what it missed',
  async t => {
    const { api } = await stand(t)
    const { clock, presence } = api.room
    const grant = {
      tenant: 'acme',
      account: 'x',
      scopes: new Set(),
      groups: [],
      expires: clock.wall() + 60_000,
    }
    const query = { view: 'full', devices: false } as const
    const events = new PresenceEvents(presence, grant as never, 'support' as never, query, clock)
    let woken = 0
    const unwatch = events.watch(() => woken++)
    const next = () => {
      const data = /^data: (.*)$/m.exec(events.next() ?? '')?.[1]
      return data && JSON.parse(data)
    }
    t.match(next(), { snapshot: true, version: 4 })
    t.equal(next(), undefined)
    const bob = api.room.phone('bob')
    await clock.settle(1000)
    const before = woken
    bob.leave()
    await clock.settle(1000)
    t.ok(woken > before)
    t.match(next(), { snapshot: true, version: 6, counts: { available: 1 } })
    events.probe()
    clock.advance(60_000)
    t.ok(events.over)
    t.equal(next(), undefined)
    unwatch()
  },
)

t.test('[FH5] a reader of the feed who never reads holds little, and is let go', async t => {
  const { api } = await stand(t)
  const { clock, presence } = api.room
  const says = { tenant: 'acme', account: 'x', scopes: new Set(), groups: [] }
  const grant = { ...says, expires: clock.wall() + 3_600_000 }
  const query = { view: 'full', devices: false } as const
  const events = new PresenceEvents(presence, grant as never, 'support' as never, query, clock)
  let unread = 0
  const stream = new EventStream(events, clock, () => unread++)
  stream.read(0)
  for (let count = 0; count < 1_000; count++) {
    api.room.phone('bob').leave()
    await clock.settle(10)
  }
  t.ok(stream.readableLength < 96 * 1024, `${stream.readableLength} bytes for two thousand changes`)
  t.equal(presence.counts.subscriptions, 1)
  await clock.settle(30_000)
  t.ok(stream.destroyed)
  t.equal(unread, 1)
  await new Promise(resolve => setImmediate(resolve))
  t.equal(presence.counts.subscriptions, 0)
})
