// A wall clock that is set, and a machine that sleeps, under a gateway, presence and a router with calls: what lasts is
// measured by the monotonic clock, what tokens and people say by the wall clock, and no stamp of a call goes back.

import t, { type Test } from 'tap'
import type { CallId } from '../../src/protocol/index.js'
import { newStand, type Stand, until } from '../support/gateway.js'
import { acme } from '../support/room.js'

const minute = 60_000
const year = 365 * 24 * 60 * minute

/** A stand whose wall clock can be set. */
const newClockwork = async (t: Test) => {
  const stand = await newStand(t)
  const { clock } = stand.room
  const wall = clock.wall.bind(clock)
  let skew = 0
  Object.assign(clock, { wall: () => wall() + skew })
  return {
    stand,
    clock,
    /** Sets the wall clock by so much. */
    step: (ms: number) => {
      skew += ms
    },
    /** The machine sleeps: the monotonic clock does not count it. */
    sleep: (ms: number) => {
      skew += ms
    },
  }
}

const statusOf = (stand: Stand, name: string) =>
  stand.room.presence.resource(acme, name as never, { view: 'full', devices: false }).status

const stampsOf = (stand: Stand, call: CallId) => {
  const view = stand.room.router.get(acme, call)!
  return [view.createdAt, ...view.timeline.map(({ at }) => at)]
}

for (const [what, ms] of [
  ['five minutes forward', 5 * minute],
  ['five minutes back', -5 * minute],
  ['back to 1970', -56 * year],
] as const) {
  t.test(`[FC1] the wall clock is set ${what}: lingers, rings and heartbeats take their time`, async t => {
    const { stand, clock, step } = await newClockwork(t)
    const alice = await stand.phone('alice')
    const bob = await stand.phone('bob', { device: 'desk' })
    const lost = await stand.phone('carol')
    lost.client.ws.terminate()
    await until(() => stand.gateway.counts.lingering === 1)
    const { call } = await stand.room.call('alice')
    await alice.client.next('invite')
    alice.client.send({ type: 'ringing', call })
    await clock.settle(1_000)
    step(ms)
    await clock.settle(10_000)
    t.equal(statusOf(stand, 'carol'), 'available', 'who was lost has its 15 s')
    t.equal(stand.room.router.get(acme, call)!.state, 'ringing', 'who is rung has its 12 s')
    await clock.settle(1_500)
    t.equal(stand.room.router.get(acme, call)!.state, 'ended')
    t.match(await alice.client.next('cancel'), { reason: 'timeout' })
    await clock.settle(3_000)
    t.equal(statusOf(stand, 'carol'), 'offline')
    t.match(await bob.client.ask({ type: 'ping' }, 'pong'), {}, 'and whoever is there stays')
    t.equal(stand.gateway.counts.sessions, 2)
    const stamps = stampsOf(stand, call)
    t.same(stamps, [...stamps].sort(), 'stamps of one call never go back')
  })
}

t.test('[FC1] tokens go by the wall clock, before it is set and after', async t => {
  const { stand, clock, step } = await newClockwork(t)
  const token = await stand.token('alice', { expiresInSeconds: 600 })
  const come = async () => {
    const client = stand.client()
    await client.opened
    client.send({ type: 'hello', token, device: 'phone' })
    await until(() => client.frames.length > 0)
    const [frame] = client.frames
    return frame?.type === 'error' ? frame.message : frame?.type
  }
  t.equal(await come(), 'welcome')
  step(-5 * minute)
  t.match(await come(), 'welcome', 'verified once, while its issuer\u2019s clock was right')
  const early = await stand.token('bob', { expiresInSeconds: 600 })
  step(-5 * minute)
  const client = stand.client()
  await client.opened
  client.send({ type: 'hello', token: early, device: 'phone' })
  t.match(await client.next('error'), { code: 'unauthorized', message: /iat is in the future/ })
  step(-56 * year)
  t.match((await stand.phone('carol')).welcome, { account: 'carol' }, '1970 has tokens of its own')
  step(56 * year + 10 * minute + 11 * minute + 60_000)
  await clock.settle()
  t.match(await come(), /exp has passed/)
})

t.test(
  '[FC1] a machine that sleeps for an hour: tokens end within a minute of its waking, calls go on',
  async t => {
    const { stand, clock, sleep } = await newClockwork(t)
    const alice = await stand.phone('alice', {}, { expiresInSeconds: 1_800 })
    const bob = await stand.phone('bob', { device: 'desk' }, { expiresInSeconds: 7_200 })
    const end = new Date(clock.wall() + 20 * minute).toISOString()
    await bob.client.ask({ type: 'status', status: 'dnd', until: end }, 'ok')
    const { call } = await stand.room.call('alice')
    await alice.client.next('invite')
    await alice.client.ask({ type: 'accept', call }, 'ok')
    await clock.settle(5_000)
    t.equal(statusOf(stand, 'bob'), 'dnd')
    sleep(60 * minute)
    await clock.settle(60_000)
    t.match(await alice.client.next('token-expiring'), { inMs: 0 })
    t.equal(stand.room.router.get(acme, call)!.state, 'connected', 'no call is cut by it')
    t.equal(statusOf(stand, 'bob'), 'available', 'and what was said until then is over')
    await alice.client.ask({ type: 'hangup', call }, 'ok')
    await clock.settle(10)
    t.match(await alice.client.closed, { code: 4401 })
    t.match(await bob.client.ask({ type: 'ping' }, 'pong'), {})
    const stamps = stampsOf(stand, call)
    t.same(stamps, [...stamps].sort())
  },
)
