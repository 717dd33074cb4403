// `switchhook simulate --virtual`: the core of a hub in this process and in virtual time, where a day takes seconds, the
// same seed is the same run, and what comes of it is what Erlang expects.

import t from 'tap'
import { Agent } from '../../src/cli/simulate/agent.js'
import { fixed } from '../../src/cli/simulate/distribution.js'
import type { Forecast } from '../../src/cli/simulate/forecast.js'
import { innerCarrier, innerHandsets, innerRegister } from '../../src/cli/simulate/inner.js'
import { promised } from '../../src/cli/simulate/promised.js'
import { createScenario } from '../../src/cli/simulate/scenario.js'
import { Simulation } from '../../src/cli/simulate/simulation.js'
import { type Summary, Tally } from '../../src/cli/simulate/tally.js'
import { VirtualTime } from '../../src/cli/simulate/virtual-time.js'
import { SwitchhookError } from '../../src/client/index.js'
import { type Core, createCore } from '../../src/core.js'
import { Child, launcherOf } from '../support/processes.js'
import { aSecret } from '../support/room.js'
import { createTerminal } from '../support/terminal.js'

type Told = Summary & { readonly erlang: Forecast; readonly interrupted: boolean }

/** Runs the command, as a program would read it. */
const run = async (...args: string[]) => {
  const terminal = createTerminal()
  const code = await terminal.run('simulate', '--virtual', '--json', ...args)
  return { code, summary: terminal.stdout.events.at(-1) as unknown as Told, terminal }
}

const line = (text: string): string[] => text.split(' ')

/** Calls and people as the formulas have them. */
const markov = line('--answer 0s --talk exp:3m --patience never --reject 0%')

const within = (figure: { expected: number; measured: number | null; halfWidth: number | null }): boolean =>
  Math.abs(figure.expected - Number(figure.measured)) <= Number(figure.halfWidth)

t.test('100,000 calls that wait for three people (M/M/c) are what Erlang C says, at 99 %', async t => {
  // As a user runs it: within a test every promise is watched, and takes twice the time.
  const flags = line('--virtual --json --queue --phones 3 --calls 100000 --rate 36/h --seed 1')
  const child = new Child(t, [await launcherOf(), 'simulate', ...flags, ...markov])
  t.equal(await child.exit, 0)
  const summary = child.stdout.events.at(-1) as unknown as Told
  t.match(summary.calls, { placed: 100_000, answered: 100_000 })
  const { erlang } = summary
  t.match(erlang, { formula: 'erlang-c', people: 3, erlangs: 1.8 })
  if (erlang.formula !== 'erlang-c') return
  const { waiting, waitMs, serviceLevel } = erlang
  for (const [name, figure] of Object.entries({ waiting, waitMs, serviceLevel })) {
    t.ok(within(figure), `${name}: ${JSON.stringify(figure)}`)
  }
  t.ok(Number(waiting.halfWidth) < 0.05 * waiting.expected, 'which says something of how many wait')
  t.ok(Number(waitMs.halfWidth) < 0.15 * waitMs.expected, 'and of how long')
  t.ok(Math.abs(Number(summary.occupancy) - 0.6) < 0.01, 'people are taken for the load that there is')
})

t.test('who finds everyone busy is as many as Erlang B says, however long calls are', async t => {
  const talk = line('--answer 0s --talk lognormal:3m/1m --patience never --reject 0%')
  const { code, summary } = await run(...line('--phones 4 --calls 6000 --rate 60/h --seed 1'), ...talk)
  t.equal(code, 0)
  const { erlang } = summary
  t.match(erlang, { formula: 'erlang-b', people: 4, erlangs: 3 })
  t.ok(erlang.formula === 'erlang-b' && within(erlang.busy), JSON.stringify(erlang))
  t.equal(summary.calls.unanswered.busy, 6000 - summary.calls.answered)
})

const day = line(
  '--phones 6 --devices 2 --calls 300 --rate 40/h --queue --answer lognormal:4s/2s --talk exp:2m --reject 5% --busy 5% --ignore 5% --shift 50m,exp:5m --wrapup 20s --strategy round-robin --seed 7',
)

t.test('the same seed is the same run, people with several phones, shifts and moods among them', async t => {
  const [first, second, other] = [await run(...day), await run(...day), await run(...day, '--seed', '8')]
  t.equal(first.code, 0, first.terminal.stderr.text)
  t.same(first.summary, second.summary)
  t.notSame(first.summary.waitMs, other?.summary.waitMs)
  const { calls, connections, phones, occupancy, serviceLevel, waits, erlang } = first.summary
  t.equal(calls.placed, 300)
  t.ok(connections.signedOut > 10, 'shifts end')
  t.same(
    phones.map(({ phone }) => phone),
    ['sim-1/sim-1', 'sim-1/sim-2', 'sim-2/sim-3', 'sim-2/sim-4', 'sim-3/sim-5', 'sim-3/sim-6'],
  )
  t.ok(phones.every(({ rejected }) => rejected > 0))
  t.ok(
    phones.every(
      ({ signedInMs }) => signedInMs > 0.8 * first.summary.tookMs && signedInMs < first.summary.tookMs,
    ),
  )
  t.ok(Number(occupancy) > 0.2 && Number(occupancy) < 1)
  t.ok(Number(serviceLevel.share) > 0.3 && Number(serviceLevel.share) < 1)
  t.equal(
    waits.reduce((sum, { count }) => sum + count, 0),
    calls.answered,
  )
  t.match(erlang, { because: 'it knows nothing of --reject, --busy, --ignore, --shift, --patience' })
})

