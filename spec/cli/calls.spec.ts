// `switchhook calls` against a whole hub.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { configOf, startHub, tokenOf } from '../support/hub.js'
import { createTerminal } from '../support/terminal.js'

const stand = async (t: Test, rest: object = { dataDir: t.testdir() }) => {
  const world = await startHub(t, configOf({}, rest))
  const api = await world.api('pbx')
  const terminal = async () =>
    createTerminal({
      env: {
        SWITCHHOOK_URL: world.listening.url,
        SWITCHHOOK_TOKEN: await tokenOf('pbx', { scopes: ['call:inbound'] }),
      },
    })
  const place = (to: string, from = '+15550199') => api.place({ to, from }, { waitMs: 10_000 })
  return { ...world, caller: api, terminal, place }
}

t.test('lists the latest calls, the latest last; filters, and JSON for programs', async t => {
  const { phone, caller, terminal, place } = await stand(t)
  const none = await terminal()
  t.equal(await none.run('calls'), 0)
  t.equal(none.stdout.text, 'no calls\n')
  const quiet = await terminal()
  t.equal(await quiet.run('calls', '--json'), 0)
  t.equal(quiet.stdout.text, '')

  const alice = await phone('alice')
  const answering = alice.invited().then(call => call.accept())
  const { call: answered } = await place('alice')
  await answering
  await caller.hangup(answered)
  const { call: missed } = await place('nobody', '')
  const shown = await terminal()
  t.equal(await shown.run('calls'), 0)
  t.match(
    shown.stdout.text.replace(/\s+/g, ' '),
    new RegExp(
      `^received is from to answered by talk call \\S+ \\S+ completed \\+15550199 alice alice \\d\\.\\d s ${answered} ` +
        `\\S+ \\S+ unavailable - nobody - - ${missed} $`,
    ),
  )

  for (const [flags, calls] of [
    [['--limit', '1'], [missed]],
    [['--reason', 'completed'], [answered]],
    [['--by', 'alice'], [answered]],
    [['--to', 'nobody', '--state', 'ended'], [missed]],
    [['--from', '+15550199'], [answered]],
    [['--since', '2030-01-01T00:00:00Z'], []],
    [
      ['--until', '2030-01-01T00:00:00Z', '--limit', '300'],
      [answered, missed],
    ],
  ] as const) {
    const each = await terminal()
    t.equal(await each.run('calls', '--json', ...flags), 0)
    t.same(
      each.stdout.events.map(({ call }) => call),
      calls,
      flags.join(' '),
    )
  }
  const bad = await terminal()
  t.equal(await bad.run('calls', '--since', 'yesterday'), 1)
  t.match(bad.stderr.text, /^switchhook: invalid: since must be a time/)
})

t.test('follows: what comes, changes and ends, each once, until it is stopped', async t => {
  for (const rest of [{ dataDir: t.testdir() }, {}]) {
    const { phone, caller, terminal, place } = await stand(t, rest)
    const { call: before } = await place('nobody')
    const alice = await phone('alice')
    const follower = await terminal()
    const exit = follower.run('calls', '--follow', '--json', '--interval', '10ms')
    await follower.stdout.until(before)
    const { call: missed } = await place('nobody')
    await follower.stdout.until(missed)
    const live = await caller.place({ to: 'alice', from: '' })
    const invite = await alice.invited()
    await follower.stdout.until(new RegExp(`${live.call}.*ringing`))
    await invite.accept()
    await follower.stdout.until(new RegExp(`${live.call}.*connected`))
    const { call: later } = await place('nobody')
    await follower.stdout.until(later)
    await caller.hangup(live.call)
    await follower.stdout.until(new RegExp(`${live.call}.*completed`))
    follower.signal('SIGINT')
    t.equal(await exit, 0)
    const told = follower.stdout.events.map(({ call, state }) => `${call} ${state}`)
    t.equal(new Set(told).size, told.length, 'nothing twice')
    t.same(
      follower.stdout.events.filter(({ state }) => state === 'ended').map(({ call }) => call),
      [before, missed, later, live.call],
    )
  }
})

t.test(
  'with a filter, a call that does not fit any more is told once more, and the end of the hub ends it',
  async t => {
    const { hub, phone, caller, terminal } = await stand(t)
    const alice = await phone('alice')
    const follower = await terminal()
    const exit = follower.run('calls', '--follow', '--state', 'connected', '--interval', '10ms')
    const live = await caller.place({ to: 'alice', from: '' })
    await (await alice.invited()).accept()
    await follower.stdout.until('connected')
    await caller.hangup(live.call)
    await follower.stdout.until('completed')
    await hub.close()
    t.equal(await exit, 1)
    t.match(follower.stderr.text, /^switchhook: --url: can not reach the hub/)
  },
)

/** A hub that answers each listing with the next of these pages; and of one call that it has ended. */
const scripted = async (t: Test, pages: readonly object[]) => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(String(request.url), 'http://x')
    const state = searchParams.get('state')
    const answer = pathname === '/v1/calls' ? (state ? { calls: [] } : pages[asked.length]) : over('open')
    if (pathname === '/v1/calls' && !state) asked.push(searchParams.get('cursor') ?? '')
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify(answer ?? { calls: [] }))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { asked, terminal: createTerminal({ env: { SWITCHHOOK_URL: url, SWITCHHOOK_TOKEN: 'x' } }) }
}

const at = (second: number) => `2026-01-01T00:00:0${second}.000Z`
const live = (call: string) => ({ call, to: 'x', from: '', state: 'ringing', createdAt: at(1) })
const over = (call: string, second = 5, more: object = {}) => ({
  ...live(call),
  from: 'y',
  state: 'ended',
  reason: 'failed',
  endedAt: at(second),
  ...more,
})

t.test('goes through pages, as far as calls are asked for; says what is not on record', async t => {
  const { asked, terminal } = await scripted(t, [
    { calls: [live('c3'), over('c2', 2, { recorded: false })], cursor: 'two' },
    { calls: [over('c1', 1)], cursor: 'three' },
  ])
  t.equal(await terminal.run('calls', '--limit', '3'), 0)
  t.same(asked, ['', 'two'])
  t.match(terminal.stdout.lines.slice(1), [
    /2026-01-01 00:00:01 +failed +y +x +- +- +c1$/,
    /failed +y +x +- +- +c2 \(not on record\)$/,
    /ringing +- +x +- +- +c3$/,
  ])
})

t.test('follows through pages, until it finds what it knows', async t => {
  const { asked, terminal } = await scripted(t, [
    { calls: [live('open'), over('c1', 2)], cursor: 'more' },
    { calls: [over('c3', 4), over('c2', 3)], cursor: 'two' },
    { calls: [over('c1', 2), over('c0', 1)], cursor: 'three' },
  ])
  const exit = terminal.run('calls', '--limit', '2', '--follow', '--interval', '10ms', '--json')
  await terminal.stdout.until(/"open".*failed/)
  terminal.signal('SIGINT')
  t.equal(await exit, 0)
  t.same(asked.slice(0, 3), ['', '', 'two'])
  t.same(
    terminal.stdout.events.map(({ call, state }) => `${call} ${state}`),
    ['c1 ended', 'open ringing', 'c3 ended', 'c2 ended', 'open ended'],
  )
})
