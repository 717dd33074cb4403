// The events of a call over HTTP: numbered, resumable, at the reader's pace and within bounds.

import { once } from 'node:events'
import t from 'tap'
import { EventStream } from '../../src/http/event-stream.js'
import { Inbox } from '../../src/http/inbox.js'
import { Bounds } from '../../src/limits/index.js'
import type { AccountId, CallFrame, CallId } from '../../src/protocol/index.js'
import { VirtualClock } from '../../src/runtime/index.js'
import { newApi } from '../support/http-api.js'

const call = 'call-1' as CallId
const path = '/v1/calls/call-1/events'
const ofType = (blocks: Record<string, string>[]) => blocks.map(({ id, event }) => `${id} ${event}`)

const stand = async (test: Parameters<typeof newApi>[0]) => {
  const api = await newApi(test)
  const token = await api.token('pbx', ['call:inbound'])
  const alice = api.room.phone('alice')
  await api.ask('POST', '/v1/calls', { token, body: { to: 'alice', from: '+15550199' } })
  await api.room.clock.settle()
  return { api, token, alice }
}

t.test('a caller over HTTP is told what a gateway on a socket would be, in order, to the end', async t => {
  const { api, token, alice } = await stand(t)
  const feed = await api.follow(path, { token })
  t.equal(feed.headers.get('content-type'), 'text/event-stream')
  t.equal(feed.headers.get('cache-control'), 'no-store')
  t.match(await feed.next(), { retry: '1000' })
  const trying = await feed.next()
  t.match(trying, { id: '1', event: 'progress' })
  t.same(JSON.parse(trying?.data ?? ''), { type: 'progress', call, state: 'trying', seq: 1 })
  t.match(await feed.next(), { id: '2', event: 'progress' })

  alice.accept(call, 'v=0')
  const answered = await feed.next()
  t.match(answered, { id: '3', event: 'answered' })
  t.match(JSON.parse(answered?.data ?? ''), { seq: 3, sdp: 'v=0', by: { account: 'alice', device: 'phone' } })
  api.room.router.signal(alice.party, call, { dtmf: '1\n\n2' })
  const signal = await feed.next()
  t.match([signal?.event, JSON.parse(signal?.data ?? '').data], ['signal', { dtmf: '1\n\n2' }])
  api.room.router.hangup(alice.party, call)
  t.match(await feed.rest(), [{ id: '5', event: 'ended' }], 'and the stream ends after ended')

  const late = await api.follow(path, { token })
  t.same(ofType((await late.rest()).slice(1)), [
    '1 progress',
    '2 progress',
    '3 answered',
    '4 signal',
    '5 ended',
  ])
})

t.test('a reader that comes back names the last event it has', async t => {
  const { api, token, alice } = await stand(t)
  const first = await api.follow(path, { token })
  await first.next()
  const { id } = (await first.next()) ?? {}
  await first.close()
  alice.accept(call)
  api.room.router.hangup(alice.party, call)
  const headers = { 'last-event-id': String(id) }
  const second = await api.follow(path, { token, headers })
  t.same(ofType((await second.rest()).slice(1)), ['2 progress', '3 answered', '4 ended'])
})

t.test('[FH5] a Last-Event-ID that was never given begins at the start', async t => {
  const { api, token } = await stand(t)
  await api.ask('DELETE', '/v1/calls/call-1', { token })
  for (const id of ['garbage', '-1', '99', '9'.repeat(400), '1.5', '0x1', '1, 2']) {
    const feed = await api.follow(path, { token, headers: { 'last-event-id': id } })
    t.equal(ofType((await feed.rest()).slice(1))[0], '1 progress', id)
  }
})

t.test('a quiet stream hears a comment now and then', async t => {
  const { api, token, alice } = await stand(t)
  alice.accept(call)
  const feed = await api.follow(path, { token })
  for (let blocks = 0; blocks < 4; blocks++) await feed.next()
  for (let beats = 0; beats < 3; beats++) {
    api.room.clock.advance(15_000)
    t.same(await feed.next(), { comment: '' })
  }
  await api.ask('DELETE', '/v1/calls/call-1', { token })
  t.match(await feed.rest(), [{ event: 'ended' }])
})

t.test('[FH5] at most 16 read one call at a time', async t => {
  const { api, token } = await stand(t)
  const closed: Promise<unknown>[] = []
  api.http.server.on('request', (_request, response) => closed.push(once(response, 'close')))
  const feeds = await Promise.all(Array.from({ length: 16 }, () => api.follow(path, { token })))
  const { status, json, headers } = await api.ask('GET', path, { token })
  t.match([status, json.error.code, headers.get('retry-after')], [429, 'too-many', /^\d+$/])
  await feeds[0]?.close()
  await closed[0]
  const feed = await api.follow(path, { token })
  t.match(await feed.next(), { retry: '1000' }, 'who goes makes room')
})

const newInbox = () => {
  const clock = new VirtualClock()
  const inbox = new Inbox('pbx' as AccountId, new Bounds())
  const signal = (data: unknown) => inbox.send({ type: 'signal', call, data } as CallFrame)
  /** The number of the first event that is kept after this one. */
  const first = (id?: string) => /^id: (\d+)$/m.exec(inbox.after(id).next() ?? '')?.[1]
  return { clock, inbox, signal, first }
}

t.test('[FH5] what is kept for a call is bounded; the numbers show the gap', async t => {
  const many = newInbox()
  for (let n = 1; n <= 1000; n++) many.signal(n)
  t.equal(many.inbox.last, 1000)
  t.equal(many.first(), '501')
  t.equal(many.first('700'), '701')
  t.equal(many.first('1000'), undefined)

  const large = newInbox()
  for (let n = 1; n <= 40; n++) large.signal('x'.repeat(16_000))
  t.equal(large.first(), '37', '64 KiB are kept')
  large.signal('x'.repeat(300_000))
  t.equal(large.first(), '41', 'and the latest always')
})

t.test('[FH5] a reader that never reads holds next to nothing, and is let go', async t => {
  const { clock, inbox, signal } = newInbox()
  let unread = 0
  const stream = new EventStream(inbox.after(undefined), clock, () => unread++)
  const closed = once(stream, 'close')
  stream.read(0)
  for (let n = 1; n <= 10_000; n++) signal('x'.repeat(1000))
  t.ok(stream.readableLength < 32 * 1024, 'however much there is to read')
  clock.advance(15_000)
  t.notOk(stream.destroyed)
  clock.advance(15_000)
  t.ok(stream.destroyed)
  t.equal(unread, 1)
  await closed
  signal('nobody is there')
  t.equal(clock.advance(60_000), undefined)
})

t.test('[FH5] a slow reader goes on where it was, over the gap if there is one', async t => {
  const { clock, inbox, signal } = newInbox()
  const stream = new EventStream(inbox.after(undefined), clock, () => t.fail('it is read'))
  stream.setEncoding('utf8')
  stream.read(0)
  for (let n = 1; n <= 2000; n++) signal('x'.repeat(1000))
  clock.advance(15_000)
  inbox.send({ type: 'ended', call, reason: 'completed' })
  const ids: number[] = []
  for await (const text of stream) {
    for (const [, id] of String(text).matchAll(/^id: (\d+)$/gm)) ids.push(Number(id))
  }
  t.equal(ids[0], 1)
  t.equal(ids.at(-1), 2001)
  t.same(
    ids,
    [...new Set(ids)].sort((a, b) => a - b),
    'in order, each once',
  )
  t.ok(ids.length < 500)
})
