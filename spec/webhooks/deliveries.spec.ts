// Callbacks on their way: signed, in order, tried again, with a receiver that fails in every way, and one beside it
// that never notices.

import t from 'tap'
import twilio from 'twilio'
import { VirtualClock } from '../../src/runtime/index.js'
import { openFileStore } from '../../src/store/index.js'
import { MemoryDisk } from '../support/memory-disk.js'
import { n } from '../support/presence-world.js'

t.setTimeout(30_000)

import { answering, authToken, deliveriesFor, nobody, receiver, taking } from '../support/receivers.js'

const fieldsOf = (body: string) => Object.fromEntries(new URLSearchParams(body))

t.test('a callback is a form, signed, with an id of its own', async t => {
  const app = await receiver(t)
  const { deliver, deliveries, until } = deliveriesFor(t)
  deliver(`${app.url}/status?a=1`, 'call-1')
  t.equal(deliveries.waiting, 1, 'whoever hands it over goes on at once')
  await until(() => deliveries.waiting === 0)
  t.match(app.told, [
    {
      method: 'POST',
      url: '/status?a=1',
      id: 'call-1:0',
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
    },
  ])
  const [told] = app.told
  const fields = fieldsOf(told!.body)
  t.same(fields, { CallSid: 'call-1', SequenceNumber: '0' })
  const signature = String(told!.headers['x-twilio-signature'])
  t.ok(twilio.validateRequest(authToken, signature, `${app.url}/status?a=1`, fields))
  t.match(deliveries.counts, { delivered: 1, failed: 0 })
})

t.test(
  '[FW8] whatever an address and its fields look like, the library finds the signature true',
  async t => {
    const app = await receiver(t)
    const { deliveries, until } = deliveriesFor(t)
    const fields = {
      zeta: '1',
      Alpha: "it's",
      alpha: '',
      'k é': '+ %20 & = ; ?',
      'a[]': '[1]',
      emoji: '\u{1f600}',
      lines: 'a\r\nb\tc',
      From: '"><\\',
    }
    const addresses = [
      '',
      '/',
      "/it's",
      '/a+b',
      '/a%20b',
      '/ünï/\u{1f600}',
      '/%c3%bc',
      '/(a)*!~;,:@&=$',
      '/s#fragment',
      '/s?',
      '/s?a=1&a=2&b=3&a=1',
      "/s?q=it's",
      '/s?q=a+b',
      '/s?q=a%20b',
      '/s?q=a?b',
      '/s?q=é\u{1f600}',
    ]
    for (const method of ['POST', 'GET'] as const) {
      for (const [index, address] of addresses.entries()) {
        const url = `${app.url}${address}`
        const key = `${method}-${index}`
        deliveries.deliver({ id: key, tenant: n('acme'), url, method, fields, key })
      }
    }
    await until(() => deliveries.waiting === 0)
    t.equal(app.told.length, 2 * addresses.length)
    for (const { method, url, headers, body, id } of app.told) {
      const posted = fieldsOf(body)
      const signature = String(headers['x-twilio-signature'])
      t.ok(twilio.validateRequest(authToken, signature, `http://${headers.host}${url}`, posted), id)
      const got = method === 'POST' ? posted : Object.fromEntries(new URL(url, app.url).searchParams)
      t.match(got, fields, id)
    }
  },
)

t.test('[FW6] those of one call go in order, the next only once the one before is taken', async t => {
  const held: (() => void)[] = []
  const app = await receiver(t, res => held.push(() => res.end()))
  const { deliver, deliveries, until } = deliveriesFor(t, { webhooks: { atOnce: 2 } })
  for (const sequence of [0, 1, 2]) for (const key of ['a', 'b', 'c']) deliver(app.url, key, sequence)
  let most = 0
  while (deliveries.waiting > 0) {
    await until(() => held.length > 0)
    most = Math.max(most, held.length)
    const count = deliveries.waiting
    // The later of those that are under way is answered first.
    held.pop()!()
    await until(() => deliveries.waiting < count)
  }
  t.equal(most, 2)
  for (const key of ['a', 'b', 'c']) {
    t.same(
      app.ids().filter(id => id.startsWith(key)),
      [0, 1, 2].map(sequence => `${key}:${sequence}`),
    )
  }
})

