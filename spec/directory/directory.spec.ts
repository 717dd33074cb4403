// The directory over what a configuration says: what holds, what those who watch see of a change, whom the next call
// rings, what is remembered of it, and what a change costs.

import t from 'tap'
import { ok } from '../../src/errors.js'
import type { Destination, TenantId } from '../../src/protocol/index.js'
import type { Log } from '../../src/runtime/index.js'
import { type KeptGroup, nothingKept } from '../../src/store/index.js'
import { Ear, Fold, n, settled } from '../support/presence-world.js'
import { acme, configOf, newRoom, type Room } from '../support/room.js'

const tenant = {
  accounts: { carol: { capacity: 2 } },
  groups: {
    support: { members: ['alice', 'bob'] },
    night: { members: ['bob'] },
    lobby: { open: true },
  },
}

const settingsOf = (room: Room, input: object = {}) => {
  const read = room.directory.judge(input)
  if (!read.ok) throw new Error(JSON.stringify(read.faults))
  return read.value
}

const member = (account: string, rest: object = {}) => ({
  account: n(account),
  tier: 1,
  weight: 1,
  skills: [],
  ...rest,
})

const logOf = () => {
  const logged: [message: string, facts: object][] = []
  const line = (facts: object, message: string) => logged.push([message, facts])
  const log: Log = { info: line, warn: line, error: line }
  return { log, logged }
}

t.test('each change is one entry to those who watch, and none where they see nothing of it', async t => {
  const room = newRoom(tenant)
  const { clock, directory, presence } = room
  room.phone('alice')
  room.phone('erin', 'web', { groups: ['lobby', 'night'] })
  const ears: Record<string, Ear> = {}
  const counted: Record<string, number> = {}
  const news = async (name: string) => {
    await clock.settle(1000)
    const ear = ears[name] as Ear
    const fold = new Fold()
    for (const frame of ear.presence) fold.apply(frame)
    const now = presence.resource(acme, n(name), { view: 'full', devices: false })
    t.same(fold.state, settled(now), `whoever watches ${name} sees how it is`)
    const told = ear.presence.slice(counted[name])
    counted[name] = ear.presence.length
    return told.map(({ snapshot, kind, accounts = [], removed = [] }) =>
      [
        ...(snapshot ? [kind] : []),
        ...accounts.map(({ account }) => account),
        ...removed.map(account => `-${account}`),
      ].join(' '),
    )
  }
  for (const name of ['support', 'night', 'fresh']) {
    const ear = new Ear()
    ears[name] = ear
    presence.subscriptions(acme, ear).subscribe(n(name), { view: 'full', devices: false })
    await news(name)
  }

  directory.putMember(acme, n('support'), member('dave') as never)
  t.same(await news('support'), ['dave'], 'who comes in')
  directory.putMember(acme, n('support'), member('alice', { tier: 2, paused: 'lunch' }) as never)
  t.same(await news('support'), [], 'what only routing goes by')
  directory.removeMember(acme, n('support'), n('dave'))
  t.same(await news('support'), ['-dave'], 'who goes')
  t.notOk(presence.knows(acme, n('dave')), 'nobody lists them any more')
  directory.removeMember(acme, n('support'), n('bob'))
  t.same(await news('support'), ['-bob'])
  t.ok(presence.knows(acme, n('bob')), 'another group lists them')
  t.same(await news('night'), [], 'which has not changed')

  directory.put(acme, n('night'), settingsOf(room, { open: true, members: ['bob'] }))
  t.same(await news('night'), ['erin'], 'an open group takes in who is there')
  directory.put(acme, n('night'), settingsOf(room, { members: ['bob', 'carol'] }))
  t.same(await news('night'), ['carol -erin'], 'in one turn, one frame')
  directory.put(acme, n('night'), settingsOf(room, { members: ['carol', 'bob'] }))
  t.same(await news('night'), [], 'their order is not to be seen in a diff')
  t.same(
    presence.resource(acme, n('night'), { view: 'full', devices: false }).accounts?.map(each => each.account),
    ['carol', 'bob'],
  )

  directory.put(acme, n('fresh'), settingsOf(room, { members: ['alice'] }))
  t.same(await news('fresh'), ['group alice'], 'the name stands for a group now')
  directory.remove(acme, n('fresh'))
  t.same(await news('fresh'), ['account fresh'], 'and for an account again')
  directory.remove(acme, n('night'))
  t.same(await news('night'), ['account night'])
  directory.reset(acme, n('night'))
  t.same(await news('night'), ['group bob'])
  t.ok(presence.knows(acme, n('carol')), 'the configuration has an account of that name')
  presence.configureGroup(acme, n('nothing'), configOf(tenant).tenants.get(acme)!)
  t.notOk(presence.knows(acme, n('nothing')), 'a group that never was')
})

