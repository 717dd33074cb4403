// Instructions asked of real HTTP servers: what they are asked with, which answers are taken, where no request goes.

import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { test } from 'tap'
import { isPublic } from '../../src/egress/address.js'
import { documentLimit } from '../../src/router/instructions/index.js'
import { application, dialAlice, document, redirect, request, sourceFor } from '../support/instructions.js'

const alice = [{ verb: 'dial', to: [{ name: 'alice', params: {} }], sequential: false, method: 'POST' }]

test('instructions at hand need no request', async t => {
  const { source } = sourceFor(t)
  const instructions = { steps: [], warnings: ['a'] }
  t.strictSame(await source.retrieve({ kind: 'inline', instructions, from: 'in.xml' }, request), {
    ok: true,
    value: instructions,
    from: 'in.xml',
    cached: false,
    attempts: [],
  })
})

test('[C5] an application is asked with a form, and what it says in TwiML or JSON is read', async t => {
  const app = await application(t, {
    '/xml': document(dialAlice),
    '/app': document(dialAlice, 'Application/XML; charset=utf-8'),
    '/json': document(
      '{"steps":[{"dial":{"to":"alice"}},{"hangup":{"now":true}}]}',
      'application/json;charset=utf-8',
    ),
  })
  const { ask } = sourceFor(t)
  const params = { lang: 'fr', CallSid: 'forged', Direction: 'forged', 'odd name': "it's 100% é+&=" }
  t.strictSame(await ask(`${app.url}/xml`, { params }), {
    ok: true,
    value: { steps: alice, warnings: [] },
    from: `${app.url}/xml`,
    cached: false,
    attempts: [],
  })
  t.match(app.asked[0], {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
  })
  t.strictSame(Object.fromEntries(new URLSearchParams(app.asked[0]!.body)), {
    lang: 'fr',
    'odd name': "it's 100% é+&=",
    CallSid: 'call-1',
    AccountSid: 'acme',
    From: '+15550111',
    To: '+15550100',
    CallStatus: 'ringing',
    ApiVersion: '2010-04-01',
    Direction: 'inbound',
  })
  t.notOk(app.asked[0]!.headers['x-twilio-signature'], 'no token, no signature')

  t.match(await ask(`${app.url}/app`), { ok: true, value: { steps: alice } })
  t.match(await ask(`${app.url}/json#part`, { direction: 'outbound-dial' }), {
    ok: true,
    value: { steps: [...alice, { verb: 'hangup' }], warnings: ['steps[1].hangup.now is ignored'] },
    from: `${app.url}/json`,
  })
  t.equal(new URLSearchParams(app.asked[2]!.body).get('Direction'), 'outbound-dial')
})

test('with GET the fields go in the query, after what is there', async t => {
  const app = await application(t, { '/a': document(dialAlice) })
  const { ask } = sourceFor(t)
  t.match(await ask(`${app.url}/a?x=1`, {}, { method: 'GET' }), { ok: true })
  t.match(await ask(`${app.url}/a`, {}, { method: 'GET' }), { ok: true })
  t.match(app.asked, [
    { method: 'GET', url: /^\/a\?x=1&CallSid=call-1&.*&Direction=inbound$/, body: '' },
    { method: 'GET', url: /^\/a\?CallSid=call-1&.*&Direction=inbound$/, body: '' },
  ])
})

test('a relative address is resolved against the document it was found in', async t => {
  const app = await application(t, { '/ivr/next': document(dialAlice) })
  const { ask } = sourceFor(t)
  t.match(await ask('next', { base: `${app.url}/ivr/start?x=1` }), { ok: true, from: `${app.url}/ivr/next` })
  t.strictSame(await ask('next?key=1', { base: 'inline' }), {
    ok: false,
    message: 'next must be an absolute URL',
    attempts: [{ url: 'next', why: 'must be an absolute URL' }],
  })
})

