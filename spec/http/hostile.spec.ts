// Requests that no library would send, byte for byte: each is refused in the API's own form, counted once and told in
// one line of the log, and nobody else on the hub notices.

import { once } from 'node:events'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { Bounds } from '../../src/limits/index.js'
import { type Api, type ApiOptions, newApi, until } from '../support/http-api.js'

const place = '{"to":"nobody","from":""}'
const json = 'Content-Type: application/json'

const stand = async (t: Test, options: ApiOptions = {}) => {
  const api = await newApi(t, options)
  const token = await api.token('pbx', ['call:inbound', 'presence:read'])
  const auth = `Authorization: Bearer ${token}`
  return { api, token, auth }
}

const request = (...lines: readonly string[]): string => [...lines, '', ''].join('\r\n')

/** What is told and counted of refusals so far, by code. */
const toldOf = ({ logged }: Api): Record<string, number> => {
  const told: Record<string, number> = {}
  for (const { facts, message } of logged)
    if (message === 'a request was refused') told[String(facts.code)] = (told[String(facts.code)] ?? 0) + 1
  return told
}

const countedIn = async (api: Api, metric: string): Promise<Record<string, number>> => {
  const { text } = await api.ask('GET', '/metrics')
  const line = new RegExp(`^switchhook_${metric}\\{\\w+="([^"]+)"\\} (\\d+)$`, 'gm')
  return Object.fromEntries([...text.matchAll(line)].map(([, label, count]) => [label, Number(count)]))
}

t.test('[FH2] [FH6] a request that could be understood in two ways, or in none, is refused once', async t => {
  const { api, auth } = await stand(t)
  const post = (...more: string[]) => request('POST /v1/calls HTTP/1.1', 'Host: hub', auth, json, ...more)
  const get = (path: string, ...more: string[]) =>
    request(`GET ${path} HTTP/1.1`, 'Host: hub', auth, 'Connection: close', ...more)
  const length = `Content-Length: ${place.length}`
  const chunked = 'Transfer-Encoding: chunked'
  const cases: [what: string, bytes: string, status: number][] = [
    ['no Host', request('GET /healthz HTTP/1.1', 'Connection: close'), 400],
    ['two Hosts', get('/healthz', 'Host: evil'), 400],
    ['HTTP/0.9', 'GET /healthz\r\n\r\n', 400],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
    ['a method that there is not', request('BREW /healthz HTTP/1.1', 'Host: hub'), 400],
    ['CONNECT', request('CONNECT evil:80 HTTP/1.1', 'Host: evil'), 400],
    ['lines without CR', 'GET /healthz HTTP/1.1\nHost: hub\n\n', 400],
    ['NUL in a header', get('/healthz', 'X: a\0b'), 400],
    ['a space before the colon', get('/healthz', 'X : a'), 400],
    ['a folded line', get('/healthz', 'X: a\r\n b'), 400],
    ['NUL in the path', get('/v1/presence/a\0b'), 400],
    ['NUL in the path, encoded', get('/v1/presence/%00'), 400],
    ['encoded twice', get('/v1/presence/%252e%252e'), 400],
    ['up the path', get('/v1/presence/../../metrics'), 404],
    ['up the path, encoded', get('/v1/calls/%2e%2e%2f..%2fmetrics'), 404],
    ['a path that is no text', get('/v1/presence/%ff'), 400],
    ['two tokens', get('/v1/presence/alice', auth), 400],
    ['a URL of 15,000 characters', get(`/v1/presence/${'a'.repeat(15_000)}`), 400],
    ['a URL of 17,000 characters', get(`/v1/presence/${'a'.repeat(17_000)}`), 431],
    ['1,100 destinations', get(`/v1/presence?${'destination=a&'.repeat(1_100)}`), 400],
    ['a view twice, and a prototype', get('/v1/presence/a?__proto__[x]=1&view=full&view=full'), 400],
    ['101 headers', get('/healthz', ...Array<string>(98).fill('x:')), 431],
    ['5,000 headers', get('/healthz', ...Array<string>(3_000).fill('x:')), 431],
    ['two lengths', post('Content-Length: 5', 'Content-Length: 6') + place, 400],
    ['a length below zero', post('Content-Length: -5') + place, 400],
    ['a length with a sign', post('Content-Length: +5') + place, 400],
    ['a length beyond all numbers', post(`Content-Length: ${'9'.repeat(30)}`) + place, 400],
    ['a length, and chunks', `${post(chunked, length)}0\r\n\r\n`, 400],
    ['chunks, and a length', `${post(length, chunked)}0\r\n\r\n`, 400],
    ['chunked twice', `${post(chunked, chunked)}0\r\n\r\n`, 400],
    ['not quite chunked', `${post('Transfer-Encoding: xchunked')}0\r\n\r\n`, 400],
    ['identity', post('Transfer-Encoding: identity') + place, 400],
    ['a chunk of less than nothing', `${post(chunked)}-1\r\n`, 400],
    ['a chunk of 2^64', `${post(chunked)}ffffffffffffffff1\r\n`, 400],
    ['a chunk with 20,000 characters of extension', `${post(chunked)}1;${'x'.repeat(20_000)}\r\n{\r\n`, 400],
    [
      'a trailer of 30,000 characters',
      `${post(chunked)}${place.length.toString(16)}\r\n${place}\r\n0\r\nX: ${'x'.repeat(30_000)}\r\n\r\n`,
      431,
    ],
    ['packed on the way', `${post('Transfer-Encoding: gzip, chunked', 'Connection: close')}0\r\n\r\n`, 415],
    ['packed', `${post('Content-Encoding: gzip', 'Connection: close', length)}${place}`, 415],
    ['a body where there is none', `${get('/healthz', 'Content-Length: 5')}hello`, 415],
  ]
  const answers: Record<string, number> = {}
  for (const [what, bytes, status] of cases) {
    const before = api.logged.length
    const heard = await api.raw(Buffer.from(bytes, 'latin1'))
    t.match(
      heard,
      new RegExp(`^HTTP/1\\.1 ${status} .*\\{"error":\\{"code":"[a-z-]+","message":"`, 's'),
      what,
    )
    t.equal(heard.split('HTTP/1.1 ').length, 2, 'one answer')
    t.match(api.logged.slice(before), [{ level: 'info', facts: { peer: '127.0.0.1' } }], 'one line')
    t.equal(api.logged.length, before + 1)
    answers[status] = (answers[status] ?? 0) + 1
  }
  t.equal(api.room.router.counts.placed, 0)
  t.same(await countedIn(api, 'http_refused_total'), toldOf(api))
  t.match(await countedIn(api, 'http_responses_total'), answers)
  t.equal((await countedIn(api, 'http_responses_total'))['200'], 2, 'of the metrics alone')
})

