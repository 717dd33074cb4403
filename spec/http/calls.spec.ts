// Calls over HTTP, before the real router and presence: placed, retried, waited for, listed, signalled and ended.

import t from 'tap'
import type { Inbox } from '../../src/http/inbox.js'
import type { CallId } from '../../src/protocol/index.js'
import type { Router } from '../../src/router/index.js'
import { type Api, newApi, until } from '../support/http-api.js'
import { aSecret, type FakePhone } from '../support/room.js'

const globex = { globex: { keys: [{ alg: 'HS256', secret: aSecret }] } }
const acme = {
  acme: { keys: [{ alg: 'HS256', secret: aSecret }], groups: { support: { members: ['alice', 'bob'] } } },
}

const stand = async (test: Parameters<typeof newApi>[0], options: Parameters<typeof newApi>[1] = {}) => {
  const api = await newApi(test, { rest: { tenants: { ...acme, ...globex } }, ...options })
  const token = await api.token('pbx', ['call:inbound'])
  const place = (body: object = { to: 'alice', from: '+15550199' }, more: object = {}, query = '') =>
    api.ask('POST', `/v1/calls${query}`, { token, body, ...more })
  return { api, token, place }
}

/** Lets the router bring the call to the phone, and gives the call. */
const rung = async (api: Api, phone: FakePhone): Promise<CallId> => {
  await api.room.clock.settle()
  const invite = phone.frames.find(frame => frame.type === 'invite')
  if (invite === undefined) throw new Error('not rung')
  return invite.call
}

t.test('[C4] an outside system places a call, and reads what becomes of it', async t => {
  const { api, token, place } = await stand(t)
  const alice = api.room.phone('alice')
  const placed = await place({ to: 'alice', from: '+15550199', params: { lang: 'fr' }, sdp: 'v=0' })
  t.equal(placed.status, 201)
  t.match(placed.json, { call: 'call-1', state: /received|planning/ })
  t.equal(placed.headers.get('location'), '/v1/calls/call-1')
  t.equal(placed.headers.get('cache-control'), 'no-store')

  const call = await rung(api, alice)
  t.match(
    alice.frames.find(frame => frame.type === 'invite'),
    { params: { lang: 'fr' }, sdp: 'v=0', from: '+15550199' },
  )
  t.equal((await api.ask('GET', '/v1/calls/call-1', { token })).json.state, 'ringing')
  alice.accept(call, 'v=0 answer')
  const { json } = await api.ask('GET', '/v1/calls/call-1', { token })
  t.match(json, {
    call: 'call-1',
    to: 'alice',
    from: '+15550199',
    state: 'connected',
    by: { account: 'alice', device: 'phone' },
    sdp: 'v=0 answer',
    createdAt: '2026-01-01T00:00:00.000Z',
  })
  t.notOk('owner' in json, 'whose token placed it is nobody’s business')
  t.notOk('timeline' in json)
})

t.test('a call may bring its own instructions, which the router judges', async t => {
  const { api, place } = await stand(t)
  const alice = api.room.phone('alice')
  const steps = [{ dial: { to: ['alice'] } }]
  t.equal((await place({ to: 'anything at all', from: '', instructions: { steps } })).status, 201)
  await rung(api, alice)
  const refused = await place({ to: 'alice', from: '', instructions: { steps: [{ dance: {} }] } })
  t.match([refused.status, refused.json.error.code], [400, 'invalid'])
})

t.test('the timeline is for those who may ask why', async t => {
  const { api, place } = await stand(t)
  await place()
  for (const scopes of [['call:inbound', 'call:explain'], ['admin']]) {
    const { json } = await api.ask('GET', '/v1/calls/call-1', { token: await api.token('pbx', scopes) })
    t.match(json.timeline, [{ event: 'received' }])
  }
})

