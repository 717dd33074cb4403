import t from 'tap'
import type { AccountId, CallId, Party, TenantId } from '../../src/protocol/index.js'
import { acme, newRoom, type Room } from '../support/room.js'

const support = (...members: (string | object)[]) => ({ groups: { support: { members } } })

const events = (room: Room, call: CallId): string[] =>
  room.router.get(acme, call)!.timeline.map(({ event }) => event)

const statusOf = (room: Room, name: string) =>
  room.presence.resource(acme, name as never, { view: 'full', devices: false }).status

t.test('a call rings the longest idle, who answers, and both sides hear that it is over', async t => {
  const room = newRoom(support('alice', 'bob'))
  const alice = room.phone('alice')
  const bob = room.phone('bob')
  const { call, caller } = await room.call('support', { sdp: 'offer', params: { ticket: '7' } })
  t.match(
    alice.frames.find(({ type }) => type === 'invite'),
    {
      type: 'invite',
      call,
      from: '+15550199',
      to: 'support',
      destination: 'support',
      params: { ticket: '7' },
      sdp: 'offer',
      expiresMs: 12_000,
    },
  )
  t.same(bob.heard, [])
  t.same(caller.heard, ['progress trying', 'progress ringing'])
  t.equal(statusOf(room, 'alice'), 'ringing')
  t.ok(alice.accept(call, 'answer'))
  t.equal(statusOf(room, 'alice'), 'busy')
  t.same(caller.frames.at(-1), {
    type: 'answered',
    call,
    sdp: 'answer',
    by: { account: 'alice', device: 'phone' },
  })
  t.ok(room.router.talking(alice.party))
  await room.clock.settle(5000)
  t.ok(room.router.hangup(alice.party, call).ok)
  t.same(alice.heard, ['invite', 'connected', 'ended completed'])
  t.same(caller.heard.slice(2), ['answered', 'ended completed'])
  t.equal(statusOf(room, 'alice'), 'available')
  t.match(room.router.get(acme, call), {
    state: 'ended',
    reason: 'completed',
    by: { account: 'alice', device: 'phone' },
    sdp: 'answer',
    owner: 'gateway',
  })
  t.same(events(room, call), [
    'received',
    'instructions',
    'dial',
    'picked',
    'offered',
    'ringing',
    'answered',
    'not-rung',
    'ended',
  ])
  t.notOk(room.router.talking(alice.party))

  const next = await room.call('support')
  t.same(bob.heard, ['invite'], 'the other one has been idle for longer now')
  t.ok(room.router.hangup(next.caller.request.caller, next.call).ok)
  t.same(bob.heard, ['invite', 'cancel caller-canceled'])
  t.same(next.caller.heard.at(-1), 'ended canceled')
  t.equal(room.router.counts.live, 0)
  t.match(room.router.counts, { placed: 2, ended: { completed: 1, canceled: 1 } })
})

t.test('who does not answer is passed over, and the last of them ends the call no-answer', async t => {
  const room = newRoom(support('alice', 'bob'))
  const alice = room.phone('alice')
  const bob = room.phone('bob')
  const { call, caller } = await room.call('support')
  await room.clock.settle(12_010)
  t.same(alice.heard, ['invite', 'cancel timeout'])
  t.same(bob.heard, ['invite'])
  await room.clock.settle(12_010)
  t.same(bob.heard, ['invite', 'cancel timeout'])
  t.same(caller.heard.at(-1), 'ended no-answer')
  t.match(
    room.presence.resource(acme, 'alice' as never, { view: 'routing', devices: true }).accounts?.[0]?.routing,
    { missedInARow: 1, freeCapacity: 1 },
  )
  t.equal(room.router.get(acme, call)?.reason, 'no-answer')
  t.notOk(alice.accept(call), 'too late')
})