t.test('what is odd and has one meaning is served', async t => {
  const { api, auth } = await stand(t)
  const close = ['Connection: close', `Content-Length: ${place.length}`]
  const served: [bytes: string, status: number][] = [
    [request('GET /healthz HTTP/1.0'), 200],
    [request('GET http://evil.example/healthz HTTP/1.1', 'Host: evil.example', 'Connection: close'), 200],
    [request('POST /v1/calls HTTP/1.1', 'Host: h', auth, json, 'Expect: pigs', ...close) + place, 201],
    [
      request('POST /v1/calls HTTP/1.1', 'Host: h', auth, json, 'Expect: 100-continue', ...close) + place,
      100,
    ],
    [`${request('GET /healthz HTTP/1.1', 'Host: h', json, 'Content-Length: 2', 'Connection: close')}{}`, 200],
    [request('HEAD /healthz HTTP/1.1', 'Host: h', 'Connection: close'), 404],
    [request('OPTIONS * HTTP/1.1', 'Host: h', 'Connection: close'), 404],
    [request('TRACE /healthz HTTP/1.1', 'Host: h', 'Connection: close'), 404],
  ]
  for (const [bytes, status] of served) t.match(await api.raw(bytes), new RegExp(`^HTTP/1\\.1 ${status} `))
  t.notMatch(await api.raw(request('TRACE / HTTP/1.1', 'Host: h', auth, 'Connection: close')), /Bearer/)
  t.equal(api.room.router.counts.placed, 2)
})

t.test(
  'requests that come at once on one connection are answered in their order, garbage after them unheard',
  async t => {
    const { api, auth } = await stand(t)
    const get = (name: string) => request(`GET /v1/presence/${name} HTTP/1.1`, 'Host: hub', auth)
    const names = Array.from({ length: 200 }, (_, number) => `name-${number}`)
    const heard = await api.raw(
      names.map(get).join('') + request('GET /healthz HTTP/1.1', 'Host: hub', 'Connection: close'),
    )
    t.same(
      [...heard.matchAll(/"destination":"([^"]+)"/g)].map(([, name]) => name),
      names,
    )
    api.room.phone('alice')
    const waiting = request(
      'POST /v1/calls?waitMs=60000 HTTP/1.1',
      'Host: hub',
      auth,
      json,
      `Content-Length: ${'{"to":"alice","from":""}'.length}`,
    )
    const before = api.logged.length
    const none = await api.raw(`${waiting}{"to":"alice","from":""}garbage\r\n\r\n`)
    t.equal(none, '', 'an answer to the garbage would be taken for one to the call')
    t.match(api.logged.slice(before), [{ facts: { code: 'invalid', peer: '127.0.0.1' } }])
    t.equal(api.logged.length, before + 1)
    t.equal(api.room.router.counts.placed, 1)
    t.equal(api.room.router.counts.live, 1, 'which goes on')
  },
)

