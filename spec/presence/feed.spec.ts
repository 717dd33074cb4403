import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { gatherMs } from '../../src/presence/feed.js'
import type { Attachment, Link, Query, Subscriptions } from '../../src/presence/index.js'
import { declarable, type HubFrame, hubFrames } from '../../src/protocol/index.js'
import { check } from '../../src/runtime/index.js'
import { Ear, Fold, n, settled, worldOf } from '../support/presence-world.js'

const summary: Query = { view: 'summary', devices: false }
const full: Query = { view: 'full', devices: false }
const devices: Query = { view: 'full', devices: true }
const routing: Query = { view: 'routing', devices: false }

const people = ['alice', 'bob', 'carol', 'dave']
const phones = ['web', 'desk']
const topics = ['support', 'lobby', 'alice', 'dave']
const directory = {
  acme: {
    accounts: { carol: { capacity: 2 } },
    groups: { support: { members: ['alice', 'bob'] }, lobby: { members: ['carol'], open: true } },
  },
}

/** A reader that checks, at each frame, that its fold is what the resource of that version says. */
class Reader implements Link {
  readonly watching: Subscriptions
  readonly query: Query
  readonly folds = new Map<string, Fold>()
  readonly #presence: ReturnType<typeof worldOf>['presence']
  frames = 0

  constructor(presence: ReturnType<typeof worldOf>['presence'], query: Query) {
    this.#presence = presence
    this.query = query
    this.watching = presence.subscriptions(n('acme'), this)
  }

  toggle(topic: string): void {
    if (this.folds.delete(topic)) this.watching.unsubscribe(n(topic))
    else {
      this.folds.set(topic, new Fold())
      this.watching.subscribe(n(topic), this.query)
    }
  }

  send(frame: HubFrame): void {
    if (frame.type !== 'presence') return
    this.frames++
    const fold = this.folds.get(frame.destination)
    assert.ok(fold, 'nobody hears of what they do not watch')
    fold.apply(frame)
    this.check(frame.destination)
  }

  check(topic: string): void {
    const resource = this.#presence.resource(n('acme'), n(topic), this.query)
    assert.deepEqual(this.folds.get(topic)?.state, settled(resource))
  }

  probe(): void {}
}

const pick = fc.nat(999)
const step = fc.record({
  do: fc.constantFrom(
    ...([
      'join',
      'join',
      'declare',
      'declare',
      'declare',
      'until',
      'drop',
      'resume',
      'leave',
      'grant',
    ] as const),
    ...(['override', 'lift', 'claim', 'claim', 'engage', 'release', 'wrapup', 'suspect', 'alive'] as const),
    ...(['turn', 'turn', 'gather', 'minute', 'toggle', 'afresh'] as const),
  ),
  who: pick,
  what: pick,
})
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

const live = async (steps: readonly Step[]): Promise<number> => {
  const { clock, presence, join, hold } = worldOf(directory)
  const attached = new Map<string, Attachment>()
  const readers = [summary, full, devices, routing].flatMap(query =>
    [0, 1].map(() => new Reader(presence, query)),
  )
  for (const reader of readers.slice(0, 4)) for (const topic of topics) reader.toggle(topic)

  for (const { do: act, who, what } of steps) {
    const account = people[who % people.length] as string
    const device = phones[what % phones.length] as string
    const key = `${account}/${device}`
    const call = hold(account, `${what % 3}`)
    const status = declarable[what % declarable.length] as (typeof declarable)[number]
    const change = { status, note: what % 5 ? '' : `note ${what}` }
    const until = new Date(clock.wall() + 1 + (what % 90_000)).toISOString()
    const groups = what % 3 ? ['lobby'] : []
    if (act === 'join')
      attached.set(key, join(account, device, { groups, ...(what % 7 === 0 && { status }) }))
    if (act === 'declare') attached.get(key)?.declare(change)
    if (act === 'until') attached.get(key)?.declare({ ...change, until })
    if (act === 'drop') attached.get(key)?.linger()
    if (act === 'resume') attached.get(key)?.resume()
    if (act === 'leave') attached.get(key)?.leave()
    if (act === 'grant') attached.get(key)?.grant({ canReceive: what % 4 > 0, groups })
    if (act === 'suspect') attached.get(key)?.suspect()
    if (act === 'alive') attached.get(key)?.alive()
    if (act === 'override') presence.override(n('acme'), n(account), { ...change, until }, n('boss'))
    if (act === 'lift') presence.override(n('acme'), n(account), { status: null }, n('boss'))
    if (act === 'claim') await presence.claim(call, phones.map(n))
    if (act === 'engage') presence.engage(call, n(device))
    if (act === 'release') presence.release(call, { talkMs: 10 })
    if (act === 'wrapup') presence.release(call, { missed: true, coolDownMs: 100, wrapupMs: 5000 })
    if (act === 'turn') await clock.settle()
    if (act === 'gather') await clock.settle(what % 40)
    if (act === 'minute') await clock.settle(60_000)
    const reader = readers[who % readers.length] as Reader
    const topic = topics[what % topics.length] as string
    if (act === 'toggle') reader.toggle(topic)
    if (act === 'afresh' && reader.folds.has(topic)) reader.watching.subscribe(n(topic), reader.query)
  }
  await clock.settle(1000)
  for (const reader of readers) {
    for (const topic of reader.folds.keys()) reader.check(topic)
    reader.watching.close()
    assert.equal(reader.watching.size, 0)
  }
  for (const attachment of attached.values()) attachment.leave()
  await clock.settle(200_000)
  assert.equal(presence.counts.subscriptions, 0)
  assert.equal(presence.counts.devices, 0)
  return readers.reduce((sum, { frames }) => sum + frames, 0)
}

