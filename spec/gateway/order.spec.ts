// Frames that come in the wrong order, twice, too late, or about what is not theirs: each has one outcome, and the hub
// is as it was before.

import { once } from 'node:events'
import t from 'tap'
import { newScene } from '../support/fault.js'
import { type Client, until } from '../support/gateway.js'

const frames = (code: string) => ({ code, metric: `switchhook_frames_refused_total{code="${code}"}` })
const limit = (code: string, name: string) => ({
  code,
  metric: `switchhook_limit_reached_total{limit="${name}"}`,
})

const scene = await newScene(t, { limits: { callsPerMinutePerAccount: 6_000 } })

const leave = async (...clients: Client[]): Promise<void> => {
  for (const client of clients) {
    client.ws.close(1000)
    await client.closed
  }
}

/** A gateway that calls bob, who rings on this device. */
const ringing = async () => {
  const gateway = await scene.phone('trunk', 'trunk', { scopes: ['call:inbound'] })
  const bob = await scene.phone('bob', 'desk')
  const { call } = await gateway.ask({ type: 'place', to: 'bob', from: '+15550199' }, 'placed')
  await bob.next('invite')
  return { gateway, bob, call }
}

t.test('[FO1] a second hello is an error, and one after leave is not looked at', t =>
  scene.survives(t, frames('invalid'), async () => {
    const client = await scene.phone('mallory')
    const token = await scene.token('mallory')
    t.match(await client.ask({ type: 'hello', token, device: 'phone' }, 'error'), {
      code: 'invalid',
      message: 'hello comes once',
    })
    const before = client.frames.length
    client.send({ type: 'leave' })
    client.send({ type: 'hello', token, device: 'phone' })
    client.send({ type: 'ping' })
    t.match(await client.closed, { code: 1000 })
    t.equal(client.frames.length, before)
  }),
)

t.test('[FO1] what is resumed is one’s own, once, and up to what was sent', t =>
  scene.survives(t, frames('invalid'), async () => {
    const first = await scene.phone('mallory')
    const [{ session } = { session: '' }] = first.all('welcome')
    t.match(
      session,
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      '122 bits of chance',
    )
    for (const seq of [-1, 0.5, 2 ** 53, '0', null]) {
      const client = scene.client()
      await client.opened
      client.send({
        type: 'hello',
        token: await scene.token('mallory'),
        device: 'phone',
        resume: { session, seq },
      })
      t.match(await client.next('error'), { code: 'invalid', message: /^resume\.seq / }, String(seq))
      await leave(client)
    }
    const welcomes = async (account: string, facts: object, hello: object) => {
      const client = await scene.phone(account, 'phone', facts, hello)
      const [welcome] = client.all('welcome')
      await leave(client)
      return welcome
    }
    const resume = { session, seq: 0 }
    t.match(await welcomes('eve', {}, { resume }), { resumed: false, account: 'eve' })
    t.match(await welcomes('mallory', { tenant: 'other' }, { resume }), { resumed: false, tenant: 'other' })
    t.equal(first.ws.readyState, 1, 'nobody else touched it')
    const both = [scene.client(), scene.client()]
    for (const client of both) {
      await client.opened
      client.send({ type: 'hello', token: await scene.token('mallory'), device: 'phone', resume })
    }
    await Promise.all(both.map(client => client.next('welcome')))
    t.match(await first.closed, { code: 4501 })
    const loser = await Promise.race(both.map(client => client.closed.then(() => client)))
    t.match(await loser.closed, { code: 4501 }, 'of two at once one has it')
    for (const client of both) if (client !== loser) await leave(client)
    t.match(await welcomes('mallory', {}, { resume: { session, seq: 1 } }), { resumed: false })
  }),
)

