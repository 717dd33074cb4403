// Ten thousand claims for people of whom there are fewer than calls, in one process and on virtual time: all of a round come
// within a turn or two, and whoever is quick enough has somebody. `SEED=… npx tap …` is the same run.

import t from 'tap'
import type { CallFrame, CallId, HubFrame, Party } from '../../src/protocol/index.js'
import { type Chance, chanceOf, seedOf } from '../support/chance.js'
import { acme, newRoom, type Room } from '../support/room.js'

const claims = 10_000
/** Of every round: fewer places than calls, whatever its people take. */
const callsPerRound = 25
const people = 6

interface Device {
  readonly party: Party
  /** The calls that it was offered, with the last word on each. */
  readonly words: Map<CallId, HubFrame | undefined>
}

interface Outcome {
  readonly call: CallId
  readonly ends: CallFrame[]
}

const tenant = {
  groups: {
    all: { open: true, strategy: 'all' },
    one: { open: true, strategy: 'longest-idle' },
    many: { open: true, strategy: 'random' },
  },
  accounts: { a0: { capacity: 1 }, a1: { capacity: 2 }, a2: { capacity: 3 } },
}

/** Everyone's devices, and what they are told. */
const staff = (room: Room): Device[] =>
  Array.from({ length: people * 2 }, (_, index) => {
    const party = { tenant: acme, account: `a${index % people}`, device: `d${index}` } as Party
    const words: Device['words'] = new Map()
    const send = (frame: HubFrame): void => {
      if (frame.type === 'invite') {
        if (words.has(frame.call)) throw new Error(`${party.device} is offered ${frame.call} twice`)
        words.set(frame.call, undefined)
      } else if (frame.type === 'cancel' || frame.type === 'ended') {
        if (words.get(frame.call) !== undefined)
          throw new Error(`${party.device} hears two ends of ${frame.call}`)
        words.set(frame.call, frame)
      }
    }
    const groups = Object.keys(tenant.groups)
    const link = { send, probe() {} }
    const attached = room.presence.attach({ ...party, link, groups, canReceive: true, confirms: false })
    if (!attached.ok) throw new Error(attached.message)
    return { party, words }
  })

const capacityOf = (account: string): number =>
  (tenant.accounts as Record<string, { capacity: number }>)[account]?.capacity ?? 1

/** Who is offered or has more than they take. */
const overbooked = (devices: readonly Device[]): string[] => {
  const open = new Map<string, Set<CallId>>()
  for (const { party, words } of devices) {
    const calls = open.get(party.account) ?? new Set()
    open.set(party.account, calls)
    for (const [call, last] of words) if (last === undefined) calls.add(call)
  }
  return [...open].flatMap(([account, calls]) =>
    calls.size > capacityOf(account) ? [`${account}: ${calls.size}`] : [],
  )
}

