// The web server itself: who comes in, in what form, what is told to whom who does not, and how it starts and stops.

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { get as secureGet } from 'node:https'
import { connect } from 'node:net'
import t from 'tap'
import { Revocations } from '../../src/gateway/token/index.js'
import { createHttp } from '../../src/http/index.js'
import { Bounds } from '../../src/limits/index.js'
import { nothingKept } from '../../src/store/index.js'
import { newApi, until } from '../support/http-api.js'
import { aSecret } from '../support/room.js'

const place = { to: 'nobody', from: '' }

t.test('[C1] a request is let in by its bearer token, and by nothing else', async t => {
  const api = await newApi(t)
  const token = await api.token('pbx', ['call:inbound'])
  const ask = (headers: Record<string, string>, path = '/v1/calls') => api.ask('GET', path, { headers })
  t.equal((await ask({ authorization: `bearer ${token}` })).status, 200)

  const none = await ask({})
  t.match(
    [none.status, none.json.error.code, none.headers.get('www-authenticate')],
    [401, 'unauthorized', 'Bearer'],
  )
  for (const authorization of [`Basic ${token}`, token, 'Bearer', 'Bearer a b']) {
    t.match((await ask({ authorization })).status, 401)
  }
  const forged = await ask({ authorization: `Bearer ${token.slice(0, -4)}AAAA` })
  t.match([forged.status, forged.headers.get('www-authenticate')], [401, 'Bearer error="invalid_token"'])
  t.notMatch(forged.text, token.slice(0, 20), 'a token is never echoed')

  for (const path of [`/v1/calls?token=${token}`, `/v1/calls?access_token=${token}`]) {
    t.equal((await ask({}, path)).status, 401, 'a token in a URL is not looked at')
  }
  t.equal((await ask({ cookie: `token=${token}` })).status, 401)
  t.notMatch(JSON.stringify(api.logged), token.slice(-40), 'nor logged')
  t.match(api.logged[0], {
    level: 'info',
    facts: { code: 'unauthorized', method: 'GET', route: '/v1/calls' },
  })
})

t.test('who asks is known before a byte of the body is looked at', async t => {
  const api = await newApi(t)
  const { status } = await api.ask('POST', '/v1/calls', {
    body: 'not JSON',
    headers: { 'content-type': 'text/plain' },
  })
  t.equal(status, 401)
  const token = await api.token('eve', ['presence:read'])
  t.equal((await api.ask('POST', '/v1/calls', { token, body: 'not JSON' })).status, 403)
})

t.test('what is not there is a JSON 404', async t => {
  const api = await newApi(t)
  for (const [method, path] of [
    ['GET', '/'],
    ['GET', '/v1'],
    ['GET', '/v2/calls'],
    ['PATCH', '/v1/calls'],
    ['DELETE', '/v1/calls'],
    ['POST', '/healthz'],
    ['OPTIONS', '/v1/calls'],
    ['POST', '/nowhere'],
  ] as const) {
    const { status, json } = await api.ask(method, path)
    t.match(
      [status, json],
      [404, { error: { code: 'not-found', message: 'no such resource' } }],
      `${method} ${path}`,
    )
  }
  t.equal((await api.ask('HEAD', '/v1/calls')).status, 404)
})

t.test('[FH1] a body is declared as JSON once, in those words, or refused', async t => {
  const api = await newApi(t)
  const token = await api.token('pbx', ['call:inbound'])
  const body = JSON.stringify(place)
  const post = (...headers: string[]) =>
    api.raw(
      [
        'POST /v1/calls HTTP/1.1',
        'Host: hub',
        `Authorization: Bearer ${token}`,
        'Connection: close',
        `Content-Length: ${body.length}`,
        ...headers,
        '',
        body,
      ].join('\r\n'),
    )
  for (const type of [
    'application/json',
    'Application/JSON',
    'application/json; charset=utf-8',
    'application/json;charset="UTF-8"',
  ]) {
    t.match(await post(`Content-Type: ${type}`), /^HTTP\/1.1 201 /, type)
  }
  const json = 'Content-Type: application/json'
  for (const headers of [
    [],
    ['Content-Type: '],
    ['Content-Type: application/json\ta'],
    ['Content-Type: application/json\t; charset=utf-8'],
    ['Content-Type: application/json;;'],
    ['Content-Type: application/json; charset=latin1'],
    ['Content-Type: application/json, text/plain'],
    ['Content-Type: application/jsonx'],
    ['Content-Type: text/plain'],
    ['Content-Type: multipart/form-data; boundary=x'],
    [json, json],
    [json, 'Content-Type: text/plain'],
    [json, 'Content-Encoding: gzip'],
  ]) {
    t.match(await post(...headers), /^HTTP\/1.1 415 .*"code":"unsupported-media-type"/s, headers.join())
  }
  const others = await api.ask('DELETE', '/v1/calls/x', {
    token,
    body: 'x',
    headers: { 'content-type': 'text/plain' },
  })
  t.equal(others.status, 415, 'where no body is asked for, too')
  t.equal(
    (await api.ask('DELETE', '/v1/calls/x', { token, headers: { 'content-type': 'application/json' } }))
      .status,
    404,
  )
})

