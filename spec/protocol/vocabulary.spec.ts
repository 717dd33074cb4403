import fc from 'fast-check'
import t from 'tap'
import {
  AccountName,
  callFrames,
  clientFrames,
  hubFrames,
  isCallFrame,
  isName,
  nameRule,
  Resource,
  sessionFrames,
  Time,
} from '../../src/protocol/index.js'
import { check } from '../../src/runtime/index.js'
import { n } from '../support/presence-world.js'

t.test('a name is 1 to 128 of its characters, with no dot first, last or doubled', async t => {
  const good = ['a', 'Alice', 'a.b.c', '+15550100', 'web-1', 'a@b:c', '_', '__proto__', 'x'.repeat(128)]
  const bad = [
    '',
    '.',
    '.a',
    'a.',
    'a..b',
    'a b',
    'é',
    'a/b',
    'a\n',
    'a\u202e',
    'x'.repeat(129),
    '%00',
    5,
    null,
    undefined,
  ]
  for (const name of good) t.equal(isName(name), true, name)
  for (const name of bad) t.equal(isName(name), false, String(name).slice(0, 10))
  t.match(check(AccountName)('a..b'), { ok: false, faults: [{ message: `must be ${nameRule}` }] })
  const byHand = (text: string): boolean =>
    text.length > 0 &&
    text.length <= 128 &&
    [...text].every(char => 'abc0Z._-+@:'.includes(char)) &&
    text.split('.').every((part, _, parts) => part !== '' || parts.length === 1)
  const text = fc.string({ unit: fc.constantFrom(...'abc0Z._-+@: /é'), maxLength: 140, size: 'max' })
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(text, text => isName(text) === byHand(text)),
      { numRuns: 2000, seed: 5 },
    ),
  )
})

t.test('a time is ISO 8601 in UTC', async t => {
  const time = check(Time)
  for (const text of ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.123Z']) t.match(time(text), { ok: true })
  for (const text of ['2026-01-01', '2026-01-01T00:00:00', '2026-01-01T00:00:00+01:00', 'now', '']) {
    t.match(time(text), { ok: false, faults: [{ message: /ISO 8601/ }] })
  }
})

t.test('every frame’s type is its name, and those about a call are told from the rest', async t => {
  for (const frames of [clientFrames, hubFrames]) {
    for (const [name, schema] of Object.entries(frames)) t.equal(schema.properties.type.const, name)
  }
  for (const type of Object.keys(callFrames)) t.equal(isCallFrame({ type: n(type) }), true, type)
  for (const type of Object.keys(sessionFrames)) t.equal(isCallFrame({ type: n(type) }), false, type)
})

t.test('the resource in the docs fits its schema', async t => {
  const counts = { available: 2, ringing: 0, busy: 1, away: 0, dnd: 0, offline: 3 }
  const since = '2026-01-01T00:00:00.000Z'
  const device = {
    device: 'web-1',
    status: 'available',
    since,
    link: 'attached',
    activity: 'idle',
    client: 'a/1',
  }
  const entry = {
    account: 'alice',
    status: 'available',
    since,
    activity: 'free',
    note: '',
    until: null,
    lastSeen: since,
  }
  const head = { destination: 'support', kind: 'group', version: 42, status: 'available', since, counts }
  t.match(check(Resource)({ ...head, accounts: [{ ...entry, devices: [device] }] }), { ok: true })
  t.match(check(Resource)({ ...head, status: 'free' }), { ok: false })
})
