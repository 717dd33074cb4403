import t from 'tap'
import { Graph } from '../../src/presence/graph.js'
import { claim, release } from '../../src/presence/holds.js'
import { attach } from '../../src/presence/registration.js'
import type { PresenceFrame } from '../../src/protocol/index.js'
import { VirtualClock } from '../../src/runtime/index.js'
import { Ear, n, settled, tenantsOf, worldOf } from '../support/presence-world.js'

const queries = {
  summary: { view: 'summary', devices: false },
  full: { view: 'full', devices: false },
  devices: { view: 'full', devices: true },
  routing: { view: 'routing', devices: false },
} as const
type LevelName = keyof typeof queries

const directory = {
  acme: {
    accounts: { carol: { capacity: 2 } },
    groups: {
      support: { members: ['alice', 'bob'] },
      sales: { members: ['bob'], open: true },
      lobby: { open: true },
    },
  },
}

t.test('a token joins the open groups that there are; closed and unknown ones are left out', async t => {
  const { presence, join } = worldOf(directory)
  const dave = join('dave', 'web', { groups: ['lobby', 'support', 'nowhere', 'sales', 'lobby'] })
  t.same(dave.groups, ['lobby', 'sales'])
  t.same(dave.party, { tenant: 'acme', account: 'dave', device: 'web' })
  const members = (group: string) =>
    presence.resource(n('acme'), n(group), queries.full).accounts?.map(({ account }) => account)
  t.same(members('lobby'), ['dave'])
  t.same(members('sales'), ['bob', 'dave'], 'after the listed ones')
  t.same(members('support'), ['alice', 'bob'])
  const bob = join('bob', 'web', { groups: ['sales'] })
  t.same(bob.groups, ['support', 'sales'])

  const desk = join('dave', 'desk', { groups: ['lobby'] })
  dave.grant({ canReceive: false, groups: [] })
  t.same(desk.groups, ['lobby'], 'an account is in what its devices join together')
  t.same(members('sales'), ['bob'])
  desk.leave()
  t.same(members('lobby'), [], 'who joined is gone with the last device that joins')
  dave.grant({ canReceive: true, groups: ['sales'], tokenCapacity: 3 })
  t.same(members('sales'), ['bob', 'dave'])
  dave.leave()
  bob.leave()
  t.same(members('sales'), ['bob'], 'who is listed stays, offline')
  t.match(presence.resource(n('acme'), n('sales'), queries.summary), {
    status: 'offline',
    counts: { offline: 1 },
  })
  t.equal(presence.knows(n('acme'), n('bob')), true)
  t.equal(presence.knows(n('acme'), n('carol')), true, 'configured')
  t.equal(presence.knows(n('acme'), n('lobby')), true, 'a group')
  t.equal(presence.knows(n('acme'), n('dave')), false)
  presence.override(n('acme'), n('dave'), { status: 'away' }, n('boss'))
  t.equal(presence.knows(n('acme'), n('dave')), true, 'something is said of him')
  presence.override(n('acme'), n('dave'), { status: null }, n('boss'))
  presence.subscriptions(n('acme'), new Ear()).subscribe(n('dave'), queries.full)
  t.equal(presence.knows(n('acme'), n('dave')), false, 'to be watched is not to exist')
  join('dave', 'web')
  t.equal(presence.knows(n('acme'), n('dave')), true, 'present')
})

t.test('nobody takes the name of a group', async t => {
  const { presence } = worldOf(directory)
  const arrival = {
    tenant: 'acme',
    account: 'support',
    device: 'x',
    link: new Ear(),
    groups: [],
    canReceive: true,
  }
  t.match(presence.attach({ ...arrival, confirms: true } as never), { ok: false, code: 'name-taken' })
  t.match(presence.override(n('acme'), n('support'), { status: 'away' }, n('x')), {
    ok: false,
    code: 'name-taken',
  })
  t.throws(() => presence.resource(n('nowhere'), n('x'), queries.full), { code: 'not-found' })
})

t.test('an unknown name looks like an account that is offline, at every level', async t => {
  const { presence, join } = worldOf(directory)
  presence.subscriptions(n('acme'), new Ear()).subscribe(n('erin'), queries.full)
  for (const query of Object.values(queries)) {
    const unknown = JSON.stringify(presence.resource(n('acme'), n('erik'), query))
    const known = JSON.stringify(presence.resource(n('acme'), n('erin'), query))
    t.equal(unknown.replaceAll('erik', 'erin'), known)
  }
  join('erik', 'web').leave()
  t.match(presence.resource(n('acme'), n('erik'), queries.routing), {
    kind: 'account',
    status: 'offline',
    counts: { offline: 1 },
    accounts: [
      { account: 'erik', lastSeen: null, devices: [], routing: { freeCapacity: 1, suspect: false } },
    ],
  })
})

