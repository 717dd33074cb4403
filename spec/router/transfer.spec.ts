import t from 'tap'
import type { AccountId, CallId, Party } from '../../src/protocol/index.js'
import { acme, type FakePhone, newRoom, type Room } from '../support/room.js'

const people = { accounts: { alice: { capacity: 2 }, bob: {}, carol: {} } }

const events = (room: Room, call: CallId): string[] =>
  room.router.get(acme, call)!.timeline.map(({ event }) => event)

const statusOf = (room: Room, name: string) =>
  room.presence.resource(acme, name as never, { view: 'full', devices: false }).status

/** A call that this phone places, to someone whose phone takes it. */
const placed = async (room: Room, from: FakePhone, to: FakePhone, sdp?: string): Promise<CallId> => {
  const { account } = from.party
  const { call } = await room.call(to.party.account, {
    from: account,
    direction: 'outbound-dial',
    caller: { account, party: from.party, send: () => {} },
    ...(sdp !== undefined && { sdp }),
  })
  to.accept(call, 'answer')
  return call
}

const since = (phone: FakePhone) => {
  const heard = phone.heard.length
  return () => phone.heard.slice(heard)
}

t.test('who answered passes the call on, and the caller is rung through to whoever takes it', async t => {
  const room = newRoom({ ...people, wrapupMs: 5000 })
  const [alice, bob] = [room.phone('alice'), room.phone('bob')]
  const { call, caller } = await room.call('alice', { sdp: 'offer' })
  alice.accept(call, 'answer')
  await room.clock.settle(4000)
  t.match(room.router.transfer(alice.party, call, 'nobody-there'), { ok: false, code: 'not-found' })
  t.match(room.router.transfer(bob.party, call, 'carol'), { ok: false, code: 'call-gone' })
  const told = caller.heard.length
  t.ok(room.router.transfer(alice.party, call, 'bob').ok)
  await room.clock.settle()
  t.equal(alice.heard.at(-1), 'ended completed')
  t.equal(statusOf(room, 'alice'), 'available', 'a place of hers is free; the other is in wrap-up')
  t.match(
    bob.frames.find(({ type }) => type === 'invite'),
    { from: '+15550199', to: 'alice', destination: 'bob', sdp: 'offer' },
  )
  t.notOk('replaces' in bob.frames.find(({ type }) => type === 'invite')!)
  t.ok(bob.accept(call, 'another'))
  t.same(caller.heard.slice(told), ['progress trying', 'progress trying', 'progress ringing', 'answered'])
  t.match(caller.frames.at(-1), { sdp: 'another', by: { account: 'bob' } })
  await room.clock.settle(1000)
  t.ok(room.router.hangup(bob.party, call).ok)
  t.match(room.router.get(acme, call), { reason: 'completed', by: { account: 'bob' }, talkMs: 5000 })
  t.match(
    room.router.get(acme, call)!.timeline.find(({ event }) => event === 'diverted'),
    { by: { account: 'alice', device: 'phone' }, to: 'bob' },
  )
  t.equal(room.router.counts.live, 0)
})

t.test('a call that is passed on and that nobody takes ends as that dial did', async t => {
  const room = newRoom(people)
  const [alice, bob] = [room.phone('alice'), room.phone('bob')]
  const { call, caller } = await room.call('alice')
  alice.accept(call)
  room.router.transfer(alice.party, call, 'bob')
  await room.clock.settle()
  bob.reject(call)
  await room.clock.settle()
  t.equal(caller.heard.at(-1), 'ended rejected')
  t.match(room.router.transfer(alice.party, call, 'bob'), { ok: false, code: 'call-gone' })
})

