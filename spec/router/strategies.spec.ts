// The strategies, each held to what its name promises over long seeded runs in which members come and go: `pick` is
// asked as a router asks it, and what it says is held against a model told in other words.

import t from 'tap'
import { type Strategy, strategies } from '../../src/config.js'
import { Bounds } from '../../src/limits/index.js'
import type { AccountId, Resource } from '../../src/protocol/index.js'
import { Memory } from '../../src/router/memory.js'
import { type Member, type Policy, pick } from '../../src/router/pick/index.js'
import { VirtualClock } from '../../src/runtime/index.js'
import { type Chance, chanceOf, seedOf } from '../support/chance.js'
import { n } from '../support/presence-world.js'

interface Person {
  readonly name: string
  readonly member: Member
  available: boolean
  rank: number
  calls: number
  capacity: number
  lastCallEndedAt: number | null
  callsTaken: number
  talkMs: number
  notBefore: number | null
  /** Of the resource: who is in the group at all. */
  there: boolean
}

const person = (name: string, more: Partial<Person> = {}, member: Partial<Member> = {}): Person => ({
  name,
  member: { tier: 1, weight: 1, skills: [], ...member },
  available: true,
  rank: 0,
  calls: 0,
  capacity: 1,
  lastCallEndedAt: null,
  callsTaken: 0,
  talkMs: 0,
  notBefore: null,
  there: true,
  ...more,
})

const peopleOf = (count: number, more: (index: number) => Partial<Person> = () => ({})): Person[] =>
  Array.from({ length: count }, (_, index) => person(`p${index}`, more(index)))

const iso = (time: number | null) => (time === null ? null : new Date(time).toISOString())

const resourceOf = (people: readonly Person[]): Resource =>
  ({
    accounts: people
      .filter(({ there }) => there)
      .map(each => ({
        account: each.name,
        status: !each.available ? 'away' : each.calls < each.capacity ? 'available' : 'busy',
        routing: {
          canReceive: true,
          freeCapacity: Math.max(0, each.capacity - each.calls),
          calls: each.calls,
          callsTaken: each.callsTaken,
          talkMs: each.talkMs,
          lastCallEndedAt: iso(each.lastCallEndedAt),
          notBefore: iso(each.notBefore),
        },
        devices: [{ device: 'd', status: 'available', canReceive: true, rank: each.rank }],
      })),
  }) as unknown as Resource

const noTurns: Policy['turns'] = new Map()

/** Whom `pick` would ring, in order. */
const orderOf = (people: readonly Person[], policy: Partial<Policy> & { strategy: Strategy }): Person[] => {
  const { candidates } = pick(resourceOf(people), {
    members: new Map(people.map(({ name, member }) => [n(name), member])),
    skills: [],
    rung: new Set(),
    now: 1e12,
    random: () => 0.5,
    turns: noTurns,
    ...policy,
  })
  return candidates.map(({ account }) => people.find(({ name }) => name === account)!)
}

const randomOf = (chance: Chance) => () => chance.below(2 ** 31) / 2 ** 31

const calls = 10_000

t.test('round-robin: 10,000 calls are even within one among all who are there throughout', async t => {
  const seed = seedOf(t)
  const chance = chanceOf(seed)
  const clock = new VirtualClock()
  const memory = new Memory(clock, new Bounds())
  const place = { tenant: n('acme'), group: n('support') }
  const people = peopleOf(12)
  /** How often each was rung, after each call: an interval is a difference of two of these. */
  const history: number[][] = [people.map(() => 0)]
  /** Since which call each has been there without a break. */
  const since = people.map(() => 0)
  let worst = 0
  for (let call = 1; call <= calls; call++) {
    // The first three are always there. Some sign out, some leave the group whole, and come back at its end.
    for (const [index, each] of people.entries()) {
      if (index < 3) continue
      const was = each.available && each.there
      if (chance.odds(0.02)) each.available = !each.available
      if (chance.odds(0.01)) each.there = !each.there
      if (!was || !(each.available && each.there)) since[index] = call
    }
    const accounts = resourceOf(people).accounts!
    const { turns } = memory.recall('round-robin', place, 'x', accounts)
    const [first] = orderOf(people, { strategy: 'round-robin', turns })
    memory.rang(place, n(first!.name))
    const counts = [...history.at(-1)!]
    counts[people.indexOf(first!)]!++
    history.push(counts)
    // Over each interval that ends here, those who were there throughout.
    for (const from of [since[chance.below(people.length)]!, chance.below(call)]) {
      const before = history[from]!
      const got = people
        .map((_, index) => counts[index]! - before[index]!)
        .filter((_, index) => since[index]! <= from)
      const spread = Math.max(...got) - Math.min(...got)
      if (spread > worst) worst = spread
    }
  }
  t.equal(worst, 1)
  const [a, b, c] = history.at(-1)!
  t.ok(Math.max(a!, b!, c!) - Math.min(a!, b!, c!) <= 1, `${a} ${b} ${c}`)
  t.ok(a! > calls / 20)
})