t.test('[C11] a resource shows the accounts, page by page', async t => {
  const members = Array.from({ length: 25 }, (_, i) => `m${i}`)
  const { presence, join } = worldOf({ acme: { groups: { all: { members, open: true } } } })
  const read = (page: object) => presence.resource(n('acme'), n('all'), queries.full, page)
  const seen: string[] = []
  let cursor: string | undefined
  do {
    const page = read({ limit: 10, ...(cursor && { cursor }) })
    seen.push(...(page.accounts ?? []).map(({ account }) => account))
    cursor = page.cursor
    if (cursor === '9') join('late', 'web', { groups: ['all'] })
  } while (cursor)
  t.same(seen, [...members, 'late'], 'each once, with who joined meanwhile')
  t.equal(read({}).accounts?.length, 26)
  t.equal(read({ limit: 26 }).cursor, undefined)
  t.same(presence.resource(n('acme'), n('all'), queries.summary).accounts, undefined)
})

/** One watcher a level of a group and of an account in it; tells which heard of what was done. */
const watched = async () => {
  const world = worldOf(directory)
  const { clock, presence } = world
  const ears = Object.entries(queries).flatMap(([level, query]) =>
    ['support', 'alice'].map(topic => {
      const ear = new Ear()
      presence.subscriptions(n('acme'), ear).subscribe(n(topic), query)
      return { level: level as LevelName, topic, ear }
    }),
  )
  await clock.settle()
  return {
    ...world,
    ears,
    async heard(act: () => unknown): Promise<LevelName[]> {
      for (const { ear } of ears) ear.heard.length = 0
      const versions = () =>
        ears.map(({ level, topic }) => presence.resource(n('acme'), n(topic), queries[level]).version)
      const before = versions()
      await act()
      const moved = versions().map((version, at) => version > (before[at] ?? 0))
      await clock.settle(1000)
      const told = ears.map(({ ear }) => ear.presence.length > 0)
      t.same(told, moved, 'who is told is who sees the version move')
      const [group, account] = ['support', 'alice'].map(topic =>
        ears.filter((ear, at) => ear.topic === topic && told[at]).map(({ level }) => level),
      )
      t.same(group, account, 'of the group as of the account')
      return group as LevelName[]
    },
  }
}

t.test(
  'each change is seen from the level up that shows it, and moves the versions of those levels only',
  async t => {
    const { clock, presence, join, hold, heard } = await watched()
    const all = ['summary', 'full', 'devices', 'routing']
    let web = join('bob', 'unrelated')
    t.same(await heard(() => (web = join('alice', 'web', { link: new Ear() }))), all, 'arrival')
    t.same(await heard(() => web.declare({ status: 'away' })), all, 'another status')
    t.same(await heard(() => web.declare({ status: 'away', note: 'x' })), all.slice(1), 'another note')
    t.same(
      await heard(() => join('alice', 'desk', { status: 'dnd' })),
      all.slice(2),
      'a device that changes nothing else',
    )
    t.same(await heard(() => web.linger()), ['routing'], 'a lost connection')
    t.same(await heard(() => web.resume()), ['routing'], 'its return')
    t.same(await heard(() => web.suspect()), ['routing'], 'a doubt')
    t.same(await heard(() => web.alive()), ['routing'], 'a sign of life')
    t.same(await heard(() => web.alive()), [], 'another is nothing new')
    t.same(
      await heard(() => web.grant({ canReceive: true, groups: [], tokenCapacity: 2 })),
      ['routing'],
      'room for more',
    )
    t.same(await heard(() => web.declare({ status: 'available', note: 'x' })), all, 'back at her desk')
    const call = hold('alice', 'c')
    t.same(
      await heard(() => presence.claim(call, [n('web')])),
      all.slice(2),
      'a call that is not the last she can take',
    )
    t.same(await heard(() => presence.claim(hold('alice', 'd'), [n('web')])), all, 'the last one')
    t.same(
      await heard(() => presence.engage(hold('alice', 'd'), n('web'))),
      all.slice(1),
      'answered: the other call rings on, but no device of hers is merely ringing, and so none has the note',
    )
    t.same(await heard(() => presence.release(hold('alice', 'd'))), all)
    t.same(await heard(() => presence.quiet(call, n('web'))), all.slice(2))
    t.same(await heard(() => presence.release(call)), ['routing'], 'a place that nobody saw taken')
    t.same(await heard(() => presence.release(call)), [], 'nothing is given back twice')
    const until = new Date(clock.wall() + 60_000).toISOString()
    t.same(await heard(() => web.declare({ status: 'busy', until })), all)
    t.same(await heard(() => web.leave()), all)
    t.same(await heard(() => clock.advance(60_000)), [], 'what a device said is gone with it')
    t.same(await heard(() => presence.override(n('acme'), n('alice'), { status: 'dnd' }, n('b'))), [
      'routing',
    ])
  },
)