test('[FW8] a request is signed so that the other side finds the signature true for what it received', async t => {
  const app = await application(t, { '/a': document(dialAlice), "/it's%20a+b": document(dialAlice) })
  const { ask } = sourceFor(t)
  const authToken = 'a secret of the tenant'
  const signed = { authToken, params: { zeta: '1', Alpha: "it's", 'k é': '+ %20 \u{1f600}', half: '\ud800' } }
  await ask(`${app.url}/a`, signed)
  await ask(`${app.url}/a?q=it's%20a+b&q=é&q=2`, signed)
  await ask(`${app.url}/it's%20a+b`, signed)
  await ask(`${app.url}/a?q='é`, signed, { method: 'GET' })
  await ask(`${app.url.replace('127.0.0.1', 'LOCALHOST')}/a`, signed)
  t.equal(app.asked.length, 5)
  for (const { url, headers, body } of app.asked) {
    const fields = Object.fromEntries(new URLSearchParams(body))
    const sorted = Object.keys(fields).sort()
    const text = sorted.reduce((data, name) => data + name + fields[name], `http://${headers.host}${url}`)
    t.equal(
      headers['x-twilio-signature'],
      createHmac('sha1', authToken).update(Buffer.from(text, 'utf8')).digest('base64'),
      url,
    )
  }
})

test('[FX5] an answer that is no usable document is refused, and the fallback asked with what went wrong', async t => {
  const app = await application(t, {
    '/page': document('<html><body>Oops</body></html>', 'text/html'),
    '/none': res => res.writeHead(204).end(),
    '/untyped': res => res.end(dialAlice),
    '/two': res => res.setHeader('content-type', ['text/xml', 'text/html']).end(dialAlice),
    '/broken': document('<Response>\n<Dance/><Queue/></Response>'),
    '/json': document('{"steps":', 'application/json'),
    '/latin': document(Buffer.from('<Response><!--\xe9--></Response>', 'latin1')),
    '/error': res => res.writeHead(500, { 'content-type': 'text/xml' }).end(dialAlice),
    '/moved': res => res.writeHead(302).end(),
    '/most': document(`<Response/>${' '.repeat(documentLimit - 11)}`),
    '/large': document(`<Response/>${' '.repeat(documentLimit - 10)}`),
    '/fallback': document(dialAlice),
  })
  const { ask } = sourceFor(t)
  t.match(await ask(`${app.url}/most`), { ok: true, value: { steps: [] } })
  for (const [path, code, why] of [
    ['/page', '12300', 'answered with the content type text/html, which is neither XML nor JSON'],
    ['/none', '12300', 'answered with the content type none, which is neither XML nor JSON'],
    ['/untyped', '12300', 'answered with the content type none, which is neither XML nor JSON'],
    [
      '/broken',
      '12100',
      'answered with a document that fails: 2:1 Dance is not supported; 2:9 Queue is not supported',
    ],
    ['/json', '12100', /^answered with a document that fails: is not JSON: /],
    ['/latin', '12100', 'answered with a document that fails: is not UTF-8'],
    ['/error', '11200', 'answered 500'],
    ['/moved', '11200', 'answered 302'],
    ['/absent', '11200', 'answered 404'],
    ['/large', '11200', 'answered with more than 65536 bytes'],
  ] as const) {
    const url = `${app.url}${path}?secret=1`
    t.match(
      await ask(url, {}, { fallbackUrl: `${app.url}/fallback` }),
      {
        ok: true,
        value: { steps: alice },
        from: `${app.url}/fallback`,
        attempts: [{ url: `${app.url}${path}`, why }],
      },
      path,
    )
    const fields = new URLSearchParams(app.asked.at(-1)!.body)
    t.equal(fields.get('ErrorUrl'), url)
    t.equal(fields.get('ErrorCode'), code)
  }
  t.strictSame(await ask(`${app.url}/error`, {}, { fallbackUrl: `${app.url}/absent` }), {
    ok: false,
    message: `${app.url}/error answered 500; ${app.url}/absent answered 404`,
    attempts: [
      { url: `${app.url}/error`, why: 'answered 500' },
      { url: `${app.url}/absent`, why: 'answered 404' },
    ],
  })
})