t.test(
  'round-robin keeps turns of those alone who are in the group, and of groups that there are',
  async t => {
    const memory = new Memory(new VirtualClock(), new Bounds())
    const place = { tenant: n('acme'), group: n('support') }
    let most = 0
    for (let call = 0; call < 1000; call++) {
      const there = peopleOf(10).map(each => ({ ...each, name: `${each.name}-${Math.floor(call / 10)}` }))
      const { turns } = memory.recall('round-robin', place, 'x', resourceOf(there).accounts!)
      memory.rang(place, n(orderOf(there, { strategy: 'round-robin', turns })[0]!.name))
      most = Math.max(most, memory.size)
    }
    t.equal(most, 21)
    memory.talked(place, '+1', n('p1'))
    const tenant = { groups: new Map([['support', {}]]) } as never
    memory.configure(new Map([[n('acme'), tenant]]))
    t.ok(memory.size > 1)
    memory.configure(new Map([[n('acme'), { groups: new Map() } as never]]))
    t.equal(memory.size, 1, 'the group is gone, its turns too')
    memory.configure(new Map())
    t.equal(memory.size, 0)
  },
)

/** Calls come, are talked and end; `begun` sees each as it is given to someone. */
const shift = (
  chance: Chance,
  people: Person[],
  choose: (now: number) => Person | undefined,
  begun: (chosen: Person, now: number) => void,
): void => {
  let now = 1e11
  const ends: { at: number; person: Person; talk: number }[] = []
  for (let call = 0; call < calls; call++) {
    now += chance.below(3000)
    for (const end of ends.splice(0)) {
      if (end.at > now) ends.push(end)
      else {
        end.person.calls--
        end.person.talkMs += end.talk
        end.person.lastCallEndedAt = Math.max(end.person.lastCallEndedAt ?? 0, end.at)
      }
    }
    for (const each of people) if (chance.odds(0.01)) each.available = !each.available
    const chosen = choose(now)
    if (chosen === undefined) continue
    begun(chosen, now)
    chosen.calls++
    chosen.callsTaken++
    const talk = 1000 + chance.below(20_000)
    ends.push({ at: now + talk, person: chosen, talk })
  }
}

const free = (people: readonly Person[]) =>
  people.filter(each => each.available && each.calls < each.capacity)

t.test(
  'longest-idle never picks who was used more recently, nor who is on a call while another is idle',
  async t => {
    const chance = chanceOf(seedOf(t))
    const people = peopleOf(9, index => ({ capacity: index < 3 ? 3 : 1 }))
    let seen = 0
    shift(
      chance,
      people,
      now => orderOf(people, { strategy: 'longest-idle', now })[0],
      chosen => {
        seen++
        for (const other of free(people)) {
          if (other.calls < chosen.calls) t.fail('one with fewer calls was free')
          if (other.calls > chosen.calls) continue
          if ((other.lastCallEndedAt ?? 0) < (chosen.lastCallEndedAt ?? 0))
            t.fail('another was idle for longer')
        }
      },
    )
    t.ok(seen > calls / 2)
  },
)

