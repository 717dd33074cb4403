// The one table of codes, and what is told about each. `UPDATE_DOCS=1 npx tap spec/errors.spec.ts` writes docs/errors.md
// anew.

import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import * as connection from '../src/client/connection.js'
import { closeCodes, guide, lookUp, mayReturn } from '../src/error-guide.js'
import { type ErrorCode, errorTable, factsOf, HubError, ok, refuse } from '../src/errors.js'
import { errorsPage } from './support/errors-page.js'

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

t.test('docs/errors.md says of every code and reason what one sees, why, and what to do', async t => {
  if (process.env.UPDATE_DOCS) writeFileSync('docs/errors.md', errorsPage)
  t.equal(readFileSync('docs/errors.md', 'utf8'), errorsPage)
  for (const code of Object.keys(errorTable)) t.match(errorsPage, `### \`${code}\``)
  for (const { name, see, why, remedy } of guide) {
    for (const said of [see, why, remedy]) t.match(said, /^[A-Z`].*[.]$/, name)
  }
})

t.test('every close code of the table is in the guide, with those that RFC 6455 brings', async t => {
  const closing = Object.keys(errorTable).flatMap(code => factsOf(code as ErrorCode).close ?? [])
  const standard = [1000, 1001, 1002, 1005, 1006, 1007, 1008]
  t.same(
    [...closeCodes.keys()],
    [...new Set([...standard, ...closing])].sort((a, b) => a - b),
  )
  t.same(closeCodes.get(4502), ['forbidden', 'name-taken'])
  for (const code of closeCodes.keys()) {
    t.equal(mayReturn(code), connection.mayReturn(code), `${code}: the SDK does as the guide says`)
  }
})

t.test('a word is looked up as it was seen, and has an entry for each of its meanings', async t => {
  const kinds = (word: string) => lookUp(word).map(({ kind, name }) => `${kind} ${name}`)
  t.same(kinds('busy'), ['error code busy', 'end of a call busy', 'reason not to ring busy'])
  t.same(kinds(' Call-Gone\n'), ['error code call-gone'])
  t.same(kinds('4502'), ['error code forbidden', 'error code name-taken'])
  t.same(kinds('1006'), ['close code 1006'])
  t.same(kinds('timeout'), ['cancel reason timeout', 'SDK error timeout'])
  t.same(kinds('nonsense'), [])
  t.match(lookUp('too-many'), [{ see: /HTTP 429.*4429.*Trying again can help/ }])
  t.match(lookUp('canceled'), [{ see: /`DialCallStatus` is `canceled`, SIP 487/ }])
})