test('[FX5] a connection that fails is tried once more, and once only', async t => {
  let left = 0
  const failing = (res: ServerResponse) => {
    if (left === 0) return document(dialAlice)(res)
    left -= 1
    res.socket?.destroy()
  }
  const app = await application(t, {
    '/reset': failing,
    '/half': res => {
      res.writeHead(200, { 'content-type': 'text/xml', 'content-length': 1000 })
      res.write('<Response>', () => res.socket?.destroy())
    },
    '/to-reset': redirect('/reset', 307),
    '/once': res => (left === 2 ? failing(res) : redirect('/reset', 307)(res)),
    '/fallback': document(dialAlice),
  })
  const { ask } = sourceFor(t)
  left = 1
  t.match(await ask(`${app.url}/reset`), { ok: true, attempts: [] })
  t.strictSame(app.paths(), ['/reset', '/reset'])

  left = 2
  app.asked.length = 0
  t.match(await ask(`${app.url}/to-reset`), {
    ok: false,
    message: /\/to-reset the connection failed \(UND_ERR_SOCKET\)$/,
  })
  t.strictSame(app.paths(), ['/to-reset', '/reset', '/reset'])

  left = 2
  app.asked.length = 0
  t.match(await ask(`${app.url}/once`), { ok: false, message: /failed \(UND_ERR_SOCKET\)$/ })
  t.strictSame(app.paths(), ['/once', '/once', '/reset'], 'once for all hops together')

  app.asked.length = 0
  t.match(await ask(`${app.url}/half`, {}, { fallbackUrl: `${app.url}/fallback` }), {
    ok: true,
    attempts: [{ why: /^the connection failed/ }],
  })
  t.strictSame(app.paths(), ['/half', '/half', '/fallback'])

  const closed = createTcpServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const { port } = closed.address() as AddressInfo
  closed.close()
  await once(closed, 'close')
  t.match(await ask(`http://127.0.0.1:${port}/`), { ok: false, message: /failed \(ECONNREFUSED\)$/ })
})

test('[FX5] the first URL and its fallback together take no longer than a request for instructions may', async t => {
  let dripping: (() => void) | undefined
  const drip = (res: ServerResponse) => {
    res.writeHead(200, { 'content-type': 'text/xml' })
    res.write('<', () => dripping?.())
  }
  const app = await application(t, {
    '/drip': drip,
    '/silent': () => dripping?.(),
    '/fallback': document(dialAlice),
  })
  const { ask, clock } = sourceFor(t)
  const heard = () => new Promise<void>(resolve => (dripping = resolve))

  let begun = heard()
  const rescued = ask(`${app.url}/drip`, {}, { fallbackUrl: `${app.url}/fallback` })
  await begun
  clock.advance(3000)
  t.match(await rescued, {
    ok: true,
    value: { steps: alice },
    attempts: [{ why: 'gave no whole answer within 3000 ms' }],
  })

  const start = clock.now()
  begun = heard()
  const lost = ask(`${app.url}/silent`, {}, { fallbackUrl: `${app.url}/drip` })
  await begun
  begun = heard()
  clock.advance(3000)
  await begun
  clock.advance(2000)
  t.match(await lost, {
    ok: false,
    message: `${app.url}/silent gave no whole answer within 3000 ms; ${app.url}/drip gave no whole answer within 2000 ms`,
  })
  t.equal(clock.now() - start, 5000)

  begun = heard()
  const alone = ask(`${app.url}/silent`)
  await begun
  clock.advance(5000)
  t.match(await alone, { ok: false, message: `${app.url}/silent gave no whole answer within 5000 ms` })
})

