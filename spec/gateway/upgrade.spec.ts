// From an upgrade request to a socket: what is let in, and what each refusal is told in plain HTTP.

import { once } from 'node:events'
import t from 'tap'
import { ok, type refuse } from '../../src/errors.js'
import type { Grant } from '../../src/gateway/token/index.js'
import { maskedFrame, newStand, type Stand, until, upgradeRequest } from '../support/gateway.js'

/** What a raw upgrade request is answered. */
const answerTo = async (stand: Stand, request: string) => {
  const { tcp, text, closed } = stand.raw()
  tcp.write(request)
  await closed
  const [head, body] = text().split('\r\n\r\n')
  return { status: Number(head!.split(' ')[1]), head: head!, body: JSON.parse(body!) }
}

t.test('the subprotocol is selected when offered, and none offered is accepted too', async t => {
  const stand = await newStand(t)
  const offered = stand.client({}, ['other', 'switchhook.v1'])
  await offered.opened
  t.equal(offered.ws.protocol, 'switchhook.v1')
  const none = stand.client({}, [])
  await none.opened
  t.equal(none.ws.protocol, '')
  t.match(stand.gateway.counts, { sockets: 2, accepted: 2, sessions: 0 })
})

t.test('[FU2] what is no WebSocket handshake is refused at once, with a JSON error', async t => {
  const stand = await newStand(t)
  const invalid = (request: string) => answerTo(stand, request)
  for (const [what, request] of Object.entries({
    'no key': upgradeRequest({ 'Sec-WebSocket-Key': undefined }),
    'a short key': upgradeRequest({ 'Sec-WebSocket-Key': 'c2hvcnQ=' }),
    'version 7': upgradeRequest({ 'Sec-WebSocket-Version': '7' }),
    POST: upgradeRequest({}, 'POST /v1/socket HTTP/1.1'),
    'HTTP/1.0': upgradeRequest({}, 'GET /v1/socket HTTP/1.0'),
    h2c: upgradeRequest({ Upgrade: 'h2c' }),
    'another subprotocol': upgradeRequest({ 'Sec-WebSocket-Protocol': 'switchhook.v9, sip' }),
    'a broken subprotocol header': upgradeRequest({ 'Sec-WebSocket-Protocol': 'switchhook.v1,,' }),
  })) {
    const answer = await invalid(request)
    t.match(answer, { status: 400, body: { error: { code: 'invalid' } } }, what)
    t.match(answer.head, /Sec-WebSocket-Version: 13/)
  }
  t.match(await invalid(upgradeRequest({}, 'GET /v2/socket HTTP/1.1')), {
    status: 404,
    body: { error: { code: 'not-found', message: 'no socket at this path' } },
  })
  t.match(stand.gateway.counts, { sockets: 0, accepted: 0, faults: { invalid: 8, 'not-found': 1 } })
})

t.test('[FU4] a token in the URL is refused and never logged', async t => {
  const lines: string[] = []
  const note = (facts: object, message: string) => void lines.push(JSON.stringify(facts) + message)
  const stand = await newStand(t, { log: { info: note, warn: note, error: note } })
  for (const name of ['token', 'access_token']) {
    const answer = await answerTo(stand, upgradeRequest({}, `GET /v1/socket?${name}=s3cret HTTP/1.1`))
    t.match(answer, { status: 400, body: { error: { code: 'invalid' } } })
    t.notMatch(answer.head + JSON.stringify(answer.body), /s3cret/)
  }
  t.notMatch(lines.join(), /s3cret/)
  t.ok(await stand.client({}, [], '/v1/socket?colour=green').opened)
})

t.test('[FU3] where origins are listed, a browser of another origin is refused', async t => {
  const stand = await newStand(t, { rest: { cors: ['https://app.example.com'] } })
  const from = (Origin: string) => answerTo(stand, upgradeRequest({ Origin }))
  for (const origin of ['https://evil-app.example.com.attacker', 'null', 'https://example.com']) {
    t.match(await from(origin), { status: 403, body: { error: { code: 'forbidden' } } }, origin)
  }
  await stand.client({ origin: 'https://app.example.com' }).opened
  await stand.client({ origin: `http://127.0.0.1:${stand.port}` }).opened
  await stand.client().opened
  const open = await newStand(t, { rest: { cors: ['*'] } })
  await open.client({ origin: 'https://anywhere.example' }).opened
})

t.test('[C1] a bearer token is verified before the handshake, and serves a hello without one', async t => {
  const stand = await newStand(t)
  const refused = await answerTo(stand, upgradeRequest({ Authorization: 'Bearer abc.def.ghi' }))
  t.match(refused, { status: 401, body: { error: { code: 'unauthorized' } } })
  t.match(await answerTo(stand, upgradeRequest({ Authorization: 'Basic YWxpY2U6eA==' })), { status: 401 })
  const client = stand.client({ headers: { Authorization: `Bearer ${await stand.token('alice')}` } })
  await client.opened
  client.send({ type: 'hello', device: 'desk', ref: 'h' })
  t.match(await client.next('welcome'), { ref: 'h', account: 'alice', device: 'desk' })
})

t.test('[FU6] bytes that come with the upgrade request are the first frames, in order', async t => {
  const stand = await newStand(t)
  const token = await stand.token('alice')
  const frames = [
    maskedFrame(1, JSON.stringify({ type: 'hello', device: 'desk', token })),
    maskedFrame(1, JSON.stringify({ type: 'ping', ref: 'p1' })),
    maskedFrame(1, JSON.stringify({ type: 'ping', ref: 'p2' })),
  ]
  for (const headers of [{}, { Authorization: `Bearer ${token}` }]) {
    const { tcp, text } = stand.raw()
    const [first, ...rest] = frames
    tcp.write(Buffer.concat([Buffer.from(upgradeRequest(headers)), first!]))
    tcp.write(Buffer.concat(rest))
    await until(() => text().includes('"p2"'))
    t.match(text(), /101 Switching Protocols.*"welcome".*"p1".*"p2"/s)
    tcp.destroy()
  }
})