t.test('a pipe and a screen are told a day by hours', async t => {
  for (const screen of [undefined, [80, 24]] as const) {
    const terminal = createTerminal({ ...(screen && { screen }), env: { NO_COLOR: '1' } })
    t.equal(await terminal.run('simulate', '--virtual', ...day), 0)
    const bar = screen ? '█' : '#'
    t.match(terminal.stdout.text, /^6 phones at no address; calls to support; seed 7\n/m)
    t.match(terminal.stdout.text, /300 calls to 6 phones in \d\.\d h, seed 7/)
    t.match(terminal.stdout.text, new RegExp(`answered after\\n {4}to [\\d.]+ m?s.* {2}${bar}+\\n`))
    t.match(terminal.stdout.text, /no forecast by Erlang: it knows nothing of --reject, /)
    t.match(terminal.stdout.text, /shifts: people signed out \d+ times\n/)
    t.ok(terminal.stdout.lines.every(text => text.length <= 80))
  }
})

t.test('calls come at an interval, too, and a signal ends virtual time', async t => {
  const steady = await run(
    ...line('--phones 1 --calls 5 --interval 1m --answer 1s --talk 10s --reject 0% --patience 10s'),
  )
  t.match(steady.summary.calls, { placed: 5, answered: 5 })
  t.equal(steady.summary.tookMs, 5 * 60_000 + 11_000)
  t.match(steady.summary.erlang, { because: 'it knows nothing of --interval, --patience' })

  const terminal = createTerminal()
  const exit = terminal.run(
    'simulate',
    '--virtual',
    '--json',
    '--queue',
    '--phones',
    '1',
    '--duration',
    '24h',
  )
  setImmediate(() => terminal.signal('SIGINT'))
  t.equal(await exit, 1)
  t.match(terminal.stdout.events.at(-1), { event: 'summary', ok: true, interrupted: true })
})

