import t from 'tap'
import { type ErrorCode, errorTable, factsOf, HubError, ok, refuse } from '../src/errors.js'

t.test('each code has the HTTP status and the close code that the protocol gives it', async t => {
  const table: Partial<Record<ErrorCode, [http: number, close?: number]>> = {
    invalid: [400],
    unauthorized: [401, 4401],
    forbidden: [403, 4502],
    'name-taken': [403, 4502],
    'not-found': [404],
    conflict: [409],
    'call-gone': [409],
    'idempotency-mismatch': [422],
    'too-many': [429, 4429],
    draining: [503, 1012],
    overloaded: [503, 1013],
    revoked: [401, 4504],
    'not-supported': [501],
  }
  for (const [code, [http, close]] of Object.entries(table)) {
    t.match(factsOf(code as ErrorCode), { http, close }, code)
  }
})

t.test('a close code tells whether to come back: 4500 and above say no', async t => {
  for (const [code, facts] of Object.entries(errorTable)) {
    t.match(code, /^[a-z]+(-[a-z]+)*$/)
    const { close } = factsOf(code as ErrorCode)
    if (close === undefined) continue
    t.ok(close < 1016 || (close >= 4400 && close < 4600), `${code}: ${close}`)
    if (close >= 4500) t.equal(facts.retry, false, code)
  }
})

t.test('a refusal is a value, and an error keeps its code, faults and cause', async t => {
  t.same(ok(5), { ok: true, value: 5 })
  t.same(refuse('busy', 'no room'), { ok: false, code: 'busy', message: 'no room' })
  const cause = new Error('below')
  const faults = [{ path: 'a', message: 'is wrong' }]
  const error = new HubError('invalid', 'no', { cause, faults })
  t.match(error, { name: 'HubError', code: 'invalid', message: 'no', faults, cause })
  const plain = new HubError('internal', 'no')
  t.same(plain.faults, [])
  t.notOk('cause' in plain)
})
