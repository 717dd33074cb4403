import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { Graph } from '../../src/presence/graph.js'
import { claim, engage, quiet, release, seize } from '../../src/presence/holds.js'
import type { Attachment } from '../../src/presence/index.js'
import { deviceOccupation, freeOf, occupation } from '../../src/presence/records.js'
import { attach } from '../../src/presence/registration.js'
import { endWrapup } from '../../src/presence/wrapup.js'
import { VirtualClock } from '../../src/runtime/index.js'
import { Ear, n, tenantsOf, worldOf } from '../support/presence-world.js'

const devices = ['a', 'b', 'c']
const calls = ['1', '2', '3', '4']
const device = fc.constantFrom(...devices)
const call = fc.constantFrom(...calls)
const capacity = fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined })
const wrapupMs = fc.constantFrom(undefined, 0, 500, 2000)
const command = fc.oneof(
  fc.record({
    do: fc.constant('attach' as const),
    device,
    token: capacity,
    capacity,
    canReceive: fc.boolean(),
  }),
  fc.record({ do: fc.constant('grant' as const), device, token: capacity }),
  fc.record({ do: fc.constantFrom('leave' as const, 'linger' as const, 'resume' as const), device }),
  fc.record({ do: fc.constant('claim' as const), call, devices: fc.subarray(devices) }),
  fc.record({ do: fc.constantFrom('seize' as const, 'engage' as const, 'quiet' as const), call, device }),
  fc.record({ do: fc.constant('release' as const), call, wrapupMs, talkMs: fc.constantFrom(undefined, 10) }),
  fc.record({ do: fc.constant('wrapup' as const), endMs: fc.constantFrom(0, 400, 3000) }),
  fc.record({ do: fc.constant('advance' as const), ms: fc.constantFrom(100, 600, 2500) }),
)

/** What must be so, told in other words than the code's: phases by call, the ends of wrap-ups, capacities by device. */
class Model {
  readonly there = new Map<
    string,
    { token: number | undefined; capacity: number | undefined; canReceive: boolean }
  >()
  readonly holds = new Map<string, { phase: 'ringing' | 'engaged'; devices: Set<string> }>()
  wrapups: number[] = []

  get capacity(): number {
    const tokens = [...this.there.values()].flatMap(({ token }) => token ?? [])
    const asked = [...this.there.values()].flatMap(({ capacity }) => capacity ?? [])
    return Math.min(tokens.at(-1) ?? 1, ...asked)
  }

  get free(): number {
    return this.capacity - this.holds.size - this.wrapups.length
  }

  get activity(): string {
    if (this.free > 0) return 'free'
    const phases = [...this.holds.values()].map(({ phase }) => phase)
    return phases.includes('ringing') ? 'ringing' : phases.includes('engaged') ? 'engaged' : 'wrapup'
  }

  activityOf(device: string): string {
    const phases = [...this.holds.values()]
      .filter(({ devices }) => devices.has(device))
      .map(({ phase }) => phase)
    return phases.includes('engaged') ? 'engaged' : phases.includes('ringing') ? 'ringing' : 'idle'
  }
}

