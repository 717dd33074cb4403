import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { createHub } from '../../src/hub.js'
import { configOf, startApplication, startHub, tokenOf, type World } from '../support/hub.js'
import { createTerminal, type Terminal, type TerminalOptions } from '../support/terminal.js'

const groups = { support: { members: ['alice', 'bob'], ringTimeoutMs: 60_000 }, sales: { open: true } }

const hubOf = (t: Test): Promise<World> => startHub(t, configOf({ groups }))

/** A terminal whose environment names the hub and a token. */
const at = async (
  { listening }: World,
  account: string,
  facts: Parameters<typeof tokenOf>[1] = {},
  options: TerminalOptions = {},
): Promise<Terminal> =>
  createTerminal({
    ...options,
    env: { NO_COLOR: '1', SWITCHHOOK_URL: listening.url, SWITCHHOOK_TOKEN: await tokenOf(account, facts) },
  })

/** A registered phone at a terminal, and its exit. */
const registered = async (world: World, account: string, ...args: string[]) => {
  const terminal = await at(world, account, { groups: ['sales'] })
  const exit = terminal.run('phone', '--json', '--device', `${account}-1`, ...args)
  await terminal.stdout.until(/"event":"registered".*\n/)
  return {
    terminal,
    exit,
    says: (event: string) => terminal.stdout.until(new RegExp(`{"event":"${event}".*\n`)),
  }
}

const carrier = ['call:inbound', 'call:explain'] as const

t.test('a phone registers, says what the hub believes of it, and leaves at once on SIGINT', async t => {
  const world = await hubOf(t)
  const { terminal, exit } = await registered(world, 'alice', '--status', 'away', '--note', 'lunch')
  const [event] = terminal.stdout.events.filter(({ event }) => event === 'registered')
  t.match(event, {
    account: 'alice',
    device: 'alice-1',
    tenant: 'acme',
    groups: ['support', 'sales'],
    canReceive: true,
  })
  const api = await world.api('wall', ['presence:read'])
  t.match(await api.presence('alice'), { status: 'away', accounts: [{ note: 'lunch' }] })
  terminal.signal('SIGINT')
  t.equal(await exit, 0)
  t.match(await api.presence('alice'), { status: 'offline' })
})

t.test('[U1] people are told in words what the hub believes', async t => {
  const world = await hubOf(t)
  const terminal = await at(world, 'bob', { scopes: ['presence:register'] }, { screen: [80, 24] })
  const exit = terminal.run('phone')
  await terminal.stdout.until(/keys: a accept/)
  t.match(terminal.stdout.text, /registered as bob\/terminal-[0-9a-f]{6} of acme, in support\n/)
  t.match(terminal.stdout.text, /receives no calls: the token lacks the permission call:receive\n/)
  await terminal.stdout.until(/you are available: terminal-/)
  const supervisor = await world.api('lead', ['presence:write'])
  await supervisor.setStatus('bob', { status: 'busy', until: '2100-01-01T00:00:00.000Z' })
  await terminal.stdout.until(/you are busy, set for all devices until 2100-01-01T00:00:00.000Z:/)
  await supervisor.setStatus('bob', { status: 'away' })
  await terminal.stdout.until(/you are away, set for all devices: terminal-/)
  terminal.stdin.write('q\n')
  t.equal(await exit, 0)
  const alone = await at(world, 'zoe')
  const left = alone.run('phone', '--account', 'zoe')
  await alone.stdout.until(/registered as zoe.*, in no group\n/)
  alone.signal('SIGTERM')
  t.equal(await left, 0)
})

t.test(
  '[U1] at a terminal a phone draws in place how it stands: its account, its calls, its connection',
  async t => {
    const world = await hubOf(t)
    await world.phone('bob')
    const terminal = await at(world, 'alice', {}, { screen: [80, 24] })
    const exit = terminal.run('phone', '--device', 'web')
    await terminal.stdout.until(/you are available: web available\n/)
    const api = await world.api('gateway', carrier)
    await api.place({ to: 'alice', from: '+15550199\u202e' })
    await terminal.stdout.until(/\n {2}ringing from \+15550199\\u\{202e\}\n/)
    terminal.stdin.write('a\n')
    await terminal.stdout.until(/\n {2}connected from \+15550199/)
    t.ok(terminal.stdout.text.includes('\x1b[3A\r\x1b[J'), 'the line that was typed is drawn over, too')
    terminal.stdin.write('h\n')
    await terminal.stdout.until(/ended \+?.*completed/)
    terminal.stdin.write('c bob\n')
    await terminal.stdout.until(/\n {2}(trying|ringing) to bob\n/)
    await world.hub.close()
    await terminal.stdout.until(/not connected \(reconnecting\)\n/)
    terminal.signal('SIGINT')
    t.equal(await exit, 0)
  },
)