t.test('what fails is tried again after growing delays, with the same id; then the next goes', async t => {
  let left = 4
  const app = await receiver(t, res => (left-- > 0 ? answering(500)(res, app.told[0]!) : res.end()))
  const { deliver, deliveries, until, clock, attempts } = deliveriesFor(t)
  deliver(app.url, 'a', 0)
  deliver(app.url, 'a', 1)
  for (const [failed, delay] of [1_000, 2_000, 4_000, 8_000].entries()) {
    await until(() => deliveries.counts.failed === failed + 1)
    clock.advance(delay - 1)
    await new Promise(resolve => setImmediate(resolve))
    t.equal(app.told.length, failed + 1)
    clock.advance(1)
  }
  await until(() => deliveries.waiting === 0)
  t.same(app.ids(), ['a:0', 'a:0', 'a:0', 'a:0', 'a:0', 'a:1'])
  t.match(deliveries.counts, { delivered: 2, failed: 4, refused: 0, expired: 0, dropped: 0 })
  t.equal(attempts(), 6)
})

t.test('a refusal that would be the same again is final, and all else is not', async t => {
  const answers: Record<string, number> = {}
  const app = await receiver(t, (res, { url }) => void res.writeHead(answers[url]!).end())
  const { deliver, deliveries, until, logged } = deliveriesFor(t)
  const final = [300, 304, 400, 401, 403, 404, 410]
  const passing = [408, 425, 429, 500, 503]
  for (const status of [...final, ...passing, 204]) {
    answers[`/${status}`] = status
    deliver(`${app.url}/${status}`, String(status))
    await until(() => app.told.length === final.indexOf(status) + 1 || !final.includes(status))
  }
  await until(() => deliveries.counts.delivered + deliveries.counts.refused + deliveries.counts.failed === 13)
  t.match(deliveries.counts, { delivered: 1, refused: final.length, failed: passing.length })
  t.equal(deliveries.waiting, passing.length)
  t.match(logged, [
    { level: 'warn', facts: { ending: 'refused', why: 'answered 300', id: '300:0' }, message: /given up/ },
    { level: 'warn', message: 'a receiver fails, and is tried less often' },
    { level: 'info', message: 'a receiver answers again' },
  ])
  t.equal(logged.length, 3, 'of those that are given up one line a minute')
})

t.test('after an hour it is given up, tried or not', async t => {
  const url = await nobody(t)
  const { deliver, deliveries, pass, logged, clock } = deliveriesFor(t, { webhooks: { retryForMs: 100_000 } })
  deliver(url, 'a', 0)
  deliver(url, 'a', 1)
  deliver(url, 'b', 0)
  await pass(160_000)
  t.equal(deliveries.waiting, 0)
  t.match(deliveries.counts, { delivered: 0, expired: 3 })
  t.match(logged[0], { message: 'a receiver fails, and is tried less often', facts: { receiver: url } })
  t.match(logged[1], { message: 'a delivery was given up', facts: { ending: 'expired', untold: 0 } })
  clock.advance(60_000)
  deliver(url, 'c', 0)
  await pass(160_000)
  t.match(logged.at(-1), { facts: { ending: 'expired', id: 'c:0', untold: Number } })
})