t.test('fewest-calls and least-talk-time never pick who had more than another who is free', async t => {
  const seed = seedOf(t)
  for (const [strategy, measure] of [
    ['fewest-calls', ({ callsTaken }: Person) => callsTaken],
    ['least-talk-time', ({ talkMs }: Person) => talkMs],
  ] as const) {
    const chance = chanceOf(seed)
    const people = peopleOf(8)
    let seen = 0
    shift(
      chance,
      people,
      now => orderOf(people, { strategy, now })[0],
      chosen => {
        seen++
        if (free(people).some(other => measure(other) < measure(chosen))) t.fail(strategy)
      },
    )
    t.ok(seen > calls / 4)
  }
})

/** Whether counts are what shares say, by chi squared: true for all but one in some 100,000 seeds. */
const fits = (counts: readonly number[], shares: readonly number[]): boolean => {
  const total = counts.reduce((sum, count) => sum + count, 0)
  const whole = shares.reduce((sum, share) => sum + share, 0)
  let chiSquared = 0
  for (const [index, share] of shares.entries()) {
    const expected = (total * share) / whole
    chiSquared += ((counts[index] ?? 0) - expected) ** 2 / expected
  }
  // Wilson and Hilferty: the cube root of chi squared over its degrees of freedom is nearly normal.
  const degrees = shares.length - 1
  const spread = 2 / (9 * degrees)
  return (Math.cbrt(chiSquared / degrees) - (1 - spread)) / Math.sqrt(spread) < 4.3
}

t.test('random: everyone is first, second and last as often as anyone', async t => {
  const random = randomOf(chanceOf(seedOf(t)))
  const people = peopleOf(6)
  const counts = people.map(() => people.map(() => 0))
  for (let call = 0; call < calls; call++) {
    for (const [at, each] of orderOf(people, { strategy: 'random', random }).entries())
      counts[at]![people.indexOf(each)]!++
  }
  for (const at of [0, 1, 5])
    t.ok(
      fits(
        counts[at]!,
        people.map(() => 1),
      ),
      String(counts[at]),
    )
  t.notOk(fits(counts[0]!, [1, 1, 1, 1, 1, 1.3]), 'the bound can be missed')
})

t.test('weighted: shares are those of the weights among whoever is free', async t => {
  const chance = chanceOf(seedOf(t))
  const random = randomOf(chance)
  const weights = [1, 2, 3, 10]
  const people = weights.map((weight, index) => person(`p${index}`, {}, { weight }))
  const count = (among: readonly Person[]) => {
    const counts = people.map(() => 0)
    for (let call = 0; call < calls; call++)
      counts[people.indexOf(orderOf(among, { strategy: 'weighted', random })[0]!)]!++
    return counts
  }
  const all = count(people)
  t.ok(fits(all, weights), String(all))
  people[3]!.available = false
  const three = count(people)
  t.equal(three[3], 0)
  t.ok(fits(three.slice(0, 3), [1, 2, 3]), String(three))
  for (const edge of [0, 1 - 2 ** -53]) {
    t.equal(
      orderOf(people, { strategy: 'weighted', random: () => edge }).length,
      3,
      'at the edges of chance, too',
    )
  }
})

t.test('order and all keep the directory’s order', async t => {
  const chance = chanceOf(seedOf(t))
  for (const strategy of ['order', 'all'] as const) {
    const people = chance.shuffle(peopleOf(9, index => ({ callsTaken: index, talkMs: 9 - index })))
    t.same(orderOf(people, { strategy }), people)
  }
})

