// Which route a call takes, and what a configuration is told of routes that cannot be.

import { test } from 'tap'
import type { RouteConfig } from '../../src/config.js'
import { readRoutes } from '../../src/router/index.js'
import { compileApplications, compileRoutes } from '../../src/router/routes.js'
import { configOf } from '../support/room.js'

const hangup = { steps: [{ hangup: {} }] }
const compile = (routes: readonly RouteConfig[], dir = '/') =>
  compileRoutes(routes, 'tenants.acme.routes', dir)

/** Compiles routes that all hang up; tells which one a call takes by its `to`. */
const matcher = (...tos: RouteConfig['to'][]) => {
  const compiled = compile(tos.map(to => ({ to, instructions: hangup })))
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults))
  return (to: string) => compiled.value(to)?.to
}

test('an exact route wins over a prefix, the longest prefix over shorter ones, a prefix over a pattern', t => {
  const match = matcher(
    '+1555*',
    { pattern: '^\\+1555010' },
    '+15550100',
    '+155501*',
    { pattern: '777' },
    { pattern: '^\\+1777\\d{3}$' },
  )
  t.equal(match('+15550100'), '+15550100')
  t.equal(match('+155501001'), '+155501*')
  t.equal(match('+155501'), '+155501*', 'a prefix may be all there is')
  t.equal(match('+15550'), '+1555*')
  t.equal(match('+1777123'), '^\\+1777\\d{3}$', 'the pattern with the longest source')
  t.equal(match('x777x'), '777', 'a pattern may match anywhere')
  t.equal(match('+1666'), undefined)
  t.equal(match(''), undefined)
  t.end()
})

test('of patterns as long as each other the first wins, and a star alone takes what nothing else does', t => {
  const match = matcher('*', { pattern: '^a.' }, { pattern: '^ab' }, 'abc*', '*98', '*9*')
  t.equal(match('ab'), '^a.')
  t.equal(match('abcd'), 'abc*')
  t.equal(match('zzz'), '*')
  t.equal(match(''), '*')
  t.equal(match('*98'), '*98', 'a star that is not last is a character')
  t.equal(match('*97'), '*9*')
  t.equal(matcher()('a'), undefined)
  t.end()
})

test('a route carries its instructions, read when it is compiled', t => {
  const dir = t.testdir({ 'in.xml': '<Response><Hangup/></Response>' })
  const compiled = compile(
    [
      { to: 'a', instructions: { file: 'in.xml' } },
      { to: 'b', instructions: 'https://voice.example.com/in' },
    ],
    dir,
  )
  t.match(compiled.ok && compiled.value('a')?.source, {
    kind: 'inline',
    instructions: { steps: [{ verb: 'hangup' }] },
    from: 'in.xml',
  })
  t.match(compiled.ok && compiled.value('b')?.source, { kind: 'url', url: 'https://voice.example.com/in' })
  t.end()
})

test('every fault of every route is told at once, with its path', t => {
  t.strictSame(
    compile([
      { to: 'a', instructions: hangup },
      { to: 'a*', instructions: hangup },
      { to: 'a', instructions: hangup },
      { to: 'a*', instructions: hangup },
      { to: { pattern: 'a' }, instructions: { steps: [{ dance: {} }, { sing: {} }] } },
      { to: 'b', instructions: { file: 'gone.xml' } },
    ]),
    {
      ok: false,
      faults: [
        { path: 'tenants.acme.routes[2].to', message: 'a is there twice' },
        { path: 'tenants.acme.routes[3].to', message: 'a* is there twice' },
        { path: 'tenants.acme.routes[4].instructions.steps[0].dance', message: 'is not supported' },
        { path: 'tenants.acme.routes[4].instructions.steps[1].sing', message: 'is not supported' },
        { path: 'tenants.acme.routes[5].instructions.file', message: 'cannot be read: gone.xml (ENOENT)' },
      ],
    },
  )
  t.end()
})

test('applications are read as routes are, and all their faults told', t => {
  const read = (applications: Record<string, unknown>) =>
    compileApplications(new Map(Object.entries(applications)), 'tenants.acme.applications', '/')
  const good = read({ AP1: hangup, menu: 'https://voice.example.com/in' })
  t.match(good.ok && [...good.value], [
    ['AP1', { kind: 'inline', instructions: { steps: [{ verb: 'hangup' }] } }],
    ['menu', { kind: 'url', url: 'https://voice.example.com/in' }],
  ])
  t.strictSame(read({ AP1: 7, good: hangup, AP2: { steps: [{ dance: {} }] } }), {
    ok: false,
    faults: [
      {
        path: 'tenants.acme.applications.AP1',
        message: 'must be a URL, or an object with one of url, steps, twiml and file',
      },
      { path: 'tenants.acme.applications.AP2.steps[0].dance', message: 'is not supported' },
    ],
  })
  t.end()
})

test('the faults of routes and applications come together, and of two that are good none', t => {
  const config = (applications: object, routes: object[]) => {
    const read = readRoutes(configOf({ applications, routes }))
    return read.ok ? [] : read.faults.map(({ path }) => path)
  }
  const bad = { steps: [{ dance: {} }] }
  t.strictSame(config({ AP1: hangup }, [{ to: '1', instructions: hangup }]), [])
  t.strictSame(config({ AP1: bad }, [{ to: '1', instructions: bad }]), [
    'tenants.acme.routes[0].instructions.steps[0].dance',
    'tenants.acme.applications.AP1.steps[0].dance',
  ])
  t.end()
})