test('[FW5] an endless body is read no further than a document may be long', async t => {
  let given = 0
  const closed: Promise<unknown>[] = []
  const endless = (status: number, type: string) => (res: ServerResponse) => {
    res.writeHead(status, { 'content-type': type, location: '/fallback' })
    const chunk = Buffer.alloc(16 * 1024, ' ')
    const more = () => {
      do given += chunk.length
      while (res.write(chunk))
    }
    res.on('drain', more)
    closed.push(once(res, 'close'))
    more()
  }
  const app = await application(t, {
    '/endless': endless(200, 'text/xml'),
    '/page': endless(200, 'text/html'),
    '/moved': endless(302, 'text/html'),
    '/fallback': document(dialAlice),
  })
  const { ask } = sourceFor(t)
  t.match(await ask(`${app.url}/endless`), { ok: false, message: /answered with more than 65536 bytes$/ })
  t.match(await ask(`${app.url}/page`), { ok: false, message: /content type text\/html/ })
  t.match(await ask(`${app.url}/moved`), { ok: true, from: `${app.url}/fallback` })
  await Promise.all(closed)
  t.equal(closed.length, 3, 'each connection was given up')
  t.ok(given < 64 * 1024 * 1024)
})

test('a redirect is followed with the method it asks for, and not for ever', async t => {
  const app = await application(t, {
    '/301': redirect('/end', 301),
    '/302': redirect('end', 302),
    '/303': redirect('/end?a=1', 303),
    '/307': redirect('/end', 307),
    '/308': redirect('/end#part', 308),
    '/three': redirect('/two', 307),
    '/two': redirect('/301', 307),
    '/four': redirect('/three', 307),
    '/self': redirect('/self', 307),
    '/end': document(dialAlice),
  })
  const { ask } = sourceFor(t)
  for (const [path, method, to] of [
    ['/301', 'GET', '/end'],
    ['/302', 'GET', '/end'],
    ['/303', 'GET', '/end?a=1'],
    ['/307', 'POST', '/end'],
    ['/308', 'POST', '/end'],
  ] as const) {
    t.match(await ask(`${app.url}${path}`), { ok: true, from: `${app.url}${to}` })
    const last = app.asked.at(-1)!
    t.strictSame([last.method, last.url, last.body !== ''], [method, to, method === 'POST'])
  }
  t.match(await ask(`${app.url}/three`), { ok: true, from: `${app.url}/end` })
  t.match(await ask(`${app.url}/four`), { ok: false, message: /redirects more than 3 times$/ })
  app.asked.length = 0
  t.match(await ask(`${app.url}/self`), { ok: false, message: /redirects more than 3 times$/ })
  t.equal(app.asked.length, 4)
})

test('an answer that breaks off when nobody reads it any more disturbs nothing', async t => {
  let first: Socket | undefined | null
  const app = await application(t, {
    '/moved': res => {
      first = res.socket
      res.writeHead(302, { location: '/end', 'content-length': 1000 }).write('moved')
    },
    '/end': async res => {
      const closed = once(first as Socket, 'close')
      first?.resetAndDestroy()
      await closed
      document(dialAlice)(res)
    },
  })
  const { ask } = sourceFor(t)
  t.match(await ask(`${app.url}/moved`), { ok: true, from: `${app.url}/end` })
})

