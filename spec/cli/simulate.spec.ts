// `switchhook simulate`: the script that a seed stands for, the drivers that play it, and the command, against hubs
// of its own, hubs that run, and hubs that break the rules.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { httpCarrier, socketCarrier } from '../../src/cli/simulate/carrier.js'
import { chanceOf } from '../../src/cli/simulate/chance.js'
import { exponential, fixed, uniform } from '../../src/cli/simulate/distribution.js'
import { socketHandsets } from '../../src/cli/simulate/handset.js'
import { machineTimers } from '../../src/cli/simulate/play.js'
import { progress, progressLine, progressPicture, summaryLines } from '../../src/cli/simulate/report.js'
import { createScenario, type ScenarioOptions } from '../../src/cli/simulate/scenario.js'
import { Simulation, type SimulationOptions } from '../../src/cli/simulate/simulation.js'
import { type Summary, Tally } from '../../src/cli/simulate/tally.js'
import { kept } from '../../src/cli/simulate/tokens.js'
import { render } from '../../src/cli/text.js'
import { HubApi, SwitchhookError } from '../../src/client/index.js'
import { VirtualClock } from '../../src/runtime/index.js'
import { configOf, secret, startHub, tokenOf } from '../support/hub.js'
import { ScriptedHub, type ScriptedLine, virtualTimers } from '../support/scripted-hub.js'
import { createTerminal } from '../support/terminal.js'

const script = (options: Partial<ScenarioOptions> = {}) =>
  createScenario({
    seed: 7,
    ratePerSecond: 10,
    calls: 2000,
    durationMs: Number.POSITIVE_INFINITY,
    answer: uniform(1000, 3000),
    talk: exponential(60_000),
    patience: fixed(20_000),
    rejected: 0.1,
    ignored: 0.2,
    ...options,
  })

const mean = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0) / values.length
const near = (value: number, wanted: number): boolean => Math.abs(value / wanted - 1) < 0.06

t.test('a seed is a script: the same one twice, another one for another', async t => {
  const told = (seed: number) => {
    const scenario = script({ seed, connected: exponential(1000) })
    const connections = scenario.connections(3)
    return {
      arrivals: [...scenario.arrivals()],
      reactions: [0, 1, 2].flatMap(phone => [0, 1].map(offer => scenario.reaction(phone, offer))),
      connections: [connections.next().value, connections.next().value],
    }
  }
  const first = told(7)
  t.same(told(7), first)
  const other = told(8)
  t.notSame(other.arrivals[0], first.arrivals[0])
  t.notSame(other.reactions, first.reactions)
  t.notSame(other.connections, first.connections)
  t.equal(new Set(first.reactions.map(({ afterMs }) => afterMs)).size, 6, 'each offer is drawn anew')
  t.same(
    [...script({ ratePerSecond: 50 }).arrivals()].map(({ talkMs }) => talkMs),
    first.arrivals.map(({ talkMs }) => talkMs),
    'a faster script has the same callers',
  )
})

t.test('times come as their distributions say, and shares as often', async t => {
  const scenario = script()
  const arrivals = [...scenario.arrivals()]
  t.equal(arrivals.length, 2000)
  const gaps = arrivals.map(({ atMs }, at) => atMs - (arrivals[at - 1]?.atMs ?? 0))
  t.ok(near(mean(gaps), 100), 'ten a second')
  t.ok(near(mean(gaps.map(gap => (gap - 100) ** 2)) ** 0.5, 100), 'by a Poisson process')
  t.ok(near(mean(arrivals.map(({ talkMs }) => talkMs)), 60_000))
  t.ok(arrivals.every(({ patienceMs }) => patienceMs === 20_000))
  t.ok(near(arrivals.filter(({ endedBy }) => endedBy === 'caller').length, 1000), 'either side hangs up')
  const reactions = Array.from({ length: 4000 }, (_, offer) => scenario.reaction(0, offer))
  const share = (act: string): number => reactions.filter(each => each.act === act).length / 4000
  t.ok([share('reject') - 0.1, share('ignore') - 0.2].every(off => Math.abs(off) < 0.02))
  t.ok(reactions.every(({ afterMs }) => afterMs >= 1000 && afterMs < 3000))
  t.equal(scenario.connections(0).next().done, true, 'connections last')
  t.same([fixed(5).meanMs, uniform(1, 3).meanMs, exponential(7).meanMs], [5, 2, 7])

  const short = [...script({ durationMs: 5000 }).arrivals()]
  t.ok(short.length > 20 && short.length < 80)
  t.ok(short.every(({ atMs }) => atMs < 5000))
  t.notSame(chanceOf(1, 'a', 2)(), chanceOf(1, 'a', 3)())
})