t.test(
  '[U6] one device that rejects stops ringing alone; the person has refused when none rings',
  async t => {
    const room = newRoom(support('alice'))
    const web = room.phone('alice', 'web')
    const mobile = room.phone('alice', 'mobile')
    const { call, caller } = await room.call('alice')
    t.same([web.heard, mobile.heard], [['invite'], ['invite']])
    t.ok(web.reject(call))
    t.notOk(web.reject(call), 'once')
    t.same(mobile.heard, ['invite'])
    t.equal(statusOf(room, 'alice'), 'ringing')
    t.ok(mobile.reject(call, 'busy'))
    await room.clock.settle()
    const last = {
      type: 'cancel',
      call,
      reason: 'rejected-elsewhere',
      by: { account: 'alice', device: 'mobile' },
    }
    t.same(
      [web, mobile].map(({ frames }) => frames.findLast(frame => 'call' in frame)),
      [last, last],
      'each hears how it ended, in one last frame',
    )
    t.same(caller.heard.at(-1), 'ended rejected')
    t.equal(statusOf(room, 'alice'), 'available')
  },
)

t.test('all rung devices saying busy ends the call busy', async t => {
  const room = newRoom(support('alice'))
  const alice = room.phone('alice')
  const { call, caller } = await room.call('support')
  alice.reject(call, 'busy')
  await room.clock.settle()
  t.same(caller.heard.at(-1), 'ended busy')
})

t.test('[U4] devices of one account ring together, and the loser hears who answered', async t => {
  const room = newRoom()
  const web = room.phone('alice', 'web')
  const mobile = room.phone('alice', 'mobile')
  const { call, caller } = await room.call('alice')
  room.router.ringing(mobile.party, call)
  t.ok(mobile.accept(call))
  t.same(web.frames.at(-1), {
    type: 'cancel',
    call,
    reason: 'answered-elsewhere',
    by: { account: 'alice', device: 'mobile' },
  })
  t.notOk(web.accept(call), 'call-gone')
  t.same(room.router.accept(web.party, call), {
    ok: false,
    code: 'call-gone',
    message: 'no such call, or it is not yours to answer any more',
  })
  t.ok(room.router.hangup(caller.request.caller, call, 'bye').ok)
  t.same(mobile.heard, ['invite', 'connected', 'ended completed'])
  t.match(room.router.get(acme, call)?.timeline.at(-1), { by: 'caller', note: 'bye' })
})

t.test('several destinations ring side by side; whoever answers first stops the others', async t => {
  const room = newRoom({ groups: { support: { members: ['alice'] }, sales: { members: ['bob', 'alice'] } } })
  const alice = room.phone('alice')
  const bob = room.phone('bob')
  const carol = room.phone('carol')
  const { call } = await room.call('x', {
    instructions: {
      steps: [{ dial: { to: ['support', 'sales', { name: 'carol', params: { vip: 'yes' } }] } }],
    },
    params: { vip: 'no', a: 'b' },
  })
  t.same([alice.heard, bob.heard, carol.heard], [['invite'], ['invite'], ['invite']], 'nobody is rung twice')
  t.match(carol.frames.at(-1), { params: { vip: 'yes', a: 'b' }, destination: 'carol' })
  carol.accept(call)
  t.same(alice.heard, ['invite', 'cancel answered-elsewhere'])
  t.same(bob.heard, ['invite', 'cancel answered-elsewhere'])
  t.equal(statusOf(room, 'alice'), 'available')
})

t.test('sequential destinations ring one after the other', async t => {
  const room = newRoom()
  const alice = room.phone('alice')
  const bob = room.phone('bob')
  const { call, caller } = await room.call('x', {
    instructions: {
      steps: [{ dial: { to: ['alice', 'nobody', 'bob'], sequential: true, timeoutMs: 4000 } }],
    },
  })
  t.same([alice.heard, bob.heard], [['invite'], []])
  await room.clock.settle(4010)
  t.same([alice.heard, bob.heard], [['invite', 'cancel timeout'], ['invite']])
  bob.reject(call)
  t.same(await room.clock.settle().then(() => caller.heard.at(-1)), 'ended no-answer')
})

t.test('the strategy all rings ten people at once, and the next as one of them drops out', async t => {
  const names = Array.from({ length: 12 }, (_, index) => `agent-${index}`)
  const room = newRoom({ groups: { support: { members: names, strategy: 'all' } } })
  const phones = names.map(name => room.phone(name))
  const { call } = await room.call('support')
  const rung = () => phones.filter(({ heard }) => heard.length > 0).length
  t.equal(rung(), 10)
  phones[3]!.reject(call)
  await room.clock.settle()
  t.equal(rung(), 11)
  phones[11]?.reject(call)
  t.ok(phones[0]!.accept(call))
  t.same(phones[1]!.heard, ['invite', 'cancel answered-elsewhere'])
})