t.test(
  'a drop that resumes in time is seen by nobody: the status stays, and so does every version',
  async t => {
    const { clock, presence, join, entry, heard } = await watched()
    const web = join('alice', 'web', { status: 'busy', client: 'app/1' })
    const before = entry('alice')
    await clock.settle(1000)
    const levels = await heard(async () => {
      web.linger()
      t.match(entry('alice'), { status: 'busy', devices: [{ link: 'lingering' }] })
      const { routing, devices } = presence.resource(n('acme'), n('alice'), queries.routing).accounts![0]!
      t.match(devices, [{ rank: 1 }], 'but the router ranks it after every live one')
      t.equal(routing?.suspect, false)
      await clock.settle(14_000)
      web.resume()
    })
    t.same(levels, ['routing'])
    t.same({ ...entry('alice'), lastSeen: null }, { ...before, lastSeen: null })
    t.equal(entry('alice').lastSeen, new Date(clock.wall() - 15_000).toISOString())
  },
)

t.test('a suspect device ranks last, and is asked for a sign of life', async t => {
  const { presence, join } = worldOf(directory)
  const link = new Ear()
  const web = join('alice', 'web', { link })
  const party = { tenant: n('acme'), account: n('alice'), device: n('web') }
  const routing = () => presence.resource(n('acme'), n('alice'), queries.routing).accounts![0]!
  presence.suspect(party)
  presence.suspect({ ...party, device: n('other') })
  presence.suspect({ ...party, account: n('nobody') })
  t.equal(link.probes, 1)
  t.match(routing(), { devices: [{ rank: 2 }], routing: { suspect: true } })
  join('alice', 'desk')
  t.match(
    routing(),
    { devices: [{ rank: 2 }, { rank: 0 }], routing: { suspect: false } },
    'one live device will do',
  )
  web.alive()
  t.match(routing(), { devices: [{ rank: 0 }, { rank: 0 }] })
})

t.test('a newer connection takes its device over without any change in presence', async t => {
  const { presence, join, hold, entry, heard, status } = await watched()
  const old = join('alice', 'web', { note: 'x', client: 'app/1' })
  await presence.claim(hold('alice', 'c'), [n('web')])
  const before = presence.resource(n('acme'), n('alice'), queries.devices)
  const link = new Ear()
  const levels = await heard(() => join('alice', 'web', { link, client: 'app/2', capacity: 1 }))
  t.same(levels, ['routing'])
  t.same(settled(presence.resource(n('acme'), n('alice'), queries.devices)), settled(before))
  t.match(entry('alice').devices, [{ client: 'app/2', activity: 'ringing' }], 'its calls with it')
  t.equal(presence.counts.devices, 2 - 1)
  t.match(link.self, [{ status: 'ringing', devices: [{ client: 'app/2' }] }])
  t.equal(presence.send({ tenant: n('acme'), account: n('alice'), device: n('web') }, { type: 'pong' }), true)
  t.match(link.heard.at(-1), { type: 'pong' })

  const silent = await heard(() => {
    old.linger()
    old.resume()
    old.leave()
    old.alive()
    old.suspect()
    old.grant({ canReceive: false, groups: [] })
    t.match(old.declare({ status: 'dnd' }), { ok: true })
  })
  t.same(silent, [], 'what the old one still says is nothing')
  t.equal(status('alice'), 'ringing')

  const lingering = join('alice', 'web')
  lingering.linger()
  t.same(await heard(() => join('alice', 'web')), ['routing'], 'as one that lingers does')
  t.match(entry('alice').devices, [{ link: 'attached' }])
  const busy = await heard(() => join('alice', 'web', { status: 'busy' }))
  t.same(busy, ['full', 'devices', 'routing'], 'unless it says something new: here its note is gone')
})