/** Runs the command, as a program would read it. */
const run = async (...args: string[]) => {
  const terminal = createTerminal()
  const code = await terminal.run('simulate', '--json', ...args)
  const events = terminal.stdout.events
  const summary = events.at(-1) as unknown as Summary & { interrupted: boolean }
  return { code, events, summary, stderr: terminal.stderr.text }
}

const swift = ['--rate', '200', '--answer', '5ms..30ms', '--talk', 'exp:20ms', '--seed', '7']

/** Every call that was placed has one outcome. */
const accounted = ({ calls }: Summary): number =>
  [calls.unanswered, calls.refused]
    .flatMap(Object.values)
    .reduce((all, one) => all + one, calls.answered + calls.abandoned)

t.test('without an address it brings a hub of its own, and every call has exactly one end', async t => {
  const { code, events, summary } = await run(
    '--phones',
    '20',
    '--calls',
    '60',
    '--drop',
    'exp:1s',
    '--reject',
    '40%',
    ...swift,
  )
  t.equal(code, 0)
  t.match(events[0], { event: 'began', seed: 7, phones: 20, to: 'support' })
  t.match(summary, { event: 'summary', ok: true, seed: 7, faults: [], faultCount: 0, interrupted: false })
  t.equal(summary.calls.placed, 60)
  t.equal(accounted(summary), 60)
  t.equal(summary.phones.length, 20)
  const sum = (what: 'offered' | 'answered' | 'rejected') =>
    summary.phones.reduce((all, phone) => all + phone[what], 0)
  t.equal(sum('answered'), summary.calls.answered)
  t.ok(sum('rejected') > 0 && sum('offered') >= sum('answered') + sum('rejected'))
  t.equal(summary.waitMs.count, summary.calls.answered)
  t.ok(Number(summary.waitMs.median) >= Number(summary.ringMs.median))
  t.ok(Number(summary.dispatchMs.p99) <= Number(summary.dispatchMs.max))
  t.ok(summary.connections.lost > 0, 'connections were cut')
})

t.test('people sign out when their shift is over, and in again, over sockets too', async t => {
  const { code, summary } = await run('--phones', '4', '--calls', '40', '--shift', '200ms,50ms', ...swift)
  t.equal(code, 0)
  t.equal(accounted(summary), 40)
  t.ok(summary.connections.signedOut > 0)
  t.ok(summary.phones.every(({ signedInMs }) => signedInMs > 0))
  t.match(summary.connections, { lost: 0, renewed: 0 })
})

t.test('the same seed has the same calls and the same people, over a socket and over HTTP', async t => {
  const calm = [
    '--phones',
    '40',
    '--calls',
    '20',
    '--rate',
    '50',
    '--answer',
    '10ms',
    '--reject',
    '0%',
    '--seed',
  ]
  const twice = await Promise.all([run(...calm, '3'), run('--callers', 'http', ...calm, '3')])
  for (const { code, summary } of twice) {
    t.equal(code, 0)
    t.match(summary.calls, { placed: 20, answered: 20, ended: { completed: 20 } })
  }
})