test('[FW3] each hop of a redirect is judged anew, and only the first host sees a signature', async t => {
  const other = await application(t, {
    '/end': document(dialAlice),
    '/back': res => res.writeHead(404).end(),
  })
  const app = await application(t, {
    '/away': redirect(`${other.url}/end`, 307),
    '/near': redirect('/end', 307),
    '/get': redirect('/end?a=1', 303),
    '/named': redirect(`http://localhost:${other.port}/end`),
    '/file': redirect('file:///etc/passwd'),
    '/mail': redirect('http://127.0.0.1:25/'),
    '/user': redirect(`http://127.0.0.1@localhost:${other.port}/`),
    '/end': document(dialAlice),
  })
  const authToken = 'secret'
  const { ask } = sourceFor(t, { allowHosts: ['127.0.0.1'] })
  t.match(await ask(`${app.url}/away`, { authToken }), { ok: true })
  t.ok(app.asked[0]!.headers['x-twilio-signature'])
  t.equal(other.asked.length, 1)
  t.notOk(other.asked[0]!.headers['x-twilio-signature'])

  t.match(await ask(`${app.url}/near`, { authToken }), { ok: true })
  const [first, second] = app.asked.slice(-2).map(({ headers }) => headers['x-twilio-signature'])
  t.ok(second)
  t.not(first, second, 'signed for its own address')
  t.match(await ask(`${app.url}/get`, { authToken }), { ok: true })
  t.equal(
    app.asked.at(-1)!.headers['x-twilio-signature'],
    createHmac('sha1', authToken).update(`${app.url}/end?a=1`).digest('base64'),
  )

  for (const [path, why] of [
    ['/named', `localhost:${other.port} is not one of the allowed hosts`],
    ['/file', 'redirects to what must be an http or https URL'],
    ['/mail', 'redirects to what must be a URL with port 80, 443, or 1024 and up, not 25'],
    ['/user', 'redirects to what must be a URL without a user or password'],
  ] as const) {
    t.match(await ask(`${app.url}${path}`), { ok: false, attempts: [{ why }] })
  }
  t.equal(other.asked.length, 1)
})

test('only allowed hosts are asked, by name or by name and port', async t => {
  const app = await application(t, { '/': document(dialAlice) })
  const { ask } = sourceFor(t, { allowHosts: ['Voice.example.com', `LOCALHOST:${app.port}`] })
  t.match(await ask(`http://localhost:${app.port}/`), { ok: true })
  for (const host of ['127.0.0.1', 'voice.example.com.evil.example', 'evil.example', 'voice.example.com.']) {
    t.match(await ask(`http://${host}:${app.port}/`), {
      ok: false,
      attempts: [{ why: `${host}:${app.port} is not one of the allowed hosts` }],
    })
  }
  t.equal(app.asked.length, 1)
})

test('[FW1] no spelling of a private address is asked unless the configuration says so', async t => {
  const app = await application(t, { '/': document(dialAlice) })
  const hosts = [
    '127.0.0.1',
    '0',
    '0x7f.1',
    '2130706433',
    '0177.0.0.1',
    '127.1',
    '[::ffff:7f00:1]',
    '[::1]',
    '169.254.169.254',
    '[fd00:ec2::254]',
    '[64:ff9b::7f00:1]',
    'localhost',
  ]
  const hasV6 = Object.values(networkInterfaces()).some(all => all?.some(({ address }) => address === '::1'))
  const six = hasV6 ? await application(t, { '/': document(dialAlice) }, '::1', app.port) : app
  const { ask } = sourceFor(t, { allowPrivate: false })
  for (const host of hosts) {
    t.match(
      await ask(`http://${host}:${app.port}/`),
      {
        ok: false,
        attempts: [{ why: /is at [\d.:a-f]+, which is not a public address$/ }],
      },
      host,
    )
  }
  t.match(await ask(`http://localhost.:${app.port}/`), { ok: false })
  t.match(await ask(`http://voice.example.com@127.0.0.1:${app.port}/`), {
    ok: false,
    attempts: [{ why: 'must be a URL without a user or password' }],
  })
  t.strictSame([app.connections(), six.connections()], [0, 0], 'nobody is even knocked at')

  for (const address of [
    ...[
      '0.0.0.0',
      '10.0.0.1',
      '100.64.0.1',
      '127.255.255.255',
      '169.254.169.254',
      '172.31.0.1',
      '192.168.1.1',
    ],
    ...['192.0.0.8', '192.0.2.1', '192.88.99.1', '198.19.0.1', '198.51.100.1', '203.0.113.1', '224.0.0.1'],
    ...[
      '255.255.255.255',
      '::',
      '::1',
      '::ffff:127.0.0.1',
      '::ffff:8.8.8.8',
      '::127.0.0.1',
      '64:ff9b::7f00:1',
    ],
    ...['64:ff9b:1::1', '100::1', '2001::1', '2001:db8::1', '2002:7f00:1::', '3fff::1', '5f00::1', 'fc00::1'],
    ...['fd00:ec2::254', 'fe80::1', 'fe80::1%eth0', 'fec0::1', 'ff02::1', 'localhost', '', undefined],
  ]) {
    t.equal(isPublic(address), false, `${address}`)
  }
  for (const address of [
    '1.1.1.1',
    '100.128.0.1',
    '172.32.0.1',
    '223.255.255.255',
    '2606:4700::1111',
    '2a00::1',
  ]) {
    t.equal(isPublic(address), true, address)
  }
})