t.test('[FC5] a phone leaves quietly when nobody reads any more what it says', async t => {
  const world = await hubOf(t)
  const { terminal, exit } = await registered(world, 'alice')
  terminal.stdout.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
  t.equal(await exit, 0)
  t.equal(terminal.stderr.text, '')
})

t.test('a phone answers by itself, hangs up after a while, and with --once leaves', async t => {
  const world = await hubOf(t)
  const phone = await registered(world, 'alice', '--auto', 'accept:5ms', '--hangup-after', '5ms', '--once')
  const api = await world.api('gateway', carrier)
  const { call } = await api.place({ to: 'support', from: '+15550199', params: { lang: 'fr' } })
  t.equal(await phone.exit, 0)
  t.match(
    phone.terminal.stdout.events.filter(({ event }) => event !== 'self'),
    [
      { event: 'registered' },
      {
        event: 'invite',
        call,
        from: '+15550199',
        to: 'support',
        destination: 'support',
        params: { lang: 'fr' },
      },
      { event: 'connected', call },
      { event: 'ended', call, reason: 'completed' },
    ],
  )
})

t.test('[U4] a phone says why it stops ringing; --auto reject, busy and ignore', async t => {
  const world = await hubOf(t)
  const api = await world.api('gateway', carrier)
  const outcomes: Record<string, string> = {}
  for (const auto of ['reject', 'busy', 'ignore']) {
    const phone = await registered(world, 'zoe', '--auto', auto, '--once')
    const { call } = await api.place({ to: 'zoe', from: '+15550199' })
    await phone.says('invite')
    if (auto === 'ignore') await api.hangup(call)
    t.equal(await phone.exit, 0)
    outcomes[auto] = `${(await api.call(call)).reason}, ${JSON.parse((await phone.says('cancel'))[0]).reason}`
  }
  t.strictSame(outcomes, {
    reject: 'rejected, rejected-elsewhere',
    busy: 'busy, rejected-elsewhere',
    ignore: 'canceled, caller-canceled',
  })
})

t.test('keys answer, refuse, hang up, call, and set the status; what is no key is explained', async t => {
  const world = await hubOf(t)
  const api = await world.api('gateway', [...carrier, 'presence:read'])
  const alice = await registered(world, 'alice')
  const type = (text: string) => alice.terminal.stdin.write(`${text}\n`)
  const faults = (count: number) =>
    alice.terminal.stdout.until(new RegExp(`(?:{"event":"error".*\n(?:.*\n)*?){${count}}`))
  type('a')
  await faults(1)
  type('h')
  await faults(2)
  for (const [index, odd] of ['', 's', 'c', 's dancing'].entries()) {
    type(odd)
    await faults(3 + index)
  }
  t.match(
    alice.terminal.stdout.events.filter(({ event }) => event === 'error').map(({ message }) => message),
    [/nothing rings/, /no call to hang up/, /^keys:/, /^keys:/, /^keys:/, /status/],
  )
  type('s dnd')
  await alice.terminal.stdout.until(/"status":"dnd"/)
  type('s available')
  await alice.terminal.stdout.until(/"event":"self","status":"available"[\s\S]*"status":"available".*\n$/)

  const first = await api.place({ to: 'alice', from: '1' })
  await alice.says('invite')
  type('a')
  await alice.says('connected')
  type('h')
  await alice.says('ended')
  t.match(await api.call(first.call), { reason: 'completed' })

  for (const [key, reason] of [
    ['r', 'rejected'],
    ['b', 'busy'],
  ] as const) {
    const { call } = await api.place({ to: 'alice', from: key })
    await alice.terminal.stdout.until(new RegExp(`"event":"invite".*"from":"${key}"`))
    type(key)
    await alice.terminal.stdout.until(new RegExp(`"event":"cancel".*"call":"${call}"`))
    t.match(await api.call(call), { reason })
  }

  const bob = await world.phone('bob')
  type('c bob')
  const call = await bob.invited()
  await alice.terminal.stdout.until(/"event":"progress".*"state":"ringing"/)
  await call.accept()
  await alice.says('answered')
  type('h')
  await call.over
  alice.terminal.stdin.end('')
  await once(alice.terminal.stdin, 'end')
  await api.place({ to: 'alice', from: 'after the end' })
  await alice.terminal.stdout.until(/"from":"after the end"/)
  alice.terminal.signal('SIGINT')
  t.equal(await alice.exit, 0)
})

