import fc from 'fast-check'
import t from 'tap'
import { clientFrames, type Decoded, decode, deeperThan, depthLimit } from '../../src/protocol/index.js'

const read = (frame: unknown): Decoded => decode(JSON.stringify(frame))
const nest = (levels: number): unknown => (levels === 0 ? 1 : [nest(levels - 1)])

const samples: Readonly<Record<string, object>> = {
  hello: {
    token: 't',
    device: 'web-1',
    status: 'away',
    note: '',
    client: 'a/1',
    capacity: 2,
    heartbeatMs: 5000,
  },
  status: { status: null, for: 'account', until: '2026-01-01T00:00:00Z' },
  wrapup: { endMs: 0 },
  subscribe: { destinations: ['support'], view: 'summary' },
  unsubscribe: { destinations: ['support'] },
  presence: { destinations: ['alice', 'support'], view: 'routing' },
  token: { token: 't' },
  place: { to: 'support', params: { topic: 'billing' }, sdp: 'v=0' },
  ringing: { call: 'c' },
  accept: { call: 'c', sdp: 'v=0' },
  reject: { call: 'c', reason: 'busy' },
  hangup: { call: 'c' },
  transfer: { call: 'c', to: 'bob' },
  signal: { call: 'c', data: { candidate: ['x'] } },
  performed: { call: 'c', step: 0, outcome: 'done' },
  ack: { seq: 5 },
  ping: {},
  leave: {},
}

t.test('each frame of the protocol is read as it was said', async t => {
  t.same(Object.keys(samples), Object.keys(clientFrames))
  for (const [type, fields] of Object.entries(samples)) {
    const frame = { type, ref: 'r', ...fields, unknown: 'is let be' }
    t.match(read(frame), { ok: true, frame }, type)
  }
})

t.test('what is not JSON, not an object or has no type ends the session', async t => {
  for (const text of [
    '',
    '{',
    'null',
    '5',
    '"x"',
    '[]',
    '{}',
    '{"type":5}',
    '\ufeff{"type":"ping"}',
    '['.repeat(60_000),
  ]) {
    t.match(decode(text), { ok: false, code: 'malformed' }, text.slice(0, 20))
  }
})

t.test(
  'an unknown type and bad fields are answered, each fault named, with the ref where it is one',
  async t => {
    t.match(read({ type: 'x'.repeat(100), ref: 'r' }), {
      code: 'unknown-type',
      ref: 'r',
      message: /"x{64}"$/,
    })
    t.match(read({ type: 'constructor' }), { code: 'unknown-type' })
    const many = read({ type: 'hello', ref: 'r', device: 'a..b', capacity: 0, heartbeatMs: 1 })
    t.match(many, {
      code: 'invalid',
      ref: 'r',
      message: /device must be a name.*; capacity must be >= 1; heartbeatMs/,
    })
    t.match(read({ type: 'status', status: 'gone' }), {
      message: /status must be one of available.* or null/,
    })
    t.match(read({ type: 'subscribe', destinations: Array(101).fill('a') }), { code: 'invalid' })
    t.match(read({ type: 'signal', call: 'c' }), { code: 'invalid', message: 'data is missing' })
    for (const ref of ['r'.repeat(65), {}, 5]) {
      t.notOk('ref' in read({ type: 'ping', ref }), '[FO4] a ref that is none is not echoed')
      t.match(read({ type: 'ping', ref }), { code: 'invalid', message: /^ref must be text/ })
    }
    for (const capacity of [1e9, -1, 0.5])
      t.match(read({ type: 'hello', capacity }), { code: 'invalid' }, '[FO8]')
  },
)

t.test('what is relayed is bounded: depth, bytes of parameters, bytes of signals', async t => {
  t.equal(deeperThan(nest(3), 3), false)
  t.equal(deeperThan(nest(4), 3), true)
  t.equal(deeperThan(null, 0), false)
  t.match(read({ type: 'signal', call: 'c', data: nest(depthLimit - 1) }), { ok: true })
  t.match(read({ type: 'signal', call: 'c', data: nest(depthLimit) }), {
    code: 'invalid',
    message: /32 levels/,
  })
  t.match(read({ type: 'place', to: 'a' }), { ok: true })
  const signal = (data: unknown) => read({ type: 'signal', call: 'c', data })
  t.match(signal('x'.repeat(16 * 1024 - 2)), { ok: true })
  t.match(signal('x'.repeat(16 * 1024 - 1)), { code: 'invalid', message: /data.*16384 bytes/ })
  t.match(signal('é'.repeat(8 * 1024)), { code: 'invalid' }, 'bytes here too')
  t.match(signal(null), { ok: true })
})

t.test('[FF6] half a surrogate pair is refused, wherever it stands; whole ones are text', async t => {
  const bad = (json: string) =>
    t.match(decode(json), { ok: false, code: 'invalid', message: /Unicode/ }, json)
  bad('{"type":"signal","call":"c","data":[{"a":"\\ud800"}]}')
  bad('{"type":"signal","call":"c","data":{"\\udc00":1}}')
  bad('{"type":"place","to":"a","params":{"k":"\\ud83d"}}')
  t.match(decode('{"type":"signal","call":"c","data":[null,1,"\\ud83d\\ude00"]}'), {
    ok: true,
    frame: { data: [null, 1, '😀'] },
  })
  t.match(decode('{"type":"place","to":"a","params":{"__proto__":"x"}}'), { ok: true })
  t.equal(({} as { k?: unknown }).k, undefined)
})

t.test('[FF6] no text makes it throw', async t => {
  const frame = fc.oneof(
    fc.string(),
    fc.json({ maxDepth: 5 }),
    fc
      .record({
        type: fc.constantFrom(...Object.keys(samples)),
        fields: fc.dictionary(fc.string(), fc.jsonValue()),
      })
      .map(({ type, fields }) => JSON.stringify({ ...samples[type], ...fields, type })),
    fc
      .record({ type: fc.constantFrom(...Object.keys(samples)), cut: fc.nat(100), put: fc.string() })
      .map(({ type, cut, put }) => {
        const text = JSON.stringify({ type, ...samples[type] })
        return text.slice(0, cut) + put + text.slice(cut + put.length)
      }),
  )
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(frame, text => typeof decode(text).ok === 'boolean'),
      { numRuns: 5000, seed: 3 },
    ),
  )
  for (const text of ['{"type":"ack","seq":1e400}', `{"type":"ack","seq":${'9'.repeat(60_000)}}`]) {
    t.match(decode(text), { ok: false, code: 'invalid' })
  }
})
