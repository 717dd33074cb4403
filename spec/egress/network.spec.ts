// Names that lead elsewhere than they seem to, on real sockets: the resolver is the spec's, and which addresses are
// public too, since all of a spec's own are loopback.

import { connect as connectTo, isIPv6, type LookupFunction } from 'node:net'
import { type Test, test } from 'tap'
import { createEgress } from '../../src/egress/index.js'
import { VirtualClock } from '../../src/runtime/index.js'
import { application, dialAlice, document, redirect, sourceFor } from '../support/instructions.js'

/** Here 127.0.0.2 is of the public Internet, and nothing else of what a spec can listen on. */
const isPublic = (address: string | undefined) => address === '127.0.0.2'

/** A resolver that gives these answers, one after the other, and the last one from then on. */
const resolver = (...answers: (readonly string[] | Error)[]) => {
  const asked: string[] = []
  const lookup: LookupFunction = (hostname, options, callback) => {
    const answer = answers[Math.min(asked.push(hostname), answers.length) - 1]!
    if (answer instanceof Error) return process.nextTick(callback, answer, [])
    const found = answer.map(address => ({ address, family: isIPv6(address) ? 6 : 4 }))
    if (options.all) process.nextTick(callback, null, found)
    else process.nextTick(callback, null, found[0]!.address, found[0]!.family)
  }
  return { lookup, asked }
}

/** A voice application in public, which keeps no connection open, and something private at the same port. */
const publicAndPrivate = async (t: Test) => {
  const answer = document(dialAlice)
  const app = await application(
    t,
    {
      '/in': res => answer(res.setHeader('connection', 'close')),
      '/away': redirect('/in', 307),
    },
    '127.0.0.2',
  )
  const secret = await application(t, { '/in': document(dialAlice) }, '127.0.0.1', app.port)
  const url = `http://voice.example.com:${app.port}`
  return { app, secret, url }
}

const refusedAt = (address: string) => ({
  ok: false,
  attempts: [{ why: `voice.example.com is at ${address}, which is not a public address` }],
})

test('[FW2] a name that leads to a public address first and to a private one then is asked once only', async t => {
  const { app, secret, url } = await publicAndPrivate(t)
  const { lookup, asked } = resolver(['127.0.0.2'], ['127.0.0.1'])
  const { ask } = sourceFor(t, { allowPrivate: false }, { network: { lookup, isPublic } })
  t.match(await ask(`${url}/in`), { ok: true, from: `${url}/in` })
  t.match(await ask(`${url}/in`), refusedAt('127.0.0.1'))
  t.strictSame(
    asked,
    ['voice.example.com', 'voice.example.com'],
    'resolved for each connection, and only then',
  )
  t.equal(app.asked.length, 1)
  t.equal(secret.connections(), 0)
})

test('[FW2] a name that changes between two hops of a redirect, or before the retry, is judged each time', async t => {
  const app = await application(
    t,
    {
      '/away': res => redirect('/in', 307)(res.setHeader('connection', 'close')),
      '/reset': res => res.socket?.destroy(),
    },
    '127.0.0.2',
  )
  const secret = await application(t, { '/in': document(dialAlice) }, '127.0.0.1', app.port)
  for (const path of ['/away', '/reset']) {
    const { lookup } = resolver(['127.0.0.2'], ['127.0.0.1'])
    const { ask } = sourceFor(t, { allowPrivate: false }, { network: { lookup, isPublic } })
    t.match(await ask(`http://voice.example.com:${app.port}${path}`), refusedAt('127.0.0.1'), path)
  }
  t.strictSame(app.paths(), ['/away', '/reset'])
  t.equal(secret.connections(), 0)
})

