// The whole journey in the open: hub, phones, wallboard and voice application are processes of their own, the outside
// system knows nothing but HTTP, and processes are killed on the way.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { secret, tokenOf } from '../support/hub.js'
import { Child, type Facts, launcherOf, outside, startVoice } from '../support/processes.js'

// Twenty processes start, one after the other where one has to see what became of the other.
t.setTimeout(300_000)

const launcher = await launcherOf()

/** Long enough that a call goes on to the next only because somebody was lost. */
const ringTimeoutMs = 60_000
/** Both far shorter than by default; that of a call more than twice the other. */
const presenceLingerMs = 200
const callLingerMs = 600

const carrier = ['call:inbound', 'call:explain']

const switchhook = (t: Test, args: readonly string[], env?: Readonly<Record<string, string>>): Child =>
  new Child(t, [launcher, ...args], env)

interface HubProcess {
  readonly child: Child
  readonly url: string
  readonly port: string
}

/** A hub on a free port, or on the one that is named. */
const serve = async (t: Test, file: string, port = '0'): Promise<HubProcess> => {
  const child = switchhook(t, ['serve', '--config', file, '--json', '--port', port])
  const listening = await child.stdout.next({ event: 'listening' })
  const url = String(listening.url)
  return { child, url, port: new URL(url).port }
}

/** A phone that has registered; `name` is its account and device, with a stroke between. */
const phone = async (t: Test, url: string, name: string, ...args: string[]): Promise<Child> => {
  const [account = '', device = ''] = name.split('/')
  const child = switchhook(t, ['phone', '--json', '--device', device, ...args], {
    SWITCHHOOK_URL: url,
    SWITCHHOOK_TOKEN: await tokenOf(account),
  })
  await child.stdout.next({ event: 'registered', account, device })
  return child
}

interface Entry {
  readonly event: string
  readonly at: string
}

/** What happened to a call, from this event on. */
const since = ({ timeline }: Facts, event: string): readonly Entry[] => {
  const entries = timeline as Entry[]
  return entries.slice(entries.findIndex(entry => entry.event === event))
}

const keys = [{ kid: 'k1', alg: 'HS256', secret: { file: 'secret' } }]