t.test(
  '[FW6] one dead receiver of two delays nothing of the other, and is tried rarely, with one',
  async t => {
    const dead = await receiver(t, answering(503))
    const lively = await receiver(t)
    const { deliver, deliveries, until, pass, logged } = deliveriesFor(t)
    for (let call = 0; call < 50; call++) {
      deliver(dead.url, `dead-${call}`)
      deliver(lively.url, `lively-${call}`)
    }
    await until(() => lively.told.length === 50)
    await until(() => deliveries.counts.failed >= 5 && deliveries.waiting === 50)
    t.equal(deliveries.waiting, 50)
    const before = dead.told.length
    t.ok(before <= 8, `${before} attempts until it was left alone`)
    await pass(600_000)
    t.ok(dead.told.length - before < 30, `${dead.told.length - before} in ten minutes`)
    dead.answers(taking)
    await pass(121_000)
    t.equal(deliveries.waiting, 0)
    t.match(
      logged.filter(({ message }) => message.startsWith('a receiver')),
      [
        { level: 'warn', facts: { receiver: dead.url, why: 'answered 503', waiting: 50 } },
        { level: 'info', message: 'a receiver answers again' },
      ],
    )
  },
)

t.test(
  '[FW5] whatever a receiver does with an answer, a delivery ends, and no other receiver waits',
  async t => {
    let read = 0
    const endless = await receiver(t, res => {
      res.writeHead(200)
      const block = Buffer.alloc(16 * 1024)
      const more = () => {
        while (!res.destroyed && res.write(block, () => (read += block.length)));
      }
      res.on('drain', more)
      res.on('error', () => {})
      more()
    })
    const silent = await receiver(t, () => {})
    const drip = await receiver(t, res => void res.writeHead(200).write('x'))
    const loop = await receiver(t, answering(307, { location: '/again' }))
    const moved = await receiver(t, answering(301, { location: '/again' }))
    const other = await receiver(t)
    const away = await receiver(t, answering(308, { location: `${other.url}/in` }))
    const { deliver, deliveries, until, clock } = deliveriesFor(t)
    deliver(endless.url, 'endless')
    await until(() => deliveries.counts.delivered === 1)
    t.ok(read < 8e6, 'what it went on to say was cut off')
    for (const { url } of [silent, drip, loop, moved, away]) deliver(url, url)
    await until(() => deliveries.counts.failed === 1 && deliveries.counts.refused === 1)
    t.equal(loop.told.length, 4, 'three redirects at most')
    t.equal(moved.told.length, 1, 'and none that would lose what is said')
    await until(() => deliveries.counts.delivered === 2)
    t.match(other.told, [{ url: '/in', body: /CallSid/ }])
    t.notOk(other.told[0]!.headers['x-twilio-signature'], 'another host is shown no signature')
    t.ok(away.told[0]!.headers['x-twilio-signature'])
    await until(() => silent.told.length + drip.told.length === 2)
    clock.advance(10_000)
    await until(() => deliveries.counts.failed === 2 && deliveries.counts.delivered === 3)
    t.equal(deliveries.waiting, 2, 'the silent one and the loop')
  },
)

t.test('[FW5] a receiver is heeded when it asks for time, for five minutes at most', async t => {
  const year = 365 * 86_400
  const clock = new VirtualClock()
  const inAMinute = new Date(clock.wall() + 60_000).toUTCString()
  for (const [retryAfter, pause] of [
    [String(year), 300_000],
    [new Date(clock.wall() + year * 1000).toUTCString(), 300_000],
    ['9'.repeat(400), 300_000],
    ['30', 30_000],
    [inAMinute, 60_000],
    ['0', 1_000],
    ['-5', 1_000],
    ['soon', 1_000],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 1_000],
  ] as const) {
    const app = await receiver(t, answering(429, { 'retry-after': retryAfter }))
    const world = deliveriesFor(t)
    world.deliver(app.url, 'a')
    await world.until(() => world.deliveries.counts.failed === 1)
    world.deliver(app.url, 'b')
    if (pause === 1_000) await world.until(() => world.deliveries.counts.failed === 2)
    const before = app.told.length
    world.clock.advance(pause - 1)
    for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
    t.equal(app.told.length, before, `${retryAfter}: not before`)
    app.answers(taking)
    world.clock.advance(1)
    await world.until(() => world.deliveries.waiting === 0)
    t.equal(app.told.length, before + 2, retryAfter)
    await world.deliveries.close()
  }
})