t.test('a tier joins when the one before has nobody left', async t => {
  const room = newRoom({
    groups: { support: { members: [{ account: 'bob', tier: 2 }, 'alice', 'carol'], strategy: 'all' } },
  })
  const alice = room.phone('alice')
  const carol = room.phone('carol')
  const bob = room.phone('bob')
  const { call } = await room.call('support')
  t.same([alice.heard, carol.heard, bob.heard], [['invite'], ['invite'], []])
  alice.reject(call)
  await room.clock.settle()
  t.same(bob.heard, [])
  carol.reject(call)
  await room.clock.settle()
  t.same(bob.heard, ['invite'])
})

t.test(
  '[U1] a device that does not confirm is suspect: probed, passed over, and may still answer',
  async t => {
    const room = newRoom(support('alice', 'bob'))
    const alice = room.phone('alice', 'web', { silent: true })
    const mobile = room.phone('alice', 'mobile', { silent: true })
    const bob = room.phone('bob')
    const { call, caller } = await room.call('support')
    t.same(caller.heard, ['progress trying'])
    await room.clock.settle(3010)
    t.equal(alice.probes, 1)
    t.same(bob.heard, ['invite'], 'the next person is rung beside')
    t.ok(events(room, call).includes('suspect'))
    t.same(
      room.presence
        .resource(acme, 'alice' as never, { view: 'routing', devices: true })
        .accounts?.[0]?.devices?.map(({ rank }) => rank),
      [2, 2],
    )
    t.ok(mobile.accept(call), 'late, and nobody else has')
    t.same(bob.heard, ['invite', 'cancel answered-elsewhere'])
  },
)

t.test(
  '[U8] whose connection is lost already is rung in doubt: nobody waits for them, and ten at most',
  async t => {
    const room = newRoom({
      groups: { support: { members: ['alice', { account: 'bob', tier: 2 }] } },
    })
    const alice = room.phone('alice')
    const bob = room.phone('bob')
    alice.lose()
    const { call } = await room.call('support')
    t.same([alice.heard, bob.heard], [['invite'], ['invite']], 'the next tier is rung at once')
    alice.comeBack()
    t.ok(alice.accept(call), 'and who comes back in time may still answer')

    const members = Array.from({ length: 30 }, (_, index) => `agent-${index}`)
    const gone = newRoom({ groups: { all: { members } } })
    const agents = members.map(name => gone.phone(name, 'phone', { silent: true }))
    for (const agent of agents) agent.lose()
    await gone.call('all')
    const rung = () => agents.filter(({ heard }) => heard.length > 0).length
    t.equal(rung(), 10, 'one call does not hold everyone who is lost')
    await gone.clock.settle(12_000)
    t.equal(rung(), 20)
  },
)

t.test('a device of a kind that never confirms is not suspect, and rings at once', async t => {
  const room = newRoom()
  const alice = room.phone('alice', 'web', { confirms: false, silent: true })
  const { caller } = await room.call('alice')
  t.same(caller.heard, ['progress trying', 'progress ringing'])
  await room.clock.settle(3010)
  t.equal(alice.probes, 0)
})

t.test(
  'a device lost while ringing: the next is rung at once, and it finds the invite open if it returns',
  async t => {
    const room = newRoom(support('alice', 'bob', 'carol'))
    const web = room.phone('alice', 'web')
    const mobile = room.phone('alice', 'mobile')
    const bob = room.phone('bob')
    const carol = room.phone('carol')
    const { call } = await room.call('support')
    web.lose()
    await room.clock.settle()
    t.same(bob.heard, [], 'her other device still rings')
    mobile.reject(call)
    await room.clock.settle()
    t.same(bob.heard, ['invite'], 'only the lost one is left')
    web.comeBack()
    t.match(room.router.retell(web.party), [{ type: 'invite', call }])
    web.lose()
    bob.leave()
    await room.clock.settle()
    t.same(carol.heard, ['invite'])
    t.ok(web.accept(call))
    t.same(carol.heard, ['invite', 'cancel answered-elsewhere'])
  },
)

