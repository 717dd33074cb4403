// `switchhook group` against a whole hub, and against one that answers as the spec says.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { configOf, startHub, tokenOf } from '../support/hub.js'
import { createTerminal } from '../support/terminal.js'

const groups = {
  support: { members: ['alice', { account: 'bob', tier: 2, skills: ['fr', 'es'] }] },
  lobby: { open: true, strategy: 'all' },
}

const terminalAt = async (url: string, ...args: readonly string[]) => {
  const token = await tokenOf('root', { scopes: ['admin'] })
  const terminal = createTerminal({ env: { SWITCHHOOK_URL: url, SWITCHHOOK_TOKEN: token } })
  const code = await terminal.run('group', ...args)
  return { code, text: terminal.stdout.text, errors: terminal.stderr.text, terminal }
}

const stand = async (t: Test, own: object = groups) => {
  const { listening } = await startHub(t, configOf({ groups: own }))
  return (...args: readonly string[]) => terminalAt(listening.url, ...args)
}

/** Its lines, each column one space from the next. */
const rows = ({ text }: { readonly text: string }) =>
  text
    .trimEnd()
    .split('\n')
    .map(line => line.replace(/ {2,}/g, ' ').trim())

t.test('lists and shows groups', async t => {
  const run = await stand(t)
  await run('add', 'lobby', 'carol')
  await run('pause', 'lobby', 'carol', '--reason', 'at lunch')
  t.same(rows(await run('list')), [
    'group strategy members paused open said',
    'lobby all 1 1 yes at run time',
    'support longest-idle 2 - - configuration',
  ])
  t.same(rows(await run('show', 'support')), [
    'support longest-idle, said: configuration',
    'rings 12 s, next tier after 15 s, wrap-up 0 s',
    'account tier weight skills paused',
    'alice 1 1 - -',
    'bob 2 1 fr es -',
  ])
  t.same(rows(await run('show', 'lobby')).slice(-1), ['carol 1 1 - at lunch'])
  t.equal(rows(await run('show', 'lobby'))[0], 'lobby all, open, said: at run time')
  const json = await run('list', '--json')
  t.match(json.terminal.stdout.events, [
    { event: 'group', group: 'lobby', members: 1, paused: 1, changed: true },
    { event: 'group', group: 'support', members: 2 },
  ])
  const shown = await run('show', 'support', '--json')
  t.match(shown.terminal.stdout.events, [{ event: 'group', group: 'support', members: [{}, { tier: 2 }] }])

  const empty = await stand(t, {})
  t.same(rows(await empty('list')), ['no groups'])
  await empty('create', 'new')
  t.equal(rows(await empty('show', 'new')).at(-1), 'no members')
})

t.test('lists all of them, however many there are', async t => {
  const many = Object.fromEntries(Array.from({ length: 1001 }, (_, at) => [`group-${at}`, {}]))
  const run = await stand(t, many)
  t.equal((await run('list', '--json')).terminal.stdout.events.length, 1001)
})

t.test('makes, changes, removes and resets groups', async t => {
  const run = await stand(t)
  const done = async (...args: readonly string[]) => {
    const { code, text, errors } = await run(...args)
    t.equal(code, 0, errors)
    return text
  }
  const json = async (...args: readonly string[]) => {
    await done(...args)
    const { terminal } = await run('show', String(args[1]), '--json')
    return terminal.stdout.events[0]
  }
  t.equal(
    await done('create', 'night', '--strategy', 'order', '--open'),
    'done: there is a group night, with order\n',
  )
  t.match(await json('set', 'night', '--no-open', '--ring-timeout', '20s'), {
    strategy: 'order',
    open: false,
    ringTimeoutMs: 20_000,
  })
  t.match(await json('set', 'support', '--tier-delay', '5s', '--wrapup', '1m'), {
    tierDelayMs: 5000,
    wrapupMs: 60_000,
    members: [{ account: 'alice' }, { account: 'bob' }],
    changed: true,
  })
  t.equal(await done('reset', 'support'), 'done: support is as the configuration has it\n')
  t.equal(await done('delete', 'support'), 'done: there is no group support\n')
  t.match(await json('reset', 'support'), { changed: false })
})