t.test('an account is told anew after each change, and the same again until then', async t => {
  const { clock, presence, join } = worldOf({ acme: {} })
  const alice = join('alice', 'web', { client: 'first' })
  const routing = () =>
    presence.resource(n('acme'), n('alice'), { view: 'routing', devices: true }).accounts![0]!
  const full = () => presence.resource(n('acme'), n('alice'), { view: 'full', devices: false }).accounts![0]!
  t.equal(routing(), routing())
  const changes = {
    loss: () => alice.linger(),
    return: () => alice.resume(),
    doubt: () => alice.suspect(),
    life: () => alice.alive(),
    word: () => alice.declare({ status: 'away', note: 'lunch' }),
    override: () => presence.override(n('acme'), n('alice'), { status: 'dnd', note: 'no' }, n('boss')),
    rights: () => alice.grant({ canReceive: false, groups: [], tokenCapacity: 3 }),
    takeover: () => join('alice', 'web', { client: 'second' }),
  }
  for (const [what, change] of Object.entries(changes)) {
    const before = routing()
    clock.advance(1000)
    change()
    t.notSame(routing(), before, what)
    t.notOk('devices' in full(), 'no more than the reader may see')
  }
})

t.test('a registration that has left does nothing any more', async t => {
  const { clock, presence, join } = worldOf(directory)
  const link = new Ear()
  const web = join('zoe', 'web', { link })
  const until = new Date(clock.wall() + 1000).toISOString()
  web.leave()
  const again = join('zoe', 'other', { status: 'away' })
  web.leave()
  web.declare({ status: 'dnd', until })
  web.suspect()
  web.grant({ canReceive: true, groups: ['lobby'] })
  web.resume()
  t.equal(link.probes, 0)
  t.same(again.groups, [])
  t.same(presence.counts, { devices: 1, accounts: 4, subscriptions: 0 })
  t.equal(presence.send({ tenant: n('acme'), account: n('zoe'), device: n('web') }, { type: 'pong' }), false)
})

t.test('all devices of an account are told of it, once a turn, and agree', async t => {
  const { clock, join, presence } = worldOf(directory)
  const [web, desk, other] = [new Ear(), new Ear(), new Ear()]
  const attachment = join('alice', 'web', { link: web, client: 'app/1' })
  join('alice', 'desk', { link: desk, canReceive: false })
  join('bob', 'web', { link: other })
  t.same(web.heard, [], 'at the end of the turn')
  attachment.declare({ status: 'busy' })
  attachment.declare({ status: 'away' })
  await clock.settle()
  t.equal(web.self.length, 1)
  t.equal(web.self[0], desk.self[0], 'the same frame')
  t.same(web.self[0], {
    type: 'self',
    status: 'available',
    override: 'none',
    until: null,
    by: null,
    note: '',
    activity: 'free',
    groups: ['support'],
    devices: [
      { device: 'web', status: 'away', activity: 'idle', canReceive: true, client: 'app/1' },
      { device: 'desk', status: 'available', activity: 'idle', canReceive: false, client: '' },
    ],
  })
  t.equal(other.self.length, 1)
  attachment.declare({ status: 'busy' })
  await clock.settle()
  t.match(desk.self.at(-1), { devices: [{ status: 'busy' }, {}] }, 'each change')
  attachment.linger()
  attachment.resume()
  await clock.settle()
  t.equal(desk.self.length, 3, 'a return is told, a loss is not')
  attachment.grant({ canReceive: false, groups: [] })
  presence.override(n('acme'), n('alice'), { status: null }, n('alice'))
  await clock.settle()
  t.match(desk.self.at(-1), { devices: [{ canReceive: false }, {}] }, 'and so are other rights')
  t.equal(desk.self.length, 4)
  t.equal(other.self.length, 1, 'others hear nothing of it')
})

t.test('[C2] the same names in two tenants never meet', async t => {
  const groups = { support: { members: ['alice'], open: true } }
  const { clock, presence, join, status, hold } = worldOf({ acme: { groups }, other: { groups } })
  const ear = new Ear()
  const watcher = presence.subscriptions(n('other'), ear)
  for (const name of ['support', 'alice', 'dave']) watcher.subscribe(n(name), queries.routing)
  const before = ear.heard.length
  const everything = () =>
    JSON.stringify(
      ['support', 'alice', 'dave'].map(name => presence.resource(n('other'), n(name), queries.routing)),
    )
  const untouched = everything()
  join('alice', 'web', { groups: ['support'] })
  join('dave', 'web', { groups: ['support'] }).leave()
  presence.override(n('acme'), n('alice'), { status: 'available' }, n('alice'))
  await presence.claim(hold('alice', 'c'), [n('web')])
  presence.release(hold('alice', 'c', 'other'))
  presence.engage(hold('alice', 'c', 'other'), n('web'))
  t.match(await presence.claim(hold('alice', 'd', 'other'), [n('web')]), { ok: false, code: 'not-found' })
  t.match(presence.seize(hold('alice', 'd', 'other'), n('web')), { ok: false, code: 'not-found' })
  t.equal(
    presence.send({ tenant: n('other'), account: n('alice'), device: n('web') }, { type: 'pong' }),
    false,
  )
  await clock.settle(1000)
  t.equal(status('alice'), 'ringing')
  t.equal(everything(), untouched)
  t.equal(ear.heard.length, before)
})