t.test('who placed a call passes it on: the one who answered is the caller then', async t => {
  const room = newRoom({ ...people, accounts: { ...people.accounts, bob: { wrapupMs: 3000 } } })
  const [alice, bob, carol] = [room.phone('alice'), room.phone('bob'), room.phone('carol')]
  const call = await placed(room, alice, bob, 'offer')
  await room.clock.settle(2000)
  const heard = since(bob)
  t.ok(room.router.transfer(alice.party, call, 'carol').ok)
  await room.clock.settle()
  t.equal(alice.heard.at(-1), 'ended completed')
  t.match([statusOf(room, 'alice'), statusOf(room, 'bob')], ['available', 'busy'])
  const invite = carol.frames.find(({ type }) => type === 'invite')!
  t.match(invite, { from: 'bob', destination: 'carol' })
  t.notOk('sdp' in invite, "bob's own description is to come yet")
  t.same(room.router.retell(bob.party), [{ type: 'progress', call, state: 'ringing' }])
  t.ok(room.router.signal(carol.party, call, 'early').ok)
  t.ok(carol.accept(call, 'hers'))
  t.same(heard(), ['progress trying', 'progress trying', 'progress ringing', 'signal', 'answered'])
  t.match(room.router.retell(bob.party), [{ type: 'answered', sdp: 'hers', by: { account: 'carol' } }])
  t.ok(room.router.talking(bob.party) && room.router.talking(carol.party))
  t.notOk(room.router.talking(alice.party))
  t.ok(room.router.signal(bob.party, call, 1).ok)
  t.equal(carol.heard.at(-1), 'signal')
  t.match(room.router.signal(alice.party, call, 1), { code: 'call-gone' })
  t.match(room.router.hangup(alice.party, call), { code: 'call-gone' })
  await room.clock.settle(3000)
  t.ok(room.router.hangup(bob.party, call).ok)
  t.equal(carol.heard.at(-1), 'ended completed')
  t.match(room.router.get(acme, call), { owner: 'alice', talkMs: 5000 })
  t.equal(statusOf(room, 'bob'), 'busy', 'he had answered, and is in wrap-up now')
  await room.clock.settle(3000)
  t.equal(statusOf(room, 'bob'), 'available')
})

t.test('who is passed a call has talked in it since they answered, and not before', async t => {
  const room = newRoom(people)
  const [alice, bob, carol] = [room.phone('alice'), room.phone('bob'), room.phone('carol')]
  const call = await placed(room, alice, bob)
  await room.clock.settle(60_000)
  t.ok(room.router.redirect(acme, call, { steps: [{ dial: { to: ['carol'] } }] }, 'boss' as AccountId).ok)
  await room.clock.settle()
  t.ok(carol.accept(call))
  await room.clock.settle(2000)
  t.ok(room.router.transfer(alice.party, call, 'bob').ok)
  await room.clock.settle()
  t.ok(bob.accept(call))
  await room.clock.settle(3000)
  t.ok(room.router.hangup(carol.party, call).ok)
  t.match(room.router.get(acme, call), { talkMs: 65_000 })
  const talked = (name: string) =>
    room.presence.resource(acme, name as never, { view: 'routing', devices: false }).accounts?.[0]?.routing
      ?.talkMs
  t.same([talked('bob'), talked('carol')], [63_000, 5000])
})

t.test('attended: the other sides of two calls are connected, and nobody gets in between', async t => {
  const room = newRoom(people)
  const [alice, bob] = [room.phone('alice'), room.phone('bob')]
  const first = await room.call('alice', { sdp: 'offer' })
  alice.accept(first.call, 'answer')
  t.ok(room.router.signal(alice.party, first.call, { hold: true }).ok)
  t.match(first.caller.frames.at(-1), { type: 'signal', data: { hold: true } })
  const second = await placed(room, alice, bob)
  const heard = since(bob)
  t.ok(room.router.transfer(alice.party, first.call, 'bob', second).ok)
  t.equal(statusOf(room, 'bob'), 'busy')
  const other = await room.call('bob')
  t.equal(other.caller.heard.at(-1), 'ended busy')
  await room.clock.settle()
  t.same(heard(), ['ended completed', 'invite'])
  t.match(bob.frames.at(-1), { call: first.call, replaces: second, sdp: 'offer', destination: 'bob' })
  t.same(alice.heard.slice(-2), ['ended completed', 'ended completed'])
  t.equal(statusOf(room, 'alice'), 'available')
  t.equal(statusOf(room, 'bob'), 'busy')
  t.ok(bob.accept(first.call, 'direct'))
  t.match(first.caller.frames.at(-1), { type: 'answered', sdp: 'direct', by: { account: 'bob' } })
  t.match(room.router.get(acme, second), { reason: 'completed', message: 'the call was passed on' })
  t.ok(room.router.hangup(first.caller.request.caller, first.call).ok)
  t.equal(bob.heard.at(-1), 'ended completed')
  t.equal(statusOf(room, 'bob'), 'available')
})

t.test('attended: where only one of the two has a device at its other end, that is the one rung', async t => {
  const room = newRoom(people)
  const [alice, bob] = [room.phone('alice'), room.phone('bob')]
  const withBob = await placed(room, bob, alice)
  const outside = await room.call('alice')
  alice.accept(outside.call)
  t.ok(room.router.transfer(alice.party, withBob, 'outside', outside.call).ok)
  await room.clock.settle()
  t.match(bob.frames.at(-1), { type: 'invite', call: outside.call, replaces: withBob, from: '+15550199' })
  bob.accept(outside.call)
  t.equal(outside.caller.heard.at(-1), 'answered')

  const third = await room.call('alice')
  alice.accept(third.call)
  const fourth = await room.call('alice')
  alice.accept(fourth.call)
  const join = (call: CallId, other: CallId) => room.router.transfer(alice.party, call, 'x', other)
  t.match(join(third.call, fourth.call), { code: 'conflict', message: /a device at the other end of either/ })
  t.match(join(third.call, third.call), { code: 'conflict' })
  t.match(join(third.call, outside.call), { code: 'call-gone' })
  t.match(join(third.call, 'unknown' as CallId), { code: 'call-gone' })
  t.ok(room.router.talking(alice.party), 'and all is as it was')
})

