// A hub as a process of its own, with what befalls processes: faults that nobody caught, signals at any time, readers
// that go away, too little memory. And what it says of all that, which holds no secret.

import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { secret, tokenOf } from './support/hub.js'
import { Child, launcherOf, outside, startVoice } from './support/processes.js'
import { createTerminal } from './support/terminal.js'

// A dozen processes, some of which are flooded.
t.setTimeout(300_000)

const launcher = await launcherOf()
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
const phone = async (url: string, account: string, token?: string) => {
  const ws = new WebSocket(`${url.replace('http', 'ws')}/v1/socket`)
  const frames: { type: string; [field: string]: unknown }[] = []
  ws.on('message', data => frames.push(JSON.parse(String(data))))
  const closed = new Promise<number>(resolve => ws.once('close', resolve))
  ws.on('error', () => {})
  await once(ws, 'open')
  ws.send(JSON.stringify({ type: 'hello', token: token ?? (await tokenOf(account)), device: 'desk' }))
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

t.test('[FC3] blocked for longer than anyone may be silent: who answers meanwhile was in time', async t => {
  const block = `process.on("SIGUSR2", () => {
    process.stdout.write('{"event":"blocked"}\\n')
    for (const end = Date.now() + 2_000; Date.now() < end; );
  })`
  const config = {
    presence: { heartbeatMs: 200, lingerMs: 100 },
    calls: { ringTimeoutMs: 1_000, confirmMs: 500 },
  }
  const { child, url } = await serve(t, config, { node: within(block) })
  const [alice, bob] = [await phone(url, 'alice'), await phone(url, 'bob')]
  const trunk = await trunkOf(url)
  const call = await trunk.place('alice')
  await alice.next('invite')
  child.signal('SIGUSR2')
  await child.stdout.next({ event: 'blocked' })
  alice.send({ type: 'ringing', call })
  alice.send({ type: 'accept', call })
  await alice.next('connected')
  t.match(await trunk.call(call), { state: 'connected', by: { account: 'alice' } })
  for (const { send, next } of [alice, bob]) {
    send({ type: 'ping' })
    await next('pong')
  }
  const { text } = await fetch(`${url}/metrics`).then(async answer => ({ text: await answer.text() }))
  t.match(text, /^switchhook_sockets_accepted_total 2$/m, 'on the sockets they had')
  t.equal((await trunk.ask('DELETE', `/v1/calls/${call}`)).status, 204)
  t.equal(await child.end('SIGTERM'), 0)
})

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
      // For a while beyond what it takes.
      for (let n = 0; n < 120 && (answers[503] ?? 0) < 200; n++) {
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

t.test(
  '[FC7] what is secret is in no log, refusal, metric, crash or kept file, whatever goes wrong with it',
  async t => {
    const hmac = 'PLANTED-hmac-0123456789abcdef0123456789'
    const authToken = 'PLANTED-auth-0123456789abcdef'
    const sip = { secret: 'PLANTED-sip-0123456789abcdef' }
    const sdp = 'v=0 PLANTED-sdp'
    const tenant = {
      keys: [{ kid: 'k1', alg: 'HS256', secret: hmac }],
      authToken,
      accounts: { carol: { sip } },
    }
    const token = await tokenOf('alice', {
      secret: hmac,
      scopes: ['admin', 'presence:register', 'call:receive', 'call:place'],
    })
    const expired = await tokenOf('alice', { secret: hmac, expiresInSeconds: -3_600 })
    const [head = '', payload = '', signature = ''] = token.split('.')
    const planted = [/PLANTED/, payload, signature, ...expired.split('.').slice(1)]
    /** All that anyone heard. */
    const heard: string[] = []

    const voice = await startVoice(t, {
      '/in': '<Response><Dial><Client>alice</Client></Dial></Response>',
      '/odd': '<Response><Fax/></Response>',
    })
    const config = (more: object = {}) =>
      JSON.stringify({
        dataDir: 'data',
        fetch: { allowPrivate: true },
        tenants: {
          acme: {
            ...tenant,
            routes: [
              { to: '+1', instructions: `${voice.url}/in` },
              { to: '+2', instructions: `${voice.url}/odd` },
              { to: '+3', instructions: `${voice.url}/none` },
            ],
            ...more,
          },
        },
      })
    const bad = [
      config().replace(`"${hmac}"`, hmac),
      config().replace(`"${hmac}"`, `"${hmac}" "`),
      config().slice(0, config().indexOf('PLANTED') + 10),
      config({ keys: [{ alg: 'HS256', secret: 'PLANTED-short' }] }),
      config({ keys: [{ alg: 'HS512', secret: hmac }] }),
      config({ keys: [{ alg: 'HS256', secret: [hmac] }] }),
      config({ keys: [{ alg: 'PLANTED-alg'.slice(8), secret: hmac, colour: hmac }] }),
      config({
        keys: [{ alg: 'ES256', publicKey: `-----BEGIN PUBLIC KEY-----\n${hmac}\n-----END PUBLIC KEY-----` }],
      }),
      config({ authToken: [authToken] }),
      config({ authToken: { env: 'NONE', value: authToken } }),
      config({ accounts: { carol: { sip: { secret: 'PLANTED' } } } }),
      config({ accounts: { carol: { sip: { secret: [sip.secret] } } } }),
      config({ accounts: { carol: { sip: { ...sip, scope: 'call:place to:anyone' } } } }),
      config({ accounts: { carol: { sip: sip.secret } } }),
      config({ sipDomain: [sip.secret] }),
      config({ routes: [{ to: '1', instructions: { steps: [{ dial: { to: [], why: hmac } }] } }] }),
    ]
    const dir = t.testdir({ 'hub.json': config(), 'bad.json': '' })
    const serving = ['--json', '--port', '0', '--log-level', 'trace']
    const args = (file: string) => ['serve', '--config', join(dir, file), ...serving]
    for (const text of bad) {
      writeFileSync(join(dir, 'bad.json'), text)
      const terminal = createTerminal()
      t.equal(await terminal.run(...args('bad.json')), 2)
      heard.push(...terminal.stdout.lines, ...terminal.stderr.lines)
    }
    const refusing = new Child(t, [launcher, ...args('bad.json')])
    t.equal(await refusing.exit, 2, 'as a process, too')
    heard.push(...refusing.stdout.lines, ...refusing.stderr.lines)

    const fault = 'process.on("SIGUSR2", () => setTimeout(() => { throw new TypeError("out of order") }))'
    const child = new Child(t, [...within(fault), launcher, ...args('hub.json')])
    const { url } = await child.stdout.next({ event: 'listening' })
    const hub = String(url)
    for (const text of bad) {
      writeFileSync(join(dir, 'hub.json'), text)
      child.signal('SIGHUP')
      await child.stderr.next({ msg: /refused; the old one stays/ })
    }

    /** Asks, and keeps the answer if it is a refusal. */
    const ask = async (
      method: string,
      path: string,
      body?: unknown,
      headers: Record<string, string> = {},
    ) => {
      const answer = await fetch(`${hub}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      const text = await answer.text()
      if (answer.status >= 400) heard.push(text, JSON.stringify([...answer.headers]))
      return { status: answer.status, text }
    }
    const refused = async (...asked: Parameters<typeof ask>) =>
      t.ok((await ask(...asked)).status >= 400, asked.slice(0, 2).join(' '))
    for (const authorization of [
      `Bearer ${token} ${token}`,
      `Basic ${token}`,
      token,
      `Bearer ${token}x`,
      `Bearer ${head}.${payload}.`,
      `Bearer ${expired}`,
      `Bearer ${payload}`,
    ])
      await refused('GET', '/v1/calls', undefined, { authorization })
    const place = { to: '+1', from: 'x', sdp }
    await refused('GET', `/v1/calls/${token}`)
    await refused('GET', `/v1/presence/${token}?access_token=${token}`)
    await refused('GET', `/${token}?token=${token}`)
    await refused('GET', `/%ff${token}`)
    await refused('POST', '/v1/calls', { ...place, to: { sdp } })
    await refused('POST', '/v1/calls', { ...place, sdp: [sdp] })
    await refused('POST', '/v1/calls', { ...place, params: { [`${token}`]: 7 } })
    await refused('POST', '/v1/calls', `{"sdp": ${sdp}`)
    await refused('POST', '/v1/calls', { ...place, sdp: sdp.repeat(20_000) })
    await refused('POST', '/v1/calls', { ...place, instructions: { twiml: `<Response><Fax>${sdp}` } })
    await refused('POST', '/v1/calls', { ...place, instructions: `http://user:${hmac}@127.0.0.1/` })
    await refused('POST', '/v1/calls', place, { 'content-type': `text/${hmac}` })
    await refused('POST', '/v1/calls', place, { 'idempotency-key': `${hmac} ${token}` })
    await refused('POST', '/v1/revocations', { token })
    await refused('PUT', '/v1/presence/alice/status', { status: token })

    const socket = async (path: string, options: object = {}) => {
      const ws = new WebSocket(`${hub.replace('http', 'ws')}${path}`, options)
      ws.on('message', data =>
        heard.push(...(/"type":"(error|pong)"/.test(String(data)) ? [String(data)] : [])),
      )
      ws.on('unexpected-response', (_request, response) => {
        response.on('data', (chunk: Buffer) => heard.push(String(chunk)))
        response.on('end', () => ws.emit('close', 0, Buffer.from('')))
      })
      ws.on('error', () => {})
      const closed = new Promise<void>(resolve =>
        ws.once('close', (_code, reason) => resolve(void heard.push(String(reason)))),
      )
      const opened = await Promise.race([once(ws, 'open').then(() => true), closed.then(() => false)])
      return {
        ws,
        opened,
        closed,
        send: (frame: unknown) => ws.send(typeof frame === 'string' ? frame : JSON.stringify(frame)),
      }
    }
    t.notOk((await socket(`/v1/socket?token=${token}`)).opened)
    t.notOk((await socket('/v1/socket', { headers: { authorization: `Bearer ${expired}` } })).opened)
    for (const frame of [
      { type: 'hello', token: expired, device: 'desk' },
      { type: 'hello', token: [token], device: token.repeat(3) },
      `{"type":"hello","token":"${token}`,
      [token],
    ]) {
      const each = await socket('/v1/socket')
      each.send(frame)
      each.send('no JSON')
      await each.closed
    }
    const alice = await phone(hub, 'alice', token)
    alice.ws.on('message', data => heard.push(...(/"type":"error"/.test(String(data)) ? [String(data)] : [])))
    for (const frame of [
      { type: 'token', token: expired },
      { type: 'token', token: [token] },
      { type: 'accept', call: token, sdp },
      { type: 'signal', call: 'x', data: { sdp } },
      { type: 'place', to: 'bob', sdp: [sdp] },
      { type: token },
      { type: 'subscribe', destinations: [token.repeat(2)] },
    ])
      alice.send({ ...frame, ref: 'r' })
    for (const to of ['+1', '+2', '+3']) {
      const { call } = JSON.parse((await ask('POST', '/v1/calls', { ...place, to })).text)
      if (to === '+1') {
        await alice.next('invite')
        alice.send({ type: 'accept', call, sdp })
        await alice.next('connected')
        await ask('POST', `/v1/calls/${call}`, { signal: { sdp } })
        await ask('DELETE', `/v1/calls/${call}`)
      } else await ask('GET', `/v1/calls/${call}/events`)
    }
    await ask('PUT', '/v1/presence/bob/status', { status: 'away' })
    t.equal((await ask('POST', '/v1/revocations', { jti: 'stolen' })).status, 204)
    for (const path of ['/metrics', '/healthz', '/readyz', '/openapi.json'])
      heard.push((await ask('GET', path)).text)

    child.signal('SIGUSR2')
    t.equal(await child.exit, 1)
    heard.push(...child.stdout.lines, ...child.stderr.lines)
    for (const name of readdirSync(join(dir, 'data')))
      heard.push(readFileSync(join(dir, 'data', name), 'utf8'))
    t.ok(heard.length > 100)
    t.match(heard.join('\n'), /a request was refused.*out of order.*jti:stolen/s, 'all was listened to')
    for (const text of heard)
      for (const secret of planted)
        if (typeof secret === 'string' ? text.includes(secret) : secret.test(text))
          t.fail(String(secret), { text })
  },
)