t.test('what virtual time has no place for is told in a line', async t => {
  const cases: readonly [number, RegExp, ...string[]][] = [
    [2, /^switchhook: --drop is for sockets, which --virtual has none of\n$/, '--drop', '1m'],
    [2, /^switchhook: --callers http is for sockets/, '--callers', 'http'],
    [2, /--virtual.*cannot be used with option '--url <url>'/, '--url', 'http://127.0.0.1:9'],
    [2, /^switchhook: --tenant is for a hub that runs: it needs --url\n$/, '--tenant', 'acme'],
    [2, /^switchhook: --group a b must be a name/, '--group', 'a b'],
    [2, /^switchhook: --to {2}must be a number or name/, '--queue', '--to', ''],
    [2, /--interval <time>' cannot be used with option '--rate/, '--interval', '1s', '--rate', '2'],
    [2, /--strategy <name>' argument 'best' is invalid/, '--strategy', 'best'],
    [1, /^switchhook: the hub refuses: account must be a name/, '--account', 'a b'],
    [1, /^switchhook: the hub refuses: .*support/, '--account', 'support'],
  ]
  for (const [code, message, ...args] of cases) {
    const result = await run(...args)
    t.equal(result.code, code, args.join(' '))
    t.match(result.terminal.stderr.text, message)
  }
  const terminal = createTerminal({ env: { SWITCHHOOK_URL: 'http://127.0.0.1:9' } })
  t.equal(await terminal.run('simulate', '--queue'), 2)
  t.match(terminal.stderr.text, /^switchhook: --queue is for a hub of its own: the one at --url/)
})

t.test('the core refuses as a hub does, and tells of the calls it has', async t => {
  const time = new VirtualTime()
  const keys = [{ alg: 'HS256' as const, secret: aSecret }]
  const coreOf = (config: object): Core =>
    createCore(config, { tenant: 'acme', clock: time.clock, random: Math.random })
  t.throws(() => coreOf({ tenants: { acme: { keys, groups: 1 } } }), { code: 'invalid' })
  t.throws(
    () => coreOf({ tenants: { acme: { keys, routes: [{ to: '1', instructions: { twiml: '<' } }] } } }),
    { message: /routes\[0\]/ },
  )
  const core = coreOf({
    limits: { callsPerTenant: 1 },
    tenants: { acme: { keys, groups: { support: { open: true } } } },
  })
  t.match(
    core.phone({ account: 'a b', device: 'd', groups: [] }, () => {}),
    { ok: false, code: 'invalid' },
  )
  const carrier = innerCarrier(core)
  const register = innerRegister(core)
  const heard: string[] = []
  const phone = innerHandsets(core, 'support')(
    { account: 'alice', device: 'web' },
    { online: () => {}, offline: () => {}, failed: () => {}, invite: call => heard.push(call.id) },
  )
  t.same(await phone.connect(), { groups: ['support'] })
  phone.cut()
  const { call } = await carrier.place({ to: 'support', from: '1', params: { a: '1' } })
  await t.rejects(carrier.place({ to: 'support', from: '1' }), { code: 'too-many' })
  const told: string[] = []
  const { over, leave } = carrier.follow(call, type => told.push(type))
  await time.clock.settle()
  t.same(heard, [call])
  t.match(await register.calls({ state: 'ringing', limit: 10 }), { calls: [{ call }] })
  await t.rejects(register.calls({ state: 'ringing', limit: 10, cursor: '?' }), { code: 'invalid' })
  leave()
  await over
  t.same(told, ['progress', 'progress'])
  await core.close()
})

t.test('a phone at the core that does not confirm is doubted, and there is nobody to be probed', async t => {
  const time = new VirtualTime()
  const core = createCore(
    { tenants: { acme: { keys: [{ alg: 'HS256', secret: aSecret }] } } },
    { tenant: 'acme', clock: time.clock, random: Math.random },
  )
  const heard: string[] = []
  t.match(
    core.phone({ account: 'bob', device: 'web', groups: [] }, ({ type }) => heard.push(type)),
    { ok: true },
  )
  const ended: unknown[] = []
  t.match(
    core.place({ to: 'bob', from: '1' }, frame => ended.push(frame)),
    { ok: true },
  )
  await time.clock.settle(60_000)
  t.match(ended.at(-1), { type: 'ended', reason: 'no-answer' })
  t.same(
    heard.filter(type => type !== 'self'),
    ['invite', 'cancel'],
  )
  await core.close()
})

t.test(
  'someone whose shift ends while they talk leaves when that is over; after the last call nobody comes back',
  async t => {
    const time = new VirtualTime()
    const core = createCore(
      {
        tenants: { acme: { keys: [{ alg: 'HS256', secret: aSecret }], groups: { support: { open: true } } } },
      },
      { tenant: 'acme', clock: time.clock, random: Math.random },
    )
    const scenario = {
      ...createScenario({
        seed: 7,
        ratePerSecond: 1,
        interval: fixed(1000),
        calls: 1,
        durationMs: Number.POSITIVE_INFINITY,
        answer: fixed(0),
        talk: fixed(60_000),
        patience: fixed(1000),
        rejected: 0,
        ignored: 0,
      }),
      *shifts() {
        yield { onMs: 10_000, offMs: 1000 }
      },
    }
    const tally = new Tally()
    const simulation = new Simulation({
      scenario,
      tally,
      timers: time.timers,
      carrier: innerCarrier(core),
      api: innerRegister(core),
      open: innerHandsets(core, 'support'),
      accounts: ['alice'],
      to: 'support',
      stop: new AbortController().signal,
    })
    await simulation.connect()
    await time.passUntil(simulation.play())
    const { calls, connections, phones, talkMs } = tally.summary(7, 0)
    t.match(calls, { answered: 1, ended: { completed: 1 } })
    t.match([connections.signedOut, talkMs.max], [1, 60_000])
    t.match(phones, [{ signedInMs: 61_000, takenMs: 60_000 }])
    await time.passUntil(time.clock.settle(60_000))
    t.equal(tally.connections.online, 0)
    await simulation.close()
    await core.close()
  },
)

t.test('after the end nobody signs in again, and what fails on the way out is counted', async t => {
  const time = new VirtualTime()
  const tally = new Tally()
  const scenario = createScenario({
    seed: 7,
    ratePerSecond: 1,
    calls: 0,
    durationMs: 0,
    answer: fixed(0),
    talk: fixed(0),
    patience: fixed(0),
    rejected: 0,
    ignored: 0,
    shift: { on: fixed(1000), off: fixed(1000) },
  })
  let opened = 0
  const leaving = promised<void>()
  const agentWith = (rest: () => Promise<void>) =>
    new Agent(
      { scenario, timers: time.timers, tally, live: new Map() },
      {
        account: 'alice',
        device: 'web',
        number: 0,
        person: 0,
        wrapupMs: 0,
        open: () => {
          opened += 1
          return { connect: async () => ({ groups: [] }), calls: [], rest, close: async () => {}, cut() {} }
        },
      },
    )
  const late = agentWith(() => leaving.promise)
  const failing = agentWith(() => Promise.reject(new SwitchhookError('timeout', 'no answer')))
  for (const agent of [late, failing]) agent.begin()
  await time.clock.settle(1000)
  t.same(tally.errors, { timeout: 1 })
  late.end()
  leaving.resolve()
  await time.clock.settle(10_000)
  t.equal(tally.connections.signedOut, 1)
  t.equal(opened, 2)
})
