// Calls that wait: who is offered to which of them and when, every way out of a queue, and what callers are told meanwhile.

import t from 'tap'
import type { CallId } from '../../src/protocol/index.js'
import { acme, type FakePhone, newRoom, type Room } from '../support/room.js'

type Options = Record<string, unknown>

const tenantOf = (members: readonly (string | Options)[], options: Options = {}, steps: Options[] = []) => ({
  groups: { support: { members, ...options } },
  routes: [
    { to: 'line', instructions: { steps: [{ enqueue: { group: 'support' } }, ...steps] } },
    { to: 'vip', instructions: { steps: [{ enqueue: { group: 'support', priority: 5 } }] } },
    { to: 'french', instructions: { steps: [{ enqueue: { group: 'support', skills: ['fr'] } }] } },
    { to: 'brief', instructions: { steps: [{ enqueue: { group: 'support', maxWaitMs: 30_000 } }] } },
    { to: 'nowhere', instructions: { steps: [{ enqueue: { group: 'nobody' } }] } },
  ],
})

const newSupport = (members: readonly (string | Options)[], options: Options = {}, steps: Options[] = []) =>
  newRoom(tenantOf(members, options, steps))

const timelineOf = (room: Room, call: CallId) => room.router.get(acme, call)!.timeline
const eventsOf = (room: Room, call: CallId) => timelineOf(room, call).map(({ event }) => event)
const stateOf = (room: Room, call: CallId) => room.router.get(acme, call)!.state

/** The calls that ring there now, by the order in which they came. */
const ringsFor = ({ frames }: FakePhone): CallId[] => {
  const calls = new Set<CallId>()
  for (const frame of frames) {
    if (frame.type === 'invite') calls.add(frame.call)
    else if ('call' in frame) calls.delete(frame.call)
  }
  return [...calls]
}

const places = ({ frames }: { frames: readonly object[] }) =>
  frames.flatMap(frame =>
    'state' in frame ? [[frame.state, ...('position' in frame ? [frame.position] : [])].join(' ')] : [],
  )

t.test('a call that comes while someone is free rings them in the same turn', async t => {
  const room = newSupport(['alice', 'bob'])
  const alice = room.phone('alice')
  room.phone('bob')
  const { call, caller } = await room.call('line')
  t.same(ringsFor(alice), [call])
  t.same(places(caller), ['queued 1', 'ringing'])
  t.ok(alice.accept(call, 'sdp'))
  t.match(caller.frames.at(-1), { type: 'answered', by: { account: 'alice' }, sdp: 'sdp' })
  t.equal(stateOf(room, call), 'connected')
  await room.clock.settle(5000)
  room.router.hangup(alice.party, call)
  t.match(room.router.get(acme, call), { state: 'ended', reason: 'completed', talkMs: 5000 })
  t.same(eventsOf(room, call), [
    'received',
    'route',
    'instructions',
    'queued',
    'offered',
    'ringing',
    'answered',
    'dequeued',
    'ended',
  ])
})

t.test('someone who becomes free is offered the call of highest priority, then the oldest', async t => {
  const room = newSupport(['alice'])
  const alice = room.phone('alice', 'phone', { status: 'away' })
  const first = await room.call('line')
  const second = await room.call('line')
  const vip = await room.call('vip')
  t.same(
    [first, second, vip].map(({ caller }) => places(caller).at(-1)),
    ['queued 1', 'queued 2', 'queued 1'],
  )
  await room.clock.settle(1100)
  t.same(
    [first, second, vip].map(({ caller }) => places(caller).at(-1)),
    ['queued 2', 'queued 3', 'queued 1'],
    'who is passed hears of it',
  )
  alice.attachment.declare({ status: 'available' })
  await room.clock.settle()
  for (const { call } of [vip, first, second]) {
    t.same(ringsFor(alice), [call])
    t.ok(alice.accept(call))
    room.router.hangup(alice.party, call)
    await room.clock.settle(30)
  }
  t.equal(room.router.counts.live, 0)
})