t.test('[FO2] a call that is another tenant’s, or was never offered here, looks like none', t =>
  scene.survives(t, frames('call-gone'), async () => {
    const { gateway, bob, call } = await ringing()
    const strangers = [
      await scene.phone('mallory'),
      await scene.phone('mallory', 'desk', { tenant: 'other' }),
      await scene.phone('trunk', 'other', { tenant: 'other', scopes: ['call:inbound'] }),
    ]
    for (const stranger of strangers) {
      for (const type of ['accept', 'reject', 'hangup', 'signal']) {
        const told = async (id: string) => {
          const { code, message } = await stranger.ask({ type, call: id, data: 1 }, 'error')
          return { code, message }
        }
        const unknown = await told('never-was')
        t.same(await told(call), unknown, `${type} says no more than of an unknown call`)
        t.match(unknown.code, /call-gone|forbidden/)
      }
      stranger.send({ type: 'ringing', call })
      await stranger.ask({ type: 'ping' }, 'pong')
    }
    t.same(gateway.all('signal'), [])
    t.equal(gateway.all('progress').at(-1)?.state, 'trying', 'and none of it had an effect')
    await leave(...strangers, gateway, bob)
  }),
)

t.test('[FO3] accept twice, accept and reject, hang up before and after: one outcome each time', t =>
  scene.survives(t, frames('call-gone'), async () => {
    /** What two frames at once are answered, and what the caller hears at the end. */
    const outcome = async (...types: string[]) => {
      const { gateway, bob, call } = await ringing()
      types.forEach((type, index) => void bob.send({ type, call, ref: String(index) }))
      const replies = []
      for (let count = 0; count < types.length; count++) {
        await until(() => bob.frames.some(frame => 'ref' in frame && frame.ref === String(count)))
        const reply = bob.frames.find(frame => 'ref' in frame && frame.ref === String(count))!
        replies.push(reply.type === 'error' ? reply.code : reply.type)
      }
      const answers = gateway.all('answered').length
      if (answers > 0 && gateway.all('ended').length === 0) await gateway.ask({ type: 'hangup', call }, 'ok')
      const { reason } = await gateway.next('ended')
      t.equal(gateway.all('ended').length, 1)
      await leave(gateway, bob)
      return { replies, answers, reason }
    }
    t.same(await outcome('accept', 'accept'), {
      replies: ['ok', 'call-gone'],
      answers: 1,
      reason: 'completed',
    })
    t.same(await outcome('accept', 'reject'), {
      replies: ['ok', 'call-gone'],
      answers: 1,
      reason: 'completed',
    })
    t.same(await outcome('reject', 'accept'), {
      replies: ['ok', 'call-gone'],
      answers: 0,
      reason: 'rejected',
    })
    t.same(await outcome('reject', 'reject'), {
      replies: ['ok', 'call-gone'],
      answers: 0,
      reason: 'rejected',
    })
    t.same(await outcome('hangup', 'accept'), {
      replies: ['ok', 'call-gone'],
      answers: 0,
      reason: 'rejected',
    })
    t.same(await outcome('accept', 'hangup'), { replies: ['ok', 'ok'], answers: 1, reason: 'completed' })
    t.same(await outcome('ringing', 'ringing', 'accept'), {
      replies: ['ok', 'ok', 'ok'],
      answers: 1,
      reason: 'completed',
    })
  }),
)

t.test('[FO3] what comes after the end finds no call: ringing, signals, a second hang-up', t =>
  scene.survives(t, frames('call-gone'), async () => {
    const { gateway, bob, call } = await ringing()
    t.match(await gateway.ask({ type: 'hangup', call }, 'ok'), {}, 'the caller gives up before the answer')
    t.match(await bob.next('cancel'), { reason: 'caller-canceled' })
    t.match(await bob.ask({ type: 'ringing', call }, 'ok'), {}, 'a late ringing is not answered with more')
    for (const client of [gateway, bob]) {
      for (const type of ['signal', 'hangup', 'accept', 'reject']) {
        t.match(await client.ask({ type, call, data: 'late' }, 'error'), { code: /call-gone|forbidden/ })
      }
    }
    t.same(gateway.all('ended').length, 1)
    t.equal(gateway.all('progress').at(-1)?.state, 'trying')
    await leave(gateway, bob)
  }),
)