t.test('callers give up on phones that are left ringing, and several devices are one person', async t => {
  const ignored = await run(
    '--phones',
    '3',
    '--calls',
    '5',
    '--ignore',
    '1',
    '--reject',
    '0%',
    '--patience',
    '20ms',
    ...swift,
  )
  t.equal(ignored.code, 0)
  t.match(ignored.summary.calls, { answered: 0 })
  t.equal(ignored.summary.calls.abandoned, 5 - (ignored.summary.calls.unanswered.busy ?? 0))
  t.match(ignored.summary.waitMs, { count: 0, median: null })

  const { code, summary } = await run(
    '--phones',
    '4',
    '--account',
    'alice,bob-#',
    '--to',
    'alice',
    '--calls',
    '3',
    '--rate',
    '5',
    '--answer',
    '10ms',
    '--talk',
    '10ms',
    '--reject',
    '0%',
  )
  t.equal(code, 0)
  t.same(
    summary.phones.map(({ phone }) => phone),
    ['alice/sim-1', 'bob-2/sim-2', 'alice/sim-3', 'bob-4/sim-4'],
  )
  t.same(
    summary.phones.map(({ offered }) => offered > 0),
    [true, false, true, false],
  )
  t.ok(Number.isInteger(summary.seed), 'a seed of its own')
})

t.test(
  'at a terminal it is drawn in place, in a pipe told line by line; each ends with the summary',
  async t => {
    const args = [
      'simulate',
      '--phones',
      '2',
      '--calls',
      '2',
      '--rate',
      '100',
      '--answer',
      '10ms',
      '--talk',
      '1200ms',
      '--drop',
      '400ms',
      '--reject',
      '0%',
      '--dev',
      '--to',
      'sales',
      '--group',
      'sales',
    ]
    const screen = createTerminal({ screen: [80, 24], env: { SWITCHHOOK_URL: 'http://127.0.0.1:9' } })
    const pipe = createTerminal()
    t.same(await Promise.all([screen.run(...args), pipe.run(...args)]), [0, 0])
    t.match(screen.stdout.text, /simulating.* {2}1 s.*phones {6}\S*\d of 2 online/s)
    t.match(
      pipe.stdout.text,
      /^2 phones at http:.*; calls to sales; seed \d+\n1 s {2}2 placed, 2 now, 2 answered\n/,
    )
    for (const { stdout } of [screen, pipe]) {
      t.match(stdout.text, /2 calls to 2 phones in \d+\.\d\d s/)
      t.match(stdout.text, /answered {4}2 {2}100\.0 % {2}\S*completed 2/)
      t.match(stdout.text, /wait +\d+ ms +\d+ ms/)
      t.match(stdout.text, /connections: \d+ lost, \d+ sessions resumed, 0 begun anew/)
      t.match(stdout.text, /every call had exactly one end, and none was left open/)
    }
  },
)

t.test('a signal ends it early: callers give up, the summary is told, and it is not done', async t => {
  const terminal = createTerminal()
  const exit = terminal.run(
    'simulate',
    '--duration',
    '1h',
    '--phones',
    '5',
    '--answer',
    '1h',
    '--patience',
    '1h',
  )
  await terminal.stdout.until(/[1-9]\d* now/)
  terminal.signal('SIGINT')
  t.equal(await exit, 1)
  t.match(terminal.stdout.text, /every call had exactly one end/)
  t.match(terminal.stdout.text, /^interrupted: not all of it was played\n$/m)
  t.match(terminal.stdout.text, /abandoned +[1-9].*the caller gave up first/)
})

t.test('against a hub that runs: tokens by its secret, from a file, or from a command', async t => {
  const keys = [{ kid: 'k1', alg: 'HS256', secret }]
  const world = await startHub(t, configOf({ keys, groups: { support: { open: true }, closed: {} } }))
  const { url } = world.listening
  const dir = t.testdir({ secret: `${secret}\n` })
  const few = [
    '--url',
    url,
    '--phones',
    '2',
    '--calls',
    '2',
    '--rate',
    '20',
    '--answer',
    '5ms',
    '--talk',
    '5ms',
    '--reject',
    '0%',
  ]
  const minting = ['--tenant', 'acme', '--kid', 'k1']
  const shown = await run(...few, ...minting, '--secret', secret)
  t.match(shown, { code: 0, summary: { calls: { answered: 2 } } })
  t.match(await run(...few, ...minting, '--secret-file', join(dir, 'secret')), { code: 0 })

  const terminal = createTerminal({ cwd: dir, env: { ...process.env, SWITCHHOOK_URL: url } })
  for (const account of ['sim-1', 'sim-2']) {
    writeFileSync(join(dir, account), await tokenOf(account, { kid: 'k1', groups: ['support'] }))
  }
  writeFileSync(join(dir, 'simulator'), await tokenOf('simulator', { kid: 'k1', scopes: ['call:inbound'] }))
  t.equal(
    await terminal.run('simulate', ...few.slice(2), '--json', '--token-command', 'cat $SWITCHHOOK_ACCOUNT'),
    0,
    terminal.stderr.text,
  )
  t.match(terminal.stdout.events.at(-1), { calls: { answered: 2 } })

  const deaf = await run(...few, ...minting, '--secret', secret, '--group', 'closed')
  t.match(deaf.events[1], {
    event: 'warning',
    message: '2 phones are not in closed: the hub lets nobody join it by token, or has none of that name',
  })
  t.match(deaf.summary.calls, { answered: 0, unanswered: { unavailable: 2 } })
  t.equal(deaf.code, 0, 'every call had its end')
})