t.test('a device that goes away for good ends its part', async t => {
  const room = newRoom()
  const web = room.phone('alice', 'web')
  const mobile = room.phone('alice', 'mobile')
  const { call, caller } = await room.call('alice')
  web.leave()
  t.same(mobile.heard, ['invite'])
  mobile.leave()
  await room.clock.settle()
  t.same(caller.heard.at(-1), 'ended no-answer')
  t.same(events(room, call).filter(event => event === 'gone').length, 2)
})

t.test('nobody there: unavailable, with the reason for each member', async t => {
  const room = newRoom(support('alice', 'bob', 'carol', 'dave', 'erin'))
  room.phone('bob', 'phone', { status: 'dnd' })
  room.phone('carol', 'phone', { status: 'away' })
  room.phone('dave', 'phone', { canReceive: false })
  room.phone('erin').leave()
  const { call, caller } = await room.call('support')
  t.same(caller.frames.at(-1), { type: 'ended', call, reason: 'unavailable' })
  t.match(
    room.router
      .get(acme, call)
      ?.timeline.filter(({ event }) => event === 'not-rung')
      .map(({ reason, accounts }) => [reason, accounts]),
    [
      ['offline', ['alice', 'erin']],
      ['dnd', ['bob']],
      ['away', ['carol']],
      ['cannot-receive', ['dave']],
    ],
  )
})

t.test('[U7] everyone on a call: busy; a refused claim counts as busy too', async t => {
  const room = newRoom(support('alice'))
  const alice = room.phone('alice')
  const first = await room.call('support')
  const second = await room.call('support')
  t.same(second.caller.heard.at(-1), 'ended busy', 'she rings for another')
  alice.accept(first.call)
  const third = await room.call('support')
  t.same(third.caller.heard.at(-1), 'ended busy')
  room.router.hangup(alice.party, first.call)

  const racing = [room.router, room.router].map(router =>
    router.place({
      tenant: acme,
      to: 'alice',
      from: 'x',
      direction: 'inbound',
      caller: { account: 'g' as AccountId, send() {} },
    }),
  )
  await room.clock.settle()
  const states = racing.map(placed => placed.ok && room.router.get(acme, placed.value)?.state)
  t.same(states, ['ringing', 'ended'], 'both picked her; the machine let one of them have her')
})

t.test('[U19] capacity above one takes so many calls and no more', async t => {
  const room = newRoom({ accounts: { alice: { capacity: 2 } } })
  const alice = room.phone('alice')
  const first = await room.call('alice')
  alice.accept(first.call)
  t.equal(statusOf(room, 'alice'), 'available')
  const second = await room.call('alice')
  t.equal(statusOf(room, 'alice'), 'ringing')
  alice.accept(second.call)
  const third = await room.call('alice')
  t.same(third.caller.heard.at(-1), 'ended busy')
  t.match(
    room.router.get(acme, third.call)?.timeline.find(({ event }) => event === 'not-rung'),
    { reason: 'busy' },
  )
})

t.test('an unknown name ends unavailable with a message that names it', async t => {
  const room = newRoom()
  const { caller } = await room.call('+1555')
  t.match(caller.frames.at(-1), { type: 'ended', reason: 'unavailable', message: /\+1555/ })
})

t.test(
  'a softphone that places a call is engaged by it, and hears of it wherever it is attached',
  async t => {
    const room = newRoom()
    const alice = room.phone('alice')
    const bob = room.phone('bob')
    const { call } = await room.call('bob', {
      direction: 'outbound-dial',
      from: 'alice',
      caller: { account: 'alice' as AccountId, party: alice.party, send() {} },
    })
    t.equal(statusOf(room, 'alice'), 'busy')
    const again = room.router.place({
      tenant: acme,
      to: 'bob',
      from: 'alice',
      direction: 'outbound-dial',
      caller: { account: 'alice' as AccountId, party: alice.party, send() {} },
    })
    t.match(again, { ok: false, code: 'busy' })
    t.match(room.router.retell(alice.party), [{ type: 'progress', state: 'ringing' }])
    bob.accept(call, 'answer')
    t.match(room.router.retell(alice.party), [{ type: 'answered', sdp: 'answer', by: { account: 'bob' } }])
    t.match(room.router.retell(bob.party), [{ type: 'connected' }])
    t.ok(room.router.talking(alice.party))
    await room.clock.settle(1000)
    t.ok(room.router.hangup(alice.party, call).ok)
    t.same(alice.heard, ['progress trying', 'progress ringing', 'answered', 'ended completed'])
    t.equal(statusOf(room, 'alice'), 'available')

    const back = await room.call('bob', {
      caller: { account: 'alice' as AccountId, party: alice.party, send() {} },
    })
    t.match(room.router.retell(alice.party), [{ type: 'progress' }])
    bob.accept(back.call)
    t.match(room.router.retell(alice.party), [{ type: 'answered' }])
    const own = await room
      .call('alice', { caller: { account: 'alice' as AccountId, party: alice.party, send() {} } })
      .catch((error: Error) => error.message)
    t.match(own, /busy/)
  },
)