t.test('[FO4] a ref that is none is not echoed, and one that comes twice serves twice', t =>
  scene.survives(t, frames('invalid'), async () => {
    const client = await scene.phone('mallory')
    for (const ref of ['s3cret'.repeat(11), { s3cret: 1 }, ['s3cret'], 7, null]) {
      client.send({ type: 'ping', ref })
      const error = await client.next('error')
      t.match(error, { code: 'invalid', message: /^ref must be/ })
      t.notMatch(JSON.stringify(error), /s3cret/)
    }
    t.notMatch(JSON.stringify(scene.log), /s3cret/)
    for (let count = 0; count < 2; count++) t.match(await client.ask({ type: 'ping' }, 'pong'), { ref: 'r' })
    client.send({ type: 'ping', ref: 'x'.repeat(64) })
    t.match(await client.next('pong'), { ref: 'x'.repeat(64) })
    await leave(client)
  }),
)

t.test(
  '[FO5] however often one subscribes, one subscription a destination is kept, and a thousand at most',
  t =>
    scene.survives(t, limit('too-many', 'subscriptionsPerSession'), async () => {
      const before = await scene.metric('switchhook_subscriptions')
      const client = await scene.phone('mallory', 'phone', { scopes: ['presence:read', 'call:inbound'] })
      const page = (number: number) => Array.from({ length: 100 }, (_, index) => `name-${number}-${index}`)
      const subscribe = (destinations: string[]) =>
        client.ask({ type: 'subscribe', destinations, view: 'summary' }, 'ok')
      for (let round = 0; round < 1_000; round++) {
        const { refused } = await subscribe(page(round % 20))
        if (refused?.length !== (round % 20 < 10 ? 0 : 100)) t.fail(`round ${round}: ${refused?.length}`)
        await scene.clock.settle(50)
      }
      t.equal(await scene.metric('switchhook_subscriptions'), before + 1_000)
      for (let round = 0; round < 10; round++) await subscribe(Array(100).fill('name-0-0'))
      t.equal(await scene.metric('switchhook_subscriptions'), before + 1_000)
      await client.ask({ type: 'unsubscribe', destinations: ['never', 'name-0-0', 'name-0-0'] }, 'ok')
      t.equal(await scene.metric('switchhook_subscriptions'), before + 999)
      await leave(client)
    }),
)

t.test(
  '[FO6] a flood of statuses is cut off, watchers get few frames, and the last one that counts is shown',
  t =>
    scene.survives(t, limit('too-many', 'framesPerSecond'), async () => {
      const words = ['away', 'busy', 'dnd', 'available']
      const watcher = await scene.phone('watcher', 'phone', { scopes: ['presence:read'] })
      await watcher.ask({ type: 'subscribe', destinations: ['mallory'] }, 'ok')
      await watcher.next('presence')
      const peer = await scene.raw('mallory')
      for (let count = 0; count < 10_000; count++) peer.send({ type: 'status', status: words[count % 4] })
      t.equal(await peer.closed, 4429)
      t.match(await peer.next('error'), { code: 'too-many', retry: true, retryAfterMs: Number })
      const seen = watcher.all('presence').length

      const steady = await scene.phone('mallory', 'raw')
      for (let second = 0; second < 5; second++) {
        for (let count = 0; count < 100; count++) steady.send({ type: 'status', status: words[count % 4] })
        await steady.ask({ type: 'status', status: words[second % 4] }, 'ok')
        await scene.clock.settle(1_010)
      }
      await watcher.ask({ type: 'ping' }, 'pong')
      const frames = watcher.all('presence')
      t.ok(frames.length - seen <= 15, `${frames.length - seen} frames for 505 changes`)
      t.equal(frames.at(-1)?.status, 'away', 'the last word')
      await leave(watcher, steady)
    }),
)