const run = (commands: readonly (typeof command extends fc.Arbitrary<infer C> ? C : never)[]): void => {
  const clock = new VirtualClock()
  const graph = new Graph(tenantsOf({ acme: {} }), clock)
  const model = new Model()
  const attachments = new Map<string, Attachment>()
  const holdOf = (call: string) => ({ tenant: n('acme'), account: n('alice'), call: n(call) })
  /** What a claim or a seize must come to, by the model. */
  const refusal = (call: string, there: boolean): string | undefined =>
    !there ? 'not-found' : model.holds.has(call) ? 'conflict' : model.free < 1 ? 'busy' : undefined

  const apply = (command: (typeof commands)[number]): void => {
    switch (command.do) {
      case 'attach': {
        const { token, capacity, canReceive } = command
        const arrival = { tenant: n('acme'), account: n('alice'), device: n(command.device), link: new Ear() }
        const attached = attach(graph, {
          ...arrival,
          groups: [],
          canReceive,
          confirms: true,
          ...(token && { tokenCapacity: token }),
          ...(capacity && { capacity }),
        })
        if (!attached.ok) throw new Error(attached.message)
        attachments.set(command.device, attached.value)
        model.there.set(command.device, { token, capacity, canReceive })
        return
      }
      case 'grant': {
        const known = model.there.get(command.device)
        const { token } = command
        attachments
          .get(command.device)
          ?.grant({ canReceive: true, groups: [], ...(token && { tokenCapacity: token }) })
        if (known) model.there.set(command.device, { ...known, token, canReceive: true })
        return
      }
      case 'leave':
        attachments.get(command.device)?.leave()
        model.there.delete(command.device)
        for (const { devices } of model.holds.values()) devices.delete(command.device)
        return
      case 'linger':
      case 'resume':
        attachments.get(command.device)?.[command.do]()
        return
      case 'claim': {
        const there = command.devices.filter(device => model.there.get(device)?.canReceive)
        const expected = refusal(command.call, there.length > 0)
        const claimed = claim(graph, holdOf(command.call), command.devices.map(n))
        assert.equal(claimed.ok ? undefined : claimed.code, expected)
        if (!claimed.ok) return
        assert.deepEqual([...claimed.value].sort(), there.toSorted())
        model.holds.set(command.call, { phase: 'ringing', devices: new Set(there) })
        return
      }
      case 'seize': {
        const expected = refusal(command.call, model.there.has(command.device))
        const seized = seize(graph, holdOf(command.call), n(command.device))
        assert.equal(seized.ok ? undefined : seized.code, expected)
        if (seized.ok) model.holds.set(command.call, { phase: 'engaged', devices: new Set([command.device]) })
        return
      }
      case 'engage':
      case 'quiet': {
        const hold = model.holds.get(command.call)
        if (command.do === 'quiet') {
          quiet(graph, holdOf(command.call), n(command.device))
          hold?.devices.delete(command.device)
          return
        }
        engage(graph, holdOf(command.call), n(command.device))
        if (!hold) return
        const answered = hold.devices.has(command.device)
        model.holds.set(command.call, {
          phase: 'engaged',
          devices: new Set(answered ? [command.device] : []),
        })
        return
      }
      case 'release': {
        const { wrapupMs, talkMs } = command
        const outcome = { ...(wrapupMs && { wrapupMs }), ...(talkMs && { talkMs }) }
        release(graph, holdOf(command.call), outcome)
        if (model.holds.delete(command.call) && wrapupMs) model.wrapups.push(clock.now() + wrapupMs)
        return
      }
      case 'wrapup': {
        const ended = endWrapup(graph, graph.find(n('acme'), n('alice')), command.endMs)
        assert.equal(ended.ok, model.wrapups.length > 0 || command.endMs === 0)
        model.wrapups = command.endMs === 0 ? [] : model.wrapups.map(() => clock.now() + command.endMs)
        return
      }
      case 'advance':
        clock.advance(command.ms)
        model.wrapups = model.wrapups.filter(end => end > clock.now())
    }
  }

  for (const command of commands) {
    const held = model.holds.size
    apply(command)
    const account = graph.find(n('acme'), n('alice'))
    const kept = model.there.size > 0 || model.holds.size > 0 || model.wrapups.length > 0
    assert.equal(account !== undefined, kept, 'the record is there while anything holds it')
    if (model.holds.size > held) assert.ok(model.free >= 0, 'a place is never taken that was not free')
    if (account === undefined) continue
    assert.equal(account.state.value.activity, occupation(account), 'the machine is where the fold says')
    assert.equal(account.state.value.activity, model.activity)
    assert.equal(freeOf(account), Math.max(0, model.free))
    assert.equal(account.holds.length, model.holds.size)
    for (const device of account.devices) {
      assert.equal(device.state.value.activity, deviceOccupation(device))
      assert.equal(device.state.value.activity, model.activityOf(device.id))
    }
  }

  for (const call of calls) release(graph, holdOf(call), {})
  for (const attachment of attachments.values()) attachment.leave()
  clock.advance(10_000)
  assert.equal(graph.accounts, 0, 'no hold is leaked, and no record')
  assert.equal(graph.devices, 0)
}