t.test('what can not be played is told in a line', async t => {
  const world = await startHub(t, configOf({ groups: { support: { open: true } } }))
  const { url } = world.listening
  const mint = ['--tenant', 'acme', '--secret']
  const files = t.testdir({ short: 'x', other: `${secret}, not` })
  const cases: readonly [number, RegExp, ...string[]][] = [
    [2, /'--answer <time>' argument '5x' is invalid. It must be a time \(2s\)/, '--answer', '5x'],
    [2, /'--talk <time>' argument '5s..1s' is invalid/, '--talk', '5s..1s'],
    [2, /'--drop <time>' argument 'exp:' is invalid/, '--drop', 'exp:'],
    [2, /It must be a share, such as 5% or 0.05/, '--reject', '101%'],
    [2, /It must be a share/, '--reject', 'half'],
    [2, /It must be a number above 0/, '--rate', '0'],
    [2, /It must be a number above 0/, '--rate', 'fast'],
    [2, /It must be names with commas between them/, '--account', ','],
    [
      2,
      /^switchhook: --reject, --busy and --ignore are more than all offers\n$/,
      '--reject',
      '0.6',
      '--ignore',
      '50%',
    ],
    [
      2,
      /--url \(SWITCHHOOK_URL\) needs tokens: give --tenant and --secret/,
      '--url',
      url,
      '--tenant',
      'acme',
    ],
    [2, /--url .*needs tokens/, '--url', url, '--secret', secret],
    [2, /--dev.*cannot be used with option '--url <url>'/, '--dev', '--url', url],
    [2, /^switchhook: --secret is for a hub that runs: it needs --url\n$/, '--secret', secret],
    [2, /^switchhook: --secret-file is for a hub/, '--secret-file', 'none'],
    [2, /^switchhook: --tenant is for a hub/, '--tenant', 'acme', '--dev'],
    [2, /^switchhook: --kid is for a hub/, '--kid', 'k1'],
    [2, /^switchhook: --token-command is for a hub/, '--token-command', 'echo'],
    [2, /--url nonsense is not the address of a hub/, '--url', 'nonsense', ...mint, secret],
    [2, /^switchhook: --secret must be a secret of at least 32 bytes/, '--url', url, ...mint, 'short'],
    [
      2,
      /^switchhook: --secret-file must be a secret of at least 32 bytes/,
      ...['--url', url, '--tenant', 'acme', '--secret-file', join(files, 'short')],
    ],
    [2, /^switchhook: --tenant must be a name/, '--url', url, '--tenant', 'a b', '--secret', secret],
    [2, /^switchhook: --account must be a name/, '--account', 'a b'],
    [2, /^switchhook: --group must /, '--url', url, ...mint, secret, '--group', 'g'.repeat(129)],
    [2, /^switchhook: --group a b must be a name/, '--group', 'a b'],
    [
      2,
      /'--secret <text>' cannot be used with option '--token-command/,
      '--secret',
      'x',
      '--token-command',
      'y',
    ],
    [
      1,
      /^switchhook: --token-command ended with 3: no\n$/,
      '--url',
      url,
      '--token-command',
      'echo no >&2; exit 3',
    ],
    [1, /^switchhook: --token-command ended with 4\n$/, '--url', url, '--token-command', 'exit 4'],
    [
      1,
      /^switchhook: --secret: the hub refuses: token is not signed by a key known here\n$/,
      '--url',
      url,
      ...mint,
      `${secret}, not`,
    ],
    [
      1,
      /^switchhook: --secret-file: the hub refuses: token is not signed/,
      ...['--url', url, '--tenant', 'acme', '--secret-file', join(files, 'other')],
    ],
    [1, /^switchhook: the hub refuses: .*support/, '--account', 'support'],
    [
      1,
      /^switchhook: --token-command: the hub refuses: token must/,
      '--url',
      url,
      '--token-command',
      'echo no',
    ],
    [1, /^switchhook: --url: no connection to the hub/, '--url', 'http://127.0.0.1:9', ...mint, secret],
  ]
  for (const [code, message, ...args] of cases) {
    const result = await run(...args)
    t.equal(result.code, code, args.join(' '))
    t.match(result.stderr, message)
  }
})