t.test('one does not ring oneself', async t => {
  const room = newRoom({ accounts: { alice: { capacity: 3 } } })
  const web = room.phone('alice', 'web')
  const mobile = room.phone('alice', 'mobile')
  const { call } = await room.call('alice', {
    caller: { account: 'alice' as AccountId, party: web.party, send() {} },
  })
  t.same(mobile.heard, [])
  t.match(room.router.get(acme, call)?.timeline, [
    {},
    {},
    {},
    {},
    { event: 'not-rung', reason: 'is-the-caller' },
  ])
})

t.test(
  'a caller who is lost for good cancels; a connected side lost for good fails the call for both',
  async t => {
    const room = newRoom()
    const bob = room.phone('bob')
    const first = await room.call('bob')
    room.router.gone(first.caller.request.caller)
    t.same(bob.heard, ['invite', 'cancel caller-canceled'])
    const second = await room.call('bob')
    bob.accept(second.call)
    bob.lose()
    bob.comeBack()
    bob.lose()
    t.ok(room.router.talking(bob.party))
    bob.leave()
    t.match(second.caller.frames.at(-1), { type: 'ended', reason: 'failed', message: /lost/ })
    t.same(
      events(room, second.call).filter(event => ['lost', 'back'].includes(event)),
      ['lost', 'back', 'lost'],
    )
    room.phone('bob')
    const third = await room.call('bob')
    room.router.accept(bob.party, third.call)
    room.router.gone(third.caller.request.caller)
    t.equal(room.router.get(acme, third.call)?.reason, 'failed')
  },
)

t.test(
  'signals go from the caller to all who ring, from them to the caller, then between the two',
  async t => {
    const room = newRoom()
    const web = room.phone('alice', 'web')
    const mobile = room.phone('alice', 'mobile')
    const { call, caller } = await room.call('alice')
    t.ok(room.router.signal(caller.request.caller, call, { ice: 1 }).ok)
    t.ok(room.router.signal(web.party, call, { ice: 2 }).ok)
    t.same(web.frames.at(-1), { type: 'signal', call, data: { ice: 1 } })
    t.same(mobile.frames.at(-1), { type: 'signal', call, data: { ice: 1 } })
    t.same(caller.frames.at(-1), {
      type: 'signal',
      call,
      data: { ice: 2 },
      from: { account: 'alice', device: 'web' },
    })
    web.accept(call)
    t.notOk(room.router.signal(mobile.party, call, 3).ok)
    t.notOk(room.router.signal({ account: 'x' as AccountId, send() {} }, call, 3).ok, 'a stranger')
    t.ok(room.router.signal(caller.request.caller, call, 4).ok)
    t.ok(room.router.signal(web.party, call, 5).ok)
    t.match(web.frames.at(-1), { type: 'signal', data: 4 })
    t.notOk(mobile.heard.includes('signal 4'))
    t.match(caller.frames.at(-1), { type: 'signal', data: 5, from: { device: 'web' } })
  },
)

t.test('what a call is told before anyone rings changes nothing', async t => {
  const room = newRoom()
  const alice = room.phone('alice')
  const { call } = await room.call('x', {
    caller: { account: 'alice' as AccountId, party: alice.party, send() {} },
    instructions: { steps: [{ pause: { ms: 1000 } }] },
  })
  t.ok(room.router.signal(alice.party, call, 'early').ok)
  t.notOk(room.router.accept({ ...alice.party, account: 'bob' as AccountId }, call).ok)
  t.match(room.router.retell(alice.party), [{ type: 'progress', state: 'trying' }])
  t.match(
    room.router.place({
      tenant: 'other' as TenantId,
      to: 'x',
      from: 'y',
      direction: 'inbound',
      caller: { account: 'g' as AccountId, send() {} },
    }),
    { ok: false, code: 'not-found' },
  )
})

