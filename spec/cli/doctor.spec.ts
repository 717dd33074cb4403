import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { resolve } from 'node:path'
import t, { type Test } from 'tap'
import { checkFetch, checkTransport } from '../../src/cli/doctor/configuration.js'
import { verdict } from '../../src/cli/doctor/finding.js'
import { checkClock, checkDescriptors, checkNode } from '../../src/cli/doctor/machine.js'
import { tryPort } from '../../src/cli/doctor/port.js'
import { checkDataDir, checkPort } from '../../src/cli/doctor/surroundings.js'
import { render } from '../../src/cli/text.js'
import { readConfig } from '../../src/config.js'
import { ok, refuse } from '../../src/errors.js'
import { configOf, startHub, tokenOf } from '../support/hub.js'
import { createTerminal, type TerminalOptions } from '../support/terminal.js'

const secret = 'Qk3v8Zt1_xW7pLr0NcYb5-uHs2Jd9Mf4'

interface Found {
  readonly check: string
  readonly grade: string
  readonly says: string
  readonly advice?: string
}

/** What the doctor finds, and its exit code. */
const consult = async (args: readonly string[], options: TerminalOptions = {}) => {
  const terminal = createTerminal(options)
  const code = await terminal.run('doctor', '--json', ...args)
  const events = terminal.stdout.events as unknown as (Found & { event: string })[]
  const found = events.filter(({ event }) => event === 'finding')
  return {
    code,
    error: terminal.stderr.text,
    sum: events.at(-1),
    of: (check: string) =>
      found.filter(each => each.check === check).map(({ grade, says }) => `${grade}: ${says}`),
    advice: (check: string) => found.find(each => each.check === check)?.advice,
  }
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port

const listening = async (t: Test, server: Server): Promise<number> => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return portOf(server)
}

const serve = (t: Test, listener: RequestListener): Promise<number> => {
  const server = createServer(listener)
  t.teardown(() => server.closeAllConnections())
  return listening(t, server)
}

/** A folder with a configuration. */
const folder = (t: Test, config: object): string =>
  t.testdir({ 'hub.json': JSON.stringify(config), 'k1.secret': secret })

const good = { kid: 'k1', alg: 'HS256', secret: { file: 'k1.secret' } }

t.test('a good configuration is well: every check says what it found, and nothing is changed', async t => {
  const jwk = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })
  const port = await serve(t, (_, response) => response.end(JSON.stringify({ keys: [{ ...jwk, kid: 'e' }] })))
  const cwd = folder(t, {
    listen: { port: 0 },
    metrics: { port: 0 },
    dataDir: 'data',
    fetch: { allowPrivate: true },
    limits: { connections: 10 },
    tenants: {
      acme: {
        keys: [good, { jwksUrl: `http://127.0.0.1:${port}/keys` }],
        routes: [{ to: '1', instructions: `http://127.0.0.1:${port}/in` }],
      },
    },
  })
  const { code, of, sum } = await consult(['--config', 'hub.json'], { cwd })
  t.equal(code, 0)
  t.same(of('configuration'), ['ok: hub.json is good'])
  t.same(of('keys'), ['ok: acme has HS256 k1, a key set'])
  t.match(of('key sets'), [/^ok: tenants\.acme\.keys\[1\]: http:.*\/keys has 1 usable keys$/])
  t.match(of('tls'), [/^ok: not encrypted, and only to be reached from this machine/])
  t.match(of('fetch'), [/^warning: addresses that are not public may be asked/])
  t.same(of('instructions'), [`ok: http://127.0.0.1:${port} can be connected to; nothing was asked`])
  t.same(of('port'), ['ok: a free port is picked on 127.0.0.1'])
  t.same(of('metrics port'), ['ok: a free port is picked on 127.0.0.1'])
  t.match(of('data'), [/^ok: .*data can be written$/])
  t.same(of('clock'), [`ok: agrees with that of 127.0.0.1:${port}`])
  t.match(of('files'), [/^ok: /])
  t.match(sum, { event: 'doctor', faults: 0 })
})

