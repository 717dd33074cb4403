// What a group's options do to real calls: when tiers join, how long whoever did not take a call is left alone, who is
// taken for away, who is in wrap-up, and that a timeline and an explanation give the same reasons.

import t from 'tap'
import type { AccountId, CallId } from '../../src/protocol/index.js'
import { acme, type FakePhone, newRoom, type Room } from '../support/room.js'

type Options = Record<string, unknown>

const newSupport = (members: readonly (string | Options)[], options: Options = {}, tenant: Options = {}) =>
  newRoom({ groups: { support: { members, ...options } }, ...tenant })

const timelineOf = (room: Room, call: CallId) => room.router.get(acme, call)!.timeline

const accountOf = (room: Room, name: string) =>
  room.presence.resource(acme, name as never, { view: 'routing', devices: true }).accounts![0]!

const hangUp = (room: Room, phone: FakePhone, call: CallId) => room.router.hangup(phone.party, call)

const explained = async (room: Room, to = 'support', from = '+15550199') => {
  const explanation = await room.router.explain(acme, { to, from, fetch: false })
  if (!explanation.ok) throw new Error(explanation.message)
  return explanation.value.dials[0]!.destinations[0]!
}

/** Who of these rings now. */
const ringing = (phones: Record<string, FakePhone>): string[] =>
  Object.keys(phones).filter(name => phones[name]!.heard.at(-1) === 'invite')

const phonesOf = (room: Room, ...names: string[]): Record<string, FakePhone> =>
  Object.fromEntries(names.map(name => [name, room.phone(name)]))

const tiers = [
  'alice',
  'bob',
  { account: 'carol', tier: 2 },
  { account: 'dan', tier: 2 },
  { account: 'eve', tier: 7 },
]

t.test('the next tier joins after the delay, and rings beside those before it', async t => {
  const room = newSupport(tiers)
  const phones = phonesOf(room, 'alice', 'bob', 'carol', 'dan', 'eve')
  const { call, caller } = await room.call('support')
  t.same(ringing(phones), ['alice'])
  await room.clock.settle(12_010)
  t.same(ringing(phones), ['bob'])
  await room.clock.settle(2_950)
  t.same(ringing(phones), ['bob'], 'not before')
  await room.clock.settle(60)
  t.same(ringing(phones), ['bob', 'carol'])
  await room.clock.settle(9_000)
  t.same(ringing(phones), ['carol'], 'of each tier one at a time')
  await room.clock.settle(3_010)
  t.same(ringing(phones), ['dan'])
  await room.clock.settle(2_980)
  t.same(ringing(phones), ['dan', 'eve'], 'as long after the second as that after the first')
  t.same(
    timelineOf(room, call)
      .filter(({ event }) => event === 'tier-joined')
      .map(({ destination, tier }) => [destination, tier]),
    [
      ['support', 2],
      ['support', 7],
    ],
  )
  t.ok(phones.eve!.accept(call))
  t.same(ringing(phones), [])
  hangUp(room, phones.eve!, call)
  t.equal(caller.heard.at(-1), 'ended completed')
})

t.test('the next tier joins at once when nobody of those before is left', async t => {
  const room = newSupport(tiers)
  const phones = phonesOf(room, 'alice', 'carol', 'dan', 'eve')
  const { call } = await room.call('support')
  await room.clock.settle(10_000)
  phones.alice!.reject(call)
  await room.clock.settle()
  t.same(ringing(phones), ['carol'])
  await room.clock.settle(11_000)
  t.same(ringing(phones), ['carol'], 'the delay of the third begins when the second joins')
  for (const name of ['carol', 'dan', 'eve']) {
    t.same(ringing(phones), [name])
    phones[name]!.reject(call)
    await room.clock.settle()
  }
  t.equal(room.router.get(acme, call)?.reason, 'rejected')
})

