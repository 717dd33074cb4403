// What surrounds a hub, looked at without changing it: real servers on loopback.

import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readConfig } from '../src/config.js'
import { inspect } from '../src/inspection.js'
import { silentLog, VirtualClock } from '../src/runtime/index.js'
import { openFileStore } from '../src/store/index.js'

const secret = 'a secret of at least thirty-two bytes'
const key = { alg: 'HS256', secret }

const configOf = (tenant: object, rest: object = {}) => {
  const read = readConfig(
    { fetch: { allowPrivate: true }, tenants: { acme: { keys: [key], ...tenant } }, ...rest },
    { dir: '.', env: {} },
  )
  if (!read.ok) throw new Error(JSON.stringify(read.faults))
  return read.value
}

const look = (tenant: object, rest: object = {}) =>
  inspect(configOf(tenant, rest), { clock: new VirtualClock() })

/** A server that keeps what is sent to it, and says nothing. */
const listen = async (t: Test) => {
  const heard: Buffer[] = []
  const sockets = new Set<Socket>()
  const server = createTcpServer(socket => {
    sockets.add(socket)
    socket.on('data', bytes => heard.push(bytes)).on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const hangUp = () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
  t.teardown(hangUp)
  return { server, heard, sockets, hangUp, host: `127.0.0.1:${(server.address() as AddressInfo).port}` }
}

const routes = (...urls: unknown[]) => ({
  routes: urls.map((instructions, at) => ({ to: `${at}`, instructions })),
})

t.test('a server that instructions are asked of is connected to once, and asked nothing', async t => {
  const { host, heard, server, sockets } = await listen(t)
  const gone = await listen(t)
  gone.hangUp()
  let met = 0
  server.on('connection', () => met++)
  const { origins } = await look(
    routes(
      `http://${host}/in?token=1`,
      { url: `http://${host}/other`, fallbackUrl: `http://${gone.host}/` },
      { steps: [] },
      'not an address',
    ),
  )
  t.strictSame(origins, [
    {
      origin: `http://${host}`,
      paths: ['tenants.acme.routes[0].instructions', 'tenants.acme.routes[1].instructions'],
    },
    {
      origin: `http://${gone.host}`,
      paths: ['tenants.acme.routes[1].instructions.fallbackUrl'],
      why: origins[1]?.why,
    },
  ])
  t.match(origins[1]?.why, /^(the connection failed \(ECONNREFUSED\))$/)
  await Promise.all([...sockets].map(socket => socket.closed || once(socket, 'close')))
  t.equal(met, 1)
  t.equal(Buffer.concat(heard).length, 0)
})

t.test('the servers of applications are among them', async t => {
  const { host } = await listen(t)
  const { origins } = await look({
    ...routes(`http://${host}/in`),
    applications: { AP1: { url: `http://${host}/voice` }, AP2: { steps: [] } },
  })
  t.strictSame(origins, [
    {
      origin: `http://${host}`,
      paths: ['tenants.acme.routes[0].instructions', 'tenants.acme.applications.AP1'],
    },
  ])
})

t.test(
  '[FW1] the rules for fetching hold: hosts that are not allowed, and addresses that are not public',
  async t => {
    const { host } = await listen(t)
    const why = async (fetch: object) => (await look(routes(`http://${host}/`), { fetch })).origins[0]?.why
    t.match(await why({ allowPrivate: false }), /is at 127\.0\.0\.1, which is not a public address/)
    t.equal(
      await why({ allowPrivate: true, allowHosts: ['voice.example'] }),
      `${host} is not one of the allowed hosts`,
    )
  },
)

t.test('a server that does not finish its handshake is waited for as long as for instructions', async t => {
  const { host, server, hangUp } = await listen(t)
  const clock = new VirtualClock()
  const looked = inspect(configOf(routes(`https://${host}/`)), { clock })
  await once(server, 'connection')
  clock.advance(5000)
  t.equal((await looked).origins[0]?.why, 'could not be connected to within 5000 ms')
  hangUp()
})

t.test('a key set is asked for, and what is in it is told, or why it can not be had', async t => {
  const jwk = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })
  const answers: Record<string, string> = {
    '/good': JSON.stringify({ keys: [{ ...jwk, kid: 'a' }, { kty: 'oct' }] }),
    '/bad': 'no',
  }
  const server = createServer(({ url }, response) => {
    const text = answers[String(url)]
    if (text === undefined) response.writeHead(404)
    response.end(text)
  }).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const at = (path: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`
  const keys = ['/good', '/bad', '/none'].map(path => ({ jwksUrl: at(path) }))
  const { keySets } = await look({ keys: [...keys, { jwksUrl: 'nonsense' }, { ...key, kid: 'k' }] })
  t.match(keySets, [
    {
      path: 'tenants.acme.keys[0]',
      url: at('/good'),
      news: { ok: true, usable: 1, passedOver: [/^keys\[1\]\.kty/], date: /GMT$/ },
    },
    { news: { ok: false, why: 'is not JSON in UTF-8' } },
    { news: { ok: false, why: 'answered 404' } },
  ])
  t.equal(keySets.length, 3, 'what is no address is a fault of the configuration')
})

t.test('a data folder is tried, and left as it is', async t => {
  const dir = t.testdir({ file: 'text', there: { 'overrides.json': 'damaged' } })
  const tried = async (name: string) => (await look({}, { dataDir: join(dir, name) })).dataDir
  t.strictSame(await tried('there'), { ok: true, value: undefined })
  t.strictSame(readdirSync(join(dir, 'there')), ['overrides.json'])
  t.strictSame(await tried('new/folder'), { ok: true, value: undefined })
  t.strictSame(readdirSync(dir).sort(), ['file', 'there'], 'none is made')
  t.match(await tried('file'), { ok: false, code: 'invalid', message: /file cannot be used \(ENOTDIR\)/ })
  t.match(await tried('file/within'), { ok: false, code: 'invalid', message: /\(ENOTDIR\)/ })
  mkdirSync(join(dir, 'taken'))
  const store = await openFileStore({ dir: join(dir, 'taken'), clock: new VirtualClock(), log: silentLog })
  t.match(await tried('taken'), { ok: false, code: 'conflict', message: /in use by process \d+/ })
  await store.close()
  writeFileSync(join(dir, 'taken', 'note'), '')
  t.match(await tried('taken'), { ok: true })
})

t.test('how many connections fit is known where the system says how many files may be open', async t => {
  const config = configOf({})
  const clock = new VirtualClock()
  t.match(await inspect(config, { clock, descriptors: () => 1064 }), {
    descriptors: { most: 1064, connections: 850 },
  })
  t.notOk((await inspect(config, { clock, descriptors: () => undefined })).descriptors)
  t.notOk((await inspect(config, { clock })).dataDir)
})