t.test('calls from outside find their people, who may vanish', async t => {
  const client = (name: string) => `<Response><Dial><Client>${name}</Client></Dial></Response>`
  const voice = await startVoice(t, {
    '/support': client('support'),
    '/frank': client('frank'),
    '/relay': client('relay'),
    '/heidi': client('heidi'),
  })
  const routes = ['support', 'frank', 'relay', 'heidi'].map(name => ({
    to: `+1555${name}`,
    instructions: `${voice.url}/${name}`,
  }))
  const configured = (night: readonly string[], rest: object = {}) => ({
    fetch: { allowPrivate: true },
    presence: { lingerMs: presenceLingerMs },
    calls: { lingerMs: callLingerMs, ringTimeoutMs },
    tenants: {
      acme: {
        keys,
        groups: {
          support: { members: ['alice', 'bob', 'carol'] },
          relay: {
            members: [
              { account: 'dave', tier: 1 },
              { account: 'erin', tier: 2 },
            ],
          },
          night: { members: night },
        },
        routes,
      },
    },
    ...rest,
  })
  const dir = t.testdir({ secret: `${secret}\n`, 'hub.json': JSON.stringify(configured(['grace'])) })
  const file = join(dir, 'hub.json')
  const { child: hub, url } = await serve(t, file)
  t.strictSame(
    hub.stdout.events,
    [{ event: 'listening', url, socket: `${url.replace('http', 'ws')}/v1/socket`, pid: hub.pid }],
    'the hub says where it listens, and no more',
  )

  const mint = ['token', '--tenant', 'acme', '--account', 'trunk', '--secret-file', join(dir, 'secret')]
  const minted = switchhook(t, [...mint, '--scope', carrier.join()])
  t.equal(await minted.exit, 0)
  const trunk = outside(url, minted.stdout.lines.join())

  t.test('[C4][C5][C9] a group: the one who is available is found, rung, and answers', async t => {
    const [alice, bob, carol] = await Promise.all([
      phone(t, url, 'alice/desk', '--status', 'dnd', '--auto', 'accept'),
      phone(t, url, 'bob/desk', '--status', 'away', '--auto', 'accept'),
      phone(t, url, 'carol/desk', '--auto', 'accept'),
    ])
    const order = { to: '+1555support', from: '+15550199', params: { lang: 'fr' } }
    const once = { 'idempotency-key': 'order-1' }
    const first = await trunk.ask('POST', '/v1/calls?waitMs=30000', order, once)
    const { call } = first.body
    t.match(first, { status: 201, body: { state: 'connected', by: { account: 'carol', device: 'desk' } } })
    t.match(
      await trunk.ask('POST', '/v1/calls', order, once),
      { status: 200, body: { call } },
      'a safe retry',
    )
    t.match(await trunk.ask('POST', '/v1/calls', { ...order, to: 'bob' }, once), {
      status: 422,
      body: { error: { code: 'idempotency-mismatch' } },
    })
    t.match(await trunk.call(String(call)), {
      state: 'connected',
      by: { account: 'carol', device: 'desk' },
      timeline: [{ event: 'received' }],
    })
    t.equal((await trunk.ask('DELETE', `/v1/calls/${call}`)).status, 204)
    t.match(await carol.stdout.next({ event: 'ended', call }), { reason: 'completed' })
    t.strictSame(carol.heard(call), ['invite', 'connected', 'ended'])
    t.match(await trunk.call(String(call)), { state: 'ended', reason: 'completed' })

    for (const quiet of [alice, bob]) {
      t.equal(await quiet.end('SIGTERM'), 0)
      t.strictSame(quiet.heard(call), [], 'who is not available does not ring')
    }
    const asked = voice.child.stdout.events.filter(({ event }) => event === 'asked')
    const form = { CallSid: call, AccountSid: 'acme', To: '+1555support', From: '+15550199', lang: 'fr' }
    t.match(asked, [{ method: 'POST', path: '/support', form }])
    t.equal(asked.length, 1, 'and the retries were no further calls')
  })

  t.test('[C10] an account: its available devices ring, and the first to accept has the call', async t => {
    const [desk, web, mobile] = await Promise.all([
      phone(t, url, 'frank/desk', '--auto', 'ignore'),
      phone(t, url, 'frank/web', '--auto', 'accept'),
      phone(t, url, 'frank/mobile', '--status', 'away', '--auto', 'accept'),
    ])
    const call = await trunk.place('+1555frank')
    const by = { account: 'frank', device: 'web' }
    await web.stdout.next({ event: 'connected', call })
    t.match(await desk.stdout.next({ event: 'cancel', call }), { reason: 'answered-elsewhere', by })
    t.match(await trunk.call(call), { state: 'connected', by })
    t.equal((await trunk.ask('DELETE', `/v1/calls/${call}`)).status, 204)
    await web.stdout.next({ event: 'ended', call, reason: 'completed' })
    t.equal(await mobile.end('SIGTERM'), 0)
    t.strictSame(
      [desk, web, mobile].map(device => device.heard(call)),
      [['invite', 'cancel'], ['invite', 'connected', 'ended'], []],
    )
  })

  t.test('[C9] a phone killed while it rings: the next one rings at once, and answers', async t => {
    const [dave, erin] = await Promise.all([
      phone(t, url, 'dave/desk', '--auto', 'ignore'),
      phone(t, url, 'erin/desk', '--auto', 'accept'),
    ])
    const call = await trunk.place('+1555relay')
    const told: unknown[] = []
    for await (const facts of trunk.events(call)) {
      told.push(facts.state ?? facts.type)
      if (facts.state === 'ringing') {
        t.strictSame(erin.heard(call), [], 'one after the other')
        await dave.stdout.next({ event: 'invite', call })
        t.equal(await dave.end('SIGKILL'), 'SIGKILL')
      }
      if (facts.type === 'answered') {
        t.match(facts, { by: { account: 'erin', device: 'desk' } })
        t.equal((await trunk.ask('DELETE', `/v1/calls/${call}`)).status, 204)
      }
    }
    t.strictSame(told, ['trying', 'ringing', 'answered', 'ended'])
    const view = await trunk.call(call)
    t.match(view, { reason: 'completed', by: { account: 'erin' } })
    t.match(since(view, 'lost').slice(0, 3), [
      { event: 'lost', account: 'dave', device: 'desk' },
      { event: 'tier-joined', destination: 'relay', tier: 2 },
      { event: 'offered', account: 'erin', device: 'desk' },
    ])
  })

  t.test('a phone killed while it talks: the call has its own linger, then both sides are free', async t => {
    const wall = switchhook(t, ['watch', '--json', 'heidi'], {
      SWITCHHOOK_URL: url,
      SWITCHHOOK_TOKEN: await tokenOf('wall', { scopes: ['presence:read'] }),
    })
    const [desk, mobile] = await Promise.all([
      phone(t, url, 'heidi/desk', '--auto', 'accept'),
      phone(t, url, 'heidi/mobile', '--auto', 'ignore'),
    ])
    await wall.stdout.next({ event: 'presence', status: 'available' })
    const call = await trunk.place('+1555heidi')
    const told: Facts[] = []
    for await (const facts of trunk.events(call)) {
      told.push(facts)
      if (facts.type !== 'answered') continue
      t.match(facts, { by: { account: 'heidi', device: 'desk' } })
      await wall.stdout.next({ event: 'presence', status: 'busy' })
      await desk.end('SIGKILL')
    }
    t.match(told.at(-1), { type: 'ended', reason: 'failed', message: /lost for good/ })
    const view = await trunk.call(call)
    t.match(view, { state: 'ended', reason: 'failed' })
    const [lost, ended] = since(view, 'lost').map(({ event, at }) => ({ event, at: Date.parse(at) }))
    t.match([lost, ended], [{ event: 'lost' }, { event: 'ended' }])
    t.ok(ended!.at - lost!.at > 2 * presenceLingerMs, 'longer than its device, which has no call now')

    await wall.stdout.next({ event: 'presence', status: 'available' })
    const next = await trunk.place('+1555heidi')
    await mobile.stdout.next({ event: 'invite', call: next })
    t.equal((await trunk.ask('DELETE', `/v1/calls/${next}`)).status, 204)
    await mobile.stdout.next({ event: 'cancel', call: next, reason: 'caller-canceled' })
    t.equal(await wall.end('SIGINT'), 0)
  })

  t.test('SIGHUP: a good configuration holds from then on, a bad one changes nothing', async t => {
    const ivan = await phone(t, url, 'ivan/desk', '--auto', 'reject')
    const outcome = async () => {
      const call = await trunk.place('night')
      for await (const facts of trunk.events(call)) if (facts.type === 'ended') return facts.reason
      return undefined
    }
    t.equal(await outcome(), 'unavailable', 'nobody of the group is there')

    writeFileSync(file, JSON.stringify(configured(['grace', 'ivan'], { drainMs: 1 })))
    hub.signal('SIGHUP')
    t.match(await hub.stderr.next({ msg: /configuration/ }), { waiting: ['drainMs'] })
    t.equal(await outcome(), 'rejected', 'the new member is rung')

    const bad = configured([])
    writeFileSync(file, JSON.stringify({ ...bad, tenants: { acme: { ...bad.tenants.acme, keys: [] } } }))
    hub.signal('SIGHUP')
    t.match(await hub.stderr.next({ msg: /configuration/ }), { faults: [/hub\.json: tenants\.acme\.keys/] })
    t.equal(await outcome(), 'rejected', 'and still is')
    t.equal(ivan.stdout.events.filter(({ event }) => event === 'invite').length, 2)
  })
})