t.test('the machine equals the fold of what is held, whatever happens in whatever order', async t => {
  const story = fc.array(command, { maxLength: 150, size: 'max' })
  t.doesNotThrow(() => fc.assert(fc.property(story, run), { numRuns: 300, seed: 7 }))
})

t.test('[C9] of however many that race for one person, as many win as there are places', async t => {
  for (const places of [1, 3]) {
    const { presence, join, hold } = worldOf({ acme: { accounts: { alice: { capacity: places } } } })
    join('alice', 'web')
    const races = Array.from({ length: 10_000 }, (_, i) => presence.claim(hold('alice', `${i}`), [n('web')]))
    const won = (await Promise.all(races)).filter(({ ok }) => ok)
    t.equal(won.length, places)
  }
})

t.test('a place passes from one call to another, and nobody sees a thing of it', async t => {
  const { presence, join, hold } = worldOf({ acme: { accounts: { alice: {} } } })
  join('alice', 'web')
  const look = () => presence.resource(n('acme'), n('alice'), { view: 'routing', devices: true })
  presence.pass(hold('alice', 'a'), n('b'))
  presence.pass(hold('nobody', 'a'), n('b'))
  t.ok(presence.seize(hold('alice', 'a'), n('web')).ok)
  const before = look()
  presence.pass(hold('alice', 'a'), n('b'))
  t.same(look(), before)
  presence.release(hold('alice', 'a'))
  t.equal(look().status, 'busy', 'the first call has none any more')
  presence.release(hold('alice', 'b'), { talkMs: 7 })
  t.match(look(), { status: 'available', accounts: [{ routing: { talkMs: 7 } }] })
})

t.test('[U17] a claim rings nobody who has said meanwhile that they take no calls', async t => {
  const { presence, join, hold } = worldOf({ acme: { accounts: { alice: { capacity: 2 } } } })
  const web = join('alice', 'web')
  join('alice', 'desk')
  const claim = (call: string) => presence.claim(hold('alice', call), ['web', 'desk'].map(n))
  web.declare({ status: 'away' })
  t.same(await claim('a'), { ok: true, value: ['desk'] })
  presence.override(n('acme'), n('alice'), { status: 'dnd' }, n('alice'))
  t.match(await claim('b'), { ok: false, code: 'not-found' })
  presence.override(n('acme'), n('alice'), { status: 'available' }, n('alice'))
  t.same(await claim('b'), { ok: true, value: ['web', 'desk'] })
  t.match(await claim('c'), { ok: false, code: 'busy' })
})

t.test(
  'a claim rings those devices that are there and may receive, and is refused where none is',
  async t => {
    const { presence, join, hold, entry } = worldOf({ acme: {} })
    const web = join('alice', 'web')
    join('alice', 'wall', { canReceive: false })
    join('alice', 'desk').linger()
    t.same(await presence.claim(hold('alice', 'c'), ['web', 'wall', 'desk', 'gone'].map(n)), {
      ok: true,
      value: ['web', 'desk'],
    })
    t.match(entry('alice').devices, [{ activity: 'ringing' }, { activity: 'idle' }, { activity: 'ringing' }])
    t.match(await presence.claim(hold('alice', 'c'), [n('web')]), { ok: false, code: 'conflict' })
    t.match(await presence.claim(hold('alice', 'd'), [n('wall')]), { ok: false, code: 'not-found' })
    t.match(await presence.claim(hold('nobody', 'd'), [n('web')]), { ok: false, code: 'not-found' })
    web.leave()
    t.equal(entry('alice').status, 'ringing', 'the place is held while the call has another device')
    presence.engage(hold('alice', 'c'), n('desk'))
    t.match(entry('alice'), { status: 'busy', devices: [{ activity: 'idle' }, { activity: 'engaged' }] })
  },
)

