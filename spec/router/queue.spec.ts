// Calls that wait: who is offered to which of them and when, every way out of a queue, and what callers are told meanwhile.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import type { CallId } from '../../src/protocol/index.js'
import { readRoutes } from '../../src/router/index.js'
import { acme, configOf, type FakePhone, newRoom, type Room } from '../support/room.js'

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

t.test('action is asked how the wait was over, and what it answers is followed', async t => {
  const asked: URLSearchParams[] = []
  const server = createServer((request, response) => {
    asked.push(new URL(String(request.url), 'http://x').searchParams)
    response.setHeader('content-type', 'text/xml').end('<Response><Reject reason="busy"/></Response>')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const room = newRoom(tenantOf(['alice'], { queue: { maxLength: 1 } }), { fetch: { allowPrivate: true } })
  t.teardown(() => room.close())
  const alice = room.phone('alice', 'phone', { status: 'away' })
  const action = { action: `http://127.0.0.1:${port}/after`, method: 'GET' }
  const ended = async (call: CallId) => {
    while (stateOf(room, call) !== 'ended') await new Promise(resolve => setImmediate(resolve))
    const { CallSid, QueueResult, QueueSid, QueueTime } = Object.fromEntries(asked.at(-1)!)
    t.equal(CallSid, call)
    t.equal(QueueSid, 'support')
    t.match(room.router.get(acme, call), { reason: 'busy' }, 'as the action has it')
    return [QueueResult, QueueTime]
  }
  const late = await room.call('x', enqueueWith({ ...action, maxWaitMs: 30_000 }))
  const full = await room.call('x', enqueueWith(action))
  t.same(await ended(full.call), ['queue-full', '0'])
  await room.clock.settle(30_010)
  t.same(await ended(late.call), ['no-answer', '30'])

  const bridged = await room.call('x', enqueueWith(action))
  await room.clock.settle(7000)
  alice.attachment.declare({ status: 'available' })
  await room.clock.settle()
  alice.accept(bridged.call)
  await room.clock.settle(60_000)
  t.equal(asked.length, 2, 'not while they talk')
  room.router.hangup(alice.party, bridged.call)
  t.same(await ended(bridged.call), ['bridged', '7'])

  alice.attachment.declare({ status: 'away' })
  const gone = await room.call('x', enqueueWith(action))
  room.router.hangup(gone.caller.request.caller, gone.call)
  t.equal(room.router.get(acme, gone.call)?.reason, 'canceled')
  const empty = await room.call('x', enqueueWith(action))
  alice.leave()
  await room.clock.settle()
  t.same(await ended(empty.call), ['unavailable', '0'])
  const talking = await room.call('x', enqueueWith(action))
  await ended(talking.call)
  t.equal(asked.length, 5, 'of who hung up nobody is told')

  room.phone('alice', 'phone', { status: 'away' })
  const bobs = ['desk', 'mobile'].map(device => {
    const { party } = room.phone('bob', device, { tokenCapacity: 2 })
    return { caller: { account: 'bob' as never, party, send() {} } }
  })
  const own = await room.call('line', bobs[0])
  t.equal(stateOf(room, own.call), 'queued')
  const steps = [{ dial: { queue: 'support', ...action } }]
  const fetch = await room.call('x', { instructions: { steps }, ...bobs[1] })
  while (stateOf(room, fetch.call) !== 'ended') await new Promise(resolve => setImmediate(resolve))
  t.equal(asked.at(-1)!.get('DialCallStatus'), 'no-answer', 'nobody fetches a call of their own')
})

t.test('without an action the next verb runs, and a caller who hangs up while they talk is gone', async t => {
  const room = newSupport(['alice', 'bob'], {}, [{ dial: { to: ['carol'] } }])
  const carol = room.phone('carol')
  const { call } = await room.call('line')
  t.same(ringsFor(carol), [call])
  const alice = room.phone('alice')
  const other = await room.call('line')
  t.ok(alice.accept(other.call))
  room.router.hangup(other.caller.request.caller, other.call)
  t.match(room.router.get(acme, other.call), { reason: 'completed' })
})

t.test(
  'a caller who hangs up while it rings stops the ringing, and frees who was rung for the next',
  async t => {
    const room = newSupport(['alice'])
    const alice = room.phone('alice')
    const { call, caller } = await room.call('line')
    const next = await room.call('line')
    room.router.hangup(caller.request.caller, call)
    await room.clock.settle(30)
    t.same(alice.heard, ['invite', 'cancel caller-canceled', 'invite'])
    t.same(ringsFor(alice), [next.call])
  },
)

t.test('where the group says so, calls wait though nobody is signed in', async t => {
  const room = newSupport(['alice'], { queue: { leaveWhenEmpty: false } })
  const { call } = await room.call('line')
  t.equal(stateOf(room, call), 'queued')
  const alice = room.phone('alice')
  await room.clock.settle()
  t.same(ringsFor(alice), [call])
  alice.leave()
  await room.clock.settle(30)
  t.equal(stateOf(room, call), 'queued')
})

t.test('a lost connection that comes back in time ends no wait', async t => {
  const room = newSupport(['alice'])
  const alice = room.phone('alice', 'phone', { status: 'away' })
  const { call } = await room.call('line')
  alice.lose()
  await room.clock.settle(1000)
  alice.comeBack()
  alice.attachment.declare({ status: 'available' })
  await room.clock.settle(30)
  t.same(ringsFor(alice), [call])
})

t.test('the directory changes while calls wait', async t => {
  const room = newSupport(['alice', 'bob'], { strategy: 'order' })
  const configure = (tenant: Options) => {
    const { tenants } = configOf(tenant)
    room.presence.configure(tenants)
    const routes = readRoutes(configOf(tenant))
    room.router.configure(tenants, routes.ok ? routes.value : new Map())
    return room.clock.settle(30)
  }
  const alice = room.phone('alice', 'phone', { status: 'away' })
  const carol = room.phone('carol')
  const { call } = await room.call('line')
  await configure(tenantOf(['carol', { account: 'alice', paused: 'lunch' }]))
  t.same(ringsFor(carol), [call], 'who is a member now')
  carol.reject(call)
  alice.attachment.declare({ status: 'available' })
  await room.clock.settle(30)
  t.same(ringsFor(alice), [], 'paused')
  await configure(tenantOf(['carol', 'alice'], { queue: { maxLength: 1 } }))
  t.same(ringsFor(alice), [call])
  alice.reject(call)
  await room.clock.settle(30)
  t.equal(room.router.get(acme, (await room.call('line')).call)?.reason, 'busy', 'shorter now')
  await configure({})
  t.match(room.router.get(acme, call), { reason: 'failed' })
  t.match(timelineOf(room, call).at(-2), {
    event: 'dequeued',
    result: 'error',
    message: 'the group is no more',
  })
  t.equal((await room.router.queues.view(acme, 'support' as never)) ?? 'none', 'none')
  await configure(tenantOf(['dan'], { queue: { leaveWhenEmpty: false } }))
  const again = await room.call('line')
  const dan = room.phone('dan')
  await room.clock.settle(30)
  t.same(ringsFor(dan), [again.call], 'and back again')
  await configure({})
  t.equal(dan.heard.at(-1), 'cancel failed')
  const entry = room.presence.resource(acme, 'dan' as never, { view: 'routing', devices: false })
    .accounts?.[0]
  t.match(entry, { routing: { missedInARow: 0, notBefore: null } }, 'who rang for it has missed nothing')
})

t.test('who calls is not offered their own call; strategies hold as for a dial', async t => {
  const room = newSupport(['alice', 'bob', 'carol'], { strategy: 'round-robin' })
  const phones = ['alice', 'bob', 'carol'].map(name => room.phone(name))
  const own = await room.call('line', {
    direction: 'outbound-dial',
    caller: { account: 'alice' as never, party: phones[0]!.party, send() {} },
  })
  t.same(phones.map(ringsFor), [[], [own.call], []])
  room.router.hangup(phones[0]!.party, own.call)
  await room.clock.settle(30)
  const turns: number[] = []
  for (let turn = 0; turn < 6; turn++) {
    const { call } = await room.call('line')
    const at = phones.findIndex(phone => ringsFor(phone).includes(call))
    turns.push(at)
    phones[at]!.accept(call)
    room.router.hangup(phones[at]!.party, call)
    await room.clock.settle(30)
  }
  t.same(turns, [0, 2, 1, 0, 2, 1], 'whose turn was longest ago')

  const sticky = newSupport(['alice', 'bob'], { strategy: 'sticky' })
  const [a, b] = [sticky.phone('alice'), sticky.phone('bob', 'phone', { status: 'away' })]
  const first = await sticky.call('line', { from: '+1' })
  a.accept(first.call)
  sticky.router.hangup(a.party, first.call)
  b.attachment.declare({ status: 'available' })
  const second = await sticky.call('line', { from: '+1' })
  t.same([a, b].map(ringsFor), [[second.call], []])
})

t.test('a new session of the caller is told where the call stands', async t => {
  const room = newSupport(['alice'])
  const alice = room.phone('alice', 'phone', { status: 'away' })
  const caller = room.phone('eve')
  await room.call('line')
  const { call } = await room.call('line', {
    direction: 'outbound-dial',
    caller: { account: 'eve' as never, party: caller.party, send() {} },
  })
  const told = { type: 'progress', call, state: 'queued', position: 2 }
  t.same(
    caller.frames.findLast(({ type }) => type === 'progress'),
    told,
  )
  t.same(room.router.retell(caller.party), [told])
  alice.attachment.declare({ status: 'available' })
  await room.clock.settle()
  t.same(room.router.retell(caller.party), [told], 'the first one rings, and has its place still')
})

t.test('the expected wait is told once something is known of it, and places gather', async t => {
  const room = newRoom(tenantOf(['alice'], { queue: { maxLength: 1000 } }), {
    limits: { callsPerMinutePerAccount: 1e6, callsPerMinutePerTenant: 1e6 },
  })
  const alice = room.phone('alice')
  const calls: Awaited<ReturnType<Room['call']>>[] = []
  for (let count = 0; count < 301; count++) calls.push(await room.call('line'))
  const told = () => calls.at(-1)!.caller.frames.filter(({ type }) => type === 'progress').length
  t.match(calls.at(-1)!.caller.frames, [{ position: 301, expectedWaitMs: undefined }])
  await room.clock.settle(5000)
  const before = told()
  for (const { call } of calls.slice(0, 30)) {
    t.same(ringsFor(alice), [call])
    alice.accept(call)
    await room.clock.settle(1000)
    room.router.hangup(alice.party, call)
    await room.clock.settle(25)
  }
  t.equal(told() - before, 11, 'three seconds gather for a queue of three hundred')
  t.match(calls.at(-1)!.caller.frames.at(-1), { position: 301 - 29, expectedWaitMs: Number })
  const { expectedWaitMs } = calls.at(-1)!.caller.frames.at(-1) as { expectedWaitMs: number }
  t.ok(Math.abs(expectedWaitMs - (301 - 29) * 1025) < 5000, `about a second each: ${expectedWaitMs}`)
})

t.test('who joins an open group by their token takes its calls, for as long as they are there', async t => {
  const room = newSupport([], { open: true, queue: { leaveWhenEmpty: false } })
  const { call } = await room.call('line')
  const dan = room.phone('dan', 'phone', { groups: ['support'] })
  await room.clock.settle()
  t.same(ringsFor(dan), [call])
  dan.leave()
  await room.clock.settle(30)
  t.equal(stateOf(room, call), 'queued')
  const eve = room.phone('eve', 'phone', { groups: ['support'] })
  await room.clock.settle(30)
  t.same(ringsFor(eve), [call])
})

t.test('a call that waits is sent elsewhere, or ends with the hub', async t => {
  const room = newSupport(['alice'])
  const alice = room.phone('alice')
  const bob = room.phone('bob')
  const { call, caller } = await room.call('line')
  const steps = { steps: [{ dial: { to: ['bob'] } }] }
  t.ok(room.router.redirect(acme, call, steps, 'admin' as never).ok)
  await room.clock.settle()
  t.same([ringsFor(alice), ringsFor(bob)], [[], [call]])
  t.same(
    timelineOf(room, call).find(({ event }) => event === 'dequeued'),
    { at: '2026-01-01T00:00:00.000Z', event: 'dequeued', queue: 'support', result: 'redirected', waitMs: 0 },
  )
  room.router.hangup(caller.request.caller, call)
  await room.clock.settle(30)
  const last = await room.call('line')
  const over = room.router.close()
  t.match(timelineOf(room, last.call).at(-2), { event: 'dequeued', result: 'system-error' })
  await over
})

t.test('Dial with Queue: someone fetches the call that has waited longest', async t => {
  const room = newSupport(['alice'])
  const alice = room.phone('alice', 'phone', { status: 'away' })
  const bob = room.phone('bob')
  const fetch = (steps: Options[] = []) =>
    room.call('x', {
      instructions: { steps: [{ dial: { queue: 'support' } }, ...steps] },
      direction: 'outbound-dial',
      caller: { account: 'bob' as never, party: bob.party, send() {} },
    })
  const none = await fetch()
  t.match(room.router.get(acme, none.call), { state: 'ended', reason: 'unavailable' })
  t.ok((await fetch([{ reject: { reason: 'busy' } }])).call)
  t.match(bob.heard.at(-1), 'ended busy', 'the next verb')

  const first = await room.call('line')
  const vip = await room.call('vip')
  const asked = await fetch()
  t.match(room.router.get(acme, asked.call), { state: 'ended', reason: 'completed' })
  t.match(
    bob.frames.findLast(({ type }) => type === 'invite'),
    { call: first.call, replaces: asked.call, destination: 'support' },
  )
  alice.attachment.declare({ status: 'available' })
  await room.clock.settle()
  t.same([ringsFor(alice), ringsFor(bob)], [[vip.call], [first.call]], 'it is being offered to one')
  bob.reject(first.call)
  await room.clock.settle()
  t.equal(stateOf(room, first.call), 'queued', 'back at its place')
  const again = await fetch()
  t.ok(bob.accept(first.call))
  t.match(room.router.get(acme, first.call), { state: 'connected', by: { account: 'bob' } })
  t.equal(stateOf(room, again.call), 'ended')
  t.match(timelineOf(room, first.call).at(-1), { event: 'dequeued', result: 'bridged' })
  room.router.hangup(bob.party, first.call)
  t.match(room.presence.resource(acme, 'bob' as never, { view: 'full', devices: false }), {
    status: 'available',
  })
})

t.test('who fetched a call and did not take it is not rung for it again sooner than anyone else', async t => {
  const room = newSupport(['bob'])
  const bob = room.phone('bob', 'phone', { status: 'away' })
  const { call } = await room.call('line')
  await room.call('x', {
    instructions: { steps: [{ dial: { queue: 'support' } }] },
    direction: 'outbound-dial',
    caller: { account: 'bob' as never, party: bob.party, send() {} },
  })
  bob.attachment.declare({ status: 'available' })
  t.ok(bob.reject(call))
  await room.clock.settle(4_999)
  t.same(ringsFor(bob), [])
  await room.clock.settle(1)
  t.same(ringsFor(bob), [call])
})

t.test('Dial with Queue from a device that may not be offered calls: the call stays in line', async t => {
  const room = newSupport(['alice'])
  room.phone('alice', 'phone', { status: 'away' })
  const bob = room.phone('bob', 'phone', { canReceive: false })
  const { call } = await room.call('line')
  const asked = await room.call('x', {
    instructions: { steps: [{ dial: { queue: 'support' } }] },
    direction: 'outbound-dial',
    caller: { account: 'bob' as never, party: bob.party, send() {} },
  })
  t.match(room.router.get(acme, asked.call), {
    state: 'ended',
    reason: 'failed',
    message: /may be offered calls/,
  })
  t.equal(stateOf(room, call), 'queued')
  t.same(ringsFor(bob), [])
})
