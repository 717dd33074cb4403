// Which documents are given again without a question, which after one, and which never: by their own headers, over
// real HTTP, on a virtual clock.

import type { OutgoingHttpHeaders } from 'node:http'
import { type Test, test } from 'tap'
import { freshnessOf } from '../../src/egress/freshness.js'
import type { TenantId } from '../../src/protocol/index.js'
import {
  type Answering,
  application,
  dialAlice,
  document,
  redirect,
  sourceFor,
} from '../support/instructions.js'

const dial = (name: string) => `<Response><Dial>${name}</Dial></Response>`

/** At the start of a virtual clock. */
const date = 'Thu, 01 Jan 2026 00:00:00 GMT'

/** An answer that says which time it was asked for, under these headers; and 304 to whoever has it already. */
const counted = (...headers: OutgoingHttpHeaders[]) => {
  let times = 0
  const answer: Answering = (res, req) => {
    const given = headers[Math.min(times, headers.length - 1)]!
    times += 1
    res.sendDate = false
    const had = req.headers['if-none-match'] ?? req.headers['if-modified-since']
    if (had !== undefined && had === (given.etag ?? given['last-modified'])) res.writeHead(304, given).end()
    else res.writeHead(200, { 'content-type': 'text/xml', ...given }).end(dial(`n${times}`))
  }
  return {
    get times() {
      return times
    },
    answer,
  }
}

/** An application whose posted route leads to a document at an address of its own, as static ones have. */
const routed = async (t: Test, headers: OutgoingHttpHeaders[], limits: object = {}) => {
  const doc = counted(...headers)
  const app = await application(t, { '/in': redirect('/doc', 303), '/doc': doc.answer })
  const { clock, bounds, source, ask } = sourceFor(t, {}, { limits })
  const rings = async (more: Parameters<typeof ask>[1] = {}): Promise<string> => {
    const found = await ask(`${app.url}/in`, more)
    if (!found.ok) return found.message
    const [step] = found.value.steps
    const name = step?.verb === 'dial' ? step.to?.[0]?.name : 'nobody'
    return `${name}${found.cached ? ' again' : ''}`
  }
  return { app, doc, clock, bounds, source, ask, rings }
}

test('a document is given again for as long as it says, and asked about after that', async t => {
  const { app, clock, rings, doc } = await routed(t, [
    { 'cache-control': 'max-age=60', etag: '"a"', 'last-modified': 'Wed, 31 Dec 2025 00:00:00 GMT' },
  ])
  t.equal(await rings(), 'n1')
  t.equal(await rings(), 'n1 again')
  clock.advance(59_999)
  t.equal(await rings(), 'n1 again')
  t.equal(doc.times, 1)
  clock.advance(1)
  t.equal(await rings(), 'n1', 'it was asked, and still holds')
  t.match(app.asked.at(-1), {
    method: 'GET',
    url: '/doc',
    headers: { 'if-none-match': '"a"', 'if-modified-since': 'Wed, 31 Dec 2025 00:00:00 GMT' },
  })
  t.equal(await rings(), 'n1 again', 'for another minute')
  t.equal(doc.times, 2)
})

test('a document that has changed takes the place of the old one', async t => {
  const { clock, rings, doc } = await routed(t, [
    { 'cache-control': 'max-age=1', etag: '"a"' },
    { 'cache-control': 'max-age=1', etag: '"b"' },
    { 'cache-control': 'no-store', etag: '"b"' },
  ])
  t.equal(await rings(), 'n1')
  clock.advance(1000)
  t.equal(await rings(), 'n2')
  t.equal(await rings(), 'n2 again')
  clock.advance(1000)
  t.equal(await rings(), 'n2', 'it holds, and is to be forgotten')
  t.equal(await rings(), 'n4')
  t.equal(doc.times, 4)
})

test('without a lifetime a document is asked about each time, by what there is to ask with', async t => {
  for (const [headers, calls] of [
    [{ etag: 'W/"a"' }, ['n1', 'n1', 'n1']],
    [{ 'last-modified': date }, ['n1', 'n1', 'n1']],
    [{ etag: '"a"', 'cache-control': 'max-age=60, no-cache' }, ['n1', 'n1', 'n1']],
    [{ etag: '"a"', 'cache-control': 'max-age=60, must-revalidate' }, ['n1', 'n1 again', 'n1 again']],
    [{ etag: '"a"', 'cache-control': 'no-store' }, ['n1', 'n2', 'n3']],
    [{ 'cache-control': 'no-cache' }, ['n1', 'n2', 'n3']],
    [{ 'cache-control': 's-maxage=60' }, ['n1', 'n2', 'n3']],
    [{ 'cache-control': 'private, max-age=60' }, ['n1', 'n1 again', 'n1 again']],
    [{ 'cache-control': 'max-age=60', vary: 'Accept-Encoding, Cookie' }, ['n1', 'n1 again', 'n1 again']],
    [{ 'cache-control': 'max-age=60', vary: 'Accept, *' }, ['n1', 'n2', 'n3']],
    [{}, ['n1', 'n2', 'n3']],
  ] as const) {
    const { rings } = await routed(t, [headers])
    t.strictSame([await rings(), await rings(), await rings()], calls, JSON.stringify(headers))
  }
})

