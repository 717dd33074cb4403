import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { HubApi } from '../../src/client/index.js'
import { type SseEvent, SseParser } from '../../src/client/sse.js'

interface Asked {
  method: string
  url: string
  headers: IncomingMessage['headers']
  body: unknown
}

/** An HTTP server that answers as the spec says, and what it was asked. */
const serving = async (t: Test, answer: (response: ServerResponse, asked: Asked) => void) => {
  const asked: Asked[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    const { method = '', url = '', headers } = request
    const seen = { method, url, headers, body: text === '' ? undefined : JSON.parse(text) }
    asked.push(seen)
    answer(response, seen)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    return new Promise(resolve => server.close(resolve))
  })
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

const json =
  (status: number, body: unknown, headers: Record<string, string> = {}) =>
  (response: ServerResponse) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
  }

t.test('a call is submitted with its key and its patience', async t => {
  const { url, asked } = await serving(t, json(201, { call: 'c1', state: 'ringing' }))
  const api = new HubApi({ url, token: 'token-1' })
  const call = {
    to: '+15550199',
    from: '+15550100',
    params: { topic: 'billing' },
    instructions: { steps: [] },
  }
  t.match(await api.place(call, { waitMs: 500, idempotencyKey: 'k1' }), { call: 'c1', state: 'ringing' })
  await api.place({ to: 'support', from: 'x' })
  t.match(asked[0], { method: 'POST', url: '/v1/calls?waitMs=500', body: call })
  t.match(asked[0]!.headers, { authorization: 'Bearer token-1', 'content-type': 'application/json' })
  t.equal(asked[0]!.headers['idempotency-key'], 'k1')
  t.equal(asked[1]!.url, '/v1/calls')
  t.equal(asked[1]!.headers['idempotency-key'], undefined)
})

t.test('calls are read, listed and ended, each request with a token of its own', async t => {
  const { url, asked } = await serving(t, (response, { method }) =>
    method === 'DELETE' ? response.writeHead(204).end() : json(200, { calls: [] })(response),
  )
  let given = 0
  const api = new HubApi({
    url: `${url.replace('http', 'ws')}/v1/socket`,
    token: async () => `token-${++given}`,
  })
  await api.call('a/b')
  await api.calls()
  t.strictSame(await api.calls({ state: 'ringing', limit: 5, cursor: undefined }), { calls: [] })
  await api.hangup('c1')
  t.strictSame(
    asked.map(({ method, url }) => `${method} ${url}`),
    ['GET /v1/calls/a%2Fb', 'GET /v1/calls', 'GET /v1/calls?state=ringing&limit=5', 'DELETE /v1/calls/c1'],
  )
  t.equal(asked[3]!.headers.authorization, 'Bearer token-4')
})

t.test('[C11] presence is read of one or of many, and a status is set', async t => {
  const { url, asked } = await serving(t, json(200, { resources: [{ destination: 'a' }] }))
  const api = new HubApi({ url, token: 'token-1' })
  await api.presence('a@b', { view: 'summary' })
  await api.presence('a')
  t.match(await api.presences(['a', 'b'], { view: 'full' }), [{ destination: 'a' }])
  await api.presences(['a'])
  await api.setStatus('alice', { status: null })
  t.match(asked, [
    { method: 'GET', url: '/v1/presence/a%40b?view=summary' },
    { method: 'GET', url: '/v1/presence/a' },
    { method: 'POST', url: '/v1/presence', body: { destinations: ['a', 'b'], view: 'full' } },
    { method: 'POST', url: '/v1/presence', body: { destinations: ['a'] } },
    { method: 'PUT', url: '/v1/presence/alice/status', body: { status: null } },
  ])
})

t.test('what the hub refuses says its code, and whether to try again', async t => {
  const refusals = [
    json(400, { error: { code: 'invalid', message: 'to is missing', details: [{ path: 'to' }] } }),
    json(503, { error: { code: 'draining', message: 'draining' } }, { 'retry-after': '3' }),
    json(429, { error: { code: 'too-many', message: 'slower' } }),
    json(501, { error: { code: 'not-supported', message: 'later' } }),
    (response: ServerResponse) => response.writeHead(502).end('<html>'),
  ]
  const { url } = await serving(t, response => refusals.shift()!(response))
  const api = new HubApi({ url, token: 'token-1' })
  await t.rejects(api.calls(), {
    name: 'SwitchhookError',
    code: 'invalid',
    message: 'to is missing',
    retry: false,
    retryAfterMs: undefined,
    details: [{ path: 'to' }],
  })
  await t.rejects(api.calls(), { code: 'draining', retry: true, retryAfterMs: 3000 })
  await t.rejects(api.calls(), { code: 'too-many', retry: true })
  await t.rejects(api.calls(), { code: 'not-supported', retry: false })
  await t.rejects(api.calls(), { code: 'internal', message: 'the hub answered 502', retry: true })
})

t.test('a hub that can not be reached is told as such', async t => {
  const api = new HubApi({ url: 'http://127.0.0.1:1', token: 'x' })
  await t.rejects(api.calls(), {
    code: 'disconnected',
    message: 'can not reach the hub at http://127.0.0.1:1',
    retry: true,
  })
  const { url, asked } = await serving(t, () => {})
  const own = new HubApi({
    url: 'http://hub',
    token: 'x',
    fetch: (_, init) => fetch(`${url}/own`, init ?? {}),
  })
  own.calls().catch(() => {})
  while (asked.length === 0) await new Promise(resolve => setImmediate(resolve))
  t.equal(asked[0]!.url, '/own')
})