t.test('a body that does not fit is refused, naming each field', async t => {
  const { place } = await stand(t)
  const bodies: [body: unknown, path: string][] = [
    [{ from: '1' }, 'to'],
    [{ to: '', from: '1' }, 'to'],
    [{ to: 'x'.repeat(129), from: '1' }, 'to'],
    [{ to: 'a\r\nb', from: '1' }, 'to'],
    [{ to: 'alice' }, 'from'],
    [{ to: 'alice', from: 'x'.repeat(129) }, 'from'],
    [{ to: 'alice', from: '1', params: { n: 1 } }, 'params.n'],
    [{ to: 'alice', from: '1', sdp: 7 }, 'sdp'],
    [[], 'body'],
  ]
  for (const [body, path] of bodies) {
    const { status, json } = await place(body as object)
    t.match([status, json.error.code, json.error.details[0].path], [400, 'invalid', path])
    t.match(json.error.message, path)
  }
  const large = await place({ to: 'alice', from: '1', params: { a: 'x'.repeat(4096) } })
  t.match(large.json.error, {
    code: 'invalid',
    message: 'at most 4096 bytes in the params of a call (limits.paramsBytes)',
  })
  for (const [statusCallback, message] of [
    ['/status', 'statusCallback.url must be an absolute URL'],
    ['ftp://example.com', 'statusCallback.url must be an http or https URL'],
    [{ url: 'https://example.com', events: ['hungup'] }, /^statusCallback\.events\[0\] must be one of/],
    [{ url: 'https://example.com', method: 'PUT' }, /^statusCallback\.method must be one of/],
    [7, /^statusCallback must be/],
  ]) {
    const { status, json } = await place({ to: 'alice', from: '1', statusCallback })
    t.match([status, json.error], [400, { code: 'invalid', message }])
  }
  for (const waitMs of ['60001', '-1', 'x', '1.5', '1&waitMs=2']) {
    const { status, json } = await place(undefined, {}, `?waitMs=${waitMs}`)
    t.match([status, json.error.details[0].path], [400, 'waitMs'])
  }
})

t.test('a draining hub takes no calls, and says when to try again', async t => {
  const { api, place } = await stand(t)
  void api.room.router.drain()
  const { status, json, headers } = await place(undefined, { headers: { 'idempotency-key': 'k' } })
  t.match([status, json.error.code, headers.get('retry-after')], [503, 'draining', /^\d+$/])
})

t.test('[FH3] a repeated Idempotency-Key answers with the first call', async t => {
  const { api, token, place } = await stand(t)
  const alice = api.room.phone('alice')
  const key = (value: string) => ({ headers: { 'idempotency-key': value } })
  const body = { to: 'alice', from: '+15550199' }
  t.equal((await place(body, key('one'))).status, 201)
  alice.accept(await rung(api, alice))
  const again = await place(body, key('one'))
  t.match([again.status, again.json], [200, { call: 'call-1', state: 'connected' }])
  const other = await place({ ...body, from: '+1' }, key('one'))
  t.match([other.status, other.json.error.code], [422, 'idempotency-mismatch'])

  const others = await api.token('another-pbx', ['call:inbound'])
  t.equal(
    (await place(body, { token: others, ...key('one') })).json.call,
    'call-2',
    'keys are each account’s own',
  )
  const elsewhere = await api.token('pbx', ['call:inbound'], 'globex')
  t.equal((await place(body, { token: elsewhere, ...key('one') })).json.call, 'call-3', 'and each tenant’s')

  for (const bad of ['x'.repeat(256), 'two words', 'é'] as const) {
    const { status, json } = await place(body, key(bad))
    t.match([status, json.error.details[0].path], [400, 'idempotency-key'])
  }
  t.equal((await place(body, key('x'.repeat(255)))).status, 201)

  api.room.clock.advance(1000)
  await api.ask('DELETE', '/v1/calls/call-1', { token })
  api.room.clock.advance(20 * 60_000)
  t.equal((await api.ask('GET', '/v1/calls/call-1', { token })).status, 404)
  const forgotten = await place(body, { token: await api.token('pbx', ['call:inbound']), ...key('one') })
  t.match(
    [forgotten.status, forgotten.json],
    [200, { call: 'call-1', state: 'ended' }],
    'even when it is forgotten',
  )
  const waiting = await place(
    body,
    { token: await api.token('pbx', ['call:inbound']), ...key('one') },
    '?waitMs=60000',
  )
  t.match(waiting.json, { call: 'call-1', state: 'ended' }, 'which nobody waits for')
  api.room.clock.advance(24 * 3_600_000)
  const nextDay = await place(body, { token: await api.token('pbx', ['call:inbound']), ...key('one') })
  t.equal(nextDay.status, 201, 'a day later the key is free')
})

t.test('[FH3] a thousand equal requests at once place one call', async t => {
  const { api, place } = await stand(t)
  const answers = await Promise.all(
    Array.from({ length: 1000 }, () => place(undefined, { headers: { 'idempotency-key': 'storm' } })),
  )
  t.same([...new Set(answers.map(({ json }) => json.call))], ['call-1'])
  t.equal(answers.filter(({ status }) => status === 201).length, 1)
  t.equal(api.room.router.counts.placed, 1)
})