/** A script of one call that nobody keeps from anything. */
const one = (options: Partial<ScenarioOptions> = {}) =>
  script({
    calls: 1,
    ratePerSecond: 1000,
    rejected: 0,
    ignored: 0,
    answer: fixed(0),
    talk: fixed(0),
    ...options,
  })

type Events = readonly (readonly [type: string, data?: object] | Error)[]

/** An API that says what the spec says: each list of events is one stream. */
const scriptedApi = (
  streams: Events[],
  left: readonly string[] = [],
): Pick<HubApi, 'place' | 'events' | 'hangup' | 'calls'> & { asked: unknown[] } => {
  const asked: unknown[] = []
  return {
    asked,
    async place() {
      return { call: 'c1', to: '', from: '', state: 'received', createdAt: '' }
    },
    async *events(_call, { lastEventId, signal } = {}) {
      asked.push(lastEventId)
      const stream = streams.shift()
      if (stream === undefined) await new Promise((_, reject) => signal?.addEventListener('abort', reject))
      for (const [at, event] of (stream ?? []).entries()) {
        if (event instanceof Error) throw event
        const [type, data = {}] = event
        yield { id: String(at + 1), type, data }
      }
    },
    async hangup() {
      asked.push('hangup')
    },
    async calls({ state, cursor } = {}) {
      if (state !== 'connected' || left.length === 0) return { calls: [] }
      const page = left.map(call => ({ call, to: '', from: '', state: 'connected', createdAt: '' }) as const)
      return cursor === undefined ? { calls: page, cursor: 'more' } : { calls: [] }
    },
  }
}

const idle: Omit<SimulationOptions, 'api' | 'carrier' | 'tally'> = {
  scenario: one(),
  timers: machineTimers,
  open: socketHandsets({ url: 'http://127.0.0.1:9', token: async () => '', timers: machineTimers }),
  accounts: [],
  to: 'support',
  stop: new AbortController().signal,
}

const played = async (
  api: ReturnType<typeof scriptedApi>,
  { timers = machineTimers, stop = idle.stop }: Partial<SimulationOptions> = {},
) => {
  const tally = new Tally()
  const carrier = httpCarrier(api, timers)
  await new Simulation({ ...idle, timers, stop, carrier, api, tally }).play()
  return { ...tally.summary(7, 0), asked: api.asked }
}

t.test('a hub that breaks a rule is found out', async t => {
  const ended = ['ended', { reason: 'completed' }] as const
  const lost = new SwitchhookError('disconnected', 'lost', { retry: true })
  t.match(await played(scriptedApi([[['answered'], ended, ended]])), {
    ok: false,
    faults: ['call c1 has 2 ends'],
  })
  t.match(await played(scriptedApi([[['answered'], ['answered'], ended]])), {
    faults: ['call c1 was answered 2 times'],
  })
  t.match(await played(scriptedApi([[['answered'], new SwitchhookError('not-found', 'gone')]])), {
    faults: ['call c1 has 0 ends'],
  })
  t.match(await played(scriptedApi([[ended]], ['c1', 'c2'])), {
    faults: ['call c1 is left connected at the hub'],
  })
  const clock = new VirtualClock()
  const timers = virtualTimers(clock)
  const silent = played(scriptedApi([]), { timers })
  await clock.settle(60_000)
  t.match(await silent, { faults: ['call c1 has 0 ends'], asked: [undefined, 'hangup'] })
  const broken = played(scriptedApi([[['progress'], lost], [['progress']], [ended]]), { timers })
  await clock.settle(5_000)
  t.match(await broken, { ok: true, asked: [undefined, '1', '1'], calls: { unanswered: { completed: 1 } } })
})