t.test(
  '[FH2] what is too large, too slow, ambiguous or no HTTP is refused, quickly and in the same form',
  async t => {
    const api = await newApi(t)
    const token = await api.token('pbx', ['call:inbound'])
    const post = (body: string) => api.ask('POST', '/v1/calls', { token, body })
    const filled = (bytes: number) => {
      const body = JSON.stringify({ ...place, more: '' })
      return body.replace('"more":"', `"more":"${'x'.repeat(bytes - body.length)}`)
    }
    t.equal((await post(filled(256 * 1024))).status, 201)
    const head = (...more: string[]) =>
      [
        'POST /v1/calls HTTP/1.1',
        'Host: hub',
        `Authorization: Bearer ${token}`,
        'Content-Type: application/json',
        ...more,
        '',
        '',
      ].join('\r\n')
    const size = 256 * 1024 + 1
    t.match(await api.raw(head(`Content-Length: ${size}`)), /^HTTP\/1.1 413 .*"code":"too-large"/s)
    t.match(
      await api.raw(`${head('Transfer-Encoding: chunked')}${size.toString(16)}\r\n${'x'.repeat(size)}`),
      /^HTTP\/1.1 413 /,
    )
    const bad = /^HTTP\/1.1 400 .*"code":"invalid"/s
    t.match(await api.raw(`${head('Content-Length: 2', 'Transfer-Encoding: chunked')}0\r\n\r\n`), bad)
    t.match(await api.raw('hello\r\n\r\n'), bad)
    t.match(
      await api.raw(`GET / HTTP/1.1\r\nHost: hub\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`),
      /^HTTP\/1.1 431 .*"code":"too-large"/s,
    )

    t.equal(api.http.server.headersTimeout, 5_000)
    t.equal(api.http.server.requestTimeout, 15_000)
    api.http.server.headersTimeout = 10
    api.http.server.requestTimeout = 20
    const late = /^HTTP\/1.1 408 .*took too long/s
    const [body, headers] = await Promise.all([
      api.raw(`${head('Transfer-Encoding: chunked')}1\r\n{\r\n`),
      api.raw('GET /healthz HTTP/1.1\r\nHost: h'),
    ])
    t.match(body, late, 'a body without an end')
    t.match(headers, late, 'headers without an end')
  },
)

t.test('[FH2] who leaves in the middle of a body is nobody’s fault', async t => {
  const api = await newApi(t)
  const token = await api.token('pbx', ['call:inbound'])
  const socket = connect(api.port, '127.0.0.1')
  const arrival = api.arrival()
  socket.write(
    `POST /v1/calls HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{`,
  )
  const { response } = await arrival
  const closed = once(response, 'close')
  await until(() => response.req.listenerCount('data') > 0)
  socket.resetAndDestroy()
  await closed
  await new Promise(resolve => setImmediate(resolve))
  t.notOk(api.logged.some(({ level }) => level === 'error'))
})

t.test('a body is JSON that can be passed on: no prototype, no depth, no half characters', async t => {
  const api = await newApi(t)
  const token = await api.token('pbx', ['call:inbound'])
  const deep = (levels: number) => `{"to":"nobody","from":"","x":${'['.repeat(levels)}${']'.repeat(levels)}}`
  t.equal((await api.ask('POST', '/v1/calls', { token, body: deep(31) })).status, 201)
  t.equal(
    (await api.ask('POST', '/v1/calls', { token, body: '{"to":"\\u0061","from":"\\ud83d\\ude00"}' })).status,
    201,
  )
  for (const [body, message] of [
    ['{"to":', /body must be JSON/],
    ['{"to":"nobody","from":"","__proto__":{"a":1}}', /body must be JSON/],
    ['{"to":"nobody","from":"","constructor":{"prototype":{}}}', /body must be JSON/],
    [deep(32), /nests deeper/],
    [deep(60_000), /nests deeper/],
    ['{"to":"nobody","from":"\\ud800"}', /Unicode/],
    ['', /body must be a JSON object/],
    ['null', /body must be a JSON object/],
  ] as const) {
    const { status, json } = await api.ask('POST', '/v1/calls', { token, body })
    t.match([status, json.error], [400, { code: 'invalid', message }], body.slice(0, 60))
  }
})