t.test('the life of a hub process', async t => {
  const dir = t.testdir({
    secret,
    'hub.json': JSON.stringify({ tenants: { acme: { keys } } }),
    'bad.json': JSON.stringify({
      listen: { port: 'eighty' },
      tenants: {
        acme: { keys, groups: { sales: { member: [] } } },
      },
    }),
    'worse.json': JSON.stringify({
      tenants: {
        acme: {
          keys: [{ alg: 'HS256', secret: 'short' }],
          groups: { sales: { members: ['judy', 'judy'] } },
        },
      },
    }),
  })
  const file = join(dir, 'hub.json')
  const trunkOf = async (url: string) => outside(url, await tokenOf('trunk', { scopes: carrier }))

  t.test('a bad configuration: every fault is a line, no stack trace, exit code 2', async t => {
    const faults = {
      'bad.json': [/listen\.port /, /tenants\.acme\.groups\.sales\.member /],
      'worse.json': [
        /tenants\.acme\.groups\.sales\.members\[1\] judy is there twice/,
        /tenants\.acme\.keys\[0\]\.secret must be at least 32 bytes/,
      ],
    }
    for (const [name, patterns] of Object.entries(faults)) {
      const child = switchhook(t, ['serve', '--config', join(dir, name), '--json'])
      t.equal(await child.exit, 2)
      t.strictSame(child.stdout.lines, [])
      t.match([...child.stderr.lines].sort(), patterns)
      t.equal(child.stderr.lines.length, patterns.length)
    }
  })

  t.test('a hub killed and started again: its phones come back by themselves, and ring', async t => {
    const before = await serve(t, file)
    const { url, port } = before
    const [judy, karl] = await Promise.all([
      phone(t, url, 'judy/desk', '--auto', 'accept'),
      phone(t, url, 'karl/desk', '--auto', 'ignore'),
    ])
    const trunk = await trunkOf(url)
    const cut = await trunk.place('judy')
    await judy.stdout.next({ event: 'connected', call: cut })
    t.equal(await before.child.end('SIGKILL'), 'SIGKILL')
    await Promise.all([judy, karl].map(({ stdout }) => stdout.next({ event: 'reconnecting' })))

    const { child: hub } = await serve(t, file, port)
    await Promise.all([judy, karl].map(({ stdout }) => stdout.next({ event: 'reconnected', resumed: false })))
    await judy.stdout.next({ event: 'ended', call: cut, reason: 'failed' })
    const ringing = await trunk.place('karl')
    await karl.stdout.next({ event: 'invite', call: ringing })
    t.equal((await trunk.ask('DELETE', `/v1/calls/${ringing}`)).status, 204)
    const talking = await trunk.place('judy')
    await judy.stdout.next({ event: 'connected', call: talking })

    t.test('SIGTERM: no new calls, the one that is talked on goes on, then it exits 0', async t => {
      hub.signal('SIGTERM')
      await hub.stdout.next({ event: 'draining' })
      const late = await trunk.ask('POST', '/v1/calls', { to: 'karl', from: '+15550199' })
      t.match(late, { status: 503, body: { error: { code: 'draining' } } })
      t.match(late.headers.get('retry-after'), /^\d+$/)
      t.match(await trunk.call(talking), { state: 'connected', by: { account: 'judy' } })
      t.equal((await trunk.ask('DELETE', `/v1/calls/${talking}`)).status, 204)
      t.equal(await hub.exit, 0)
      t.match(hub.stdout.events.slice(1), [{ event: 'draining' }, { event: 'stopped' }])
      t.match(await judy.stdout.next({ event: 'ended', call: talking }), { reason: 'completed' })
      await judy.stdout.next({ event: 'reconnecting' })
    })
  })

  t.test(
    '[FT14] what was revoked stays so after the hub is killed in the very moment of its answer',
    async t => {
      const kept = { dataDir: 'data', tenants: { acme: { keys } } }
      writeFileSync(join(dir, 'kept.json'), JSON.stringify(kept))
      const before = await serve(t, join(dir, 'kept.json'))
      const root = outside(before.url, await tokenOf('root', { scopes: ['admin'] }))
      const alice = await tokenOf('alice', { scopes: ['presence:read'] })
      const read = async (url: string) => (await outside(url, alice).ask('GET', '/v1/presence/alice')).status
      t.equal(await read(before.url), 200)
      t.equal((await root.ask('POST', '/v1/revocations', { account: 'alice' })).status, 204)
      t.equal(await before.child.end('SIGKILL'), 'SIGKILL')
      const after = await serve(t, join(dir, 'kept.json'))
      t.equal(await read(after.url), 401)
      t.equal(await after.child.end('SIGTERM'), 0)
    },
  )

  t.test('a second SIGTERM does not wait for the calls', async t => {
    const { child: hub, url } = await serve(t, file)
    const trunk = await trunkOf(url)
    await trunk.place('x', { instructions: { steps: [{ pause: { ms: 60_000 } }] } })
    hub.signal('SIGTERM')
    await hub.stdout.next({ event: 'draining' })
    t.equal(await hub.end('SIGTERM'), 143)
  })
})