test('[FW2] a name with one private address among its others, A or AAAA, is not connected to', async t => {
  const { app, secret, url } = await publicAndPrivate(t)
  for (const [answer, address] of [
    [['127.0.0.2', '127.0.0.1'], '127.0.0.1'],
    [['127.0.0.1', '127.0.0.2'], '127.0.0.1'],
    [['::1', '127.0.0.2'], '::1'],
    [['127.0.0.2', '::ffff:127.0.0.1'], '::ffff:127.0.0.1'],
    [['127.0.0.2', '64:ff9b::7f00:1'], '64:ff9b::7f00:1'],
  ] as const) {
    const { lookup } = resolver(answer)
    const { ask } = sourceFor(t, { allowPrivate: false }, { network: { lookup, isPublic } })
    t.match(await ask(`${url}/in`), refusedAt(address), answer.join())
  }
  const lookup: LookupFunction = (_, __, callback) => process.nextTick(callback, null, '127.0.0.1', 4)
  const { ask } = sourceFor(t, { allowPrivate: false }, { network: { lookup, isPublic } })
  t.match(await ask(`${url}/in`), refusedAt('127.0.0.1'), 'nor one that has no other')
  t.strictSame([app.connections(), secret.connections()], [0, 0])
})

test('[FW2] where the resolver is told otherwise than the connection leads, the connection is judged', async t => {
  const { secret, url } = await publicAndPrivate(t)
  // A connection to 0.0.0.0 leads to 127.0.0.1.
  const network = { ...resolver(['0.0.0.0']), isPublic: (address?: string) => address !== '127.0.0.1' }
  const { ask } = sourceFor(t, { allowPrivate: false }, { network })
  t.match(await ask(`${url}/in`), refusedAt('127.0.0.1'))
  t.match(await ask(`${url.replace('http', 'https')}/in`), refusedAt('127.0.0.1'), 'before a handshake')
  t.strictSame([secret.connections(), secret.asked.length], [2, 0], 'connected to, and not a word said')
})

test('a name that is not found is asked for once more, and then said so', async t => {
  const gone = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' })
  const { lookup, asked } = resolver(gone)
  const { ask } = sourceFor(t, { allowPrivate: false }, { network: { lookup, isPublic } })
  t.match(await ask('http://voice.example.com/'), {
    ok: false,
    attempts: [{ why: 'the connection failed (ENOTFOUND)' }],
  })
  t.equal(asked.length, 2)
})

test('a server is reached by an IPv6 address as by a name', async t => {
  const egress = createEgress({ allowPrivate: true, timeoutMs: 5000 }, new VirtualClock())
  t.teardown(() => egress.close())
  const guarded = createEgress({ allowPrivate: false, timeoutMs: 5000 }, new VirtualClock())
  t.teardown(() => guarded.close())
  t.equal(
    await guarded.reach(new URL('http://[::1]:1234/'), 5000),
    '::1 is at ::1, which is not a public address',
  )
  const app = await application(t, {}, '::1').catch(() => undefined)
  if (app === undefined) {
    t.comment('no IPv6 here')
    return
  }
  t.equal(await egress.reach(new URL(`http://[::1]:${app.port}/`), 5000), undefined)
  t.equal(app.connections(), 1)
})