t.test('[FH7] what a proxy could say is not believed', async t => {
  const api = await newApi(t)
  await api.raw(
    'GET /v1/calls HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Host: evil.example\r\nForwarded: for=6.6.6.6\r\nConnection: close\r\n\r\n',
  )
  t.match(api.logged, [{ facts: { peer: '127.0.0.1' } }])
  const token = await api.token('pbx', ['call:inbound'])
  const body = JSON.stringify(place)
  const heard = await api.raw(
    `POST /v1/calls HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Proto: https\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )
  t.match(heard, /^location: \/v1\/calls\/call-1\r$/im)
})

t.test('browsers of listed origins may call, and no others', async t => {
  const api = await newApi(t, { rest: { cors: ['https://app.example.com'] } })
  const ask = (method: string, origin?: string) =>
    api.ask(method, '/v1/calls', {
      headers: origin === undefined ? {} : { origin, 'access-control-request-method': 'POST' },
    })
  const preflight = await ask('OPTIONS', 'https://app.example.com')
  t.equal(preflight.status, 204)
  t.match(Object.fromEntries(preflight.headers), {
    'access-control-allow-origin': 'https://app.example.com',
    'access-control-allow-methods': /DELETE/,
    'access-control-allow-headers': /authorization.*idempotency-key.*last-event-id/,
    vary: 'Origin',
  })
  const refused = await ask('GET', 'https://app.example.com')
  t.match(
    [refused.status, refused.headers.get('access-control-allow-origin')],
    [401, 'https://app.example.com'],
  )
  for (const origin of [
    'https://evil-app.example.com',
    'https://app.example.com.evil.test',
    'null',
    undefined,
  ]) {
    const answer = await ask('GET', origin)
    t.equal(answer.headers.get('access-control-allow-origin'), null)
    t.equal(answer.headers.get('vary'), 'Origin')
  }
  t.equal((await ask('OPTIONS', 'https://evil.test')).status, 404)

  const open = await newApi(t, { rest: { cors: ['*'] } })
  const answer = await open.ask('GET', '/healthz', { headers: { origin: 'https://any.example' } })
  t.match([answer.headers.get('access-control-allow-origin'), answer.headers.get('vary')], ['*', null])
  const closed = await newApi(t)
  const none = await closed.ask('GET', '/healthz', { headers: { origin: 'https://any.example' } })
  t.equal(none.headers.get('access-control-allow-origin'), null)
})

t.test('a hub is alive, and ready until it drains', async t => {
  const api = await newApi(t)
  t.same((await api.ask('GET', '/healthz')).json, { status: 'ok' })
  t.same((await api.ask('GET', '/readyz')).json, { status: 'ready' })
  api.http.drain()
  const { status, json, headers } = await api.ask('GET', '/readyz')
  t.match(
    [status, json.error, headers.get('retry-after')],
    [503, { code: 'draining', message: 'drain: the hub is going down' }, /^\d+$/],
  )
  t.equal((await api.ask('GET', '/healthz')).status, 200)
})

t.test('a hub that has all the connections it may have says so to whoever it still hears', async t => {
  const api = await newApi(t, { bounds: new Bounds({ connections: 1 }) })
  const one = connect(api.port, '127.0.0.1')
  t.teardown(() => one.destroy())
  await once(api.http.server, 'connection')
  const { status, json } = await api.ask('GET', '/readyz')
  t.match([status, json.error], [503, { code: 'overloaded', message: 'connections: all 1 are taken' }])
})

t.test('a hub that is short of something says so, and why, until it is not', async t => {
  let trouble: string | undefined = 'overrides.jsonl cannot be written (ENOSPC)'
  let crowd: string | undefined
  const troubles = { store: () => trouble, memory: () => crowd }
  const api = await newApi(t, { store: { counts: { written: 4, failed: 2, damaged: 1 } }, troubles })
  const unready = async () => {
    const { status, json, headers } = await api.ask('GET', '/readyz')
    t.match([status, headers.get('retry-after')], [503, /^\d+$/])
    return json.error
  }
  const store = { path: 'store', message: 'overrides.jsonl cannot be written (ENOSPC)' }
  t.same(await unready(), {
    code: 'overloaded',
    message: 'store: overrides.jsonl cannot be written (ENOSPC)',
    details: [store],
  })
  crowd = 'no room for another'
  const memory = { path: 'memory', message: crowd }
  t.same((await unready()).details, [store, memory])
  trouble = undefined
  t.same((await unready()).details, [memory])
  crowd = undefined
  t.equal((await api.ask('GET', '/readyz')).status, 200)
  const { text } = await api.ask('GET', '/metrics')
  for (const line of [
    'writes_total{outcome="written"} 4',
    'writes_total{outcome="failed"} 2',
    'damaged_total 1',
  ])
    t.ok(text.includes(`\nswitchhook_store_${line}\n`), line)
})

t.test('metrics tell what the rooms count', async t => {
  const api = await newApi(t)
  api.room.phone('alice')
  const token = await api.token('pbx', ['call:inbound'])
  await api.ask('POST', '/v1/calls', { token, body: place })
  await api.ask('GET', '/nowhere')
  for (let reads = 0; reads < 2; reads++) {
    const { status, headers, text } = await api.ask('GET', '/metrics')
    t.match([status, headers.get('content-type')], [200, /^text\/plain; version=/])
    for (const line of [
      'switchhook_devices 1',
      'switchhook_subscriptions 0',
      'switchhook_sockets 3',
      'switchhook_sockets_accepted_total 9',
      'switchhook_sessions 4',
      'switchhook_sessions_lingering 1',
      'switchhook_frames_total{direction="out"} 30',
      'switchhook_faults_total{code="invalid"} 2',
      'switchhook_calls_live 0',
      'switchhook_calls_placed_total 1',
      'switchhook_calls_ended_total{reason="unavailable"} 1',
      'switchhook_calls_ended_total{reason="completed"} 0',
      'switchhook_http_responses_total{status="201"} 1',
      'switchhook_http_responses_total{status="404"} 1',
    ]) {
      t.ok(text.includes(`\n${line}\n`), line)
    }
    t.match(text, /^switchhook_accounts \d+$/m)
    t.match(text, /^process_resident_memory_bytes \d+$/m)
  }
})

t.test('metrics have a port of their own where the configuration says so', async t => {
  const api = await newApi(t, { rest: { metrics: { port: 0 } } })
  t.equal((await api.ask('GET', '/metrics')).status, 404)
  const answer = await fetch(`http://127.0.0.1:${api.metricsPort}/metrics`)
  t.match(await answer.text(), /switchhook_calls_live 0/)
  t.equal((await fetch(`http://127.0.0.1:${api.metricsPort}/v1/calls`)).status, 404)
  await api.http.close()
  await t.rejects(fetch(`http://127.0.0.1:${api.metricsPort}/metrics`))
})

t.test('a port that is taken is an error of the system', async t => {
  const api = await newApi(t)
  await t.rejects(newApi(t, { rest: { listen: { port: api.port } } }), { code: 'EADDRINUSE' })
})

t.test('[FU5] a connection that the system can not hand over is told, and the server goes on', async t => {
  const api = await newApi(t)
  api.http.server.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }))
  t.match(api.logged, [
    { level: 'warn', message: 'a connection could not be accepted', facts: { error: { code: 'EMFILE' } } },
  ])
  t.equal((await api.ask('GET', '/healthz')).status, 200)
})