t.test('attended: two devices of one person are not connected with each other', async t => {
  const room = newRoom({ accounts: { alice: { capacity: 2 }, bob: { capacity: 2 } } })
  const [alice, web, desk] = [room.phone('alice'), room.phone('bob', 'web'), room.phone('bob', 'desk')]
  const one = await placed(room, web, alice)
  const two = await placed(room, desk, alice)
  t.match(room.router.transfer(alice.party, one, 'bob', two), { code: 'conflict' })
})

t.test('attended: a device that may not be offered calls is not given one in exchange', async t => {
  const room = newRoom(people)
  const [alice, bob] = [room.phone('alice'), room.phone('bob', 'phone', { canReceive: false })]
  const outside = await room.call('alice')
  alice.accept(outside.call)
  const withBob = await placed(room, bob, alice)
  t.match(room.router.transfer(alice.party, outside.call, 'bob', withBob), { ok: false, code: 'conflict' })
  t.ok(room.router.talking(bob.party), 'and both calls go on as they were')
  t.same(
    [outside.call, withBob].map(call => room.router.get(acme, call)!.state),
    ['connected', 'connected'],
  )
})

t.test('attended: who does not take the call in exchange ends it', async t => {
  for (const [what, heard, reason] of [
    ['rejects', 'cancel rejected-elsewhere', 'rejected'],
    ['ignores', 'cancel timeout', 'no-answer'],
    ['leaves', 'invite', 'no-answer'],
  ] as const) {
    const room = newRoom(people)
    const [alice, bob] = [room.phone('alice'), room.phone('bob', 'phone', { silent: true })]
    const { call, caller } = await room.call('alice')
    alice.accept(call)
    room.router.transfer(alice.party, call, 'bob', await placed(room, alice, bob))
    await room.clock.settle()
    if (what === 'rejects') bob.reject(call)
    else if (what === 'leaves') bob.leave()
    await room.clock.settle(12_000)
    t.equal(bob.heard.at(-1), heard)
    t.match([room.router.get(acme, call)?.reason, caller.heard.at(-1)], [reason, `ended ${reason}`])
    t.equal(statusOf(room, 'bob'), what === 'leaves' ? 'offline' : 'available')
    t.equal(room.router.counts.live, 0)
  }
})

t.test(
  'attended: the caller hangs up, or is sent elsewhere, while the other is rung in exchange',
  async t => {
    const room = newRoom(people)
    const [alice, bob] = [room.phone('alice'), room.phone('bob')]
    const passed = async () => {
      const { call, caller } = await room.call('alice')
      alice.accept(call)
      room.router.transfer(alice.party, call, 'bob', await placed(room, alice, bob))
      await room.clock.settle()
      return { call, caller }
    }
    const first = await passed()
    room.router.hangup(first.caller.request.caller, first.call)
    await room.clock.settle()
    t.equal(bob.heard.at(-1), 'cancel caller-canceled')
    t.equal(first.caller.heard.at(-1), 'ended completed')
    const second = await passed()
    const by = 'boss' as AccountId
    room.router.redirect(acme, second.call, { steps: [{ dial: { to: ['carol'] } }] }, by)
    await room.clock.settle()
    t.equal(bob.heard.at(-1), 'cancel caller-canceled')
    t.equal(second.caller.heard.at(-1), 'ended unavailable')
    t.equal(statusOf(room, 'bob'), 'available')
    t.equal(events(room, second.call).filter(event => event === 'dialled').length, 1)
  },
)