t.test('a gateway that is never told the end of a call gives up waiting for it', async t => {
  const hub = await ScriptedHub.start(t)
  const timers = virtualTimers(hub.clock)
  const tally = new Tally()
  const carrier = socketCarrier({ url: hub.url, timers, token: async () => 'token' })
  const simulation = new Simulation({ ...idle, timers, tally, carrier, api: scriptedApi([]) })
  t.teardown(() => simulation.close())
  const connected = simulation.connect()
  const line = await hub.accept({ device: null })
  await connected
  const playing = simulation.play()
  await hub.clock.settle(10)
  t.match(await line.answer('place', { type: 'placed', call: 'c1' }), { to: 'support', from: '+15550000000' })
  line.send({ type: 'answered', call: 'c1', by: { account: 'a', device: 'b' }, seq: 1 })
  while (tally.answered === 0) await new Promise(resolve => setImmediate(resolve))
  await hub.clock.settle(10)
  await line.answer('hangup')
  await hub.clock.settle(20_000)
  await playing
  t.match(tally.summary(7, 0), { faults: ['call c1 has 0 ends'], calls: { placed: 1, answered: 1 } })
})

t.test('calls that the hub does not take are counted by its word', async t => {
  const refusing = (error: Error) => ({
    ...scriptedApi([]),
    place: () => Promise.reject(error),
  })
  const outcomes = async (error: Error) => (await played(refusing(error))).calls
  t.match(await outcomes(new SwitchhookError('too-many', 'slowly')), {
    placed: 1,
    refused: { 'too-many': 1 },
  })
  t.match(await outcomes(new Error('?')), { placed: 1, refused: { internal: 1 } })
})

t.test('ended early, a call that is still being placed is given up once it is', async t => {
  const stop = new AbortController()
  const api = scriptedApi([[['ended', { reason: 'canceled' }]]])
  let placed = (): void => {}
  const placing: typeof api = {
    ...api,
    async place(...args) {
      const taken = new Promise<void>(resolve => {
        placed = resolve
      })
      stop.abort()
      await taken
      return api.place(...args)
    },
  }
  const over = played(placing, { stop: stop.signal })
  while (!stop.signal.aborted) await new Promise(resolve => setImmediate(resolve))
  placed()
  t.match(await over, { ok: true, calls: { placed: 1, abandoned: 1 } })
  t.same(api.asked, ['hangup', undefined])
})

/** One simulated phone before a hub that does what the spec says. */
const before = async (t: Parameters<typeof ScriptedHub.start>[0], streams: Events[]) => {
  const hub = await ScriptedHub.start(t)
  const tally = new Tally()
  const timers = virtualTimers(hub.clock)
  const api = scriptedApi(streams)
  const simulation = new Simulation({
    ...idle,
    scenario: one({ answer: fixed(1000) }),
    tally,
    api,
    carrier: httpCarrier(api, timers),
    open: socketHandsets({ url: hub.url, token: async () => '', timers }),
    timers,
    accounts: ['alice'],
  })
  t.teardown(() => simulation.close())
  const connected = simulation.connect()
  const line: ScriptedLine = await hub.accept()
  await connected
  return { hub, tally, simulation, line }
}

t.test('a phone that is offered two calls, or never told the end of one, finds the hub out', async t => {
  const { hub, tally, simulation, line } = await before(t, [[['ended', { reason: 'canceled' }]]])
  const invite = { type: 'invite', from: '1', to: '2', destination: 'd', params: {}, expiresMs: 1000 }
  line.send({ ...invite, call: 'c1', seq: 1 }, { ...invite, call: 'c2', seq: 2 })
  await line.next('ringing')
  await line.next('ringing')
  t.same(tally.faults, ['alice/sim-1 was offered call c2 beside another'])
  await hub.clock.settle(1000)
  const { ref } = await line.next('accept')
  line.send({ type: 'error', ref, code: 'call-gone', message: 'gone', retry: false })
  line.send({
    type: 'error',
    ref: (await line.next('accept')).ref,
    code: 'internal',
    message: '?',
    retry: true,
  })
  line.send({ type: 'cancel', call: 'c1', reason: 'timeout', seq: 3 })
  while (Object.keys(tally.errors).length === 0) await new Promise(resolve => setImmediate(resolve))
  const played = simulation.play()
  await hub.clock.settle(10_000)
  await played
  t.match(tally.summary(7, 0), {
    faults: [/offered call c2/, 'alice/sim-1 was not told that call c2 is over'],
    phones: [{ offered: 2, answered: 0, late: 1 }],
    errors: { internal: 1 },
  })
})