test('what is kept for one tenant, or was given to a request signed otherwise, is given to no other', async t => {
  const { rings, doc, app } = await routed(t, [{ 'cache-control': 'max-age=60', etag: '"a"' }])
  t.equal(await rings({ tenant: 'acme' as TenantId }), 'n1')
  t.equal(await rings({ tenant: 'other' as TenantId }), 'n2')
  t.equal(await rings({ tenant: 'acme' as TenantId }), 'n1 again')
  t.equal(await rings({ tenant: 'acme' as TenantId, authToken: 'one' }), 'n3')
  t.notOk(app.asked.at(-1)!.headers['if-none-match'], 'nor asked about')
  t.equal(await rings({ tenant: 'acme' as TenantId, authToken: 'one' }), 'n3 again')
  t.equal(await rings({ tenant: 'acme' as TenantId, authToken: 'two' }), 'n4')
  t.equal(doc.times, 4)
})

test('a GET with the fields of a call has its own address, and is given again only to that call', async t => {
  const doc = counted({ 'cache-control': 'max-age=60' })
  const app = await application(t, { '/doc': doc.answer })
  const { ask } = sourceFor(t)
  t.match(await ask(`${app.url}/doc`, {}, { method: 'GET' }), { ok: true, cached: false })
  t.match(await ask(`${app.url}/doc`, {}, { method: 'GET' }), { ok: true, cached: true })
  t.match(await ask(`${app.url}/doc`, { call: 'call-2' as never }, { method: 'GET' }), { cached: false })
  t.match(await ask(`${app.url}/doc`), { ok: true, cached: false }, 'what is posted is asked each time')
  t.match(await ask(`${app.url}/doc`), { ok: true, cached: false })
  t.equal(doc.times, 4)
})

test('what is posted to an address makes what was kept of it doubtful', async t => {
  const { app, rings, ask, doc } = await routed(t, [{ 'cache-control': 'max-age=60' }])
  t.equal(await rings(), 'n1')
  t.match(await ask(`${app.url}/doc`), { ok: true })
  t.equal(await rings(), 'n3')
  t.equal(await rings(), 'n3 again')
  t.equal(doc.times, 3)
})

test('errors and documents that fail are not kept, and no stale document stands in for an error', async t => {
  const headers = { 'cache-control': 'max-age=60', etag: '"a"', 'content-type': 'text/xml' }
  let now: [number, string] = [200, '<Response><Dial>'.repeat(2)]
  const app = await application(t, {
    '/in': redirect('/doc', 303),
    '/doc': res => {
      res.sendDate = false
      res.writeHead(now[0], headers).end(now[1])
    },
  })
  const { ask, clock } = sourceFor(t)
  t.match(await ask(`${app.url}/in`), { ok: false, message: /a document that fails/ })
  now = [404, '']
  t.match(await ask(`${app.url}/in`), { ok: false, message: /answered 404$/ })
  now = [304, '']
  t.match(await ask(`${app.url}/in`), { ok: false, message: /answered 304$/ }, 'to a question nobody asked')
  now = [203, dialAlice]
  t.match(await ask(`${app.url}/in`), { ok: true, cached: false })
  now = [200, dialAlice]
  t.match(await ask(`${app.url}/in`), { ok: true, cached: false })
  t.match(await ask(`${app.url}/in`), { ok: true, cached: true })
  clock.advance(60_000)
  now = [503, '']
  t.match(await ask(`${app.url}/in`), { ok: false, message: /answered 503$/ })
  now = [304, '']
  t.match(await ask(`${app.url}/in`), { ok: true, cached: false }, 'and it may still hold')
})