t.test('a person whom one destination rings is not rung again by another beside it', async t => {
  const room = newRoom({ groups: { support: { members: ['alice'] }, sales: { members: ['bob', 'alice'] } } })
  const alice = room.phone('alice')
  const bob = room.phone('bob')
  const { call, caller } = await room.call('x', {
    instructions: { steps: [{ dial: { to: ['sales', 'support'], strategy: 'longest-idle' } }] },
  })
  t.same([alice.heard, bob.heard], [['invite'], ['invite']])
  bob.reject(call)
  await room.clock.settle()
  t.same(alice.heard, ['invite'])
  alice.reject(call)
  await room.clock.settle()
  t.same(caller.heard.at(-1), 'ended rejected')
})

t.test('[FO2] a call of another tenant, or of nobody, is gone in the same words', async t => {
  const room = newRoom()
  const alice = room.phone('alice')
  const { call, caller } = await room.call('alice')
  const gone = room.router.accept(alice.party, 'nothing' as CallId)
  const stranger: Party = { ...alice.party, tenant: 'other' as TenantId }
  t.same(room.router.accept(stranger, call), gone)
  t.same(room.router.reject(stranger, call, 'busy'), gone)
  t.same(room.router.hangup(stranger, call), gone)
  t.same(room.router.signal(stranger, call, 1), gone)
  t.same(room.router.signal({ account: 'x' as AccountId, send() {} }, 'nothing' as CallId, 1), gone)
  t.same(room.router.hangup({ account: 'x' as AccountId, send() {} }, 'nothing' as CallId), gone)
  t.same(room.router.hangup({ account: 'x' as AccountId, send() {} }, call), gone)
  room.router.ringing(stranger, call)
  t.equal(room.router.get('other' as TenantId, call), undefined)
  t.ok(room.router.hangup(alice.party, call).ok, 'a device that only rings declines')
  t.same(caller.heard.at(-1), 'progress ringing')
  await room.clock.settle()
  t.same(caller.heard.at(-1), 'ended rejected')
})

t.test("wrap-up: the account's own time, else the tenant's where the call was for its name", async t => {
  const room = newRoom({
    wrapupMs: 5000,
    accounts: { bob: { wrapupMs: 2000 } },
    ...support('alice', 'bob'),
  })
  const alice = room.phone('alice')
  const bob = room.phone('bob')
  const talk = async (to: string, phone: typeof alice) => {
    const { call } = await room.call(to)
    phone.accept(call)
    room.router.hangup(phone.party, call)
  }
  await talk('alice', alice)
  t.equal(statusOf(room, 'alice'), 'busy')
  await talk('support', bob)
  t.equal(statusOf(room, 'bob'), 'busy')
  await room.clock.settle(2010)
  t.equal(statusOf(room, 'bob'), 'available')
  await room.clock.settle(3000)
  t.equal(statusOf(room, 'alice'), 'available')
  room.phone('bob', 'phone').leave()
  await talk('support', alice)
  t.equal(statusOf(room, 'alice'), 'available', 'as one of a group there is none')
})

t.test('the time for the whole bounds it, whoever is still to be rung', async t => {
  const room = newRoom(support('alice', 'bob'))
  const alice = room.phone('alice')
  const bob = room.phone('bob')
  const { caller } = await room.call('x', {
    instructions: { steps: [{ dial: { to: ['support'], totalTimeoutMs: 15_000 } }] },
  })
  await room.clock.settle(15_010)
  t.same([alice.heard.at(-1), bob.heard.at(-1)], ['cancel timeout', 'cancel timeout'])
  t.same(caller.heard.at(-1), 'ended no-answer')
})

