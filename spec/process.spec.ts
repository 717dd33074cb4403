// A hub as a process of its own, with what befalls processes: faults that nobody caught, signals at any time, readers
// that go away, too little memory. And what it says of all that, which holds no secret.

import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { secret, tokenOf } from './support/hub.js'
import { Child, install, outside } from './support/processes.js'

// A dozen processes, some of which are flooded.
t.setTimeout(120_000)

const launcher = install(t)
const keys = [{ kid: 'k1', alg: 'HS256', secret }]
const carrier = ['call:inbound', 'call:explain']

/** A module in text, for `--import`: what befalls the process from within. */
const within = (code: string): string[] => ['--import', `data:text/javascript,${encodeURIComponent(code)}`]

interface Hub {
  readonly child: Child
  readonly url: string
}

const serve = async (
  t: Test,
  config: object,
  { node = [] as string[], args = [] as string[] } = {},
): Promise<Hub> => {
  const dir = t.testdir({ 'hub.json': JSON.stringify({ tenants: { acme: { keys } }, ...config }) })
  const file = join(dir, 'hub.json')
  const child = new Child(t, [...node, launcher, 'serve', '--config', file, '--json', '--port', '0', ...args])
  const { url } = await child.stdout.next({ event: 'listening' })
  return { child, url: String(url) }
}

/** A softphone that is a socket and no more. */
const phone = async (url: string, account: string) => {
  const ws = new WebSocket(`${url.replace('http', 'ws')}/v1/socket`)
  const frames: { type: string; [field: string]: unknown }[] = []
  ws.on('message', data => frames.push(JSON.parse(String(data))))
  const closed = new Promise<number>(resolve => ws.once('close', resolve))
  ws.on('error', () => {})
  await once(ws, 'open')
  ws.send(JSON.stringify({ type: 'hello', token: await tokenOf(account), device: 'desk' }))
  const next = async (type: string) => {
    for (;;) {
      const at = frames.findIndex(frame => frame.type === type)
      if (at >= 0) return frames.splice(0, at + 1).at(-1)!
      await once(ws, 'message')
    }
  }
  await next('welcome')
  return { ws, next, closed, send: (frame: object) => ws.send(JSON.stringify(frame)) }
}

const trunkOf = async (url: string) => outside(url, await tokenOf('trunk', { scopes: carrier }))

t.test(
  '[FC4] a fault that nobody caught: it is told, calls may end, then the process does, with 1',
  async t => {
    const faults = {
      SIGUSR2: ['setTimeout(() => { throw new Error("out of order") })', 'out of order'],
      SIGPWR: ['Promise.reject(new Error("out of order too"))', 'out of order too'],
      SIGURG: ['Promise.reject("words")', 'words'],
    } as const
    const code = Object.entries(faults).map(
      ([signal, [code]]) => `process.on("${signal}", () => { ${code} });`,
    )
    for (const [signal, [, message]] of Object.entries(faults)) {
      const { child, url } = await serve(t, {}, { node: within(code.join('')) })
      const alice = await phone(url, 'alice')
      const trunk = await trunkOf(url)
      const call = await trunk.place('alice')
      await alice.next('invite')
      alice.send({ type: 'ringing', call })
      alice.send({ type: 'accept', call })
      await alice.next('connected')

      child.signal(signal as NodeJS.Signals)
      await child.stdout.next({ event: 'draining' })
      await alice.next('drain')
      const logged = await child.stderr.next({ msg: 'a fault that nobody caught' })
      t.match((logged.error as { message: string }).message, message)
      child.signal('SIGUSR2')
      const late = await trunk.ask('POST', '/v1/calls', { to: 'alice', from: '+15550199' })
      t.match(late, { status: 503, body: { error: { code: 'draining' } } })
      t.match(await trunk.call(call), { state: 'connected' }, 'though it faults again')
      t.equal((await trunk.ask('DELETE', `/v1/calls/${call}`)).status, 204)
      await alice.next('ended')
      t.equal(await alice.closed, 1012)
      t.equal(await child.exit, 1)
      t.ok(child.stderr.lines.some(line => line.startsWith(`switchhook: `) && line.includes(message)))
    }
  },
)

t.test(
  '[FC5] SIGTERM while it starts: it lets go of what it has, listens to nobody, and exits 0',
  async t => {
    const early = `process.on("newListener", name => { if (name === "SIGHUP") process.kill(process.pid, "SIGTERM") })`
    const dir = t.testdir({ 'hub.json': JSON.stringify({ dataDir: 'data', tenants: { acme: { keys } } }) })
    const args = [launcher, 'serve', '--config', join(dir, 'hub.json'), '--json', '--port', '0']
    const child = new Child(t, [...within(early), ...args])
    t.equal(await child.exit, 0)
    t.match(child.stdout.events, [{ event: 'draining', signal: 'SIGTERM' }, { event: 'stopped' }])
    t.same(readdirSync(join(dir, 'data')), [])
  },
)