t.test('each thing that is unwise or at fault is said, with what to do', async t => {
  const other = await listening(
    t,
    createTcpServer(socket => socket.end('no HTTP\r\n\r\n')),
  )
  const port = await serve(t, ({ url }, response) => {
    response.sendDate = false
    if (url === '/empty') response.end('{"keys":[]}')
    else if (url === '/odd') response.end('{"keys":[{"kty":"oct"}]}')
    else response.writeHead(404).end()
  })
  const weak = { kid: 'w', alg: 'HS256', secret: 'abc'.repeat(20) }
  const at = (path: string) => ({ jwksUrl: `http://127.0.0.1:${port}${path}` })
  const cwd = folder(t, {
    listen: { port: other, host: '127.0.0.1' },
    dataDir: 'hub.json',
    fetch: { allowPrivate: true, allowHosts: ['127.0.0.1'] },
    tenants: {
      acme: {
        keys: [weak, good, at('/gone?code=1'), at('/empty'), at('/odd')],
        routes: ['a', 'b', 'c'].map(to => ({
          to,
          instructions: `https://${to === 'c' ? 'third' : 'other'}.example/in`,
        })),
      },
      twin: { keys: [{ alg: 'HS256', secret: { file: 'k1.secret' } }] },
    },
  })
  const { code, of, advice, sum } = await consult(['--config', 'hub.json'], { cwd })
  t.equal(code, 1)
  t.same(of('keys'), [
    'ok: acme has HS256 w, HS256 k1, a key set, a key set, a key set',
    'warning: tenants.acme.keys[0].secret can be guessed',
    'warning: tenants.acme.keys[0].secret stands in the configuration',
    'ok: twin has HS256',
    'warning: tenants.twin.keys[0].secret is also that of acme',
  ])
  t.match(of('key sets'), [
    /^fault: .*\/gone answered 404$/,
    /^fault: .*\/empty has no key that is of use: it is empty$/,
    /^fault: .*\/odd has no key that is of use: keys\[0\]\.kty/,
  ])
  t.same(of('instructions'), [
    'fault: https://other.example: other.example is not one of the allowed hosts',
    'fault: https://third.example: third.example is not one of the allowed hosts',
  ])
  t.match(advice('instructions'), /^calls of tenants\.acme\.routes\[0\]\.instructions and 1 more would fail/)
  t.same(of('port'), [`fault: another program has 127.0.0.1 port ${other}`])
  t.match(of('data'), [/^fault: .*cannot be used \(ENOTDIR\)$/])
  t.match(of('clock'), ['ok: plausible; there was no other clock to compare it with'])
  t.match(sum, { faults: 7 })
})

t.test('a configuration with faults is told of them, and the machine is looked at all the same', async t => {
  const cwd = folder(t, { lissen: {}, tenants: { acme: { keys: [] } } })
  const { code, of } = await consult(['--config', 'hub.json'], { cwd })
  t.equal(code, 1)
  const [unknown, none] = of('configuration').sort()
  t.equal(unknown, 'fault: hub.json: lissen is not known here')
  t.match(none, /^fault: hub\.json: tenants\.acme\.keys must not have fewer/)
  t.equal(of('node').length, 1)
  t.equal(of('clock').length, 1)
  t.match(await consult(['--config', 'none.json'], { cwd }), { code: 1 })
})

t.test(
  'people read a line for each check, and a verdict; without a configuration the machine alone',
  async t => {
    const say = async (...args: string[]) => {
      const terminal = createTerminal({
        screen: [80, 40],
        env: { NO_COLOR: '1' },
        cwd: folder(t, { tenants: {} }),
      })
      const code = await terminal.run('doctor', ...args)
      return { code, text: terminal.stdout.text }
    }
    const alone = await say()
    t.equal(alone.code, 0)
    t.match(alone.text, /^\w+ +node +Node \d+/)
    t.match(alone.text, /^(all is well|well enough): \d ok, \d warnings?, 0 faults$/m)
    t.notMatch(alone.text, 'data')
    const { code, text } = await say('--config', 'hub.json')
    t.equal(code, 0)
    t.match(text, /^warning {2}keys {11}there is no tenant, so nobody can connect: add one/m)
    t.match(text, /^ok {7}fetch {10}any public address may be asked$/m)
    t.match(text, /^warning {2}data {11}nothing outlasts a restart: set dataDir/m)
    t.match(text, /^well enough: /m)
    t.match(
      (await say('--config', 'no.json')).text,
      /^fault {4}configuration {2}no\.json cannot be read[\s\S]*^not well: .*, 1 fault$/m,
    )
  },
)