t.test('[FO7] a device’s name is its account’s own: another’s of that name is another device', t =>
  scene.survives(t, frames('unknown-type'), async () => {
    const same = [
      await scene.phone('mallory', 'tab-1'),
      await scene.phone('eve', 'tab-1'),
      await scene.phone('mallory', 'tab-1', { tenant: 'other' }),
    ]
    for (const client of same) t.match(await client.ask({ type: 'ping' }, 'pong'), {}, 'all are there')
    await same[0]!.ask({ type: 'dance' }, 'error')
    await leave(...same)
  }),
)

t.test(
  '[FO7] two clients that take one device from each other are slowed down, and whoever has it keeps it',
  t =>
    scene.survives(t, limit('too-many', 'takeoversPerMinute'), async () => {
      const come = async (resume?: object) => {
        const client = scene.client()
        await client.opened
        client.send({
          type: 'hello',
          token: await scene.token('mallory'),
          device: 'copied',
          ...(resume && { resume }),
        })
        await until(() => client.frames.length > 0)
        return client
      }
      let holder = await come()
      const hints: number[] = []
      for (let round = 0; round < 50; round++) {
        const newcomer = await come()
        const [first] = newcomer.frames
        if (first?.type === 'welcome') {
          t.match(await holder.closed, { code: 4501, reason: 'replaced' })
          t.match(
            holder.all('error').at(-1),
            { code: 'replaced', retry: false },
            'a client that obeys stays away',
          )
          holder = newcomer
          continue
        }
        t.match(first, { code: 'too-many', retry: true, message: /limits.takeoversPerMinute/ })
        t.match(await newcomer.closed, { code: 4429 })
        if (first?.type === 'error') hints.push(Number(first.retryAfterMs))
      }
      t.equal(hints.length, 40, 'ten were let through')
      t.ok(hints.every(hint => hint > 0 && hint <= 6_000))
      const [{ session } = { session: '' }] = holder.all('welcome')
      const resuming = await come({ session, seq: 0 })
      t.match(resuming.frames[0], { code: 'too-many' }, 'resuming is a takeover, too')
      t.match(await holder.ask({ type: 'ping' }, 'pong'), {}, 'the one that has it is not disturbed')

      await scene.clock.settle(hints.at(-1))
      const patient = await come()
      t.match(patient.frames[0], { type: 'welcome' }, 'who waits as told is let in')
      t.match(await holder.closed, { code: 4501 })
      patient.ws.terminate()
      await once(patient.ws, 'close')
      const back = await come()
      t.match(back.frames[0], { type: 'welcome' }, 'and coming back after a loss takes from nobody')
      await leave(back)
    }),
)

t.test('[FO8] a capacity that is none is refused, in hello and in the token', async t => {
  await scene.survives(
    t,
    { code: 'no-hello', metric: 'switchhook_faults_total{code="no-hello"}' },
    async () => {
      for (const capacity of [1e9, -1, 0, 0.5, '2', null]) {
        const client = scene.client()
        await client.opened
        client.send({ type: 'hello', token: await scene.token('mallory'), device: 'phone', capacity })
        t.match(await client.next('error'), { code: 'invalid', message: /^capacity / }, String(capacity))
        scene.clock.advance(5_000)
        t.match(await client.closed, { code: 4408 })
      }
    },
  )
  await scene.survives(
    t,
    { code: 'unauthorized', metric: 'switchhook_faults_total{code="unauthorized"}' },
    async () => {
      for (const capacity of [1e9, -1, 0.5]) {
        const client = scene.client()
        await client.opened
        client.send({ type: 'hello', token: scene.forge({ capacity }), device: 'phone' })
        t.match(await client.next('error'), { code: 'unauthorized', message: /capacity/ })
        t.match(await client.closed, { code: 4401 })
      }
    },
  )
})