t.test('a live call is sent to other instructions, whatever it is at', async t => {
  const room = newRoom({
    ...people,
    routes: [{ to: 'wait', instructions: { steps: [{ pause: { ms: 60_000 } }] } }],
  })
  const [alice, bob] = [room.phone('alice'), room.phone('bob')]
  const boss = 'boss' as AccountId
  const toBob = { steps: [{ dial: { to: ['bob'] } }] }
  const redirect = (call: CallId, to: object | string = toBob) => room.router.redirect(acme, call, to, boss)

  const waiting = await room.call('wait')
  t.match(redirect(waiting.call, { steps: [{ dance: {} }] }), {
    code: 'invalid',
    message: /instructions\.steps\[0\]/,
  })
  t.ok(redirect(waiting.call).ok)
  await room.clock.settle()
  t.equal(bob.heard.at(-1), 'invite')
  t.match(
    room.router.get(acme, waiting.call)!.timeline.find(({ event }) => event === 'diverted'),
    { by: 'boss' },
  )
  bob.reject(waiting.call)
  await room.clock.settle(60_000)
  t.same(waiting.caller.heard.slice(-1), ['ended rejected'])
  t.equal(events(room, waiting.call).filter(event => event === 'ended').length, 1, 'the pause went nowhere')

  const ringing = await room.call('alice')
  t.ok(redirect(ringing.call).ok)
  t.equal(alice.heard.at(-1), 'cancel caller-canceled')
  t.match(redirect(ringing.call).ok, true, 'twice in a turn')
  await room.clock.settle()
  t.same(bob.heard.filter(heard => heard === 'invite').length, 2)
  bob.accept(ringing.call)

  const told = ringing.caller.heard.length
  t.ok(redirect(ringing.call, { steps: [{ dial: { to: ['alice'] } }] }).ok)
  t.equal(bob.heard.at(-1), 'ended completed')
  await room.clock.settle()
  alice.accept(ringing.call)
  t.same(ringing.caller.heard.slice(told), [
    'progress trying',
    'progress trying',
    'progress ringing',
    'answered',
  ])

  t.ok(redirect(ringing.call, { steps: [{ hangup: {} }] }).ok)
  await room.clock.settle()
  t.equal(ringing.caller.heard.at(-1), 'ended completed', 'it was answered, once')
  t.match(redirect(ringing.call), { code: 'call-gone' })
  const never = await room.call('wait')
  redirect(never.call, { steps: [{ hangup: {} }] })
  await room.clock.settle()
  t.equal(never.caller.heard.at(-1), 'ended unavailable')
})

t.test('what a gateway is at is left when the call is sent elsewhere', async t => {
  const room = newRoom({ ...people, routes: [{ to: 'menu', instructions: { steps: [{ gather: {} }] } }] })
  const bob = room.phone('bob')
  const frames: object[] = []
  const caller = {
    account: 'gateway' as Party['account'],
    performs: ['gather'],
    send: (frame: object) => void frames.push(frame),
  }
  const { call } = await room.call('menu', { caller })
  t.match(frames.at(-1), { type: 'perform', step: 0 })
  room.router.redirect(acme, call, { steps: [{ dial: { to: ['bob'] } }] }, 'boss' as AccountId)
  t.match(room.router.performed(caller, call, { step: 0, outcome: 'done' }), { code: 'conflict' })
  await room.clock.settle()
  t.equal(bob.heard.at(-1), 'invite')
})

t.test('who was passed the call performs nothing: a gateway would have', async t => {
  const steps = [{ say: { text: 'one moment' } }, { gather: {} }]
  const room = newRoom({ ...people, routes: [{ to: 'menu', instructions: { steps } }] })
  const [alice, bob] = [room.phone('alice'), room.phone('bob')]
  const call = await placed(room, alice, bob)
  t.ok(room.router.transfer(alice.party, call, 'menu').ok)
  await room.clock.settle()
  t.equal(bob.heard.at(-1), 'ended failed')
  t.match(events(room, call).slice(-2), ['warning', 'ended'])
})

t.test('whoever placed a call may end it from outside, though they have passed it on', async t => {
  const room = newRoom(people)
  const [alice, bob, carol] = [room.phone('alice'), room.phone('bob'), room.phone('carol')]
  const caller = { account: alice.party.account, party: alice.party, send: () => {} }
  const { call } = await room.call('bob', { from: 'alice', direction: 'outbound-dial', caller })
  bob.accept(call)
  room.router.transfer(alice.party, call, 'carol')
  await room.clock.settle()
  carol.accept(call)
  t.match(room.router.hangup(alice.party, call), { code: 'call-gone' }, 'not by way of the device')
  t.ok(room.router.hangup(room.router.callerOf(acme, call)!, call).ok)
  t.same([bob.heard.at(-1), carol.heard.at(-1)], ['ended completed', 'ended completed'])
})

t.test('a side that was passed the call is lost for good: it fails for the other', async t => {
  const room = newRoom(people)
  const [alice, bob, carol] = [room.phone('alice'), room.phone('bob'), room.phone('carol')]
  const call = await placed(room, alice, bob)
  room.router.transfer(alice.party, call, 'carol')
  await room.clock.settle()
  carol.accept(call)
  bob.lose()
  t.ok(room.router.talking(bob.party))
  bob.leave()
  t.equal(carol.heard.at(-1), 'ended failed')
  alice.leave()
  t.equal(room.router.counts.live, 0)
})
