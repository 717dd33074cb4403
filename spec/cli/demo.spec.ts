import { createHmac } from 'node:crypto'
import t from 'tap'
import { Actor } from '../../src/cli/demo/actor.js'
import { demo } from '../../src/cli/demo/demo.js'
import { scenes } from '../../src/cli/demo/scenes.js'
import { openVoiceApplication } from '../../src/cli/demo/voice-application.js'
import { Output } from '../../src/cli/output.js'
import { HubApi } from '../../src/client/index.js'
import { startHub, tokenOf } from '../support/hub.js'
import { createTerminal, type Terminal } from '../support/terminal.js'

const jobAt = (shell: Terminal, stop = new AbortController().signal) => ({
  shell,
  stop,
  out: new Output(shell.stdout, { env: shell.env, json: true }),
})

t.test('the demo plays its calls, each ends as it should, and it exits 0', async t => {
  const terminal = createTerminal()
  t.equal(await terminal.run('demo', '--fast', '--json'), 0, terminal.stdout.text)
  const { events } = terminal.stdout
  const of = (name: string) => events.filter(({ event }) => event === name)
  t.equal(of('registered').length, 5)
  t.match(of('refused'), [{ account: 'mallory', status: 'offline' }], '[C2] no trace of a bad token')
  t.strictSame(
    of('outcome').map(({ ok }) => ok),
    [true, true, true],
  )
  t.match(of('instructions'), [
    { path: '/alice', signature: 'verified' },
    { path: '/support', form: { CallStatus: 'ringing', AccountSid: 'acme' } },
    { path: '/sales' },
    { path: '/closed' },
  ])
  t.match(events.at(-1), {
    event: 'summary',
    ok: true,
    calls: [
      { by: 'alice/mobile', told: { 'alice/web': 'answered-elsewhere by alice/mobile' } },
      { by: 'alice/web', rung: ['bob', 'alice'], told: { 'bob/desk': 'timeout' } },
      { reason: 'unavailable', notRung: { carol: 'away', dave: 'dnd', erin: 'offline' } },
    ],
  })
})

t.test('the story is told in order, within 80 columns', async t => {
  const terminal = createTerminal({ screen: [80, 24], env: { NO_COLOR: '1' } })
  t.equal(await terminal.run('demo', '--fast'), 0)
  t.ok(terminal.stdout.lines.every(({ length }) => length <= 80))
  const [, second = ''] = /Call 2:([\s\S]*?)Call 3:/.exec(terminal.stdout.text) ?? []
  const labels = [...second.matchAll(/^ {2}(\S(?:\S| \S)*) {2,}/gm)].map(([, label]) => label)
  t.strictSame(
    [...new Set(labels)],
    [
      'call in',
      'instructions',
      'destination',
      'presence',
      'picked',
      'not rung',
      'ringing',
      'no answer',
      'told',
      'answered',
      'ended',
      '✓',
    ],
  )
  t.match(terminal.stdout.text, /✓ {2}\+15550102 {2}sales {4}unavailable {2}nobody was there\n/)
})

t.test('a call that ends otherwise than it should makes the demo exit 1', async t => {
  const terminal = createTerminal()
  const [scene] = scenes.filter(({ destination }) => destination === 'sales')
  const wrong = { ...scene!, expected: { ...scene!.expected, reason: 'completed' } }
  t.equal(await demo({ fast: true }, jobAt(terminal), [wrong]), 1)
  t.match(terminal.stdout.events.at(-1), {
    event: 'summary',
    ok: false,
    calls: [{ ok: false, reason: 'unavailable' }],
  })
})

t.test('the demo can be stopped in the middle, and takes its stage down', async t => {
  const terminal = createTerminal()
  const exit = terminal.run('demo', '--json')
  const [, url = ''] = await terminal.stdout.until(/"url":"([^"]+)"[\s\S]*"event":"registered"/)
  terminal.signal('SIGINT')
  t.equal(await exit, 1)
  await t.rejects(fetch(url))
})

t.test('with --keep hub and phones go on, and answer', async t => {
  const terminal = createTerminal({ env: { NO_COLOR: '1' } })
  const controller = new AbortController()
  const exit = demo({ fast: true, keep: true }, jobAt(terminal, controller.signal), [])
  await terminal.stdout.until(/"event":"kept".*\n/)
  const { url, dev } = terminal.stdout.events.at(-1) as unknown as {
    url: string
    dev: { kid: string; secret: string }
  }
  const minted = createTerminal()
  const flags = ['--tenant', 'acme', '--kid', dev.kid, '--secret', dev.secret, '--account', 'carrier']
  await minted.run('token', ...flags, '--scope', 'call:inbound')
  const api = new HubApi({ url, token: minted.stdout.text.trim() })
  const { call, by } = await api.place({ to: '+15550101', from: 'x' }, { waitMs: 10_000 })
  t.match(by, { account: 'alice', device: 'web' })
  await api.hangup(call)
  controller.abort()
  t.equal(await exit, 0)
})

t.test('[FC5] what is kept ends quietly when nobody reads any more what it says', async t => {
  const terminal = createTerminal({ env: { NO_COLOR: '1' } })
  const exit = demo({ fast: true, keep: true }, jobAt(terminal, new AbortController().signal), [])
  await terminal.stdout.until(/"event":"kept".*\n/)
  terminal.stdout.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
  t.equal(await exit, 0)
})

t.test('a phone of the demo that is too late to answer says so, and rings on another day', async t => {
  const world = await startHub(t)
  const faults: unknown[] = []
  let failed = (_: unknown) => {}
  const late = new Promise<unknown>(resolve => {
    failed = resolve
  })
  const role = { account: 'alice', device: 'web', status: 'available' } as const
  const actor = new Actor(role, {
    url: world.listening.url,
    token: await tokenOf('alice'),
    answerMs: () => 30,
    told: (...told) => faults.push(told),
    failed,
  })
  t.teardown(() => actor.close())
  await actor.connect()
  const api = await world.api()
  const { call } = await api.place({ to: 'alice', from: 'x' })
  for await (const { data } of api.events(call)) {
    if ((data as { state?: string }).state === 'ringing') await api.hangup(call)
  }
  t.match(await actor.endOf(call), { reason: 'caller-canceled' })
  t.match(await late, { code: 'call-gone' })
  t.equal(faults.length, 1)
  const another = await api.place({ to: 'alice', from: 'x' }, { waitMs: 10_000 })
  t.match(another, { by: { account: 'alice', device: 'web' } })
  const [end] = await Promise.all([actor.endOf(another.call), api.hangup(another.call)])
  t.match(end, { reason: 'completed' })
})

t.test('the voice application answers only who signs with the shared token', async t => {
  const asked: string[] = []
  const voice = await openVoiceApplication({ '/a': '<Response/>' }, 'shared', ({ path }) => asked.push(path))
  t.teardown(() => voice.close())
  const ask = async (path: string, key?: string) => {
    const url = `${voice.url}${path}`
    const signature = createHmac('sha1', key ?? '')
      .update(`${url}Ax Byz`.replaceAll(' ', ''))
      .digest('base64')
    const headers = { ...(key !== undefined && { 'x-twilio-signature': signature }) }
    const response = await fetch(url, {
      method: 'POST',
      headers,
      body: new URLSearchParams({ B: 'yz', A: 'x' }),
    })
    return `${response.status} ${await response.text()}`
  }
  t.strictSame(
    [await ask('/a', 'shared'), await ask('/a', 'guessed'), await ask('/a'), await ask('/b', 'shared')],
    ['200 <Response/>', '403 ', '403 ', '404 '],
  )
  t.strictSame(asked, ['/a'])
})