t.test(
  'placing a call takes a place; a directory’s capacity wins over a token’s, and a client may ask for less',
  async t => {
    const { presence, join, hold } = worldOf({ acme: { accounts: { carol: { capacity: 2 } } } })
    const free = (name: string) =>
      presence.resource(n('acme'), n(name), { view: 'routing', devices: true }).accounts?.[0]?.routing
        ?.freeCapacity
    join('carol', 'web', { tokenCapacity: 5 })
    t.equal(free('carol'), 2)
    const modest = join('carol', 'desk', { capacity: 1 })
    t.equal(free('carol'), 1)
    t.match(presence.seize(hold('carol', 'c'), n('web')), { ok: true })
    t.match(presence.seize(hold('carol', 'd'), n('web')), { ok: false, code: 'busy' })
    modest.leave()
    t.equal(free('carol'), 1)
    t.match(presence.seize(hold('carol', 'd'), n('web')), { ok: true })
    t.match(presence.seize(hold('carol', 'd'), n('web')), { ok: false, code: 'conflict' })
    join('dave', 'web', { tokenCapacity: 3, capacity: 9 })
    t.equal(free('dave'), 3)
  },
)

t.test('how a call ended is kept for routing', async t => {
  const { clock, presence, join, hold } = worldOf({ acme: {} })
  join('alice', 'web')
  const query = { view: 'routing', devices: false } as const
  const facts = () => presence.resource(n('acme'), n('alice'), query).accounts?.[0]?.routing
  const ring = (call: string) => presence.claim(hold('alice', call), [n('web')])
  const at = (ms: number) => new Date(clock.wall() + ms).toISOString()

  await ring('1')
  presence.release(hold('alice', '1'), { missed: true, coolDownMs: 10_000 })
  await ring('2')
  presence.release(hold('alice', '2'), { missed: true })
  await ring('2b')
  presence.release(hold('alice', '2b'), { coolDownMs: 100 })
  t.match(facts(), {
    missedInARow: 2,
    notBefore: at(10_000),
    callsTaken: 0,
    talkMs: 0,
    lastCallEndedAt: null,
  })
  await ring('3')
  presence.engage(hold('alice', '3'), n('web'))
  t.match(facts(), { missedInARow: 0, callsTaken: 1 })
  clock.advance(5000)
  presence.release(hold('alice', '3'), { talkMs: 5000 })
  t.match(facts(), { talkMs: 5000, lastCallEndedAt: at(0) })
  clock.advance(5000)
  presence.seize(hold('alice', '4'), n('web'))
  presence.release(hold('alice', '4'), { talkMs: 100 })
  t.match(
    facts(),
    { talkMs: 5000, callsTaken: 1, lastCallEndedAt: at(0) },
    'calls that she placed are not calls she took',
  )
})