/** A verifier that answers when told to. */
const slowVerifier = () => {
  const waiting: ((result: ReturnType<typeof ok<Grant>> | ReturnType<typeof refuse>) => void)[] = []
  return {
    waiting,
    verifier: { verify: () => new Promise<never>(resolve => waiting.push(resolve as never)) },
  }
}
const grant = {
  tenant: 'acme',
  account: 'alice',
  scopes: new Set(['presence:register', 'call:receive']),
  expires: Date.UTC(2026, 0, 2),
  groups: [],
} as unknown as Grant

t.test('[FF7] a socket that closed while its token was verified attaches nothing', async t => {
  const { verifier, waiting } = slowVerifier()
  const stand = await newStand(t, { verifier })
  const hello = maskedFrame(1, JSON.stringify({ type: 'hello', device: 'desk' }))
  const early = stand.raw()
  const request = Buffer.from(upgradeRequest({ Authorization: 'Bearer abc' }))
  const ended = once(stand.server, 'connection').then(([socket]) => once(socket, 'end'))
  early.tcp.end(Buffer.concat([request, hello]))
  await until(() => waiting.length === 1)
  await ended
  waiting.pop()!(ok(grant))
  await early.closed
  t.notMatch(early.text(), /101/)

  const late = stand.client()
  await late.opened
  late.send({ type: 'hello', token: 'abc', device: 'desk' })
  await until(() => waiting.length === 1)
  late.ws.terminate()
  await until(() => stand.gateway.counts.sockets === 0)
  waiting.pop()!(ok(grant))
  await stand.room.clock.settle()
  t.match(stand.gateway.counts, { sessions: 0 })
  t.equal(stand.room.presence.counts.devices, 0)
})

t.test('a hub that closed while a token was verified lets nobody in', async t => {
  const { verifier, waiting } = slowVerifier()
  const stand = await newStand(t, { verifier })
  const { tcp, text, closed } = stand.raw()
  tcp.write(upgradeRequest({ Authorization: 'Bearer abc' }))
  await until(() => waiting.length === 1)
  await stand.gateway.close()
  waiting.pop()!(ok(grant))
  await closed
  t.match(text(), /^HTTP\/1\.1 503 /)
  t.match(stand.gateway.counts, { accepted: 0 })
})

t.test('a peer that floods while its token is verified is cut off', async t => {
  const { verifier, waiting } = slowVerifier()
  const stand = await newStand(t, { verifier, limits: { waitingBytes: 1000 } })
  const { tcp, closed, text } = stand.raw()
  const accepted = once(stand.server, 'connection')
  tcp.write(upgradeRequest({ Authorization: 'Bearer abc' }))
  await until(() => waiting.length === 1)
  const [socket] = await accepted
  const heard = once(socket, 'data')
  tcp.write(Buffer.alloc(100))
  await heard
  t.notOk(socket.destroyed)
  tcp.write(Buffer.alloc(2000))
  await closed
  waiting.pop()!(ok(grant))
  t.equal(text(), '')
  t.equal(stand.bounds.reached.waitingBytes, 1)
})

t.test('[FF7] a peer that resets while its token is verified is let in nowhere', async t => {
  const { verifier, waiting } = slowVerifier()
  const stand = await newStand(t, { verifier })
  const { tcp, closed } = stand.raw()
  const accepted = once(stand.server, 'connection')
  tcp.write(upgradeRequest({ Authorization: 'Bearer abc' }))
  await until(() => waiting.length === 1)
  const [socket] = await accepted
  const broken = new Promise(resolve => socket.once('close', resolve))
  tcp.resetAndDestroy()
  t.equal(await broken, true, 'the connection was reset, not ended')
  await closed
  waiting.pop()!(ok(grant))
  await stand.room.clock.settle()
  t.match(stand.gateway.counts, { sockets: 0, accepted: 0, sessions: 0 })
})

t.test('a verifier that fails is an internal error, on the upgrade and in hello', async t => {
  const errors: string[] = []
  const stand = await newStand(t, {
    verifier: { verify: () => Promise.reject(new Error('key server on fire')) },
    log: { info() {}, warn() {}, error: (_, message) => void errors.push(message) },
  })
  t.match(await answerTo(stand, upgradeRequest({ Authorization: 'Bearer abc' })), {
    status: 500,
    body: { error: { code: 'internal', message: 'something went wrong here' } },
  })
  const client = stand.client()
  await client.opened
  client.send({ type: 'hello', token: 'abc', device: 'desk' })
  t.match(await client.next('error'), { code: 'internal', retry: true })
  t.match(await client.closed, { code: 1011, reason: 'internal' })
  t.same(errors, ['verification threw', 'verification threw'])
})

t.test('a refused peer that does not leave is cut off', async t => {
  const stand = await newStand(t)
  const { tcp, text, closed } = stand.raw()
  tcp.write(upgradeRequest({}, 'GET /nowhere HTTP/1.1'))
  await until(() => text().includes('not-found'))
  t.notOk(tcp.destroyed)
  stand.room.clock.advance(1000)
  await closed
  t.ok(tcp.destroyed)
})

t.test('[FU7] compression is not negotiated', async t => {
  const stand = await newStand(t)
  const client = stand.client({ perMessageDeflate: true })
  await client.opened
  t.equal(client.ws.extensions, '')
})