t.test(
  '[U1] a running hub is asked whether it is there, wants work, lets sockets through and takes the token',
  async t => {
    const world = await startHub(t)
    const { url, socket, port } = world.listening
    const token = await tokenOf('alice')
    const well = await consult([], { env: { SWITCHHOOK_URL: socket, SWITCHHOOK_TOKEN: ` ${token}\n` } })
    t.equal(well.code, 0)
    t.same(well.of('hub'), [`ok: ${url} is a hub, and speaks version 1`])
    t.same(well.of('hub ready'), ['ok: it takes calls and connections'])
    t.same(well.of('hub socket'), ['ok: a WebSocket can be opened'])
    t.same(well.of('hub token'), ['ok: it is accepted'])
    t.same(well.of('clock'), [`ok: agrees with that of ${url}`])
    const able = await consult([
      '--url',
      url,
      '--token',
      await tokenOf('carrier', { scopes: ['call:inbound'] }),
    ])
    t.same(able.of('hub token'), ['ok: it is accepted'])
    const bad = await consult([
      '--url',
      `${url}/`,
      '--token',
      await tokenOf('alice', { secret: 'x'.repeat(32) }),
    ])
    t.equal(bad.code, 1)
    t.match(bad.of('hub token'), [
      /^fault: it is refused: token is not signed by a key known here \(unauthorized\)$/,
    ])
    t.same((await consult(['--url', url])).of('hub token'), [], 'without one none is tried')

    const dir = t.testdir({ 'hub.json': JSON.stringify({ listen: { port, host: '127.0.0.1' } }) })
    t.same((await consult(['--config', 'hub.json'], { cwd: dir })).of('port'), [
      `ok: a hub listens already on 127.0.0.1 port ${port}`,
    ])
    t.match(await consult(['--url', 'ftp://x']), {
      code: 2,
      error: /--url ftp:\/\/x is not the address of a hub/,
    })
  },
)