t.test(
  'a phone that is sent away for good is an error, and one whose session is lost begins anew',
  async t => {
    const { hub, tally, line } = await before(t, [])
    line.cut()
    while (tally.connections.online > 0) await new Promise(resolve => setImmediate(resolve))
    await hub.clock.settle(1000)
    const again = await hub.accept({ session: 's2' })
    while (tally.connections.online === 0) await new Promise(resolve => setImmediate(resolve))
    t.same(tally.connections, { online: 1, lost: 0, resumed: 0, renewed: 1, signedOut: 0 })
    again.close(4501, 'replaced')
    while (Object.keys(tally.errors).length === 0) await new Promise(resolve => setImmediate(resolve))
    t.same(tally.errors, { disconnected: 1 })
  },
)

t.test('faults are counted without an end, and told up to a bound', async t => {
  const tally = new Tally()
  tally.phone('alice/sim-1')
  for (let fault = 0; fault < 30; fault++) tally.fault(`fault ${fault}`)
  tally.errors.timeout = 1
  const summary = tally.summary(7, 0)
  t.match(summary, { ok: false, faultCount: 30 })
  t.equal(summary.faults.length, 20)
  const now = progress(tally, 1000)
  const shown = [
    progressLine(now),
    ...progressPicture(now, tally),
    ...summaryLines(
      { ...summary, erlang: { formula: null, because: 'none' } },
      { virtual: false, width: 80, bar: '#' },
    ),
  ]
  const text = shown.flatMap(line => render(line, { width: 80, colour: false })).join('\n')
  t.match(text, /0 placed, 0 now, 30 faults\n/)
  t.match(text, /errors timeout 1\nfault fault 0\n.*30 rules were broken; the first 20 are told$/s)
})

t.test('a token for many requests is asked for once a minute', async t => {
  const clock = new VirtualClock()
  let asked = 0
  const token = kept(async () => `token ${++asked}`, virtualTimers(clock))
  t.same([await token(), await token()], ['token 1', 'token 1'])
  clock.advance(60_000)
  t.equal(await token(), 'token 2')
})

t.test('ten minutes of calls are played on a virtual clock', async t => {
  const clock = new VirtualClock(Date.now())
  const timers = virtualTimers(clock)
  const world = await startHub(t, configOf({ groups: { support: { open: true } } }), { clock })
  const token = await tokenOf('simulator', { scopes: ['call:inbound'], expiresInSeconds: 86_400 })
  const { url } = world.listening
  const tally = new Tally()
  const simulation = new Simulation({
    scenario: script({ calls: 100, ratePerSecond: 1 / 6, talk: exponential(30_000), ignored: 0.1 }),
    tally,
    timers,
    api: new HubApi({ url, token }),
    carrier: socketCarrier({ url, timers, token: async () => token }),
    accounts: Array.from({ length: 10 }, (_, number) => `agent-${number}`),
    open: socketHandsets({
      url,
      timers,
      token: account => tokenOf(account, { groups: ['support'], expiresInSeconds: 86_400 }),
    }),
    to: 'support',
    stop: idle.stop,
  })
  const connected = simulation.connect()
  await connected
  let over = false
  const playing = simulation.play().finally(() => {
    over = true
  })
  while (!over) await clock.settle(50)
  await playing
  const summary = tally.summary(7, 0)
  t.match(summary, { ok: true, faults: [] })
  t.equal(accounted(summary), 100)
  t.ok(Number(summary.waitMs.median) >= 1000 && Number(summary.waitMs.median) < 5000)
  await simulation.close()
})