t.test(
  'sticky: who talked to the caller comes first for a day, then who has been idle for longest',
  async t => {
    const clock = new VirtualClock()
    const bounds = new Bounds({ callersPerTenant: 3 })
    const memory = new Memory(clock, bounds)
    const place = { tenant: n('acme'), group: n('support') }
    const people = peopleOf(4, index => ({ lastCallEndedAt: 1000 * index }))
    const names = (from: string, at = place) => {
      const { last, turns } = memory.recall('sticky', at, from, [])
      return orderOf(people, { strategy: 'sticky', turns, ...(last && { last }) }).map(({ name }) => name)
    }
    t.same(names('+1'), ['p0', 'p1', 'p2', 'p3'])
    memory.talked(place, '+1', n('p2'))
    t.same(names('+1'), ['p2', 'p0', 'p1', 'p3'])
    t.same(names('+2'), ['p0', 'p1', 'p2', 'p3'], 'each caller has their own')
    t.same(names('+1', { ...place, group: n('sales') }), ['p0', 'p1', 'p2', 'p3'], 'and each group')
    t.same(names('+1', { ...place, tenant: n('other') }), ['p0', 'p1', 'p2', 'p3'], 'and each tenant')
    clock.advance(86_390_000)
    t.equal(names('+1')[0], 'p2')
    memory.talked(place, '+1', n('p3'))
    clock.advance(20_000)
    t.equal(names('+1')[0], 'p3', 'the last one, for a day from then')
    people[3]!.available = false
    t.same(names('+1'), ['p0', 'p1', 'p2'], 'where they are not there, the others')
    clock.advance(86_400_000)
    people[3]!.available = true
    t.same(names('+1'), ['p0', 'p1', 'p2', 'p3'])
    for (const from of ['', 'x'.repeat(257)]) memory.talked(place, from, n('p3'))
    t.same(names(''), ['p0', 'p1', 'p2', 'p3'], 'who withholds their number is nobody in particular')
    for (const from of ['a', 'b', 'c', 'd']) memory.talked(place, from, n('p3'))
    t.same([names('a')[0], names('d')[0], bounds.reached.callersPerTenant], ['p0', 'p3', 1])
  },
)

t.test(
  'tiers are never inverted, nor ranks within them; skills and pauses are never passed over',
  async t => {
    const chance = chanceOf(seedOf(t))
    const random = randomOf(chance)
    const skills = ['de', 'en', 'fr']
    const some = () => skills.filter(() => chance.odds(0.5))
    let rung = 0
    for (let round = 0; round < calls; round++) {
      const people = Array.from({ length: 1 + chance.below(12) }, (_, index) =>
        person(
          `p${index}`,
          {
            available: chance.odds(0.8),
            rank: chance.below(3),
            calls: chance.below(3),
            capacity: 1 + chance.below(3),
            lastCallEndedAt: chance.odds(0.3) ? null : chance.below(1e9),
            callsTaken: chance.below(5),
            talkMs: chance.below(5),
            notBefore: chance.odds(0.2) ? chance.below(2e9) : null,
          },
          {
            tier: 1 + chance.below(3),
            weight: 1 + chance.below(9),
            skills: some(),
            ...(chance.odds(0.2) && { paused: 'lunch' }),
          },
        ),
      )
      const needed = chance.odds(0.5) ? some().slice(0, 2) : []
      const now = 1e9
      const order = orderOf(people, {
        strategy: chance.pick(strategies),
        random,
        now,
        skills: needed,
        turns: new Map(people.map(({ name }) => [n(name) as AccountId, chance.below(9)])),
        ...(chance.odds(0.5) && { last: n(chance.pick(people).name) }),
      })
      rung += order.length
      for (const { member, available, calls, capacity, notBefore } of order) {
        if (member.paused !== undefined) t.fail('paused')
        if (needed.some(skill => !member.skills.includes(skill))) t.fail('lacks a skill')
        if (!available || calls >= capacity || (notBefore ?? 0) > now) t.fail('not there')
      }
      const able = people.filter(
        ({ member, available, calls, capacity, notBefore }) =>
          available &&
          calls < capacity &&
          (notBefore ?? 0) <= now &&
          member.paused === undefined &&
          needed.every(skill => member.skills.includes(skill)),
      )
      if (able.length !== order.length) t.fail('someone able was passed over')
      for (const [index, { member, rank }] of order.entries()) {
        const before = order[index - 1]
        if (before === undefined) continue
        if (before.member.tier > member.tier) t.fail('a tier came before a lower one')
        if (before.member.tier === member.tier && before.rank > rank) t.fail('a suspect before a live one')
      }
    }
    t.ok(rung > calls)
  },
)