t.test('with all, each tier rings whole; and no more than ten people at once, whatever joins', async t => {
  const few = newSupport(tiers, { strategy: 'all', tierDelayMs: 5000 })
  const phones = phonesOf(few, 'alice', 'bob', 'carol', 'dan', 'eve')
  await few.call('support')
  t.same(ringing(phones), ['alice', 'bob'])
  await few.clock.settle(5010)
  t.same(ringing(phones), ['alice', 'bob', 'carol', 'dan'])
  await few.clock.settle(5010)
  t.same(ringing(phones), ['alice', 'bob', 'carol', 'dan', 'eve'])

  const names = Array.from({ length: 12 }, (_, index) => `p${index}`)
  const many = newSupport(
    names.map((account, index) => ({ account, tier: index < 8 ? 1 : 2 })),
    { strategy: 'all', tierDelayMs: 0 },
  )
  const crowd = phonesOf(many, ...names)
  const { call } = await many.call('support')
  await many.clock.settle(10)
  t.equal(ringing(crowd).length, 10)
  crowd.p0!.reject(call)
  await many.clock.settle()
  t.same(ringing(crowd), names.slice(1, 11))
})

t.test('a call that is over leaves no tier to join', async t => {
  const room = newSupport(tiers, { ringTimeoutMs: 60_000 })
  const phones = phonesOf(room, 'alice', 'carol')
  const { call, caller } = await room.call('support')
  room.router.hangup(caller.request.caller, call)
  const lines = timelineOf(room, call).length
  await room.clock.settle(20_000)
  t.equal(timelineOf(room, call).length, lines)
  t.same(phones.carol!.heard, [])
})

t.test('who did not take a call of the group is left alone for a while, by how they did not', async t => {
  const room = newSupport(['alice'], { coolDownMs: { rejected: 5000, busy: 3000 } })
  const alice = room.phone('alice')
  const notRung = async (to = 'support') => {
    const { call, caller } = await room.call(to)
    const view = room.router.get(acme, call)!
    if (view.state !== 'ended') {
      room.router.hangup(caller.request.caller, call)
      return { call }
    }
    const { reason, accounts } = view.timeline.find(({ event }) => event === 'not-rung')!
    return { ended: view.reason, reason, accounts }
  }
  const cooling = { ended: 'unavailable', reason: 'cooling-down', accounts: ['alice'] }
  const rings = async (to = 'support') => {
    const { call } = await room.call(to)
    t.equal(alice.heard.at(-1), 'invite')
    return call
  }
  for (const [reason, ms] of [
    ['declined', 5000],
    ['busy', 3000],
  ] as const) {
    alice.reject(await rings(), reason)
    await room.clock.settle()
    t.same(await notRung(), cooling)
    t.same((await explained(room)).skipped, [{ account: 'alice', reason: 'cooling-down' }])
    alice.reject(await rings('alice'))
    await room.clock.settle()
    t.same(await notRung(), cooling, 'by their own name they are rung, and it ends nothing')
    await room.clock.settle(ms - 10)
    t.same(await notRung(), cooling)
    await room.clock.settle(20)
  }
  await rings()
  await room.clock.settle(12_010)
  t.equal(alice.heard.at(-1), 'cancel timeout')
  await room.clock.settle(9_900)
  t.same(await notRung(), cooling)
  await room.clock.settle(200)

  alice.reject(await rings('alice'))
  await room.clock.settle()
  await rings('alice')
  await room.clock.settle(12_010)
  const call = await rings('alice')
  t.equal(accountOf(room, 'alice').routing?.missedInARow, 2, 'a call for their own name has no sequel')
  t.ok(alice.accept(call))
  hangUp(room, alice, call)
})

t.test('who is answered by another, or called by one who gives up, is not left alone', async t => {
  const room = newSupport(['alice', 'bob'], { strategy: 'all', coolDownMs: { rejected: 9, busy: 9 } })
  const phones = phonesOf(room, 'alice', 'bob')
  const first = await room.call('support')
  phones.alice!.accept(first.call)
  hangUp(room, phones.alice!, first.call)
  const second = await room.call('support')
  t.same(ringing(phones), ['alice', 'bob'])
  room.router.hangup(second.caller.request.caller, second.call)
  await room.call('support')
  t.same(ringing(phones), ['alice', 'bob'])
  t.match(accountOf(room, 'bob').routing, { missedInARow: 0, notBefore: null })
})