t.test(
  '[FW6] a hundred thousand callbacks to a dead receiver: memory, disk and attempts are bounded',
  async t => {
    const memory = new MemoryDisk()
    const clock = new VirtualClock()
    const log = { info() {}, warn() {}, error() {} }
    const store = await openFileStore({ dir: '/data', clock, log, disk: memory.disk })
    t.teardown(() => store.close())
    const dead = await nobody(t)
    const lively = await receiver(t)
    const limits = { deliveriesPerTenant: 500 }
    const world = deliveriesFor(t, { limits, clock, queue: store.deliveries })
    const { deliveries, deliver, until, bounds, attempts } = world
    const kept = () => new Promise<void>(resolve => deliveries.kept(resolve))
    let largest = 0
    const begun = performance.now()
    for (let round = 0; round < 100; round++) {
      for (let call = 0; call < 1_000; call++) deliver(dead, `call-${round}-${call >> 1}`, call & 1)
      deliver(lively.url, `other-${round}`)
      await kept()
      await until(() => deliveries.counts.delivered === round + 1)
      largest = Math.max(largest, memory.content('/data/deliveries.jsonl').length)
      clock.advance(30_000)
    }
    t.comment(`${Math.round(performance.now() - begun)} ms, ${largest} bytes on the disk at most`)
    t.same(new Set(lively.ids()).size, 100, 'the other receiver has had all of its own')
    t.ok(deliveries.waiting <= 500)
    t.equal(store.deliveries.recall().length, deliveries.waiting)
    t.ok(largest < 1e6)
    t.ok(bounds.reached.deliveriesPerTenant > 99_000)
    t.ok(deliveries.counts.failed < 200, `${deliveries.counts.failed} attempts in vain in 50 minutes`)
    t.equal(attempts() - deliveries.counts.failed + deliveries.waiting, 100_100)
    const last = store.deliveries.recall().at(-1)
    t.match(last, { id: 'call-99-499:1' }, 'the latest are those that are kept')
  },
)

t.test('too much is told in bytes, too; what is on its way is not dropped', async t => {
  const silent = await receiver(t, () => {})
  const { deliver, deliveries, until, bounds } = deliveriesFor(t, {
    limits: { deliveryBytesPerTenant: 1 },
    webhooks: { atOnce: 1 },
  })
  deliver(silent.url, 'a', 0)
  await until(() => silent.told.length === 1)
  deliver(silent.url, 'a', 1)
  deliver(silent.url, 'b', 0)
  deliver(silent.url, 'b', 1)
  t.equal(deliveries.waiting, 2)
  t.match(deliveries.counts, { dropped: 2 })
  t.equal(bounds.reached.deliveryBytesPerTenant, 2)
})

t.test('where there is too much, the receiver that has most waiting loses its oldest', async t => {
  const [one, two] = [await receiver(t, () => {}), await receiver(t, () => {})]
  const { deliver, deliveries, until } = deliveriesFor(t, {
    limits: { deliveriesPerTenant: 4 },
    webhooks: { atOnce: 1 },
  })
  for (const key of ['a', 'b', 'c']) deliver(one.url, key)
  deliver(two.url, 'd')
  await until(() => one.told.length + two.told.length === 2)
  deliver(two.url, 'e')
  t.match(deliveries.counts, { dropped: 1 })
  one.answers(taking)
  two.answers(taking)
  one.close()
  two.close()
  t.equal(deliveries.waiting, 4)
})

t.test(
  'a receiver that has all of its own on its way is no reason to keep what another has waiting',
  async t => {
    const [one, two] = [await receiver(t, () => {}), await receiver(t, () => {})]
    const { deliver, deliveries, until } = deliveriesFor(t, {
      limits: { deliveriesPerTenant: 4 },
      webhooks: { atOnce: 2 },
    })
    for (const key of ['a', 'b']) deliver(one.url, key)
    for (const sequence of [0, 1]) deliver(two.url, 'c', sequence)
    await until(() => one.told.length === 2 && two.told.length === 1)
    deliver(two.url, 'd')
    t.match(deliveries.counts, { dropped: 1 })
    t.equal(deliveries.waiting, 4)
  },
)