t.test(
  'wrap-up ends sooner or later by the person’s own word, all of it where there is more than one',
  async t => {
    const { clock, presence, join, hold, entry } = worldOf({ acme: { accounts: { alice: { capacity: 2 } } } })
    const link = new Ear()
    join('alice', 'web', { link })
    const talk = (call: string, wrapupMs: number) => {
      presence.seize(hold('alice', call), n('web'))
      presence.release(hold('alice', call), { talkMs: 5, wrapupMs })
    }
    const say = (endMs: number, account = 'alice') => presence.wrapup(n('acme'), n(account), endMs)
    const free = () =>
      presence.resource(n('acme'), n('alice'), { view: 'routing', devices: true }).accounts?.[0]?.routing
        ?.freeCapacity
    t.match(say(5000), { ok: false, code: 'conflict' }, 'there is nothing to extend')
    t.match([say(0), say(0, 'nobody')], [{ ok: true }, { ok: true }])
    talk('1', 1000)
    talk('2', 30_000)
    t.match([free(), entry('alice').activity], [0, 'wrapup'])
    t.match(say(5000), { ok: true })
    clock.advance(4990)
    t.match([free(), entry('alice').activity], [0, 'wrapup'], 'the first goes on, too')
    clock.advance(20)
    t.match([free(), entry('alice').activity], [2, 'free'])
    talk('3', 30_000)
    talk('4', 30_000)
    link.heard.length = 0
    t.match(say(0), { ok: true })
    t.match([free(), entry('alice').status], [2, 'available'])
    await Promise.resolve()
    t.match(link.self.at(-1), { activity: 'free', status: 'available' })
    const versions = () =>
      presence.resource(n('acme'), n('alice'), { view: 'routing', devices: true }).version
    const before = versions()
    clock.advance(60_000)
    t.equal(versions(), before, 'nothing of the ended ones comes later')
  },
)

t.test('misses in a row: the system sets away, says so to each device, and any new word ends it', async t => {
  const { presence, join, hold, entry } = worldOf({ acme: { accounts: { alice: {} } } })
  const link = new Ear()
  const web = join('alice', 'web', { link })
  let calls = 0
  const ring = async (outcome: object) => {
    const held = hold('alice', `${++calls}`)
    t.ok((await presence.claim(held, [n('web')])).ok)
    if ('answered' in outcome) presence.engage(held, n('web'))
    presence.release(held, outcome)
  }
  const miss = (awayAfterMisses?: number) =>
    ring({ missed: true, ...(awayAfterMisses && { awayAfterMisses }) })
  const say = (status: string | null) =>
    presence.override(n('acme'), n('alice'), { status } as never, n('alice')).ok
  const self = async () => {
    await Promise.resolve()
    const { override, by, note, status } = link.self.at(-1)!
    return { override, by, note, status }
  }
  const none = { override: 'none', by: null, note: '', status: 'available' }

  for (let times = 0; times < 5; times++) await miss()
  t.same(await self(), none, 'without the option never')
  await ring({ answered: true, talkMs: 1 })
  await miss(3)
  await miss(3)
  t.same(await self(), none)
  await ring({ answered: true, talkMs: 1 })
  await miss(3)
  await miss(3)
  t.same(await self(), none, 'an answered call begins the count anew')
  await miss(3)
  const away = { override: 'away', by: '*system', note: 'missed 3 calls in a row', status: 'away' }
  t.same(await self(), away)
  t.match(entry('alice'), { status: 'away', note: 'missed 3 calls in a row', until: null })

  t.ok(say(null))
  t.same(await self(), none)
  await miss(3)
  await miss(3)
  t.same(await self(), none, 'called back, the count begins anew')
  t.ok(say('available'))
  await miss(3)
  t.match(await self(), { override: 'away', by: '*system' }, 'in place of an earlier "available"')
  t.ok(say('available'))
  for (let times = 0; times < 2; times++) await miss(3)
  t.match(await self(), { override: 'available', by: 'alice' })

  const held = hold('alice', 'last')
  await presence.claim(held, [n('web')])
  t.ok(say('dnd'))
  presence.release(held, { missed: true, awayAfterMisses: 1 })
  t.match(await self(), { override: 'dnd', by: 'alice' }, 'a word that keeps calls away stands')
  t.ok(say(null))
  await presence.claim(held, [n('web')])
  web.leave()
  presence.release(held, { missed: true, awayAfterMisses: 1 })
  join('alice', 'web')
  t.equal(entry('alice').status, 'available', 'who was gone comes back as they are')
})