t.test('the next call goes by it, and one that is under way by what it began with', async t => {
  const room = newRoom({ groups: { support: { members: ['alice', 'bob'], strategy: 'order' } } })
  const { directory, router } = room
  const [alice, bob] = [room.phone('alice'), room.phone('bob')]
  const carol = room.phone('carol')
  const first = await room.call('support')
  t.same([alice.heard.length, bob.heard.length], [1, 0])
  directory.putMember(acme, n('support'), member('bob', { paused: 'lunch' }) as never)
  directory.putMember(acme, n('support'), member('carol') as never)
  const second = await room.call('support')
  t.match(carol.heard, ['invite'], 'alice rings, bob is paused')
  alice.reject(first.call)
  await room.clock.settle()
  t.match(bob.heard, ['invite'], 'the first call knows nothing of the pause')
  const { timeline } = router.get(acme, second.call)!
  t.match(JSON.stringify(timeline), /"reason":"paused","note":"lunch","accounts":\["bob"\]/)

  directory.remove(acme, n('support'))
  const third = await room.call('support')
  t.equal(third.caller.heard.at(-1), 'ended unavailable', 'an account of that name, and nobody is there')
})

t.test('it turns to a group as it is now, also where turns are remembered', async t => {
  const room = newRoom({ groups: { desk: { members: ['alice', 'bob'], strategy: 'round-robin' } } })
  const { directory, router, clock } = room
  const phones = ['alice', 'bob', 'carol'].map(account => room.phone(account))
  const rings = async () => {
    const before = phones.map(({ heard }) => heard.length)
    const { call } = await room.call('desk')
    const rung = phones.filter(({ heard }, index) => heard.length > Number(before[index]))
    for (const phone of rung) {
      phone.accept(call)
      router.hangup(phone.party, call)
    }
    await clock.settle()
    return rung.map(({ party }) => party.account).join()
  }
  const first = await rings()
  t.equal(first, 'alice')
  directory.putMember(acme, n('desk'), member('carol') as never)
  t.equal(await rings(), 'bob', 'whose turn it was is not forgotten by a change')
  directory.remove(acme, n('desk'))
  directory.put(acme, n('desk'), settingsOf(room, { members: ['alice', 'bob'], strategy: 'round-robin' }))
  t.equal(await rings(), 'alice', 'a group that is made anew begins anew')
})

t.test('what was said holds over another configuration, until it is reset', async t => {
  const { log, logged } = logOf()
  const room = newRoom(tenant, {}, log)
  const { directory } = room
  const names = () => [...directory.tenants.get(acme)!.groups.keys()].sort()
  const members = (group: string) =>
    directory.tenants
      .get(acme)
      ?.groups.get(group as Destination)
      ?.members.map(({ account }) => account)
  directory.put(acme, n('support'), settingsOf(room, { members: ['erin'] }))
  directory.put(acme, n('made'), settingsOf(room, { members: ['frank'] }))
  directory.remove(acme, n('lobby'))
  const next = configOf({ groups: { support: { members: ['gina'] }, night: {}, lobby: {}, day: {} } })
  directory.configure(next.tenants)
  t.same(names(), ['day', 'made', 'night', 'support'])
  t.same([members('support'), members('night')], [['erin'], []])
  t.match(directory.reset(acme, n('support')), { ok: true, value: { changed: false } })
  t.match(directory.reset(acme, n('lobby')), { ok: true })
  t.match(directory.reset(acme, n('made')), { ok: false, code: 'not-found' })
  t.same([names().includes(n('lobby')), members('support')], [true, ['gina']])
  t.same(logged, [])

  directory.configure(configOf({ accounts: { made: {} } }).tenants)
  t.same(logged, [
    ['a group has the name of an account by now, and keeps it', { tenant: acme, group: 'made' }],
  ])
  t.same(names(), ['made'])

  directory.configure(new Map())
  t.throws(() => directory.list(acme), { code: 'not-found' }, 'a tenant that is gone has no groups')
  t.throws(() => directory.reset(acme, n('made')), { code: 'not-found' })
  directory.configure(next.tenants)
  t.same(members('made'), ['frank'], 'and finds what was said when it is back')
})