test('so many documents are kept, and so many bytes: the one that was used longest ago goes first', async t => {
  const answer: Answering = res => {
    res.sendDate = false
    document(dialAlice)(res.setHeader('cache-control', 'max-age=60'))
  }
  const answers = Object.fromEntries(
    ['a', 'b', 'c'].flatMap(name => [
      [`/in-${name}`, redirect(`/${name}`, 303)],
      [`/${name}`, answer],
    ]),
  )
  const app = await application(t, answers)
  const cached = async (limits: object, names: string) => {
    const { ask, bounds } = sourceFor(t, {}, { limits })
    const found = []
    for (const name of names) found.push(await ask(`${app.url}/in-${name}`))
    const { cachedDocuments, cachedDocumentBytes } = bounds.reached
    return [
      found.map(each => (each.ok && each.cached ? 1 : 0)).join(''),
      cachedDocuments,
      cachedDocumentBytes,
    ]
  }
  t.strictSame(await cached({}, 'abcabc'), ['000111', 0, 0])
  t.strictSame(await cached({ cachedDocuments: 2 }, 'abacab'), ['001010', 2, 0])
  t.strictSame(await cached({ cachedDocumentBytes: 1600 }, 'abacab'), ['001010', 0, 2])
  t.strictSame(await cached({ cachedDocumentBytes: 100 }, 'aa'), ['00', 0, 2], 'none has room')
})

test('how long an answer holds is read as RFC 9111 has it', t => {
  const wall = Date.parse(date)
  const holds = (headers: Parameters<typeof freshnessOf>[0], arrival: object = {}) => {
    const freshness = freshnessOf(headers, { askedAt: 0, cameAt: 0, wall, ...arrival })
    return freshness && freshness.freshUntil / 1000
  }
  const etag = '"a"'
  for (const [headers, seconds] of [
    [{ 'cache-control': 'max-age=5' }, 5],
    [{ 'cache-control': 'MAX-AGE="5"' }, 5],
    [{ 'cache-control': ['public', 'max-age=5'] }, 5],
    [{ 'cache-control': 'max-age=5, max-age=9' }, 5],
    [{ 'cache-control': 'x="a, max-age=9", max-age=5' }, 5],
    [{ 'cache-control': 'x="\\", max-age=9", max-age=5' }, 5],
    [{ 'cache-control': ',, ,max-age=5 , immutable' }, 5],
    [{ 'cache-control': 'max-age=99999999999999999999' }, 2 ** 31],
    [{ 'cache-control': 'max-age=5', expires: 'Thu, 01 Jan 2026 01:00:00 GMT' }, 5],
    [{ 'cache-control': 'max-age=5', age: '2' }, 3],
    [{ 'cache-control': 'max-age=5', age: 'old' }, 5],
    [{ 'cache-control': 'max-age=90', date: 'Wed, 31 Dec 2025 23:59:00 GMT' }, 30],
    [{ 'cache-control': 'max-age=90', date: 'Thu, 01 Jan 2026 00:01:00 GMT' }, 90],
    [{ 'cache-control': 'max-age=90', date: 'today' }, 90],
    [{ expires: 'Thu, 01 Jan 2026 00:01:00 GMT' }, 60],
    [{ expires: 'Thu, 01 Jan 2026 00:01:00 GMT', date }, 60],
    [{ expires: 'Thursday, 01-Jan-26 00:01:00 GMT' }, 60],
    [{ expires: 'Thu Jan  1 00:01:00 2026' }, 60],
    // None of these holds, and there is nothing to ask with.
    [{ 'cache-control': 'max-age=-1' }, undefined],
    [{ 'cache-control': 'max-age=5.5' }, undefined],
    [{ 'cache-control': 'max-age' }, undefined],
    [{ 'cache-control': 'x="max-age=9' }, undefined],
    [{ 'cache-control': 'max-age=5', age: '5' }, undefined],
    [{ 'cache-control': 'max-age=0', expires: 'Thu, 01 Jan 2026 01:00:00 GMT' }, undefined],
    [{ 'cache-control': 'no-cache="set-cookie", max-age=5' }, undefined],
    [{ expires: '0' }, undefined],
    [{ expires: '9999' }, undefined],
    [{ expires: date }, undefined],
    [{ expires: 'Wed, 31 Dec 2025 00:00:00 GMT', date }, undefined],
    // These are asked about each time.
    [{ 'cache-control': 'max-age=0', etag }, 0],
    [{ expires: '0', etag }, 0],
    [{ 'cache-control': 'max-age=5', age: '7', etag }, -2],
    [{ 'cache-control': 'NO-STORE', etag }, undefined],
  ] as const) {
    t.equal(holds(headers), seconds, JSON.stringify(headers))
  }
  t.equal(holds({ 'cache-control': 'max-age=5' }, { askedAt: 1000, cameAt: 3000 }), 6, 'less its way here')
  const long = `${'a="'.repeat(5_000)}x`
  const begun = process.cpuUsage().user
  t.equal(holds({ 'cache-control': long }), undefined)
  t.ok(process.cpuUsage().user - begun < 1e6, 'read once over, however it is quoted')
  t.end()
})