t.test('[FC5] a storm of SIGHUP, from before it listens: the configuration of the end holds', async t => {
  const early = `process.on("newListener", name => { if (name === "SIGHUP") setImmediate(() => process.kill(process.pid, "SIGHUP")) })`
  const { child, url } = await serve(t, {}, { node: within(early) })
  await child.stderr.next({ msg: 'the configuration is applied' })
  const file = join(t.testdirName, 'hub.json')
  const read = async (tenant: string) =>
    (
      await outside(url, await tokenOf('x', { tenant, scopes: ['presence:read'] })).ask(
        'GET',
        '/v1/presence/x',
      )
    ).status
  for (let round = 0; round < 200; round++) {
    // Some of these are read half written.
    if (round % 10 === 0) writeFileSync(file, '{ "tenants": {')
    else writeFileSync(file, JSON.stringify({ tenants: { acme: { keys }, [`t${round}`]: { keys } } }))
    child.signal('SIGHUP')
    if (round % 50 === 0) t.equal(await read('acme'), 200)
  }
  writeFileSync(file, JSON.stringify({ tenants: { acme: { keys }, last: { keys } } }))
  child.signal('SIGHUP')
  while ((await read('last')) !== 200) await child.stderr.next({ msg: /configuration/ })
  t.equal(await read('acme'), 200)
  t.ok(child.stderr.events.filter(({ msg }) => /configuration/.test(String(msg))).length <= 202)
  t.equal(await child.end('SIGTERM'), 0)
})

t.test('[FC5] nobody reads what it says any more, and SIGPIPE: it serves on, and drains', async t => {
  const { child, url } = await serve(t, {}, { args: ['--log-level', 'trace'] })
  child.deafen()
  child.signal('SIGPIPE')
  for (let refused = 0; refused < 100; refused++) t.equal((await fetch(`${url}/v1/calls`)).status, 401)
  child.signal('SIGHUP')
  t.equal((await fetch(`${url}/healthz`)).status, 200)
  t.equal(await child.end('SIGTERM'), 0)
})

t.test(
  '[FC6] flooded with more than its memory holds, it lives: calls are refused, and those it has go on',
  async t => {
    const limits = {
      callsPerTenant: 1e6,
      requestsPerSecond: 1e6,
      callsPerMinutePerAccount: 1e6,
      callsPerMinutePerTenant: 1e6,
    }
    const { child, url } = await serve(t, { limits, drainMs: 100 }, { node: ['--max-old-space-size=64'] })
    const alice = await phone(url, 'alice')
    const trunk = await trunkOf(url)
    const call = await trunk.place('alice')
    await alice.next('invite')
    alice.send({ type: 'accept', call })
    await alice.next('connected')
    const waiting = { instructions: { steps: [{ pause: { ms: 60_000 } }] }, to: 'x', from: 'y' }
    const answers: Record<string, number> = {}
    const flood = async () => {
      for (let n = 0; n < 120; n++) {
        // Each its own text, as V8 would keep equal ones once.
        const { status } = await trunk.ask('POST', '/v1/calls', {
          ...waiting,
          sdp: `${Math.random()}`.repeat(2_000),
        })
        answers[status] = (answers[status] ?? 0) + 1
      }
    }
    await Promise.all(Array.from({ length: 20 }, flood))
    t.same(Object.keys(answers).sort(), ['201', '503'])
    t.comment(answers)
    t.match(await trunk.ask('GET', '/readyz'), {
      status: 503,
      body: { error: { code: 'overloaded', details: [{ path: 'memory' }] } },
    })
    const newcomer = new WebSocket(`${url.replace('http', 'ws')}/v1/socket`)
    newcomer.on('error', () => {})
    const [, refused] = await once(newcomer, 'unexpected-response')
    t.equal(refused.statusCode, 503)
    newcomer.terminate()
    await child.stderr.next({ msg: 'short of memory: nothing new is taken on' })
    t.match(await trunk.call(call), { state: 'connected', by: { account: 'alice' } })
    alice.send({ type: 'ping' })
    await alice.next('pong')
    t.equal((await trunk.ask('DELETE', `/v1/calls/${call}`)).status, 204)
    await alice.next('ended')
    t.equal(await child.end('SIGTERM'), 0, 'and it ends in good order, with all of them')
  },
)