t.test('100,000 who come and go leave no record, and no version of a name goes back', async t => {
  const { clock, presence, join } = worldOf({ acme: { groups: { lobby: { open: true } } } })
  const version = (name: string, query = queries.summary as (typeof queries)[LevelName]) =>
    presence.resource(n('acme'), n(name), query).version
  let last = -1
  for (let i = 0; i < 100_000; i++) {
    const attachment = join(`u${i}`, 'web', { groups: ['lobby'] })
    if (i % 1000 === 0) {
      const phone = join('alice', 'web')
      const present = version('alice')
      t.ok(present > last, 'she is where she was, or further')
      phone.leave()
      last = version('alice')
      t.ok(last > present)
      for (const query of Object.values(queries)) t.equal(version('alice', query), last)
      await clock.settle(500)
    }
    attachment.leave()
  }
  t.same(presence.counts, { devices: 0, accounts: 0, subscriptions: 0 })
  const lobby = presence.resource(n('acme'), n('lobby'), queries.full)
  t.match(lobby, { status: 'offline', accounts: [], counts: { available: 0, offline: 0 } })
})

/** A group of so many, all present; `act` is a claim and a release between two status changes of one of them. */
const crowd = (size: number) => {
  const members = Array.from({ length: size }, (_, i) => `m${i}`)
  const graph = new Graph(tenantsOf({ acme: { groups: { all: { members } } } }), new VirtualClock())
  const attachments = members.map(account => {
    const rights = { groups: [], canReceive: true, confirms: true, link: new Ear() }
    const attached = attach(graph, { tenant: n('acme'), account: n(account), device: n('web'), ...rights })
    if (!attached.ok) throw new Error(attached.message)
    return attached.value
  })
  let turn = 0
  const act = (): void => {
    turn++
    const at = turn % size
    attachments[at]!.declare({ status: 'available' })
    const hold = { tenant: n('acme'), account: n(`m${at}`), call: n('c') }
    claim(graph, hold, [n('web')])
    release(graph, hold, {})
    attachments[at]!.declare({ status: turn % 3 ? 'away' : 'busy' })
  }
  return { act, group: graph.tenant(n('acme')).groups.get(n('all'))! }
}

t.test('[B7] a status change and a claim in a group of 10,000 cost what they cost in one of 10', async t => {
  const [small, large] = [crowd(10), crowd(10_000)]
  const cost = (act: () => void): number => {
    const began = performance.now()
    for (let i = 0; i < 500; i++) act()
    return performance.now() - began
  }
  const rounds = Array.from({ length: 31 }, () => ({ small: cost(small.act), large: cost(large.act) }))
  // The best of each: what the work itself costs, whatever else the machine was doing.
  const ratio = Math.min(...rounds.map(({ large }) => large)) / Math.min(...rounds.map(({ small }) => small))
  t.ok(ratio <= 3, `${ratio.toFixed(2)} times`)

  const walked = () => t.fail('the members are walked')
  Object.assign(large.group.members, {
    [Symbol.iterator]: walked,
    forEach: walked,
    keys: walked,
    entries: walked,
  })
  for (let i = 0; i < 100; i++) large.act()
  t.match(large.group.tally, { available: 0, ringing: 0, offline: 0 })
})

t.test('a frame of the feed and the resource show no more than the level allows', async t => {
  const { ears, join, heard } = await watched()
  await heard(() => join('alice', 'web', { client: 'app/1' }))
  const shown = (level: LevelName) =>
    ears.find(ear => ear.level === level && ear.topic === 'alice')?.ear.presence[0] as PresenceFrame
  t.equal(shown('summary').accounts, undefined)
  t.equal(shown('full').accounts?.[0]?.devices, undefined)
  t.same(Object.keys(shown('devices').accounts?.[0]?.devices?.[0] ?? {}), [
    'device',
    'status',
    'since',
    'activity',
  ])
  t.equal(shown('devices').accounts?.[0]?.routing, undefined)
  t.match(shown('routing').accounts?.[0], {
    routing: { canReceive: true, freeCapacity: 1 },
    devices: [{ rank: 0 }],
  })
})