t.test('one that is dropped while it rests leaves its turn to the next of its call', async t => {
  const app = await receiver(t, answering(500))
  const { deliver, deliveries, until, clock } = deliveriesFor(t, { limits: { deliveriesPerTenant: 2 } })
  deliver(app.url, 'a', 0)
  await until(() => deliveries.counts.failed === 1)
  deliver(app.url, 'a', 1)
  deliver(app.url, 'a', 2)
  t.match(deliveries.counts, { dropped: 1 })
  app.answers(taking)
  clock.advance(1_000)
  await until(() => deliveries.waiting === 0)
  t.same(app.ids(), ['a:0', 'a:1', 'a:2'])

  app.answers(answering(500))
  deliver(app.url, 'b', 0)
  await until(() => deliveries.counts.failed === 2)
  deliver(app.url, 'c', 0)
  deliver(app.url, 'c', 1)
  t.match(deliveries.counts, { dropped: 2 })
  app.answers(taking)
  clock.advance(1_000)
  await until(() => deliveries.waiting === 0)
  t.same(
    app.ids().slice(3),
    ['b:0', 'c:0', 'c:1'].filter(id => app.ids().includes(id)),
  )
})

t.test('a tenant that is gone is told nothing more; a new token holds from the next attempt on', async t => {
  const app = await receiver(t, answering(500))
  const { deliver, deliveries, until, clock, logged } = deliveriesFor(t)
  deliver(app.url, 'a')
  await until(() => deliveries.counts.failed === 1)
  const acme = n('acme') as never
  deliveries.configure(new Map([[acme, { authToken: 'another' }]]))
  clock.advance(1_000)
  await until(() => deliveries.counts.failed === 2)
  const [first, second] = app.told.map(({ headers }) => headers['x-twilio-signature'])
  t.not(first, second)
  deliver('ftp://voice.example.com', 'b')
  await until(() => deliveries.counts.refused === 1)
  t.match(logged, [{ facts: { why: 'must be an http or https URL' } }])
  deliveries.configure(new Map())
  clock.advance(2_000)
  await until(() => deliveries.waiting === 0)
  t.match(deliveries.counts, { refused: 2 })
  t.equal(app.told.length, 2)
})

t.test(
  '[FW7] a new process goes on with what the one before had not delivered, under the same ids',
  async t => {
    const memory = new MemoryDisk()
    const clock = new VirtualClock()
    const log = { info() {}, warn() {}, error() {} }
    const app = await receiver(t, answering(503))
    const open = () => openFileStore({ dir: '/data', clock, log, disk: memory.disk })
    const first = await open()
    const before = deliveriesFor(t, { clock, queue: first.deliveries })
    for (const sequence of [0, 1, 2]) for (const key of ['a', 'b']) before.deliver(app.url, key, sequence)
    await before.until(() => app.told.length >= 2)
    await new Promise<void>(resolve => before.deliveries.kept(resolve))
    const tried = new Set(app.ids())
    await before.deliveries.close()
    before.deliver(app.url, 'late')
    await before.until(() => before.deliveries.counts.failed >= 0)
    memory.losePower()

    app.answers(taking)
    app.told.length = 0
    const second = await open()
    t.teardown(() => second.close())
    const after = deliveriesFor(t, { clock, queue: second.deliveries })
    await after.until(() => after.deliveries.waiting === 0)
    for (const key of ['a', 'b'])
      t.same(
        app.ids().filter(id => id.startsWith(key)),
        [0, 1, 2].map(sequence => `${key}:${sequence}`),
      )
    t.ok(
      [...tried].every(id => app.ids().includes(id)),
      'what was tried comes again as the same',
    )
    t.same(second.deliveries.recall(), [])
  },
)