test('[FW5] whoever answers is neither waited for beyond the time given, nor as long as they ask', async t => {
  const app = await application(t, {
    '/busy': res => res.writeHead(429, { 'retry-after': `${365 * 86_400}` }).end(),
    '/never': () => {},
    '/loop': redirect('/loop', 301),
    '/headers': res => res.writeHead(200, { 'content-type': 'text/xml', more: 'x'.repeat(20_000) }).end(),
    '/gzip': res =>
      res.writeHead(200, { 'content-type': 'text/xml', 'content-encoding': 'gzip' }).end('bomb'),
    '/plain': res => document(dialAlice)(res.setHeader('content-encoding', 'Identity')),
  })
  const { ask, clock } = sourceFor(t)
  t.match(await ask(`${app.url}/busy`), { ok: false, attempts: [{ why: 'answered 429' }] })
  t.match(await ask(`${app.url}/loop`), { ok: false, attempts: [{ why: 'redirects more than 3 times' }] })
  t.match(await ask(`${app.url}/headers`), {
    ok: false,
    attempts: [{ why: 'the connection failed (UND_ERR_HEADERS_OVERFLOW)' }],
  })
  t.match(await ask(`${app.url}/gzip`), { ok: false, attempts: [{ why: 'answered in the coding gzip' }] })
  t.match(await ask(`${app.url}/plain`), { ok: true })
  t.equal(app.asked.at(-1)!.headers['accept-encoding'], 'identity')
  const never = ask(`${app.url}/never`)
  while (!app.paths().includes('/never')) await new Promise(resolve => setImmediate(resolve))
  clock.advance(5000)
  t.match(await never, { ok: false, attempts: [{ why: 'gave no whole answer within 5000 ms' }] })
  t.equal(clock.now(), 5000, 'nothing else was waited for')
})

test('[FW3] neither another host nor a way that anyone can read is shown a signature', async t => {
  const app = await application(t, {
    '/in': document(dialAlice),
    '/down': redirect('http://voice.example.com/in', 307),
    '/up': redirect('https://voice.example.com/in', 307),
    '/port': redirect('https://voice.example.com:8443/in', 307),
    '/sub': redirect('https://www.voice.example.com/in', 307),
    '/dot': redirect('https://voice.example.com./in', 307),
  })
  // Every name leads here, and to no TLS.
  const connect = () => connectTo(app.port, '127.0.0.1')
  const { ask } = sourceFor(t, { allowPrivate: false }, { network: { connect } })
  const signed = async (url: string) => {
    t.match(await ask(url, { authToken: 'secret' }), { ok: true }, url)
    return app.asked.slice(-2).map(({ headers }) => 'x-twilio-signature' in headers)
  }
  for (const [url, expected] of [
    ['https://voice.example.com/up', [true, true]],
    ['http://voice.example.com/up', [true, true]],
    ['http://voice.example.com/down', [true, true]],
    ['https://voice.example.com/down', [true, false]],
    ['https://voice.example.com/port', [true, false]],
    ['https://voice.example.com/sub', [true, false]],
    ['https://voice.example.com/dot', [true, false]],
  ] as const) {
    t.strictSame(await signed(url), expected, url)
  }
})

test('[FX7] line ends, NUL, quotes and escapes are encoded in forms and addresses, and plain in what is said', async t => {
  const app = await application(t, {
    '/in': document(dialAlice),
    '/ansi': res => res.writeHead(200, { 'content-type': 'text/\x9b31m' }).end(),
  })
  const { ask } = sourceFor(t)
  const odd = 'a\r\nX-Evil: 1\r\n\r\n\0"\'<>\x1b[31m\u202e'
  const call = { from: odd, to: odd, params: { [odd]: odd }, authToken: odd }
  for (const method of ['POST', 'GET'] as const) {
    t.match(await ask(`${app.url}/in`, call, { method }), { ok: true })
    const { url, body, headers } = app.asked.at(-1)!
    const fields = new URLSearchParams(method === 'POST' ? body : url.replace(/^[^?]*/, ''))
    t.strictSame([fields.get('From'), fields.get('To'), fields.get(odd)], [odd, odd, odd], method)
    t.match(`${url}${body}`, /^[\x21-\x7e]+$/, 'no sign of it on the wire')
    t.match(headers['x-twilio-signature'], /^[\w+/]{27}=$/)
    t.notOk('x-evil' in headers)
  }
  t.match(await ask(`${app.url}/ansi?\x1b[31m\r\n`), {
    ok: false,
    message: /content type text\/\ufffd31m, which/,
  })
  t.match(await ask('http://\x1b[31m/'), {
    ok: false,
    message: /^http:\/\/\ufffd\[31m\/ must be an absolute URL$/,
  })
})