t.test('a hub that drains, a server that is none, and nobody at all', async t => {
  const world = await startHub(
    t,
    configOf({ routes: [{ to: '1', instructions: { steps: [{ pause: { ms: 60_000 } }] } }] }),
  )
  const api = await world.api('carrier', ['call:inbound'])
  await api.place({ to: '1', from: '2' })
  void world.hub.drain()
  const { code, of } = await consult(['--url', world.listening.url])
  t.equal(code, 1)
  t.match(of('hub ready'), ['fault: it wants no work now: drain: the hub is going down'])
  t.match(of('hub socket'), [/^fault: no WebSocket can be opened \(Unexpected server response: 503\)$/])

  const plain = await serve(t, (_, response) => response.end('hello'))
  t.match((await consult(['--url', `http://127.0.0.1:${plain}`])).of('hub'), [
    /^fault: what answers at .* is no hub$/,
  ])
  const poor = await serve(t, ({ url, socket }, response) => {
    if (url === '/openapi.json') response.end('{"info":{"title":"Switchhook","version":"1"}}')
    else socket.destroy()
  })
  const cut = await consult(['--url', `http://127.0.0.1:${poor}`])
  t.match(cut.of('hub ready'), [/^fault: it does not say \(/])
  t.match(cut.of('hub socket'), [/^fault: no WebSocket/])
  const proxied = await serve(t, ({ url }, response) => {
    if (url === '/readyz') response.writeHead(503)
    response.end('{"info":{"title":"Switchhook","version":"1"}}'.slice(url === '/readyz' ? 1 : 0))
  })
  t.match((await consult(['--url', `http://127.0.0.1:${proxied}`])).of('hub ready'), [
    /^fault: it does not say \(.*JSON/,
  ])
  const noHttp = await listening(
    t,
    createTcpServer(socket => socket.end('no\r\n\r\n')),
  )
  t.match((await consult(['--url', `http://127.0.0.1:${noHttp}`])).of('hub'), [
    /^fault: nothing answers at .* \(HPE_/,
  ])
})

const read = (config: object) => {
  const result = readConfig(config, { dir: '.', env: {} })
  if (!result.ok) throw new Error(JSON.stringify(result.faults))
  return result.value
}

t.test('a certificate is read for its end, and an open way in is warned of', async t => {
  const tls = { cert: 'spec/support/tls/cert.pem', key: 'spec/support/tls/key.pem' }
  const secure = read({ listen: { tls } })
  const by = (when: string) => checkTransport(secure, Date.parse(when))
  t.match(by('2026-12-01'), { grade: 'ok', says: /^the certificate of CN=localhost is good for \d+ days$/ })
  t.match(by('2126-10-20'), { grade: 'warning', says: /ends in 9 days$/ })
  t.match(by('2126-11-20'), { grade: 'fault', says: /ended 21 days ago$/, advice: 'renew it' })
  const open = (host: string) => checkTransport(read({ listen: { host } }), 0).grade
  t.same(['localhost', '::1', '127.0.0.2', '0.0.0.0', '::', '192.0.2.1', '127.example'].map(open), [
    'ok',
    'ok',
    'ok',
    'warning',
    'warning',
    'warning',
    'warning',
  ])
})

t.test('a port says whose it is, over TLS and on every address too', async t => {
  const key = readFileSync(resolve('spec/support/tls/key.pem'))
  const cert = readFileSync(resolve('spec/support/tls/cert.pem'))
  const server = createSecureServer({ key, cert }, (_, response) => {
    response.end('{"info":{"title":"Switchhook","version":"1"}}')
  })
  const port = await listening(t, server)
  t.match(await tryPort('127.0.0.1', port, true), { state: 'hub' })
  t.match(await tryPort('127.0.0.1', port, false), { state: 'EADDRINUSE' })
  const everywhere = createServer((_, response) => response.end('{}')).listen(0, '::')
  await once(everywhere, 'listening')
  t.teardown(() => everywhere.close())
  t.match(await tryPort('::', portOf(everywhere), false), { state: 'EADDRINUSE' })
  t.match(await tryPort('::1', portOf(everywhere), false), { state: 'EADDRINUSE' })
  everywhere.close()
  await once(everywhere, 'close')
  t.match(await tryPort('127.0.0.1', portOf(server) === 0 ? 1 : 0, false), { state: 'free' })
  t.match(await tryPort('192.0.2.1', 4242, false), { state: 'EADDRNOTAVAIL' })
  const at = { host: '127.0.0.1', port: 80 }
  t.match(checkPort('port', { ...at, state: 'free' }), { grade: 'ok', says: '127.0.0.1 port 80 is free' })
  t.match(checkPort('port', { ...at, state: 'EACCES' }), { grade: 'fault', advice: /below 1024/ })
  t.match(checkPort('port', { ...at, state: 'EODD' }), { grade: 'fault', advice: 'see listen.host' })
})

t.test('a data folder in use is a fault, unless a hub runs here', async t => {
  const taken = refuse('conflict', '/data is in use by process 7')
  t.match(checkDataDir(taken, '/data', false), { grade: 'fault', says: '/data is in use by process 7' })
  t.match(checkDataDir(taken, '/data', true), { grade: 'ok', says: /in use by process 7: the hub that runs/ })
  t.match(checkDataDir(ok(undefined), '/data', true), { grade: 'ok' })
})

t.test('clocks are compared: a few seconds are nothing, a minute is too much', async t => {
  const now = Date.parse('2026-11-23T10:00:00Z')
  const by = (date: string) => checkClock(now, [{ from: 'idp', date, at: now }])[0]
  t.match(by('Mon, 23 Nov 2026 10:00:03 GMT'), { grade: 'ok', says: 'agrees with that of idp' })
  t.match(by('Mon, 23 Nov 2026 10:00:30 GMT'), { grade: 'warning', says: '30 seconds behind that of idp' })
  t.match(by('Mon, 23 Nov 2026 09:58:00 GMT'), { grade: 'fault', says: '2 minutes ahead of that of idp' })
  t.match(by('nonsense'), { grade: 'ok', says: /plausible/ })
  t.match(checkClock(0, []), [{ grade: 'fault', says: 'it is the year 1970 here' }])
  t.match(checkClock(Date.parse('2150-01-01'), []), [{ grade: 'fault' }])
})

t.test('what may be asked outside is said, and what all comes to', async t => {
  t.match(checkFetch(read({ fetch: { allowHosts: ['a.example', 'b.example'] } })), {
    grade: 'ok',
    says: 'only a.example, b.example may be asked',
  })
  const said = (ok: number, warning: number, fault: number) =>
    render(verdict({ ok, warning, fault }), { width: 80, colour: false })
  t.same(said(3, 0, 0), ['all is well: 3 ok, 0 warnings, 0 faults'])
  t.same(said(3, 1, 0), ['well enough: 3 ok, 1 warning, 0 faults'])
  t.same(said(3, 1, 2), ['not well: 3 ok, 1 warning, 2 faults'])
})

t.test('Node is judged by what the package takes, and by what is maintained', async t => {
  const grades = ['18.20.0', '20.18.3', '20.19.0', '22.1.0', '24.0.0'].map(v => checkNode(v, '>=20.19').grade)
  t.same(grades, ['fault', 'fault', 'warning', 'ok', 'ok'])
})

t.test('room for connections is compared with what the configuration wants', async t => {
  t.match(checkDescriptors(100, { most: 1064, connections: 850 }), { grade: 'ok', says: /room for 850/ })
  t.match(checkDescriptors(900, { most: 1064, connections: 850 }), {
    grade: 'warning',
    says: /limits\.connections is 900/,
    advice: /ulimit -n/,
  })
  t.match(checkDescriptors(900, undefined), { grade: 'ok' })
})