t.test(
  'after so many misses in a row the hub says away for the person, until they say otherwise',
  async t => {
    const room = newSupport(['alice'], { awayAfterMisses: 2, coolDownMs: { missed: 0 }, ringTimeoutMs: 5000 })
    const alice = room.phone('alice')
    const self = () => alice.frames.findLast(({ type }) => type === 'self')
    const miss = async () => {
      await room.call('support')
      await room.clock.settle(5010)
    }
    await miss()
    t.match(self(), { override: 'none', by: null })
    await miss()
    t.match(self(), { override: 'away', by: '*system', note: 'missed 2 calls in a row', status: 'away' })
    t.same((await explained(room)).skipped, [{ account: 'alice', reason: 'away' }])
    room.presence.override(acme, 'alice' as AccountId, { status: null }, 'alice' as AccountId)
    await miss()
    await room.clock.settle()
    t.match(self(), { override: 'none', by: null })
    const { call } = await room.call('support')
    t.ok(alice.accept(call))
    hangUp(room, alice, call)
    await miss()
    t.match(self(), { override: 'none' }, 'an answered call begins the count anew')

    const bob = room.phone('bob')
    for (let times = 0; times < 5; times++) {
      await room.call('bob')
      await room.clock.settle(12_010)
    }
    t.equal(accountOf(room, 'bob').routing?.missedInARow, 5)
    t.match(
      bob.frames.findLast(({ type }) => type === 'self'),
      { override: 'none' },
      'by their own name never',
    )
  },
)

t.test("wrap-up: the person's own, else the group's, else the tenant's for a call to their name", async t => {
  const room = newSupport(
    ['alice', 'bob'],
    { wrapupMs: 3000, strategy: 'order' },
    {
      wrapupMs: 5000,
      accounts: { bob: { wrapupMs: 1000 } },
    },
  )
  const phones = phonesOf(room, 'alice', 'bob')
  const lasts = async (to: string, name: string) => {
    const { call } = await room.call(to)
    t.ok(phones[name]!.accept(call))
    hangUp(room, phones[name]!, call)
    let ms = 0
    for (; accountOf(room, name).activity === 'wrapup'; ms += 500) await room.clock.settle(500)
    return Math.round(ms / 1000) * 1000
  }
  t.equal(await lasts('support', 'alice'), 3000)
  t.equal(await lasts('alice', 'alice'), 5000)
  t.equal(await lasts('bob', 'bob'), 1000)
  phones.alice!.leave()
  t.equal(await lasts('support', 'bob'), 1000)
})

t.test('a pause and a missing skill are told alike by an explanation and a timeline', async t => {
  const room = newSupport([
    { account: 'alice', skills: ['de'] },
    { account: 'bob', skills: ['de', 'fr'], paused: 'training' },
    { account: 'carol', skills: ['fr'], paused: 'training' },
    { account: 'dan', paused: 'lunch' },
    { account: 'eve', skills: ['fr', 'de'] },
  ])
  const phones = phonesOf(room, 'alice', 'bob', 'carol', 'dan', 'eve')
  const { skipped } = await explained(room)
  t.same(skipped, [
    { account: 'bob', reason: 'paused', note: 'training' },
    { account: 'carol', reason: 'paused', note: 'training' },
    { account: 'dan', reason: 'paused', note: 'lunch' },
  ])
  const instructions = { steps: [{ dial: { to: 'support', skills: ['fr'] } }] }
  const { call } = await room.call('x', { instructions })
  t.same(ringing(phones), ['eve'])
  const not = timelineOf(room, call)
    .filter(({ event }) => event === 'not-rung')
    .map(({ reason, note, accounts, count }) => ({ reason, note, accounts, count }))
  t.same(not, [
    { reason: 'lacks-skill', note: undefined, accounts: ['alice'], count: 1 },
    { reason: 'paused', note: 'training', accounts: ['bob', 'carol'], count: 2 },
    { reason: 'paused', note: 'lunch', accounts: ['dan'], count: 1 },
  ])
  phones.eve!.accept(call)
  const again = await room.call('x', { instructions })
  t.equal(room.router.get(acme, again.call)?.reason, 'busy', 'the one who could is on a call')
  phones.eve!.leave()
  const late = await room.call('x', { instructions })
  t.equal(room.router.get(acme, late.call)?.reason, 'unavailable', 'whoever lacks the skill would never do')
  const direct = await room.call('dan')
  t.same(ringing(phones), ['dan'], 'by their own name they are rung')
  phones.dan!.reject(direct.call)
})