t.test('?waitMs answers when the call is answered', async t => {
  const { api, place } = await stand(t)
  const alice = api.room.phone('alice')
  const waiting = place(undefined, {}, '?waitMs=60000')
  await until(() => api.room.router.counts.placed > 0)
  alice.accept(await rung(api, alice))
  const { status, json } = await waiting
  t.match([status, json.state, json.by.account], [201, 'connected', 'alice'])
  t.notOk('owner' in json)
})

t.test('?waitMs answers when the call is over, and at once when it is already', async t => {
  const { place } = await stand(t)
  const first = await place(
    { to: 'nobody', from: '' },
    { headers: { 'idempotency-key': 'k' } },
    '?waitMs=60000',
  )
  t.match([first.status, first.json.state, first.json.reason], [201, 'ended', 'unavailable'])
  const again = await place(
    { to: 'nobody', from: '' },
    { headers: { 'idempotency-key': 'k' } },
    '?waitMs=60000',
  )
  t.match([again.status, again.json.state, again.json.reason], [200, 'ended', 'unavailable'])
})

t.test('?waitMs answers with the call as it is when the time is up', async t => {
  const { api, place } = await stand(t)
  const alice = api.room.phone('alice')
  const waiting = place(undefined, {}, '?waitMs=5000')
  await until(() => api.room.router.counts.placed > 0)
  await rung(api, alice)
  api.room.clock.advance(5005)
  const { status, json } = await waiting
  t.match([status, json.state], [201, 'ringing'])
})

t.test('[FH4] who waits is bounded for each call, and leaves nothing behind', async t => {
  let inbox: Inbox | undefined
  const { api, place } = await stand(t, {
    wrap: ({ router }) => ({
      router: {
        ...router,
        place(request) {
          inbox = request.caller as Inbox
          return router.place(request)
        },
      },
    }),
  })
  const alice = api.room.phone('alice')
  const keyed = { headers: { 'idempotency-key': 'k' } }
  const gone = new AbortController()
  const waiting = Array.from({ length: 16 }, () =>
    place(undefined, { ...keyed, signal: gone.signal }, '?waitMs=60000').catch(error => error.name),
  )
  await until(() => inbox?.crowded === true)
  const { status, json } = await place(undefined, keyed, '?waitMs=60000')
  t.match([status, json.error.code], [429, 'too-many'])
  gone.abort()
  t.same(new Set(await Promise.all(waiting)), new Set(['AbortError']))
  await until(() => inbox?.crowded === false)
  const call = await rung(api, alice)
  const last = place(undefined, keyed, '?waitMs=60000')
  t.ok(alice.accept(call), 'the call went on')
  t.equal((await last).json.state, 'connected', 'and there is room again')
})

t.test('calls are listed a page at a time, newest first', async t => {
  const { api, token, place } = await stand(t)
  for (let n = 1; n <= 5; n++) {
    await place({ to: `nobody-${n}`, from: '' })
    await api.room.clock.settle(1000)
  }
  await place({ to: 'alice', from: '' }, { token: await api.token('another-pbx', ['call:inbound']) })
  const list = async (query: string, as = token) =>
    (await api.ask('GET', `/v1/calls${query}`, { token: as })).json
  const ids = ({ calls }: { calls: { call: string }[] }) => calls.map(({ call }) => call)
  const first = await list('?limit=3')
  t.same(ids(first), ['call-5', 'call-4', 'call-3'])
  t.same(ids(await list(`?limit=3&cursor=${first.cursor}`)), ['call-2', 'call-1'])
  t.same(ids(await list('?state=ended&since=2026-01-01T00:00:03Z')), ['call-5', 'call-4'])
  t.same(ids(await list('?state=connected')), [])
  t.equal(
    ids(await list('', await api.token('root', ['admin']))).length,
    6,
    'administrators see all of the tenant’s',
  )
  t.same(ids(await list('', await api.token('root', ['admin'], 'globex'))), [])
  t.notOk('owner' in (await list('')).calls[0])
})

t.test('[FH6] a forged or oversized listing is refused, naming the field', async t => {
  const { api, token } = await stand(t)
  const queries: [query: string, path: string][] = [
    ['limit=201', 'limit'],
    ['limit=0', 'limit'],
    ['limit=1000000000', 'limit'],
    ['limit=-1', 'limit'],
    ['limit=1&limit=2', 'limit'],
    ['state=asleep', 'state'],
    ['since=yesterday', 'since'],
    ['since=2026-99-01T00:00:00Z', 'since'],
    ['cursor=forged', 'cursor'],
    [`cursor=${'9'.repeat(200)}`, 'cursor'],
  ]
  for (const [query, path] of queries) {
    const { status, json } = await api.ask('GET', `/v1/calls?${query}`, { token })
    t.match([status, json.error.code], [400, 'invalid'], query)
    t.match(json.error.message, path)
  }
})