t.test('[FX7] a phone at a terminal rings the bell, and shows what callers say as text', async t => {
  const world = await hubOf(t)
  const terminal = await at(world, 'alice', {}, { screen: [80, 24] })
  const exit = terminal.run('phone', '--hangup-after', '1ms')
  await terminal.stdout.until(/registered/)
  const api = await world.api('gateway', carrier)
  await api.place({ to: 'alice', from: '\u009b31mred', params: { note: '\x1b[2J' } })
  await terminal.stdout.until('\x07')
  await terminal.stdout.until(/ringing \\u\{9b\}31mred calls alice for alice; note \\u\{1b\}\[2J\n/)
  terminal.stdin.write('a\n')
  await terminal.stdout.until(/ {2}connected\n[\s\S]* {2}ended completed\n/)
  terminal.signal('SIGINT')
  t.equal(await exit, 0)
})

t.test('a phone does not start where it can not', async t => {
  const world = await hubOf(t)
  const cases: [Terminal, string[], RegExp][] = [
    [await at(world, 'alice'), ['--account', 'bob'], /^switchhook: --account bob: the token is for alice\n$/],
    [
      await at(world, 'alice', { scopes: ['presence:read'] }),
      [],
      /^switchhook: --token: it lacks the permission presence:register\n$/,
    ],
    [await at(world, 'alice', { scopes: [] }), [], /^switchhook: --token: .*\n$/],
    [await at(world, 'alice'), ['--token', 'nonsense'], /^switchhook: --token: .*\n$/],
    [
      await at(world, 'alice'),
      ['--url', 'http://127.0.0.1:1'],
      /^switchhook: --url: no connection.*ECONNREFUSED.*\n$/,
    ],
  ]
  for (const [terminal, args, message] of cases) {
    t.equal(await terminal.run('phone', ...args), 1, String(message))
    t.match(terminal.stderr.text, message)
  }
  for (const [args, message] of [
    [['--device', 'a b'], /^switchhook: --device must be a name: .*\n$/],
    [['--note', 'n'.repeat(257)], /^switchhook: --note must not have more than 256 characters\n$/],
  ] as const) {
    const terminal = await at(world, 'alice')
    t.equal(await terminal.run('phone', ...args), 2, String(message))
    t.match(terminal.stderr.text, message)
  }
})

t.test('[U13] a phone whose device is taken over says so, and exits 1', async t => {
  const world = await hubOf(t)
  const first = await registered(world, 'alice')
  const second = await registered(world, 'alice')
  t.equal(await first.exit, 1)
  t.match(first.terminal.stderr.text, /^switchhook: .+\n$/)
  second.terminal.signal('SIGINT')
  t.equal(await second.exit, 0)
})

t.test('a phone that loses its hub says so, and again when it is back', async t => {
  const config = configOf({ groups })
  const first = await createHub(config)
  const { url, port } = await first.listen()
  const terminals = [false, true].map(json =>
    createTerminal({ env: { SWITCHHOOK_URL: url }, ...(!json && { screen: [80, 24] as const }) }),
  )
  const token = await tokenOf('alice')
  const exits = terminals.map((terminal, index) =>
    terminal.run('phone', '--token', token, '--device', `d${index}`, ...(index === 1 ? ['--json'] : [])),
  )
  await Promise.all(terminals.map(({ stdout }) => stdout.until(/registered/)))
  const wall = createTerminal({ env: { SWITCHHOOK_URL: url, NO_COLOR: '1' }, screen: [80, 24] })
  exits.push(wall.run('watch', 'alice', '--token', token))
  await wall.stdout.until(/alice {2}available/)
  await first.close()
  await wall.stdout.until(/not connected \(reconnecting\)\nalice {2}available/)
  await terminals[0]!.stdout.until(/connection lost.*: [\s\S]*; trying again/)
  await terminals[1]!.stdout.until(/"event":"reconnecting","attempt":1,"inMs":\d+,"message":/)
  const second = await createHub({ ...config, listen: { ...config.listen, port } })
  await second.listen()
  await terminals[0]!.stdout.until(/connected again/)
  await terminals[1]!.stdout.until(/"event":"reconnected","resumed":false/)
  await wall.stdout.until(/connected again/)
  for (const terminal of [...terminals, wall]) terminal.signal('SIGINT')
  t.strictSame(await Promise.all(exits), [0, 0, 0])
  await second.close()
})

t.test('a call is held, passed on, and joined with another by the keys', async t => {
  const world = await hubOf(t)
  const bob = await world.phone('bob')
  const api = await world.api('gateway', carrier)
  const { terminal, exit } = await registered(world, 'alice', '--auto', 'accept')
  const type = (key: string, expected: RegExp) => {
    terminal.stdin.write(`${key}\n`)
    return terminal.stdout.until(expected)
  }
  await type('p', /nobody is talked to/)
  await type('j', /no two calls to join/)
  await type('t', /t TO transfer/)
  const { call } = await api.place({ to: 'alice', from: '+15550199' })
  await terminal.stdout.until(/"event":"connected"/)
  terminal.stdin.write('p\n')
  for await (const { type, data } of api.events(call)) {
    if (type === 'signal') {
      t.match(data, { data: { hold: true } })
      break
    }
  }
  bob.softphone.on('invite', call => call.accept())
  await type('t bob', /"event":"ended"/)
  t.match(await api.call(call), { to: 'alice', state: /placing|ringing|connected/ })
  await api.hangup(call)
  terminal.stdin.write('q\n')
  t.equal(await exit, 0)
})

t.test('two calls are joined by a key', async t => {
  const world = await hubOf(t)
  const bob = await world.phone('bob')
  const outside = await world.api('gateway', carrier)
  const terminal = await at(world, 'alice', { capacity: 2 })
  const exit = terminal.run('phone', '--json', '--auto', 'accept')
  await terminal.stdout.until(/"event":"registered"/)
  const { call } = await outside.place({ to: 'alice', from: '+15550199' })
  await terminal.stdout.until(/"event":"connected"/)
  bob.softphone.on('invite', call => call.accept())
  terminal.stdin.write('c bob\n')
  await terminal.stdout.until(/"event":"answered"/)
  terminal.stdin.write('j\n')
  await terminal.stdout.until(/"event":"ended".*"event":"ended"/s)
  for await (const { type, data } of outside.events(call)) {
    if (type === 'answered' && (data as { by: object; seq: number }).seq > 3) {
      t.match(data, { by: { account: 'bob' } })
      break
    }
  }
  await outside.hangup(call)
  terminal.stdin.write('q\n')
  t.equal(await exit, 0)
})

t.test('whoever was talked to by way of another call is taken without being asked', async t => {
  const world = await hubOf(t)
  const chief = await world.phone('chief', 'phone', { capacity: 2 })
  const api = await world.api('gateway', carrier)
  const { terminal, exit } = await registered(world, 'alice')
  const { call } = await api.place({ to: 'chief', from: '+15550199' })
  const first = await chief.invited()
  await first.accept()
  const second = await chief.softphone.place({ to: 'alice' })
  await terminal.stdout.until(/"event":"invite"/)
  terminal.stdin.write('a\n')
  await second.connected
  await first.transfer('alice', { attended: second })
  await terminal.stdout.until(/"replaces"/)
  await terminal.stdout.until(/"event":"connected".*"event":"connected"/s)
  t.match(await api.call(call), { state: 'connected', by: { account: 'alice' } })
  terminal.stdin.write('q\n')
  t.equal(await exit, 0)
})

t.test(
  'a call shows what its caller is told, then the timeline, and is done when it was answered',
  async t => {
    const world = await hubOf(t)
    const alice = await world.phone('alice')
    alice.softphone.on('invite', call => call.accept())
    const terminal = await at(world, 'gateway', { scopes: carrier })
    const args = ['call', '--to', 'support', '--from', '+15550199', '--param', 'lang=fr', '--param', 'a=b=c']
    t.equal(await terminal.run(...args, '--hangup-after', '1ms'), 0, terminal.stderr.text)
    t.match(terminal.stdout.text, /^call [\w-]+ from \+15550199 to support\n {2}progress trying\n/)
    t.match(terminal.stdout.text, /\n {2}answered by alice\/phone\n/)
    t.match(terminal.stdout.text, /\n +\d\.\d{3} s {2}not-rung +destination support; offline; accounts bob/)
    t.match(terminal.stdout.text, /\nanswered by alice\/phone; ended completed\n$/)
    t.ok(terminal.stdout.lines.every(({ length }) => length <= 80))
    t.strictSame(alice.invites[0]?.params, { lang: 'fr', a: 'b=c' })
  },
)

t.test('[U16] a call that nobody answers exits 1, and names everyone with the reason', async t => {
  const world = await hubOf(t)
  const terminal = await at(world, 'gateway', { scopes: carrier })
  t.equal(await terminal.run('call', '--to', 'support', '--json'), 1)
  const { events } = terminal.stdout
  t.match(events[0], { event: 'placed', to: 'support', from: '+15550199' })
  t.match(events.at(-1), { event: 'call', state: 'ended', reason: 'unavailable' })
  t.match(
    (events.at(-1) as unknown as { timeline: object[] }).timeline.find(
      ({ event }: { event?: string }) => event === 'not-rung',
    ),
    {
      accounts: ['alice', 'bob'],
      reason: 'offline',
    },
  )
  const short = await at(world, 'gateway', { scopes: ['call:inbound'] })
  t.equal(await short.run('call', '--to', 'nowhere'), 1)
  t.match(
    short.stdout.text,
    /permission call:explain\nnot answered; ended unavailable: no route.*"nowhere"\n$/,
  )
})

t.test('a call gives up after --wait, and on a signal', async t => {
  const world = await hubOf(t)
  const alice = await world.phone('alice')
  const waiting = await at(world, 'gateway', { scopes: carrier })
  t.equal(await waiting.run('call', '--to', 'alice', '--wait', '20ms'), 1)
  t.match(waiting.stdout.text, /ended canceled\n$/)
  t.match(await alice.invites[0]?.over, { reason: 'caller-canceled' })
  const stopped = await at(world, 'gateway', { scopes: carrier })
  const exit = stopped.run('call', '--to', 'alice')
  await stopped.stdout.until(/progress ringing/)
  stopped.signal('SIGINT')
  t.equal(await exit, 1)
  const early = await at(world, 'gateway', { scopes: carrier })
  const over = early.run('call', '--to', 'alice', '--wait', '1ms')
  early.signal('SIGINT')
  t.equal(await over, 1, 'even before it is placed')
})

t.test('a call brings its instructions along: a URL, TwiML or JSON in a file', async t => {
  const world = await hubOf(t)
  const cwd = t.testdir({
    'reject.xml': '<Response><Reject reason="busy"/></Response>',
    'reject.json': '{"steps":[{"reject":{"reason":"busy"}}]}',
    'bad.json': '{',
    'odd.xml': '<Response><Foo/></Response>',
    'odd.json': '{"steps":[{"foo":1}]}',
    'five.json': '5',
  })
  for (const flags of [
    ['--twiml', 'reject.xml'],
    ['--json-steps', 'reject.json'],
  ]) {
    const terminal = await at(world, 'gateway', { scopes: carrier }, { cwd })
    t.equal(await terminal.run('call', '--to', 'x', ...flags), 1)
    t.match(terminal.stdout.text, /ended busy\n$/, flags.join(' '))
  }
  const asked = await at(world, 'gateway', { scopes: carrier })
  t.equal(await asked.run('call', '--to', 'x', '--instructions', 'http://127.0.0.1:1024/none'), 1)
  t.match(asked.stdout.text, /ended failed: http:\/\/127\.0\.0\.1:1024\/none/)
  for (const [flags, message] of [
    [['--twiml', 'none.xml'], /^switchhook: --twiml none\.xml cannot be read \(ENOENT\)\n$/],
    [['--json-steps', 'none.json'], /^switchhook: --json-steps none\.json cannot be read/],
    [['--json-steps', 'bad.json'], /^switchhook: --json-steps bad\.json is not JSON\n$/],
    [['--twiml', 'odd.xml'], /^switchhook: --twiml odd\.xml:1:11 Foo is not supported\n$/],
    [
      ['--json-steps', 'odd.json'],
      /^switchhook: --json-steps odd\.json: steps\[0\]\.foo is not supported\n$/,
    ],
    [['--json-steps', 'five.json'], /^switchhook: --json-steps five\.json must be a URL, or an object/],
    [['--instructions', 'nowhere'], /^switchhook: --instructions must be an absolute URL\n$/],
    [['--to', ''], /^switchhook: --to must be text of 1 to 128 characters/],
    [['--to', '', '--explain'], /^switchhook: --to must be text of 1 to 128 characters/],
  ] as const) {
    const terminal = await at(world, 'gateway', { scopes: carrier }, { cwd })
    t.equal(await terminal.run('call', '--to', 'x', ...flags), 2)
    t.match(terminal.stderr.text, message)
  }
  const forbidden = await at(world, 'alice')
  t.equal(await forbidden.run('call', '--to', 'x'), 1)
  t.match(forbidden.stderr.text, /^switchhook: --token: .*call:inbound\n$/)
})

t.test('a call whose hub goes away in the middle says so in one line', async t => {
  for (const end of [
    (response: ServerResponse) => response.destroy(),
    (response: ServerResponse) => response.end(),
  ]) {
    const server = createServer((request, response) => {
      if (request.method === 'POST') response.writeHead(201).end('{"call":"c1"}')
      else if (request.method === 'DELETE') response.writeHead(409).end('{}')
      else {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write('event: progress\ndata: {"state":"trying"}\n\n', () => end(response))
      }
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.teardown(() => server.close())
    const terminal = createTerminal()
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const exit = terminal.run('call', '--to', 'x', '--url', url, '--token', 'x')
    terminal.signal('SIGTERM')
    t.equal(await exit, 1)
    t.match(terminal.stderr.text, /^switchhook: --url: .*\n$/)
  }
})

t.test('watch gives a line for each change in a pipe, and the resource to programs', async t => {
  const world = await hubOf(t)
  const piped = await at(world, 'wall', { scopes: ['presence:read'] })
  const exits = [piped.run('watch', 'support', 'support', 'sales')]
  const json = await at(world, 'wall', { scopes: ['presence:read'] })
  exits.push(json.run('watch', 'support', '--view', 'summary', '--json'))
  await piped.stdout.until(/support \d+ offline: 2 offline; alice offline; bob offline\n/)
  await piped.stdout.until(/sales \d+ offline: nobody\n/)
  await json.stdout.until(/\n/)
  await world.phone('alice', 'web', { status: 'away' })
  await piped.stdout.until(/support \d+ away: 1 away, 1 offline; alice away; bob offline\n/)
  await json.stdout.until(/"away":1/)
  const [before, after] = json.stdout.events
  t.match(before, { event: 'presence', destination: 'support', status: 'offline', counts: { offline: 2 } })
  t.match(after, { status: 'away', counts: { away: 1, offline: 1 } })
  t.notOk('accounts' in before!)
  piped.signal('SIGINT')
  json.signal('SIGTERM')
  t.strictSame(await Promise.all(exits), [0, 0])
  t.equal(
    piped.stdout.lines.filter(line => line.startsWith('support')).length,
    2,
    'once for a name given twice',
  )
})

t.test('watch draws one picture on a terminal, over and over', async t => {
  const world = await hubOf(t)
  const terminal = await at(
    world,
    'wall',
    { scopes: ['presence:read', 'presence:devices'] },
    { screen: [60, 24] },
  )
  const exit = terminal.run('watch', 'support', 'alice')
  await terminal.stdout.until(/support {2}offline[\s\S]*alice {2}offline/)
  const alice = await world.phone('alice', 'web', { note: 'back soon' })
  await terminal.stdout.until(/alice {2}available {2}web available, back soon\n/)
  await alice.softphone.status({ status: 'dnd', until: '2100-01-01T00:00:00.000Z' })
  await terminal.stdout.until(/alice {2}dnd {2}web dnd, until 2100-01-01T00:00:00.000Z\n/)
  t.ok(terminal.stdout.text.includes('\x1b[5A\r\x1b[J'), 'over the five rows that were there')
  terminal.signal('SIGINT')
  t.equal(await exit, 0)
})

t.test('watch ends quietly when its reader goes away, and with a line where it may not look', async t => {
  const world = await hubOf(t)
  const reader = await at(world, 'wall', { scopes: ['presence:read'] })
  const exit = reader.run('watch', 'support')
  await reader.stdout.until(/\n/)
  reader.stdout.destroy(new Error('EPIPE'))
  t.equal(await exit, 0)
  t.equal(reader.stderr.text, '')
  const narrow = await at(world, 'wall', { scopes: ['presence:read:sales'] })
  t.equal(await narrow.run('watch', 'sales', 'support'), 1)
  t.match(narrow.stderr.text, /^switchhook: --token: may not watch support in view full\n$/)
  const misspelt = await at(world, 'wall', { scopes: ['presence:read'] })
  t.equal(await misspelt.run('watch', 'two words'), 2)
  t.match(misspelt.stderr.text, /^switchhook: destination\[0\] must be a name: /)
  const late = await at(world, 'wall', { scopes: ['presence:read'] })
  t.equal(await late.run('watch', 'support', '--url', 'http://127.0.0.1:1'), 1)
  t.match(late.stderr.text, /^switchhook: --url: no connection to the hub/)
})

t.test(
  '[U16] call --explain says who would be rung now and why each other would not, and rings nobody',
  async t => {
    const { url } = await startApplication(t, {
      '/in':
        '<Response><Say>Hi</Say><Dial record="x"><Client>support</Client><Client>alice</Client></Dial></Response>',
    })
    const both = { steps: [{ dial: { to: ['alice', 'nobody'], sequential: true } }] }
    const world = await startHub(
      t,
      configOf({
        groups: { ...groups, desk: { members: [{ account: 'alice', paused: 'training' }] } },
        routes: [
          { to: '+1555', instructions: `${url}/in` },
          { to: 'both', instructions: both },
          { to: 'none', instructions: { steps: [] } },
          { to: 'line', instructions: { steps: [{ enqueue: { group: 'support' } }] } },
        ],
      }),
    )
    const alice = await world.phone('alice', 'web')
    const explain = async (...args: string[]) => {
      const terminal = await at(world, 'lead', { scopes: ['call:explain'] })
      t.equal(await terminal.run('call', '--explain', ...args), 0)
      return terminal.stdout.text
    }
    t.match(
      await explain('--to', 'support'),
      /support takes no route.*support is a group, and available; rung: longest-idle\n +1\. +alice +web\n +not +bob +offline\n/s,
    )
    t.match(await explain('--to', '+1555'), /route \+1555.*not asked/s)
    t.match(
      await explain('--to', '+1555', '--fetch'),
      /verbs: say, dial\n +warning Dial.*side by side.*support.*alice/s,
    )
    t.match(await explain('--to', 'both'), /one after the other.*nobody is an account, and offline/s)
    t.match(await explain('--to', 'none'), /verbs: none/)
    t.match(await explain('--to', 'line'), /waits for support, at place 1:.*support is a group.*1\. +alice/s)
    t.match(await explain('--to', 'desk'), /not +alice +paused: training\n/)
    t.match(JSON.parse(await explain('--to', 'alice', '--json')), {
      event: 'explanation',
      dials: [{ destinations: [{ order: [{ account: 'alice' }] }] }],
    })
    t.same(alice.invites, [])
    const lost = createTerminal()
    t.equal(await lost.run('call', '--explain', '--to', 'support', '--json-steps', 'in.json'), 2)
    t.match(lost.stderr.text, /--explain' cannot be used with option '--json-steps/)
  },
)