t.test('[FH2] a body that does not end is refused by its time, and its line says whose it is', async t => {
  const { api, auth } = await stand(t)
  api.http.server.headersTimeout = 10
  api.http.server.requestTimeout = 20
  const head = request('POST /v1/calls HTTP/1.1', 'Host: hub', auth, json, 'Transfer-Encoding: chunked')
  t.match(await api.raw(`${head}1\r\n{\r\n`), /^HTTP\/1.1 408 .*took too long/s)
  t.same(api.logged, [
    {
      level: 'info',
      facts: {
        code: 'invalid',
        reason: 'the request took too long to arrive',
        method: 'POST',
        route: '/v1/calls',
        tenant: 'acme',
        account: 'pbx',
        peer: '127.0.0.1',
      },
      message: 'a request was refused',
    },
  ])
  t.same(await countedIn(api, 'http_responses_total'), { 408: 1 })
  t.same(await countedIn(api, 'http_refused_total'), { invalid: 1 })
})

t.test('[FH2] what all bodies on their way take is bounded; who has sent or leaves makes room', async t => {
  const bounds = new Bounds({ bodyBytes: 300 * 1024 })
  const { api, auth, token } = await stand(t, { bounds })
  const begin = async (length: string, start: string) => {
    const socket = connect(api.port, '127.0.0.1')
    const arrival = api.arrival()
    socket.write(`${request('POST /v1/calls HTTP/1.1', 'Host: hub', auth, json, length)}${start}`)
    const { request: arrived, response } = await arrival
    await until(() => arrived.listenerCount('data') > 0)
    return { socket, response }
  }
  const post = () =>
    api.ask('POST', '/v1/calls', { token, body: { to: 'nobody', from: '', more: 'x'.repeat(50_000) } })
  const first = await begin('Content-Length: 26', '{')
  const endless = await begin('Transfer-Encoding: chunked', '1\r\n{\r\n')
  const refused = await post()
  t.match(
    [refused.status, refused.json.error],
    [
      503,
      {
        code: 'overloaded',
        message: 'at most 307200 bytes of request bodies on their way (limits.bodyBytes)',
      },
    ],
  )
  t.equal(bounds.reached.bodyBytes, 1)
  const [heard] = await Promise.all([once(first.socket, 'data'), first.socket.write(' '.repeat(25))])
  t.match(String(heard), /^HTTP\/1\.1 400 /)
  t.equal((await post()).status, 503, 'one of unknown length may come to the limit')
  const gone = new Promise(resolve => endless.response.once('close', resolve))
  endless.socket.resetAndDestroy()
  await gone
  for (let times = 0; times < 20; times++) t.equal((await post()).status, 201)
  first.socket.destroy()
})

t.test('[FH2] one account that sends its bodies slowly leaves room for those of others', async t => {
  const bounds = new Bounds({ bodyBytesPerAccount: 600 })
  const { api, auth, token } = await stand(t, { bounds })
  const slow = connect(api.port, '127.0.0.1')
  slow.on('error', () => {})
  const arrival = api.arrival()
  slow.write(`${request('POST /v1/calls HTTP/1.1', 'Host: hub', auth, json, 'Content-Length: 590')}{`)
  const { request: arrived, response } = await arrival
  await until(() => arrived.listenerCount('data') > 0)
  const body = { to: 'nobody', from: '' }
  const refused = await api.ask('POST', '/v1/calls', { token, body })
  t.match(
    [refused.status, refused.json.error],
    [429, { code: 'too-many', message: /at most 600 bytes .* of one account .*limits\.bodyBytesPerAccount/ }],
  )
  t.equal(bounds.reached.bodyBytesPerAccount, 1)
  const other = await api.token('another-pbx', ['call:inbound'])
  t.equal((await api.ask('POST', '/v1/calls', { token: other, body })).status, 201)
  const gone = new Promise(resolve => response.once('close', resolve))
  slow.resetAndDestroy()
  await gone
  t.equal((await api.ask('POST', '/v1/calls', { token, body })).status, 201, 'who leaves makes room')
})