t.test('the events of a call are read as they come, from where the reader was', async t => {
  const { url, asked } = await serving(t, response => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('id: 4\nevent: progress\ndata: {"state":"ringing"}\n\n')
    response.write('id: 5\nevent: ended\nda')
    response.end('ta: {"reason":"completed"}\n\n')
  })
  const api = new HubApi({ url, token: 'x' })
  const events = []
  for await (const event of api.events('c1', { lastEventId: '3' })) events.push(event)
  t.strictSame(events, [
    { id: '4', type: 'progress', data: { state: 'ringing' } },
    { id: '5', type: 'ended', data: { reason: 'completed' } },
  ])
  t.match(asked[0], {
    url: '/v1/calls/c1/events',
    headers: { accept: 'text/event-stream', 'last-event-id': '3' },
  })
})

t.test('a character that arrives in two pieces is whole', async t => {
  const bytes = new TextEncoder().encode('data: "Jürgen"\n\n')
  const middle = bytes.indexOf(0xc3) + 1
  const body = ReadableStream.from([bytes.subarray(0, middle), bytes.subarray(middle)])
  const api = new HubApi({ url: 'http://hub', token: 'x', fetch: async () => new Response(body) })
  t.match(await api.events('c1').next(), { value: { data: 'Jürgen' } })
})

t.test('a stream that breaks is told as a lost connection', async t => {
  const { url } = await serving(t, response => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: 1\n\n', () => response.destroy())
  })
  const events = new HubApi({ url, token: 'x' }).events('c1')
  t.match(await events.next(), { value: { data: 1 } })
  await t.rejects(events.next(), { code: 'disconnected', retry: true, message: 'the stream of events broke' })
})

t.test('a reader that stops, or is aborted, lets go of the stream', async t => {
  let closed = 0
  const gone: (() => void)[] = []
  const { url, asked } = await serving(t, (response, { url }) => {
    response.on('close', () => {
      closed += 1
      gone.shift()?.()
    })
    if (url.includes('never')) return
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: 1\n\n')
  })
  const api = new HubApi({ url, token: 'x' })
  const first = new Promise<void>(resolve => gone.push(resolve))
  for await (const { data } of api.events('c1')) {
    t.equal(data, 1)
    break
  }
  await first
  const controller = new AbortController()
  const reading = (async () => {
    for await (const _ of api.events('c1', { signal: controller.signal })) controller.abort()
  })()
  await t.rejects(reading, { name: 'AbortError' })
  const late = new AbortController()
  const asking = api.events('never', { signal: late.signal }).next()
  while (asked.length < 3) await new Promise(resolve => setImmediate(resolve))
  late.abort()
  await t.rejects(asking, { name: 'AbortError' })
  t.ok(closed >= 1)
})

const parse = (...pieces: string[]): SseEvent[] => {
  const parser = new SseParser()
  return pieces.flatMap(piece => parser.push(piece))
}

t.test('an event stream is parsed by the standard', async t => {
  const cases: [string, SseEvent[]][] = [
    ['data: a\n\n', [{ id: '', type: 'message', data: 'a' }]],
    ['data:a\ndata:  b\ndata\n\n', [{ id: '', type: 'message', data: 'a\n b\n' }]],
    [': hello\nretry: 3\nunknown: x\ndata: a:b\n\n', [{ id: '', type: 'message', data: 'a:b' }]],
    ['event: x\n\ndata: a\n\n', [{ id: '', type: 'message', data: 'a' }]],
    [
      'id: 1\nevent: x\ndata: a\n\ndata: b\n\n',
      [
        { id: '1', type: 'x', data: 'a' },
        { id: '1', type: 'message', data: 'b' },
      ],
    ],
    ['id: 1\nid: 2\0\ndata: a\n\n', [{ id: '1', type: 'message', data: 'a' }]],
    ['data: unfinished\n', []],
    ['data: line\u2028separator\n\n', [{ id: '', type: 'message', data: 'line\u2028separator' }]],
  ]
  for (const [text, events] of cases) {
    t.strictSame(parse(text), events)
    t.strictSame(parse(`${text.replaceAll('\n', '\r')} `), events, 'carriage returns')
  }
})

t.test('an event stream in any pieces, with any line ends, gives the same events', async () => {
  const line = fc.constantFrom('data: a', 'data:', 'data: é', 'id: 7', 'event: x', ': c', '', '')
  fc.assert(
    fc.property(
      fc.array(line),
      fc.constantFrom('\n', '\r\n'),
      fc.infiniteStream(fc.nat(6)),
      (lines, end, sizes) => {
        const text = lines.map(line => line + end).join('')
        const pieces: string[] = []
        for (let at = 0, size = 0; at < text.length; at += size) {
          size = 1 + (sizes.next().value as number)
          pieces.push(text.slice(at, at + size))
        }
        assert.deepEqual(parse(...pieces), parse(lines.map(line => `${line}\n`).join('')))
      },
    ),
  )
})