t.test('what can not be beside all else is refused: names, and room', async t => {
  const room = newRoom(tenant, { limits: { directoryBytesPerTenant: 600 } })
  const { directory } = room
  t.match(directory.remove(acme, n('nobody')), { code: 'not-found' })
  t.match(directory.putMember(acme, n('nobody'), member('alice') as never), { code: 'not-found' })
  t.match(directory.removeMember(acme, n('support'), n('zoe')), { code: 'not-found' })
  const first = directory.put(acme, n('first'), settingsOf(room, { members: ['alice'] }))
  t.match(first, { ok: true, value: { created: true, changed: true } })
  const long = member('alice', { skills: ['s'.repeat(500)] })
  t.match(directory.putMember(acme, n('night'), long as never), {
    code: 'too-many',
    message:
      'at most 600 characters of groups that were changed at run time (limits.directoryBytesPerTenant)',
  })
  t.match(directory.put(acme, n('first'), settingsOf(room, { members: ['bob'] })), {
    ok: true,
    value: { created: false },
  })
  t.equal(directory.remove(acme, n('first')).ok, true)
  // While the group is not there, someone takes its name, and it can not come back.
  directory.remove(acme, n('lobby'))
  room.phone('lobby')
  t.match(directory.reset(acme, n('lobby')), { code: 'conflict', message: 'lobby is the name of an account' })
})

t.test('what was kept is there at the start; what does not fit any more is told and passed over', async t => {
  const { log, logged } = logOf()
  const other = 'other' as TenantId
  const saved: unknown[] = []
  const kept = new Map<TenantId, readonly (readonly [string, KeptGroup])[]>([
    [
      acme,
      [
        ['support', {}],
        ['made', { group: { members: ['zoe'] } }],
        ['bad', { group: { members: ['a a'] } }],
      ],
    ],
    [other, [['gone', {}]]],
  ])
  const room = newRoom(tenant, {}, log, {
    groups: {
      tenants: () => [...kept.keys()],
      load: tenant => kept.get(tenant) as never,
      save: (...said) => saved.push(said),
      written: async () => ok(undefined),
    },
  })
  const { directory, presence } = room
  t.same([...directory.tenants.get(acme)!.groups.keys()], ['night', 'lobby', 'made'])
  t.match(directory.read(acme, n('made')), {
    value: { changed: true, settings: { members: [{ account: 'zoe', tier: 1 }], ringTimeoutMs: 12_000 } },
  })
  t.ok(presence.knows(acme, n('zoe')))
  t.match(logged, [['a kept group is passed over', { group: 'bad', faults: [/^members\[0\] must be/] }]])
  directory.remove(acme, n('made'))
  directory.remove(acme, n('night'))
  directory.reset(acme, n('support'))
  t.same(saved, [
    [acme, 'made', undefined],
    [acme, 'night', {}],
    [acme, 'support', undefined],
  ])
  t.same(await directory.written(), { ok: true, value: undefined })
  t.same(nothingKept.groups.load(acme), [])
})

t.test('tenants have nothing of each other', async t => {
  const room = newRoom(tenant, {
    tenants: Object.fromEntries(
      ['acme', 'other'].map(name => [
        name,
        { keys: [{ alg: 'HS256', secret: 'a secret of at least thirty-two bytes' }], ...tenant },
      ]),
    ),
  })
  const other = 'other' as TenantId
  const before = room.directory.list(other)
  room.directory.remove(acme, n('support'))
  room.directory.put(acme, n('made'), settingsOf(room))
  t.same(room.directory.list(other), before)
  t.equal(room.directory.tenants.get(other), room.config.tenants.get(other), 'not even another object')
})

t.test('one change beside a thousand groups is no more work than its own group', async t => {
  const names = Array.from({ length: 1_000 }, (_, index) => `group-${index}`)
  const groups = Object.fromEntries(
    names.map(name => [name, { members: Array.from({ length: 20 }, (_, at) => `${name}-${at}`) }]),
  )
  const room = newRoom({ groups }, { limits: { groupsPerTenant: 2_000 } })
  const begin = process.hrtime.bigint()
  for (let at = 0; at < 100; at++) {
    room.directory.putMember(acme, n('group-7'), member('new', { weight: at + 1 }) as never)
  }
  const each = Number(process.hrtime.bigint() - begin) / 100 / 1e6
  t.comment(`${each.toFixed(2)} ms a change`)
  t.ok(each < 20, `${each} ms`)
})

t.test('of a group that is removed nothing is left, but for those who watch its name', async t => {
  const room = newRoom(tenant)
  const { directory, presence } = room
  const { accounts } = presence.counts
  const subscriptions = presence.subscriptions(acme, new Ear())
  for (const name of ['one', 'two', 'three']) {
    t.ok(directory.put(acme, n(name), settingsOf(room, { members: ['alice'] })).ok)
    if (name === 'two') subscriptions.subscribe(n(name), { view: 'full', devices: false })
    t.ok(directory.remove(acme, n(name)).ok)
  }
  t.equal(presence.counts.accounts, accounts + 1)
  subscriptions.close()
  t.equal(presence.counts.accounts, accounts)
})