t.test('who leaves in the middle of a request is no refusal', async t => {
  const { api, auth } = await stand(t)
  for (const part of [
    'GET /v1/pres',
    request('POST /v1/calls HTTP/1.1', 'Host: hub', auth, json, 'Content-Length: 9'),
  ]) {
    const connected = once(api.http.server, 'connection')
    const socket = connect(api.port, '127.0.0.1')
    const [peer] = await connected
    const closed = new Promise(resolve => peer.once('close', resolve))
    const read = part.startsWith('POST') ? api.arrival() : once(peer, 'data')
    socket.write(part)
    await read
    socket.resetAndDestroy()
    await closed
  }
  await new Promise(resolve => setImmediate(resolve))
  t.same(api.logged, [])
  t.same(await countedIn(api, 'http_refused_total'), {})
})

t.test(
  '[FH5] a reader on a real connection that never reads holds a bounded part, and is let go',
  async t => {
    const { api, token, auth } = await stand(t)
    const alice = api.room.phone('alice')
    await api.ask('POST', '/v1/calls', { token, body: { to: 'alice', from: '' } })
    await api.room.clock.settle()
    const { call } = alice.frames.find(frame => frame.type === 'invite')!
    alice.accept(call)
    const socket = connect(api.port, '127.0.0.1').pause()
    socket.on('error', () => {})
    const arrival = api.arrival()
    socket.write(request('GET /v1/calls/call-1/events HTTP/1.1', 'Host: hub', auth))
    const { response } = await arrival
    const closed = new Promise(resolve => response.once('close', resolve))
    while (!response.writableNeedDrain) {
      for (let n = 0; n < 100; n++) api.room.router.signal(alice.party, call, 'x'.repeat(1_000))
      await new Promise(resolve => setImmediate(resolve))
    }
    for (let n = 0; n < 5_000; n++) api.room.router.signal(alice.party, call, 'x'.repeat(1_000))
    t.ok(
      response.writableLength < 64 * 1024,
      `${response.writableLength} bytes wait, however much there is to say`,
    )
    t.equal((await api.ask('GET', '/v1/presence/alice', { token })).status, 200, 'and others are served')
    api.room.clock.advance(30_000)
    await closed
    socket.destroy()
    t.match((await api.ask('GET', '/v1/calls/call-1', { token })).json, { state: 'connected' })
    const facts = { code: 'overloaded', reason: 'the stream was not read', account: 'pbx', peer: '127.0.0.1' }
    t.match(
      api.logged,
      [{ level: 'info', facts: { ...facts, route: '/v1/calls/:call/events' } }],
      'it is told',
    )
    t.same(await countedIn(api, 'http_refused_total'), { overloaded: 1 }, 'and counted')
  },
)

t.test(
  '[FH4] ten thousand who wait for their calls: so many wait as may, and leave when they leave',
  async t => {
    const limits = {
      requestsPerSecond: 1e6,
      callsPerTenant: 1e6,
      callsPerMinutePerAccount: 1e6,
      callsPerMinutePerTenant: 1e6,
    }
    const bounds = new Bounds(limits)
    const { api, auth, token } = await stand(t, { bounds, rest: { limits } })
    const body = JSON.stringify({ to: 'x', from: '', instructions: { steps: [{ pause: { ms: 600_000 } }] } })
    const wait = `${request(
      'POST /v1/calls?waitMs=60000 HTTP/1.1',
      'Host: hub',
      auth,
      json,
      `Content-Length: ${body.length}`,
    )}${body}`
    const before = process.memoryUsage().heapUsed
    const sockets = Array.from({ length: 100 }, () => connect(api.port, '127.0.0.1'))
    // A machine that is slow enough cuts some of them off before they leave.
    const closed = sockets.map(socket => new Promise(resolve => socket.once('close', resolve)))
    for (const socket of sockets) {
      socket.on('error', () => {})
      socket.resume()
      socket.write(wait.repeat(100))
    }
    await until(() => bounds.reached.streamsPerAccount === 9_000)
    const { placed, live } = api.room.router.counts
    t.same([placed, live], [1_000, 1_000], 'who may not wait has placed nothing')
    t.ok(process.memoryUsage().heapUsed - before < 300e6)
    t.equal((await api.ask('POST', '/v1/calls?waitMs=1', { token, body: { to: 'x', from: '' } })).status, 429)
    for (const socket of sockets) socket.resetAndDestroy()
    await Promise.all(closed)
    const again = async () =>
      (await api.ask('POST', '/v1/calls?waitMs=1', { token, body: { to: 'nobody', from: '' } })).status
    while ((await again()) === 429);
    t.equal(api.room.router.counts.live, 1_000, 'their calls go on')
  },
)