t.test('a call that ends while its people are being found or claimed offers nothing', async t => {
  const room = newRoom()
  const alice = room.phone('alice')
  for (const turns of [0, 1, 2, 3, 4, 5, 6]) {
    const caller = { account: 'g' as AccountId, send() {} }
    const placed = room.router.place({
      tenant: acme,
      to: 'x',
      from: 'x',
      direction: 'inbound',
      caller,
      instructions: { steps: [{ dial: { to: ['alice'] } }] },
    })
    if (!placed.ok) throw new Error(placed.message)
    for (let turn = 0; turn < turns; turn++) await Promise.resolve()
    t.ok(room.router.hangup(caller, placed.value).ok)
    await room.clock.settle()
    t.equal(statusOf(room, 'alice'), 'available')
    t.equal(alice.heard.filter(heard => heard === 'invite').length, alice.heard.length / 2)
  }
})

t.test('a call that ends while a claim is being refused ends once', async t => {
  const room = newRoom()
  room.phone('alice')
  const caller = { account: 'g' as AccountId, send() {} }
  room.presence.claim = async ({ call }) => {
    room.router.hangup(caller, call)
    return { ok: false, code: 'busy', message: 'taken' }
  }
  const { call } = await room.call('alice', { caller })
  t.equal(room.router.get(acme, call)?.reason, 'canceled')
  t.notOk(events(room, call).includes('claim-refused'))
  room.presence.claim = async ({ call }) => {
    room.router.hangup(caller, call)
    throw new Error('out of order')
  }
  const broken = await room.call('alice', { caller })
  t.equal(room.router.get(acme, broken.call)?.reason, 'canceled')
})

t.test(
  '[U17] who takes no more calls while others are rung is not rung, and the record says why',
  async t => {
    const room = newRoom(support('alice', 'bob', 'carol', 'dave'))
    const [alice, bob, carol, dave] = ['alice', 'bob', 'carol', 'dave'].map(name => room.phone(name))
    const { call } = await room.call('support')
    bob!.attachment.declare({ status: 'dnd' })
    room.presence.override(acme, 'carol' as AccountId, { status: 'away' }, 'carol' as AccountId)
    dave!.leave()
    alice!.reject(call, 'busy')
    await room.clock.settle()
    t.same([bob!.heard, carol!.heard, dave!.heard], [[], [], []])
    const { timeline = [], reason } = room.router.get(acme, call) ?? {}
    t.match(
      timeline.filter(({ event }) => event === 'claim-refused'),
      [
        { account: 'bob', reason: 'not-found', message: 'bob is not available any more' },
        { account: 'carol', reason: 'not-found', message: 'carol is not available any more' },
        { account: 'dave', reason: 'not-found', message: 'dave has no such device any more' },
      ],
    )
    t.equal(reason, 'busy')

    const claim = room.presence.claim
    room.presence.claim = (hold, devices) => {
      bob!.attachment.declare({ status: 'dnd' })
      return claim(hold, devices)
    }
    bob!.attachment.declare({ status: 'available' })
    const nobody = await room.call('bob')
    t.equal(room.router.get(acme, nobody.call)?.reason, 'unavailable', 'nobody was busy: nobody was there')
  },
)

t.test('[U16] whom another part of the same dial has rung meanwhile is named, too', async t => {
  const room = newRoom({
    groups: { one: { members: ['alice', 'bob'] }, two: { members: ['carol', 'bob'] } },
    routes: [{ to: '+1', instructions: { steps: [{ dial: { to: ['one', 'two'] } }] } }],
  })
  const [alice, carol] = ['alice', 'carol', 'bob'].map(name => room.phone(name))
  const { call } = await room.call('+1')
  alice!.reject(call)
  await room.clock.settle()
  carol!.reject(call)
  await room.clock.settle()
  t.match(
    room.router.get(acme, call)?.timeline.filter(({ event }) => event === 'not-rung'),
    [{ destination: 'two', reason: 'rung-already', accounts: ['bob'], count: 1 }],
  )
})

t.test('a device that vanishes between pick and offer is no obstacle', async t => {
  const room = newRoom(support('alice', 'bob'))
  const alice = room.phone('alice')
  const bob = room.phone('bob')
  const { presence } = room
  const claim = presence.claim
  presence.claim = async (hold, devices) => {
    const claimed = await claim(hold, devices)
    if (hold.account === alice.party.account) alice.attachment.leave()
    return claimed
  }
  await room.call('support')
  t.same([alice.heard, bob.heard], [[], ['invite']])
})