t.test('with a certificate the API speaks TLS', async t => {
  const tls = { cert: 'spec/support/tls/cert.pem', key: 'spec/support/tls/key.pem' }
  const api = await newApi(t, { rest: { listen: { port: 0, tls } } })
  const [response] = await once(
    secureGet({
      host: '127.0.0.1',
      port: api.port,
      path: '/healthz',
      ca: readFileSync(tls.cert),
      agent: false,
    }),
    'response',
  )
  t.equal(response.statusCode, 200)
  response.resume()
  await once(response, 'end')
})

t.test('a closing server lets the answers under way go out, for a second', async t => {
  const api = await newApi(t, { rest: { tenants: { acme: { keys: [{ alg: 'HS256', secret: aSecret }] } } } })
  const token = await api.token('pbx', ['call:inbound'])
  api.room.phone('alice')
  const waiting = api.ask('POST', '/v1/calls?waitMs=60000', { token, body: { to: 'alice', from: '' } })
  await until(() => api.room.router.counts.placed > 0)
  const stuck = connect(api.port, '127.0.0.1')
  stuck.on('error', () => {})
  const cut = once(stuck, 'close')
  const arrival = api.arrival()
  stuck.write(
    `POST /v1/calls HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n`,
  )
  await arrival
  const closing = api.http.close()
  await t.rejects(fetch(`http://127.0.0.1:${api.port}/healthz`), 'nobody new comes in')
  await api.room.clock.settle()
  api.room.router.close()
  t.match((await waiting).json, { state: 'ended', reason: 'failed' })
  api.room.clock.advance(1_000)
  await cut
  await closing
})

t.test('a server that never listened closes, too', async t => {
  const api = await newApi(t)
  const { config, clock, presence, router, directory } = api.room
  const idle = createHttp({
    config,
    clock,
    presence,
    router,
    directory,
    verifier: { verify: async () => ({ ok: false, code: 'unauthorized', message: '' }) },
    revocations: new Revocations(clock),
    gateway: {
      counts: {
        sockets: 0,
        accepted: 0,
        sessions: 0,
        lingering: 0,
        framesIn: 0,
        framesOut: 0,
        faults: {},
        refusals: {},
      },
    },
    deliveries: { counts: {}, waiting: 0 },
    store: nothingKept,
    log: { info() {}, warn() {}, error() {} },
  })
  t.equal(await idle.close(), undefined)
})