t.test('round-robin takes turns over calls, and asking who is next takes none', async t => {
  const room = newSupport(['alice', 'bob', 'carol'], { strategy: 'round-robin' })
  const phones = phonesOf(room, 'alice', 'bob', 'carol')
  const rung: string[] = []
  const take = async () => {
    const [next] = (await explained(room)).order
    const { call } = await room.call('support')
    const [name] = ringing(phones)
    t.equal(next?.account, name)
    rung.push(name!)
    phones[name!]!.accept(call)
    hangUp(room, phones[name!]!, call)
  }
  for (let times = 0; times < 4; times++) await take()
  phones.bob!.leave()
  for (let times = 0; times < 3; times++) await take()
  phones.bob = room.phone('bob')
  for (let times = 0; times < 3; times++) await take()
  t.same(rung, [
    ...['alice', 'bob', 'carol', 'alice'],
    ...['carol', 'alice', 'carol'],
    ...['bob', 'alice', 'carol'],
  ])
  const alone = await room.call('x', {
    instructions: { steps: [{ dial: { to: 'bob', strategy: 'round-robin' } }] },
  })
  t.same(ringing(phones), ['bob'], 'an account has no turns to take')
  phones.bob!.reject(alone.call)
})

t.test('sticky: the caller is given whom they talked to last', async t => {
  const room = newSupport(['alice', 'bob'], { strategy: 'sticky' })
  const phones = phonesOf(room, 'alice', 'bob')
  const talk = async (from: string) => {
    const { call } = await room.call('support', { from })
    const [name] = ringing(phones)
    phones[name!]!.accept(call)
    await room.clock.settle(1000)
    hangUp(room, phones[name!]!, call)
    return name
  }
  t.equal(await talk('+1'), 'alice')
  t.equal(await talk('+2'), 'bob')
  t.equal(await talk('+2'), 'bob')
  t.equal(await talk('+1'), 'alice')
  t.equal(await talk('+1'), 'alice')
  t.equal((await explained(room, 'support', '+1')).order[0]?.account, 'alice')
  t.equal((await explained(room, 'support', '+2')).order[0]?.account, 'bob')
  const { call } = await room.call('x', {
    from: '+1',
    instructions: { steps: [{ dial: { to: 'bob', strategy: 'sticky' } }] },
  })
  t.ok(phones.bob!.accept(call))
  t.equal((await explained(room, 'support', '+1')).order[0]?.account, 'alice', 'not as one of the group')
})

t.test('who takes several calls at once is not idle while they have one', async t => {
  const accounts = { alice: { capacity: 2 }, bob: { capacity: 2 } }
  const room = newSupport(['alice', 'bob'], {}, { accounts })
  const phones = phonesOf(room, 'alice', 'bob')
  const rung: string[] = []
  for (let times = 0; times < 4; times++) {
    const { call } = await room.call('support')
    const [name] = ringing(phones)
    rung.push(name!)
    phones[name!]!.accept(call)
  }
  t.same(rung, ['alice', 'bob', 'alice', 'bob'])
  const { call } = await room.call('support')
  t.equal(room.router.get(acme, call)?.reason, 'busy')
})