t.test(
  'of calls that race for fewer people, each ends once, and nobody is offered more than they take',
  async t => {
    const seed = seedOf(t)
    const limits = { callsPerMinutePerAccount: 1e6, callsPerMinutePerTenant: 1e6 }
    const room = newRoom(tenant, { limits, calls: { ringTimeoutMs: 3_000 } })
    const { clock, router, presence } = room
    const devices = staff(room)
    const faults: string[] = []
    /** The calls and those who would not have them. */
    const refused = new Set<string>()
    const reasons: Record<string, number> = {}
    let [denied, answered, won, lost] = [0, 0, 0, 0]

    const place = (chance: Chance): Outcome => {
      const ends: CallFrame[] = []
      const send = (frame: CallFrame): void => void (frame.type === 'ended' && ends.push(frame))
      const to = chance.pick(['all', 'one', 'one', 'many', ...devices.map(({ party }) => party.account)])
      const caller = { account: 'gateway' as Party['account'], send }
      const placed = router.place({ tenant: acme, to, from: '+1', direction: 'inbound', caller })
      if (!placed.ok) throw new Error(placed.message)
      return { call: placed.value, ends }
    }

    /** Everyone who has an offer answers some way, all at once and in any order; some callers give up meanwhile. */
    const rush = (chance: Chance, calls: readonly Outcome[]): void => {
      const acts: (() => void)[] = []
      for (const { party, words } of devices) {
        for (const [call, last] of words) {
          if (last !== undefined) continue
          if (chance.odds(0.5)) acts.push(() => (router.accept(party, call).ok ? won++ : lost++))
          else if (chance.odds(0.3)) {
            acts.push(() => {
              if (router.reject(party, call, 'declined').ok) refused.add(`${call} ${party.account}`)
            })
          }
        }
      }
      for (const { call } of calls) {
        const by = router.callerOf(acme, call)
        if (by && chance.odds(0.1)) acts.push(() => void router.hangup(by, call))
      }
      for (const act of chance.shuffle(acts)) act()
    }

    for (let round = 0; round * callsPerRound < claims; round++) {
      const chance = chanceOf(seed, round)
      for (const { words } of devices) words.clear()
      const calls: Outcome[] = []
      while (calls.length < callsPerRound) {
        calls.push(place(chance))
        if (chance.odds(0.2)) await undefined
        if (chance.odds(0.1)) rush(chance, calls)
      }
      for (let rushes = chance.below(4); rushes >= 0; rushes--) {
        await clock.settle(chance.below(1_200))
        faults.push(...overbooked(devices))
        rush(chance, calls)
      }
      await clock.settle(30_000)
      for (const { call } of calls) {
        const by = router.callerOf(acme, call)
        if (by && router.get(acme, call)?.state !== 'ended') router.hangup(by, call)
      }
      await clock.settle(0)

      for (const { call, ends } of calls) {
        const [end] = ends
        const { reason, by, timeline = [] } = router.get(acme, call) ?? {}
        const offered = timeline
          .filter(({ event }) => event === 'offered')
          .map(({ device }) => String(device))
        if (ends.length !== 1 || end?.type !== 'ended' || end.reason !== reason)
          faults.push(`${call} ended ${ends.length} times`)
        reasons[String(reason)] = (reasons[String(reason)] ?? 0) + 1
        denied += timeline.filter(({ event }) => event === 'claim-refused').length
        if (by) answered++
        const heard = devices.filter(({ words }) => words.has(call))
        if (String(offered.sort()) !== String(heard.map(({ party }) => party.device).sort()))
          faults.push(
            `${call} was offered to ${offered}, as it says, and to ${heard.map(({ party }) => party.device)}`,
          )
        for (const { party, words } of heard) {
          const last = words.get(call)
          const has = by?.device === party.device
          if (last?.type !== (has ? 'ended' : 'cancel'))
            faults.push(`${party.device} hears ${last?.type} of ${call}`)
          else if (last.type === 'ended' && last.reason !== reason)
            faults.push(`${party.device} hears ${last.reason}`)
          else if (last.type === 'cancel') {
            const isTheirs = (line: (typeof timeline)[number]) =>
              line.event === 'timed-out' && line.account === party.account
            const holds = {
              'answered-elsewhere': by !== undefined && last.by?.device === by.device,
              'caller-canceled': reason === 'canceled' && last.by === undefined,
              'rejected-elsewhere':
                last.by?.account === party.account && refused.has(`${call} ${party.account}`),
              timeout: timeline.some(isTheirs),
              failed: false,
            }
            if (!holds[last.reason])
              faults.push(`${party.device} hears ${last.reason} of ${call}, ended ${reason}`)
          }
        }
      }
      for (const account of new Set(devices.map(({ party }) => party.account))) {
        const query = { view: 'routing', devices: false } as const
        const free = presence.resource(acme, account as never, query).accounts?.[0]?.routing?.freeCapacity
        if (free !== capacityOf(account)) faults.push(`${account} has ${free} places after round ${round}`)
      }
      if (faults.length > 0) {
        t.fail(`SEED=${seed}, round ${round}`, { faults: faults.slice(0, 20) })
        return
      }
    }
    t.equal(router.counts.placed, claims)
    t.equal(
      Object.values(router.counts.ended).reduce((sum, count) => sum + count),
      claims,
      'each ended once',
    )
    t.comment({ reasons, denied, won, lost })
    t.equal(won, answered, 'who was told that it has a call is on record for it')
    t.ok(
      denied > claims / 100 && lost > claims / 100,
      'claims and answers were refused, often enough to be a race',
    )
  },
)