t.test('skills do not block others: who lacks them takes the next call that they may', async t => {
  const room = newSupport(['alice', { account: 'bob', skills: ['fr'] }])
  const alice = room.phone('alice', 'phone', { status: 'away' })
  const french = await room.call('french')
  const other = await room.call('line')
  t.same(
    timelineOf(room, french.call)
      .filter(({ event }) => event === 'not-rung')
      .map(({ reason, accounts }) => [reason, accounts]),
    [
      ['lacks-skill', ['alice']],
      ['offline', ['bob']],
    ],
  )
  alice.attachment.declare({ status: 'available' })
  await room.clock.settle()
  t.same(ringsFor(alice), [other.call])
  alice.accept(other.call)
  const bob = room.phone('bob')
  await room.clock.settle(30)
  t.same(ringsFor(bob), [french.call])
})

t.test('who is free is offered whichever call came first, in whatever queue of theirs', async t => {
  const room = newRoom({
    groups: { sales: { members: ['alice'] }, support: { members: ['alice', 'bob'] } },
    routes: ['sales', 'support'].map(group => ({
      to: group,
      instructions: { steps: [{ enqueue: { group } }] },
    })),
  })
  const alice = room.phone('alice', 'phone', { status: 'dnd' })
  const calls = []
  for (const to of ['support', 'sales', 'support', 'sales']) calls.push((await room.call(to)).call)
  alice.attachment.declare({ status: 'available' })
  const taken: CallId[] = []
  for (let turn = 0; turn < 4; turn++) {
    await room.clock.settle(30)
    const [call] = ringsFor(alice)
    taken.push(call!)
    t.ok(alice.accept(call!))
    room.router.hangup(alice.party, call!)
  }
  t.same(taken, calls)
})

t.test(
  'several calls and several people in one turn: each call one person, each person one call',
  async t => {
    const room = newSupport(['a', 'b', 'c', 'd', 'e'], { strategy: 'order' })
    const phones = ['a', 'b', 'c'].map(name => room.phone(name, 'phone', { status: 'away' }))
    const calls: CallId[] = []
    for (let count = 0; count < 5; count++) calls.push((await room.call('line')).call)
    for (const phone of phones) phone.attachment.declare({ status: 'available' })
    phones.push(room.phone('d'), room.phone('e'))
    await room.clock.settle()
    t.same(
      phones.map(ringsFor),
      calls.map(call => [call]),
    )
    t.notOk(calls.some(call => eventsOf(room, call).includes('claim-refused')))
  },
)

t.test('with all everyone who is free rings for it, and who becomes free meanwhile', async t => {
  const room = newSupport(['a', 'b', 'c'], { strategy: 'all' })
  const [a, b] = [room.phone('a'), room.phone('b')]
  const { call } = await room.call('line')
  const other = await room.call('line')
  const c = room.phone('c')
  await room.clock.settle(30)
  t.same([a, b, c].map(ringsFor), [[call], [call], [call]])
  t.ok(b.accept(call))
  await room.clock.settle(30)
  t.same([a, b, c].map(ringsFor), [[other.call], [], [other.call]])
  t.same(a.heard.slice(0, 2), ['invite', 'cancel answered-elsewhere'])
})

t.test('who does not take it is passed over, and rung again for it after the cool-down', async t => {
  const room = newSupport(['alice', 'bob'], { coolDownMs: { missed: 20_000 } })
  const alice = room.phone('alice')
  const { call, caller } = await room.call('line')
  await room.clock.settle(12_010)
  t.same(alice.heard, ['invite', 'cancel timeout'])
  t.same(places(caller), ['queued 1', 'ringing', 'queued 1'])
  t.equal(stateOf(room, call), 'queued')
  await room.clock.settle(19_900)
  t.same(ringsFor(alice), [], 'not before')
  await room.clock.settle(200)
  t.same(ringsFor(alice), [call])
  t.ok(eventsOf(room, call).includes('round'))
  const bob = room.phone('bob')
  await room.clock.settle(30)
  t.same(ringsFor(bob), [], 'one at a time')
  alice.reject(call)
  await room.clock.settle(30)
  t.same(ringsFor(bob), [call])
  bob.reject(call, 'busy')
  await room.clock.settle(4900)
  t.same([alice, bob].flatMap(ringsFor), [], 'without a cool-down no sooner than five seconds')
  const other = await room.call('line')
  t.same(ringsFor(alice), [other.call], 'of other calls they are offered the next one at once')
  alice.accept(other.call)
  await room.clock.settle(5100)
  t.same(ringsFor(bob), [call])
})

