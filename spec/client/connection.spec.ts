import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { apiAddress, socketAddress } from '../../src/client/address.js'
import { BASE_MS, backoffMs, CAP_MS } from '../../src/client/backoff.js'
import { advance, type Connection, type ConnectionEvent, mayReturn } from '../../src/client/connection.js'
import { SwitchhookError, type Welcome } from '../../src/client/index.js'

const rules = { attempts: Number.POSITIVE_INFINITY, renewable: true, random: () => 0.5 }
const error = new SwitchhookError('disconnected', 'gone')
const welcome = { type: 'welcome', session: 's1' } as Welcome
const lost = (code: number, at = 0, waitMs = 0): ConnectionEvent => ({
  type: 'lost',
  code,
  reason: 'why',
  at,
  waitMs,
  offline: false,
  error,
})
const waiting = { state: 'reconnecting', attempt: 2, inMs: 1, dueAt: 1, offline: false, error } as const
const paused = { state: 'paused', attempt: 0, error } as const
const online = (attempt: number): Connection => ({ state: 'online', welcome, since: 0, attempt })

t.test('a wait is anywhere between nothing and a ceiling that doubles, up to half a minute', async () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (attempt, random) => {
        const waitMs = backoffMs(attempt, () => random)
        const ceiling = Math.min(CAP_MS, BASE_MS * 2 ** (attempt - 1))
        assert(waitMs >= 0 && waitMs < ceiling)
        assert.equal(waitMs, Math.floor(random * ceiling))
      },
    ),
  )
})

t.test('the close code says whether a client may come back', async t => {
  for (const code of [1001, 1005, 1006, 1011, 1012, 1013, 4400, 4401, 4408, 4429, 4499]) t.ok(mayReturn(code))
  for (const code of [1000, 4500, 4501, 4502, 4504, 4999]) t.notOk(mayReturn(code))
})

t.test('attempts count up while they fail, and begin anew after a connection that held', async t => {
  t.match(advance({ state: 'connecting', attempt: 3 }, lost(1006), rules), {
    state: 'reconnecting',
    attempt: 4,
    inMs: 2000,
    error,
  })
  t.match(advance(online(3), lost(1006, 9_999), rules), { state: 'reconnecting', attempt: 4 })
  t.match(advance(online(3), lost(1006, 10_000), rules), { state: 'reconnecting', attempt: 1 })
})

t.test('the wait that the hub asks for comes before the jitter', async t => {
  t.match(advance(online(0), lost(1013, 0, 7000), rules), { state: 'reconnecting', inMs: 7250 })
})

t.test('a connection is given up after as many attempts as allowed', async t => {
  const patient = { ...rules, attempts: 1 }
  t.match(advance({ state: 'connecting', attempt: 0 }, lost(1006), patient), { state: 'reconnecting' })
  t.strictSame(advance({ state: 'connecting', attempt: 1 }, lost(1006), patient), {
    state: 'closed',
    code: 1006,
    reason: 'why',
    error,
  })
})

t.test('a refused token closes for good where there is no other to be had', async t => {
  t.match(advance(online(0), lost(4401), rules), { state: 'reconnecting' })
  t.match(advance(online(0), lost(4401), { ...rules, renewable: false }), { state: 'closed', code: 4401 })
})

t.test('attempts without a network are not counted, and are few', async t => {
  const offline = { ...lost(1006, 1000), offline: true } as ConnectionEvent
  const patient = { ...rules, attempts: 1 }
  t.match(advance({ state: 'connecting', attempt: 1 }, offline, patient), {
    state: 'reconnecting',
    attempt: 1,
    inMs: 30_000,
    dueAt: 31_000,
    offline: true,
  })
  t.match(advance(waiting, { type: 'offline', at: 1000, waitMs: 2000 }, rules), {
    state: 'reconnecting',
    attempt: 2,
    inMs: 32_000,
    offline: true,
    error,
  })
})

t.test('who is back connects at once, unless the hub asked for a wait that is not over', async t => {
  t.strictSame(advance(waiting, { type: 'back', at: 0, waitMs: 0 }, rules), {
    state: 'connecting',
    attempt: 2,
  })
  for (const from of [waiting, paused]) {
    t.match(advance(from, { type: 'back', at: 1000, waitMs: 500 }, rules), {
      state: 'reconnecting',
      attempt: from.attempt,
      inMs: 500,
      dueAt: 1500,
      offline: false,
    })
  }
})

t.test('every state goes where the drawing says, and an event without an arrow changes nothing', async t => {
  const states: Connection[] = [
    { state: 'idle' },
    { state: 'connecting', attempt: 0 },
    online(0),
    waiting,
    paused,
    { state: 'closed', code: 1000, reason: '', error },
  ]
  const events: ConnectionEvent[] = [
    { type: 'connect' },
    { type: 'welcome', welcome, at: 0 },
    lost(1006),
    { type: 'due' },
    { type: 'away' },
    { type: 'back', at: 0, waitMs: 0 },
    { type: 'offline', at: 0, waitMs: 0 },
    { type: 'leave' },
  ]
  const walked = states.map(from =>
    events.map(event => {
      const to = advance(from, event, rules)
      return to === from ? '-' : to.state
    }),
  )
  t.strictSame(walked, [
    ['connecting', '-', '-', '-', '-', '-', '-', 'closed'],
    ['-', 'online', 'reconnecting', '-', 'paused', '-', '-', 'closed'],
    ['-', '-', 'reconnecting', '-', 'paused', '-', '-', 'closed'],
    ['connecting', '-', '-', 'connecting', 'paused', 'connecting', 'reconnecting', 'closed'],
    ['connecting', '-', '-', '-', '-', 'connecting', '-', 'closed'],
    ['connecting', '-', '-', '-', '-', '-', '-', '-'],
  ])
  t.match(advance(waiting, { type: 'due' }, rules), { attempt: 2 })
  t.match(advance(waiting, { type: 'away' }, rules), {
    attempt: 0,
    error: { code: 'disconnected', retry: true },
  })
})

t.test('one address serves the socket and the HTTP API', async t => {
  for (const url of [
    'http://hub:8080',
    'ws://hub:8080/',
    'ws://hub:8080/v1/socket',
    'http://hub:8080/?a=b#c',
  ]) {
    t.equal(socketAddress(url), 'ws://hub:8080/v1/socket')
    t.equal(apiAddress(url), 'http://hub:8080')
  }
  for (const url of ['https://example.com/hub/', 'wss://example.com/hub/v1/socket']) {
    t.equal(socketAddress(url), 'wss://example.com/hub/v1/socket')
    t.equal(apiAddress(url), 'https://example.com/hub')
  }
  t.throws(() => socketAddress('ftp://hub'), { message: 'not the address of a hub: ftp://hub' })
  t.throws(() => apiAddress('hub'), TypeError)
})
