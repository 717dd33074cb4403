// A long morning of a support line in seconds: a thousand calls, and fifty people in three groups who come, go, lose their
// connections, take calls or do not. The seed is printed; `SEED=… npx tap …` is the same morning, `CALLS=…` a longer one.

import t from 'tap'
import type { CallId, HubFrame } from '../../src/protocol/index.js'
import { chanceOf, seedOf } from '../support/chance.js'
import { acme, type FakeCaller, type FakePhone, newRoom } from '../support/room.js'

const total = Number(process.env.CALLS ?? 1_000)
const skills = ['fr', 'it']

interface Person {
  readonly name: string
  readonly groups: string[]
  readonly skills: string[]
  readonly capacity: number
  phone: FakePhone | undefined
  lost: boolean
}

interface Waiting {
  readonly call: CallId
  readonly caller: FakeCaller
  readonly group: string
  readonly priority: number
  readonly ordinal: number
  readonly skill: string | undefined
  /** Whoever has been rung for it, ever, and who is now. */
  readonly rung: Set<string>
  readonly rings: Set<string>
}

t.test(
  'whatever happens: order, capacity, nobody idle while a call waits for them, one end each',
  async t => {
    const chance = chanceOf(seedOf(t))
    const groups = ['sales', 'support', 'billing']
    const people: Person[] = Array.from({ length: 50 }, (_, index) => ({
      name: `p${index}`,
      groups: groups.filter((_, at) => index % 3 === at || chance.odds(0.2)),
      skills: skills.filter(() => chance.odds(0.5)),
      capacity: chance.odds(0.2) ? 2 : 1,
      phone: undefined,
      lost: false,
    }))
    const strategies = ['longest-idle', 'round-robin', 'random']
    const room = newRoom(
      {
        accounts: Object.fromEntries(people.map(({ name, capacity }) => [name, { capacity }])),
        groups: Object.fromEntries(
          groups.map((group, at) => [
            group,
            {
              members: people.flatMap(({ name, groups, skills }) =>
                groups.includes(group) ? { account: name, skills } : [],
              ),
              strategy: strategies[at],
              ringTimeoutMs: 6_000,
              wrapupMs: at * 2_000,
              queue: { maxLength: 400, maxWaitMs: 8_000 },
            },
          ]),
        ),
      },
      { limits: { callsPerMinutePerAccount: 1e6, callsPerMinutePerTenant: 1e6 } },
      undefined,
      { random: () => chance.below(1 << 20) / (1 << 20) },
    )
    const all: Waiting[] = []
    /** Those that are not over. */
    const waiting = new Map<CallId, Waiting>()
    const faults: string[] = []
    const capable = ({ groups, skills }: Person, { group, skill }: Waiting) =>
      groups.includes(group) && (skill === undefined || skills.includes(skill))
    const isQueued = ({ call, rings }: Waiting) =>
      rings.size === 0 && ['queued', 'ringing'].includes(room.router.get(acme, call)!.state)

    const busy = new Map<string, Set<CallId>>()
    const hear = (person: Person, frame: HubFrame): void => {
      if (!('call' in frame)) return
      const one = waiting.get(frame.call)!
      const calls = busy.get(person.name) ?? new Set()
      busy.set(person.name, calls)
      if (frame.type !== 'invite') {
        if (frame.type !== 'connected') calls.delete(frame.call)
        one.rings.delete(person.name)
        return
      }
      calls.add(frame.call)
      if (calls.size > person.capacity) faults.push(`${person.name} has ${calls.size} calls`)
      for (const other of waiting.values()) {
        const before = other.priority - one.priority || one.ordinal - other.ordinal
        if (before > 0 && isQueued(other) && capable(person, other) && !other.rung.has(person.name)) {
          faults.push(`${person.name} rings for ${one.call} before ${other.call}`)
        }
      }
      one.rung.add(person.name)
      one.rings.add(person.name)
    }

    const signIn = (person: Person): void => {
      const phone = room.phone(person.name)
      const push = phone.frames.push.bind(phone.frames)
      phone.frames.push = (...frames) => {
        for (const frame of frames) hear(person, frame)
        return push(...frames)
      }
      person.phone = phone
      person.lost = false
    }
    const signOut = (person: Person): void => {
      person.phone!.leave()
      person.phone = undefined
      busy.delete(person.name)
      for (const { rings } of waiting.values()) rings.delete(person.name)
    }

    const act = (person: Person): void => {
      const { phone } = person
      if (phone === undefined) {
        if (chance.odds(0.1)) signIn(person)
        return
      }
      if (person.lost) {
        if (!chance.odds(0.3)) return
        phone.comeBack()
        person.lost = false
        return
      }
      for (const call of [...(busy.get(person.name) ?? [])]) {
        const state = room.router.get(acme, call)!.state
        if (waiting.get(call)!.rings.has(person.name)) {
          if (chance.odds(0.5)) phone.accept(call)
          else if (chance.odds(0.2)) phone.reject(call, chance.pick(['declined', 'busy']))
        } else if (state === 'connected' && chance.odds(0.08)) room.router.hangup(phone.party, call)
      }
      const fate = chance.below(100)
      if (fate === 0) signOut(person)
      else if (fate === 1) {
        phone.lose()
        person.lost = true
      } else if (fate < 7) {
        phone.attachment.declare({ status: chance.odds(0.7) ? 'available' : chance.pick(['away', 'dnd']) })
      }
    }

    /** Nobody is free who may take a call that waits, and was not rung for it yet. */
    const look = (): void => {
      const still = [...waiting.values()].filter(isQueued)
      for (const person of people) {
        const [entry] = room.presence.resource(acme, person.name as never, { view: 'routing', devices: true })
          .accounts!
        const { freeCapacity, notBefore } = entry!.routing!
        if (entry!.status !== 'available' || freeCapacity === 0) continue
        if (notBefore !== null && Date.parse(notBefore) > room.clock.wall()) continue
        for (const one of still) {
          if (capable(person, one) && !one.rung.has(person.name))
            faults.push(`${person.name} is idle and ${one.call} waits`)
        }
      }
    }

    for (const person of people) signIn(person)
    let most = 0
    for (let placed = 0; placed < total || room.router.counts.live > 0; ) {
      for (let count = chance.below(8); count > 0 && placed < total; count--) {
        const group = chance.pick(groups)
        const priority = chance.odds(0.2) ? chance.below(3) : 0
        const skill = chance.odds(0.3) ? chance.pick(skills) : undefined
        const enqueue = { group, priority, ...(skill && { skills: [skill] }) }
        const call = `call-${++placed}` as CallId
        const one = { call, group, priority, ordinal: placed, skill, rung: new Set(), rings: new Set() }
        // It is known before anyone is rung for it.
        waiting.set(call, one as unknown as Waiting)
        all.push(one as unknown as Waiting)
        const { caller } = await room.call('x', { instructions: { steps: [{ enqueue }] } })
        Object.assign(one, { caller })
      }
      for (const person of people) act(person)
      for (const { call, caller } of waiting.values()) {
        if (chance.odds(0.006) && room.router.get(acme, call)!.state !== 'ended')
          room.router.hangup(caller.request.caller, call)
      }
      await room.clock.settle(30)
      look()
      most = Math.max(most, [...waiting.values()].filter(isQueued).length)
      await room.clock.settle(500)
      for (const { call, rings } of waiting.values()) {
        if (rings.size === 0 && room.router.get(acme, call)!.state === 'ended') waiting.delete(call)
      }
    }
    t.same(faults, [])
    t.same(
      all.filter(({ caller }) => caller.heard.filter(heard => heard.startsWith('ended')).length !== 1),
      [],
      'every call has one end',
    )
    for (const { phone } of people) phone?.leave()
    await room.clock.settle(30)
    t.same(
      [...busy].filter(([, calls]) => calls.size > 0),
      [],
      'and everyone who was rung has heard of it',
    )
    const ended = room.router.counts.ended
    t.comment(JSON.stringify({ ...ended, mostWaiting: most, seconds: room.clock.now() / 1000 }))
    for (const reason of ['completed', 'canceled', 'no-answer'] as const) t.ok(ended[reason] > 0, reason)
    t.ok(most > 20, 'there was a queue')
  },
)