t.test('in one round whoever was not rung yet comes first', async t => {
  const room = newSupport(['alice', 'bob'], {
    ringTimeoutMs: 6000,
    strategy: 'order',
    coolDownMs: { missed: 0 },
  })
  const alice = room.phone('alice')
  const bob = room.phone('bob', 'phone', { status: 'away' })
  const { call } = await room.call('line')
  alice.reject(call)
  await room.clock.settle(4000)
  bob.attachment.declare({ status: 'available' })
  await room.clock.settle(3000)
  t.same([ringsFor(alice), ringsFor(bob)], [[], [call]], 'alice could be rung again, and bob is at it')
  alice.attachment.declare({ status: 'away' })
  const carol = room.phone('carol', 'phone', { groups: ['support'] })
  t.same(carol.heard, [], 'no open group')
  bob.reject(call)
  await room.clock.settle(5100)
  t.same(ringsFor(bob), [call], 'the next round')
  alice.attachment.declare({ status: 'available' })
  bob.reject(call)
  await room.clock.settle(30)
  t.same(ringsFor(alice), [call])
})

t.test('a device in doubt leaves its place to the next, and may still answer', async t => {
  const room = newSupport(['alice', 'bob'], { strategy: 'order' })
  const [alice, bob] = [room.phone('alice'), room.phone('bob')]
  const { call, caller } = await room.call('line')
  alice.lose()
  await room.clock.settle(30)
  t.same([ringsFor(alice), ringsFor(bob)], [[call], [call]])
  alice.comeBack()
  t.ok(alice.accept(call))
  t.same(bob.heard, ['invite', 'cancel answered-elsewhere'])
  t.same(places(caller), ['queued 1', 'ringing'])
})

t.test('when all doubtful places are taken nobody further is rung', async t => {
  const names = Array.from({ length: 12 }, (_, index) => `p${index}`)
  const room = newSupport(names, { strategy: 'order', ringTimeoutMs: 60_000 })
  const phones = names.map(name => room.phone(name, 'phone', { silent: true }))
  const { call } = await room.call('line')
  await room.clock.settle(50_000)
  t.equal(phones.filter(phone => ringsFor(phone).includes(call)).length, 10)
})

t.test('a claim that is refused puts the call back to its place, and the next one is tried', async t => {
  const room = newSupport(['alice', 'bob'], { strategy: 'order' })
  const [alice, bob] = [room.phone('alice'), room.phone('bob')]
  const { claim } = room.presence
  t.teardown(() => Object.assign(room.presence, { claim }))
  let refused = 0
  Object.assign(room.presence, {
    claim: async (...[hold, devices]: Parameters<typeof claim>) => {
      if (refused > 0 || (hold.account as string) !== 'alice') return claim(hold, devices)
      refused++
      return { ok: false, code: 'busy', message: 'another router has them' }
    },
  })
  const { call } = await room.call('line')
  const next = await room.call('line')
  t.match(
    timelineOf(room, call).find(({ event }) => event === 'claim-refused'),
    { account: 'alice', reason: 'busy' },
  )
  t.same([ringsFor(alice), ringsFor(bob)], [[], [call]])
  alice.attachment.declare({ status: 'available', note: 'here' })
  await room.clock.settle(30)
  t.same(ringsFor(alice), [next.call], 'once she is told of anew')
})