t.test(
  '[C12] what each subscriber has folded equals the resource, at each frame and at the end; no gap',
  async t => {
    const story = fc.array(step, { minLength: 1000, maxLength: 1000, size: 'max' })
    let frames = 0
    const kept = fc.asyncProperty(story, async steps => {
      frames += await live(steps)
    })
    await t.resolves(fc.assert(kept, { numRuns: 15, seed: 42, endOnFailure: true }))
    t.ok(frames > 10_000, `${frames} frames were folded`)
  },
)

t.test(
  'a quiet feed tells at once, a busy one gathers: one frame, with the latest of each account',
  async t => {
    const { clock, presence, join } = worldOf(directory)
    const [alice, bob] = [join('alice', 'web'), join('bob', 'web')]
    const ear = new Ear()
    presence.subscriptions(n('acme'), ear).subscribe(n('support'), full)
    t.match(ear.presence, [
      { snapshot: true, version: 4, accounts: [{ account: 'alice' }, { account: 'bob' }] },
    ])
    await clock.settle(1000)
    alice.declare({ status: 'away' })
    t.equal(ear.presence.length, 1, 'at the end of the turn')
    await clock.settle()
    t.match(ear.presence[1], {
      snapshot: false,
      prev: 4,
      version: 5,
      accounts: [{ account: 'alice', status: 'away' }],
    })
    for (const status of ['busy', 'dnd', 'available', 'busy'] as const) {
      alice.declare({ status })
      await clock.settle(2)
    }
    bob.declare({ status: 'dnd' })
    await clock.settle(10)
    t.equal(ear.presence.length, 2, 'it gathers')
    await clock.settle(5)
    t.equal(ear.presence.length, 3)
    t.match(ear.presence[2], {
      prev: 5,
      version: 10,
      status: 'busy',
      accounts: [
        { account: 'alice', status: 'busy' },
        { account: 'bob', status: 'dnd' },
      ],
    })
    await clock.settle(25)
    bob.declare({ status: 'away' })
    await clock.settle()
    t.equal(ear.presence.length, 4, 'quiet again, so at once')
  },
)

t.test('it gathers the longer the larger the audience, from 20 to 200 ms', async t => {
  t.same([0, 50, 1000, 4000, 9000, 100_000].map(gatherMs), [20, 21, 40, 100, 200, 200])
  const { clock, presence, join } = worldOf(directory)
  const alice = join('alice', 'web')
  const ears = Array.from({ length: 4000 }, () => new Ear())
  for (const ear of ears) presence.subscriptions(n('acme'), ear).subscribe(n('alice'), summary)
  alice.declare({ status: 'away' })
  await clock.settle()
  alice.declare({ status: 'busy' })
  await clock.settle(99)
  t.equal(ears[0]?.presence.length, 2)
  await clock.settle(6)
  t.equal(ears[3999]?.presence.length, 3)
})

t.test('all who held the same version get the same frame, to be encoded once', async t => {
  const { clock, presence, join } = worldOf(directory)
  const alice = join('alice', 'web')
  await clock.settle(1000)
  const subscribe = (query: Query) => {
    const ear = new Ear()
    presence.subscriptions(n('acme'), ear).subscribe(n('support'), query)
    return ear
  }
  const [a, b, other] = [subscribe(full), subscribe(full), subscribe(devices)]
  alice.declare({ status: 'away' })
  const [c, d] = [subscribe(full), subscribe(full)]
  t.match(c.presence, [{ snapshot: true, accounts: [{ status: 'away' }, {}] }])
  alice.declare({ status: 'busy' })
  await clock.settle()
  t.equal(a.presence[1], b.presence[1])
  t.equal(c.presence[1], d.presence[1])
  t.not(a.presence[1], c.presence[1], 'it builds on another version')
  t.not(a.presence[1], other.presence[1], 'nor do other rights share it')
  alice.declare({ status: 'dnd' })
  await clock.settle(100)
  t.equal(a.presence[2], d.presence[2], 'from then on all stand together')
})