t.test('what goes wrong within ends the call failed, and is logged', async t => {
  const lines: unknown[] = []
  const room = newRoom({}, {}, { info() {}, warn() {}, error: facts => lines.push(facts) })
  room.phone('alice')
  room.presence.claim = () => Promise.reject(new Error('out of order'))
  const { call, caller } = await room.call('alice')
  await room.clock.settle()
  t.match(caller.frames.at(-1), { type: 'ended', reason: 'failed', message: 'an internal error' })
  t.match(lines, [{ call, error: { message: 'out of order' } }])
})

t.test('draining takes no new calls and waits for the last', async t => {
  const room = newRoom()
  const alice = room.phone('alice')
  const { call } = await room.call('alice')
  let drained = false
  const draining = room.router.drain().then(() => {
    drained = true
  })
  t.match(
    room.router.place({
      tenant: acme,
      to: 'alice',
      from: 'x',
      direction: 'inbound',
      caller: { account: 'g' as AccountId, send() {} },
    }),
    { ok: false, code: 'draining' },
  )
  await room.clock.settle()
  t.notOk(drained)
  alice.accept(call)
  room.router.hangup(alice.party, call)
  await draining
  t.ok(drained)
  await room.router.drain()
})

t.test('closing ends every call', async t => {
  const room = newRoom()
  const alice = room.phone('alice')
  const { caller } = await room.call('alice')
  room.router.close()
  t.same(alice.heard, ['invite', 'cancel failed'])
  t.same(caller.heard.at(-1), 'ended failed')
})

t.test('who placed a call is known for as long as the call is readable, to its tenant', async t => {
  const room = newRoom()
  room.phone('alice')
  const { call, caller } = await room.call('alice')
  t.equal(room.router.callerOf(acme, call), caller.request.caller)
  room.router.hangup(caller.request.caller, call)
  t.equal(room.router.callerOf(acme, call), caller.request.caller)
  t.equal(room.router.callerOf('other' as TenantId, call), undefined)
  await room.clock.settle(16 * 60_000)
  t.equal(room.router.callerOf(acme, call), undefined)
  t.equal(room.router.get(acme, call), undefined)
})

t.test('calls are listed newest first, page by page, by owner, state and time', async t => {
  const room = newRoom({ keys: [{ alg: 'HS256', secret: 'a secret of at least thirty-two bytes' }] })
  room.phone('alice')
  const placed: CallId[] = []
  for (const owner of ['x', 'y', 'x']) {
    const { call } = await room.call('alice', { caller: { account: owner as AccountId, send() {} } })
    placed.push(call)
    await room.clock.settle(1000)
  }
  const list = async (query: object) => {
    const listed = await room.router.list(acme, { limit: 10, ...query })
    if (!listed.ok) throw new Error(listed.message)
    return listed.value
  }
  t.same(
    (await list({})).calls.map(({ call }) => call),
    [...placed].reverse(),
  )
  t.same((await list({ owner: 'x' })).calls.length, 2)
  t.same(
    (await list({ state: 'ringing' })).calls.map(({ call }) => call),
    placed.slice(0, 1),
  )
  t.same((await list({ since: room.clock.wall() - 1000 })).calls.length, 1)
  const page = await list({ limit: 2 })
  t.same(
    page.calls.map(({ call }) => call),
    [placed[2], placed[1]],
  )
  t.same(
    (await list({ limit: 2, cursor: page.cursor })).calls.map(({ call }) => call),
    [placed[0]],
  )
  t.match(await room.router.list(acme, { limit: 1, cursor: 'x' }), { ok: false, code: 'invalid' })
  t.same(await room.router.list('other' as TenantId, { limit: 10 }), { ok: true, value: { calls: [] } })
})

t.test('a page of calls costs what is on it, however many there are', async t => {
  const room = newRoom()
  let weighed = 0
  const caller = {
    account: 'x' as AccountId,
    send() {},
    get weight() {
      weighed++
      return 0
    },
  }
  room.phone('alice')
  for (let count = 0; count < 20; count++) await room.call('alice', { caller })
  const before = weighed
  const listed = await room.router.list(acme, { limit: 5 })
  t.equal(listed.ok && listed.value.calls.length, 5)
  t.equal(weighed, before, 'none is made a record of to be looked at')
})