t.test('[FH6] a call that is not yours is as unknown as one that never was', async t => {
  const { api, place } = await stand(t)
  await place()
  const strangers = [await api.token('eve', ['call:inbound']), await api.token('pbx', ['admin'], 'globex')]
  const asks: [method: string, path: string, body?: object][] = [
    ['GET', ''],
    ['GET', '/events'],
    ['DELETE', ''],
    ['POST', '', { signal: 1 }],
  ]
  for (const [method, path, body] of asks) {
    const of = async (call: string, token: string) => {
      const { status, text } = await api.ask(method, `/v1/calls/${call}${path}`, { token, body })
      return [status, text]
    }
    for (const token of strangers) {
      const unknown = await of('no-such-call', token)
      t.equal(unknown[0], 404)
      t.same(await of('call-1', token), unknown)
    }
  }
})

t.test('the caller gives up, or hangs up; and an administrator may do so for them', async t => {
  const { api, token, place } = await stand(t)
  const alice = api.room.phone('alice')
  await place()
  await rung(api, alice)
  const given = await api.ask('DELETE', '/v1/calls/call-1', { token })
  t.match([given.status, given.text], [204, ''])
  t.equal((await api.ask('GET', '/v1/calls/call-1', { token })).json.reason, 'canceled')
  const again = await api.ask('DELETE', '/v1/calls/call-1', { token })
  t.match([again.status, again.json.error.code], [409, 'call-gone'])

  await place()
  await api.room.clock.settle()
  alice.accept('call-2' as CallId)
  t.equal(
    (await api.ask('DELETE', '/v1/calls/call-2', { token: await api.token('root', ['admin']) })).status,
    204,
  )
  t.equal((await api.ask('GET', '/v1/calls/call-2', { token })).json.reason, 'completed')
})

t.test('signals go to the other side; new instructions are for later versions', async t => {
  const { api, token, place } = await stand(t)
  const alice = api.room.phone('alice')
  await place()
  await rung(api, alice)
  const post = (body: object) => api.ask('POST', '/v1/calls/call-1', { token, body })
  const sent = await post({ signal: { candidate: 'udp' } })
  t.match([sent.status, sent.json], [200, {}])
  t.match(alice.frames.at(-1), { type: 'signal', call: 'call-1', data: { candidate: 'udp' } })
  t.equal((await post({ signal: null })).status, 200, 'null is data, too')
  const wrong = await post({ instructions: { steps: [{ dance: {} }] } })
  t.match([wrong.status, wrong.json.error], [400, { code: 'invalid', message: /^instructions\.steps\[0\]/ }])
  const oneOf = { code: 'invalid', message: 'one of signal, performed and instructions must be there' }
  t.match((await post({})).json.error, oneOf)
  t.match((await post({ signal: 1, performed: { step: 0, outcome: 'done' } })).json.error, oneOf)
  t.match((await post({ signal: 'é'.repeat(8192) })).json.error, { code: 'invalid', message: /16384 bytes/ })
  const elsewhere = await post({ instructions: { steps: [{ reject: { reason: 'busy' } }] } })
  t.match([elsewhere.status, elsewhere.json], [200, {}])
  await api.room.clock.settle()
  t.match(alice.heard.at(-1), 'cancel caller-canceled')
  t.match((await api.ask('GET', '/v1/calls/call-1', { token })).json, { state: 'ended', reason: 'busy' })
  t.match((await post({ instructions: { steps: [{ hangup: {} }] } })).json.error, { code: 'call-gone' })
  await api.ask('DELETE', '/v1/calls/call-1', { token })
  t.match((await post({ signal: 1 })).json.error, { code: 'call-gone' })
})