test('[FW1] with TLS too a private address is not connected to', async t => {
  const connections: Promise<Buffer>[] = []
  const server = createTcpServer((socket: Socket) => {
    connections.push(
      new Promise(resolve => {
        const chunks: Buffer[] = []
        socket.on('data', chunk => {
          chunks.push(chunk)
          socket.destroy()
        })
        socket.on('error', () => {})
        socket.on('close', () => resolve(Buffer.concat(chunks)))
      }),
    )
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const url = `https://localhost:${(server.address() as AddressInfo).port}/`

  const guarded = sourceFor(t, { allowPrivate: false })
  t.match(await guarded.ask(url), {
    ok: false,
    attempts: [{ why: /^localhost is at (127\.0\.0\.1|::1), which/ }],
  })

  const open = sourceFor(t)
  t.match(await open.ask(url), { ok: false, attempts: [{ why: /^the connection failed \(/ }] })
  const [first, retry] = await Promise.all(connections)
  t.equal(connections.length, 2, 'by who may: the guarded one made none')
  t.strictSame([first![0], retry![0]], [0x16, 0x16], 'a handshake record each time')
  t.ok(first!.includes('localhost'), 'for the name in the URL')

  t.match(await guarded.ask('https://127.0.0.1/'), { ok: false }, 'port 443')
  t.match(await guarded.ask('http://127.0.0.1/'), { ok: false }, 'port 80')
})

test('[FW4] only http and https are spoken, and only where the web is served', async t => {
  const { ask } = sourceFor(t)
  for (const [url, why] of [
    ['file:///etc/passwd', 'must be an http or https URL'],
    ['gopher://127.0.0.1:70/_x', 'must be an http or https URL'],
    ['data:text/xml,<Response/>', 'must be an http or https URL'],
    ['ws://127.0.0.1/', 'must be an http or https URL'],
    ['http://127.0.0.1:22/', 'must be a URL with port 80, 443, or 1024 and up, not 22'],
    ['https://127.0.0.1:25/', 'must be a URL with port 80, 443, or 1024 and up, not 25'],
    ['//127.0.0.1/', 'must be an absolute URL'],
    ['http://', 'must be an absolute URL'],
  ] as const) {
    t.match(await ask(url), { ok: false, attempts: [{ why }] }, url)
  }
})

test('[FW9] a proxy that the environment names is not heeded', async t => {
  const proxy = await application(t)
  const app = await application(t, { '/': document(dialAlice) })
  const names = ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY'] as const
  for (const name of names) process.env[name] = proxy.url
  t.teardown(() => {
    for (const name of names) delete process.env[name]
  })
  const { ask } = sourceFor(t)
  t.match(await ask(`${app.url}/`), { ok: true })
  t.strictSame(proxy.asked, [])
})

test('a source that is closed gives up what is under way', async t => {
  let heard: () => void
  const begun = new Promise<void>(resolve => (heard = resolve))
  const app = await application(t, { '/silent': () => heard() })
  const { source, ask } = sourceFor(t)
  const asked = ask(`${app.url}/silent`)
  await begun
  await source.close()
  t.match(await asked, { ok: false, message: /the connection failed \(UND_ERR_DESTROYED\)$/ })
})