t.test('all who join at the same version get the same snapshot, to be encoded once', async t => {
  const world = worldOf(directory)
  const join = (query: Query): Ear => {
    const ear = new Ear()
    world.presence.subscriptions(n('acme'), ear).subscribe(n('support'), query)
    return ear
  }
  const [first, second] = [join(full), join(full)]
  t.equal(first.presence[0], second.presence[0])
  t.not(join(devices).presence[0], first.presence[0], 'of equal rights')
  world.join('alice', 'web')
  const third = join(full)
  t.not(third.presence[0], first.presence[0])
  t.match(third.presence, [{ snapshot: true, status: 'available' }])
})

t.test('who leaves an open group is removed from it, who comes back meanwhile is not', async t => {
  const { clock, presence, join } = worldOf(directory)
  const [ear, counting] = [new Ear(), new Ear()]
  const joining = { groups: ['lobby'] }
  const [alice, bob] = [join('alice', 'web', joining), join('bob', 'web', joining)]
  presence.subscriptions(n('acme'), ear).subscribe(n('lobby'), full)
  presence.subscriptions(n('acme'), counting).subscribe(n('lobby'), summary)
  await clock.settle(1000)
  alice.declare({ status: 'dnd' })
  alice.leave()
  bob.leave()
  join('bob', 'web', { ...joining, status: 'busy' })
  await clock.settle()
  t.match(ear.presence[1], { accounts: [{ account: 'bob', status: 'busy' }], removed: ['alice'] })
  t.equal(ear.presence[1]?.accounts?.length, 1)
  t.match(counting.presence[1], {
    counts: { busy: 1, available: 0, offline: 1 },
    accounts: undefined,
    removed: undefined,
  })
  join('alice', 'web', joining)
  await clock.settle(100)
  t.match(ear.presence[2], { accounts: [{ account: 'alice' }], removed: undefined })
})

t.test('a reader may subscribe, leave or change what it reads while it is being told', async t => {
  const { clock, presence, join } = worldOf(directory)
  const alice = join('alice', 'web')
  const late = new Ear()
  const latecomer = presence.subscriptions(n('acme'), late)
  const nosy = new Ear()
  nosy.send = frame => {
    nosy.heard.push(frame)
    if (nosy.heard.length !== 2) return
    alice.declare({ status: 'dnd' })
    latecomer.subscribe(n('alice'), full)
    leaver.close()
  }
  presence.subscriptions(n('acme'), nosy).subscribe(n('alice'), full)
  const gone = new Ear()
  const leaver = presence.subscriptions(n('acme'), gone)
  leaver.subscribe(n('alice'), full)
  await clock.settle(1000)
  alice.declare({ status: 'away' })
  await clock.settle(1000)
  for (const ear of [nosy, late]) {
    const fold = new Fold()
    for (const frame of ear.presence) fold.apply(frame)
    t.same(fold.state, settled(presence.resource(n('acme'), n('alice'), full)))
  }
  t.equal(gone.presence.length, 1)
})

t.test('subscribing again is a fresh snapshot, at the level asked for now; each is counted once', async t => {
  const { clock, presence, join } = worldOf(directory)
  const ear = new Ear()
  const watching = presence.subscriptions(n('acme'), ear)
  watching.subscribe(n('alice'), devices)
  watching.subscribe(n('alice'), summary)
  watching.subscribe(n('nobody'), full)
  t.equal(watching.size, 2)
  t.same(presence.counts, { devices: 0, accounts: 4, subscriptions: 2 })
  t.match(ear.presence, [{ accounts: [{ devices: [] }] }, { accounts: undefined }, { status: 'offline' }])
  join('alice', 'web')
  await clock.settle()
  t.equal(ear.presence.length, 4, 'one of each change')
  watching.unsubscribe(n('never'))
  watching.prune(destination => destination === 'alice')
  t.equal(watching.size, 1)
  t.equal(presence.counts.accounts, 3, 'a name that was only watched is forgotten')
  join('nobody', 'web')
  await clock.settle(1000)
  t.equal(ear.presence.length, 4)
  watching.close()
  watching.close()
  t.same(presence.counts.subscriptions, 0)
})

t.test('what the feed and `self` say fits the protocol’s own schemas', async t => {
  const { clock, presence, join, hold } = worldOf(directory)
  const ear = new Ear()
  const watching = presence.subscriptions(n('acme'), ear)
  watching.subscribe(n('lobby'), routing)
  const alice = join('alice', 'web', { link: ear, groups: ['lobby'] })
  await presence.claim(hold('alice', 'c'), [n('web')])
  presence.release(hold('alice', 'c'), { missed: true, coolDownMs: 100 })
  await clock.settle(1000)
  alice.leave()
  await clock.settle(1000)
  const checks = { presence: check(hubFrames.presence), self: check(hubFrames.self) }
  t.same(new Set(ear.heard.map(({ type }) => type)), new Set(['presence', 'self']))
  for (const frame of ear.heard) t.match(checks[frame.type as 'self'](frame), { ok: true })
})