t.test('puts accounts in, changes their place, pauses them, and takes them out', async t => {
  const run = await stand(t)
  const told = async (...args: readonly string[]) => {
    const { code, terminal, errors } = await run(...args, '--json')
    t.equal(code, 0, errors)
    return terminal.stdout.events
  }
  t.match(await told('add', 'support', 'dave', '--tier', '3', '--skill', 'fr,es', '--skill', 'it'), [
    { event: 'member', group: 'support', account: 'dave', tier: 3, weight: 1, skills: ['fr', 'es', 'it'] },
  ])
  t.match(await told('add', 'support', 'dave', '--weight', '7'), [
    { tier: 3, weight: 7, skills: ['fr', 'es', 'it'] },
  ])
  t.match(await told('pause', 'support', 'dave', '--reason', 'at the dentist'), [
    { tier: 3, weight: 7, paused: 'at the dentist' },
  ])
  const [resumed] = await told('resume', 'support', 'dave')
  t.match(resumed, { tier: 3 })
  t.notOk('paused' in resumed!)
  t.same(await told('remove', 'support', 'dave'), [{ event: 'removed', group: 'support', account: 'dave' }])
})

t.test('what is wrong is one line that names it; bad usage is exit code 2', async t => {
  const run = await stand(t)
  for (const [args, exit, said] of [
    [['show', 'suport'], 1, 'suport: no group suport'],
    [['create', 'support'], 1, 'support: If-None-Match names what is there already'],
    [['create', 'alice'], 1, 'alice: alice is the name of an account'],
    [['delete', 'suport'], 1, 'suport: no group suport'],
    [['reset', 'suport'], 1, 'suport: the configuration has no group suport'],
    [['add', 'suport', 'dave'], 1, 'suport dave: no group suport'],
    [['pause', 'support', 'dave', '--reason', 'x'], 1, 'support dave: support lists no dave'],
    [['remove', 'support', 'dave'], 1, 'support dave: support lists no dave'],
    [['show', 'two words'], 2, '<group> must be a name'],
    [['add', 'support', 'two words'], 2, '<account> must be a name'],
    [['pause', 'support', 'alice', '--reason', ''], 2, '--reason must '],
    [['pause', 'support', 'alice'], 2, "required option '--reason <text>' not specified"],
    [['add', 'support', 'dave', '--tier', '0'], 2, "option '--tier <number>' argument '0' is invalid"],
    [['set', 'support', '--strategy', 'best'], 2, "option '--strategy <name>' argument 'best' is invalid"],
    [['show'], 2, "missing required argument 'group'"],
    [['shwo'], 2, "unknown command 'shwo'"],
    [[], 2, 'no command'],
  ] as const) {
    const { code, errors } = await run(...args)
    t.equal(code, exit, args.join(' '))
    t.equal(errors.split('\n').length, 2, 'one line')
    t.match(errors, `switchhook: ${said}`)
  }
  const gone = await terminalAt('http://127.0.0.1:1', 'list')
  t.match([gone.code, gone.errors], [1, /^switchhook: --url: can not reach/])
})

t.test('what comes from a hub is shown, and not obeyed by the terminal', async t => {
  const run = await stand(t)
  await run('pause', 'support', 'alice', '--reason', 'gone\u001b[2J\u202e')
  const { text } = await run('show', 'support')
  t.match(text, 'gone\\u{1b}[2J\\u{202e}')
})

t.test('where somebody was faster it is read again, and made once more', async t => {
  for (const [conflicts, exit] of [
    [1, 0],
    [2, 1],
  ] as const) {
    const asked: string[] = []
    let left: number = conflicts
    const server = createServer((request, response) => {
      asked.push(`${request.method} ${request.headers['if-match'] ?? ''}`.trim())
      request.resume()
      const late = request.method === 'PUT' && left-- > 0
      response
        .writeHead(late ? 409 : 200, { 'content-type': 'application/json', etag: `"${asked.length}"` })
        .end(
          JSON.stringify(
            late
              ? { error: { code: 'conflict', message: 'late' } }
              : { account: 'alice', tier: 1, skills: [] },
          ),
        )
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => server.close())
    const { port } = server.address() as AddressInfo
    const { code } = await terminalAt(`http://127.0.0.1:${port}`, 'resume', 'support', 'alice')
    t.equal(code, exit)
    t.same(asked, ['GET', 'PUT "1"', 'GET', 'PUT "3"'])
  }
})