t.test(
  'tiers: the next one where nobody of those before is free, or beside them after the delay',
  async t => {
    const members = ['alice', { account: 'bob', tier: 2 }, { account: 'carol', tier: 3 }]
    const room = newSupport(members, { tierDelayMs: 15_000, ringTimeoutMs: 40_000 })
    const phones = ['alice', 'bob', 'carol'].map(name => room.phone(name))
    const [alice, bob, carol] = phones as [FakePhone, FakePhone, FakePhone]
    const { call } = await room.call('line')
    await room.clock.settle(14_900)
    t.same(phones.map(ringsFor), [[call], [], []])
    await room.clock.settle(200)
    t.same(phones.map(ringsFor), [[call], [call], []])
    await room.clock.settle(15_000)
    t.same(phones.map(ringsFor), [[call], [call], [call]])
    alice.accept(call)
    await room.clock.settle(30)
    const other = await room.call('line')
    t.same(phones.map(ringsFor), [[], [other.call], []], 'at once, and alone')
    room.router.hangup(alice.party, call)
    await room.clock.settle(30)
    t.same(ringsFor(alice), [], 'who is of an earlier tier and free now takes the next call instead')
    bob.reject(other.call)
    await room.clock.settle(30)
    t.same(phones.map(ringsFor), [[other.call], [], []])
    t.ok(carol)
    t.same(
      timelineOf(room, call)
        .filter(({ event }) => event === 'tier-joined')
        .map(({ tier }) => tier),
      [2, 3],
    )
  },
)

const enqueueWith = (more: Options) => ({
  instructions: { steps: [{ enqueue: { group: 'support', ...more } }] },
})

t.test('the ways out: each its reason, its ending and its line in the timeline', async t => {
  const room = newSupport(['alice'], { queue: { maxLength: 2, maxWaitMs: 60_000 } })
  const none = await room.call('line')
  t.match(room.router.get(acme, none.call), { state: 'ended', reason: 'unavailable' })
  t.match(
    timelineOf(room, none.call).find(({ event }) => event === 'dequeued'),
    { queue: 'support', result: 'unavailable', waitMs: 0, message: 'nobody of the group is signed in' },
  )
  const alice = room.phone('alice', 'phone', { status: 'away' })
  const brief = await room.call('brief')
  const gone = await room.call('line')
  const full = await room.call('line')
  t.match(room.router.get(acme, full.call), { reason: 'busy' })
  t.match(timelineOf(room, full.call).at(-2), { event: 'dequeued', result: 'queue-full' })
  room.router.hangup(gone.caller.request.caller, gone.call)
  t.match(room.router.get(acme, gone.call), { reason: 'canceled' })
  t.match(timelineOf(room, gone.call).at(-2), { event: 'dequeued', result: 'hangup' })
  await room.clock.settle(29_900)
  t.equal(stateOf(room, brief.call), 'queued')
  await room.clock.settle(200)
  t.match(room.router.get(acme, brief.call), { reason: 'no-answer' })
  t.same(
    eventsOf(room, brief.call).slice(-4),
    ['not-rung', 'not-rung', 'dequeued', 'ended'],
    'with why at the start and at the end',
  )
  const long = await room.call('x', enqueueWith({ maxWaitMs: 600_000 }))
  await room.clock.settle(60_010)
  t.match(room.router.get(acme, long.call), { reason: 'no-answer' }, "the group's word is the last")
  const last = await room.call('line')
  alice.leave()
  await room.clock.settle()
  t.match(room.router.get(acme, last.call), { reason: 'unavailable' }, 'the last one leaves')
  const unknown = await room.call('nowhere')
  t.match(room.router.get(acme, unknown.call), {
    reason: 'failed',
    message: 'Enqueue: there is no group nobody',
  })
  const bad = await room.call('x', enqueueWith({ action: 'relative' }))
  t.match(room.router.get(acme, bad.call), { reason: 'failed', message: /^Enqueue action: / })
  t.equal(room.router.counts.live, 0)
})