t.test(
  'a gateway over HTTP says what it performs, is asked for it as an event, and says what became of it',
  async t => {
    const { api, token } = await stand(t)
    const steps = [{ say: 'Hello' }, { gather: {} }, { reject: {} }]
    const body = { to: 'x', from: '+1', performs: ['gather'], instructions: { steps } }
    const { status, json } = await api.ask('POST', '/v1/calls', { token, body })
    t.equal(status, 201)
    await api.room.clock.settle()
    const report = async (performed: object) => {
      const { status, json: answer } = await api.ask('POST', `/v1/calls/${json.call}`, {
        token,
        body: { performed },
      })
      return [status, answer.error?.code]
    }
    t.same(await report({ step: 1, outcome: 'done' }), [409, 'conflict'])
    t.same(await report({ outcome: 'done' }), [400, 'invalid'])
    t.same(await report({ step: 0, outcome: 'done', data: 'x'.repeat(16_384) }), [400, 'invalid'])
    t.same(await report({ step: 0, outcome: 'done', data: { digits: '1' } }), [200, undefined])
    await api.room.clock.settle()
    t.same(await report({ step: 0, outcome: 'done' }), [409, 'call-gone'])
    t.equal((await api.ask('GET', `/v1/calls/${json.call}`, { token })).json.reason, 'rejected')
    const events = await api.ask('GET', `/v1/calls/${json.call}/events`, { token })
    t.match(events.text, /event: perform\ndata: \{"type":"perform".*"step":0,"verb":"gather"/)
    const none = await api.ask('POST', '/v1/calls', { token, body: { ...body, performs: ['x'.repeat(33)] } })
    t.equal(none.status, 400)
  },
)

t.test(
  'a call that was placed on a socket is read, signalled and ended here too, and followed there',
  async t => {
    const { api, token } = await stand(t)
    const alice = api.room.phone('alice')
    const { call, caller } = await api.room.call('alice', { caller: { account: 'pbx' as never, send() {} } })
    t.equal(caller.request.to, 'alice')
    t.equal((await api.ask('GET', `/v1/calls/${call}`, { token })).status, 200)
    const events = await api.ask('GET', `/v1/calls/${call}/events`, { token })
    t.match([events.status, events.json.error.code], [409, 'conflict'])
    t.equal((await api.ask('POST', `/v1/calls/${call}`, { token, body: { signal: 1 } })).status, 200)
    t.match(alice.frames.at(-1), { type: 'signal', data: 1 })
    t.equal((await api.ask('DELETE', `/v1/calls/${call}`, { token })).status, 204)
    t.same(alice.heard, ['invite', 'signal', 'cancel caller-canceled'])
  },
)

t.test('without the permission there is nothing to see', async t => {
  const { api } = await stand(t)
  const token = await api.token('eve', ['presence:read', 'call:place', 'call:explain'])
  for (const [method, path] of [
    ['POST', '/v1/calls'],
    ['GET', '/v1/calls'],
    ['GET', '/v1/calls/x'],
    ['GET', '/v1/calls/x/events'],
    ['POST', '/v1/calls/x'],
    ['DELETE', '/v1/calls/x'],
  ] as const) {
    const { status, json } = await api.ask(method, path, { token })
    t.match([status, json.error], [403, { code: 'forbidden', message: /call:inbound/ }])
  }
})

t.test('a fault of the router is ours: told without a word of the inside, and logged', async t => {
  const { api, token } = await stand(t, {
    wrap: ({ router }) => ({
      router: {
        ...(router as Router),
        list() {
          throw new TypeError('a secret of the inside')
        },
      },
    }),
  })
  const { status, text } = await api.ask('GET', `/v1/calls?token=${token}`, { token })
  t.equal(status, 500)
  t.same(JSON.parse(text), { error: { code: 'internal', message: 'something went wrong here' } })
  t.match(api.logged, [{ level: 'error', facts: { code: 'internal', route: '/v1/calls', error: TypeError } }])
  t.notMatch(JSON.stringify(api.logged), token)
})

t.test('[U16] who would be rung is told beforehand, to who may know', async t => {
  const { api, token } = await stand(t)
  api.room.phone('alice')
  const may = await api.token('lead', ['call:explain'])
  const { status, json } = await api.ask('POST', '/v1/explain', {
    token: may,
    body: { to: 'alice', from: '1' },
  })
  t.equal(status, 200)
  t.match(json.dials, [
    { destinations: [{ destination: 'alice', order: [{ account: 'alice', devices: ['phone'] }] }] },
  ])
  t.match((await api.ask('POST', '/v1/explain', { token: may, body: { to: 'nobody' } })).json.error, {
    code: 'not-found',
  })
  t.match((await api.ask('POST', '/v1/explain', { token: may, body: {} })).json.error, {
    message: 'to is missing',
  })
  t.equal((await api.ask('POST', '/v1/explain', { token, body: { to: 'alice' } })).status, 403)
})
