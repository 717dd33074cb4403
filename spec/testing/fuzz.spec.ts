// A day's work in seconds: thousands of calls to people whose connections break in every way a link can, on virtual
// time. Whatever happens, every call ends once and all agree how, nobody is in two calls, and who is dead is not
// rung again while anyone else is there. The seed is printed; `SEED=… npx tap …` is the same run, `CALLS=…` another size.

import t, { type Test } from 'tap'
import type { Call, CallView } from '../../src/client/index.js'
import { type Phone, type TestHub, testHub } from '../../src/testing/index.js'
import { type Chance, chanceOf, seedOf } from '../support/chance.js'

const calls = Number(process.env.CALLS ?? 2_000)
const perStep = 12
const stepMs = 500
const confirmMs = 3_000

const names = (count: number, prefix: string) =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`)
const groups = names(6, 'group-')
const people = names(60, 'person-')

/** What a person does at their phone in half a second. */
const act = ({ ringing, talking }: Phone, chance: Chance): void => {
  const ignore = () => {}
  if (ringing && chance.odds(0.4)) ringing.accept().catch(ignore)
  else if (ringing && chance.odds(0.1)) ringing.reject().catch(ignore)
  else if (talking && chance.odds(0.4)) talking.hangup().catch(ignore)
}

/** What happens to a link: at once, and when it is made good again. */
const harms: readonly (readonly [
  harm: (link: Phone['link'], chance: Chance) => void,
  mend: (link: Phone['link']) => void,
])[] = [
  [link => link.drop(), () => {}],
  [link => link.lose(), () => {}],
  [link => link.down(), link => link.up()],
  [(link, chance) => link.pause(chance.pick(['up', 'down', undefined])), link => link.resume()],
  [(link, chance) => link.delay(chance.below(300), chance.below(300)), link => link.delay(0)],
]
/** Without a word, and for long. */
const die = (link: Phone['link']) => {
  link.lose()
  link.down()
}

interface Harm {
  readonly device: string
  readonly from: number
  readonly to: number
  readonly dies: boolean
}

class World {
  readonly placed = new Map<string, { readonly call: Call; ended: number }>()
  readonly phones: Phone[] = []
  readonly faults: string[] = []
  readonly harms: Harm[] = []
  readonly hub: TestHub
  readonly #chance: Chance
  readonly #harmed = new Set<Phone>()
  #mends: { readonly at: number; readonly mend: () => void }[] = []

  constructor(hub: TestHub, chance: Chance) {
    this.hub = hub
    this.#chance = chance
  }

  get now(): number {
    return this.hub.now.getTime()
  }

  async arrive(): Promise<void> {
    await this.hub.carrier.connect()
    for (const name of people) {
      for (let device = this.#chance.below(2); device < 2; device++) {
        const phone = await this.hub.phone(name)
        this.phones.push(phone)
        phone.softphone.on('error', error => this.faults.push(String(error)))
      }
    }
  }

  async step(): Promise<void> {
    const chance = this.#chance
    for (let index = 0; index < perStep; index++) this.#place()
    for (const phone of chance.shuffle(this.phones)) act(phone, chance)
    for (const { call } of this.placed.values()) {
      if (call.live && chance.odds(0.02)) call.hangup().catch(() => {})
    }
    for (let index = 0; index < 2; index++) this.#harm(chance.pick(this.phones))
    this.#mend(this.now)
    await this.hub.advance(stepMs)
    for (const { account, softphone } of this.phones) {
      const talks = softphone.calls.filter(call => call.state === 'connected').length
      if (talks > 1) this.faults.push(`${account} talks on ${talks} calls`)
    }
  }

  /** Everything is made good, and time goes on until all calls are over. */
  async end(): Promise<void> {
    this.#mend(Number.POSITIVE_INFINITY)
    for (let round = 0; round < 20; round++) {
      await this.hub.advance(5_000)
      for (const phone of this.phones) phone.talking?.hangup().catch(() => {})
    }
  }

  async records(): Promise<CallView[]> {
    const records: CallView[] = []
    let cursor: string | undefined
    do {
      const page = await this.hub.api.calls({ limit: 200, cursor })
      records.push(...page.calls)
      cursor = page.cursor
    } while (cursor !== undefined)
    return records
  }

  #place(): void {
    const chance = this.#chance
    const to = chance.pick(chance.odds(0.8) ? groups : people)
    this.hub.carrier.softphone.place({ to, from: '+15550199' }).then(
      call => {
        const placed = { call, ended: 0 }
        this.placed.set(call.id, placed)
        call.on('ended', () => placed.ended++)
      },
      error => this.faults.push(`not placed: ${error}`),
    )
  }

  #harm(phone: Phone): void {
    if (this.#harmed.has(phone)) return
    this.#harmed.add(phone)
    const chance = this.#chance
    const dies = chance.odds(0.2)
    const [harm, mend] = dies ? [die, (link: Phone['link']) => link.up()] : chance.pick(harms)
    const from = this.now
    const to = from + (dies ? 60_000 : chance.below(40_000))
    this.harms.push({ device: `${phone.account} ${phone.device}`, from, to, dies })
    harm(phone.link, chance)
    this.#mends.push({
      at: to,
      mend: () => {
        mend(phone.link)
        this.#harmed.delete(phone)
      },
    })
  }

  #mend(now: number): void {
    const due = this.#mends.filter(({ at }) => at <= now)
    this.#mends = this.#mends.filter(({ at }) => at > now)
    for (const { mend } of due) mend()
  }
}

interface Line {
  readonly at: number
  readonly event: string
  readonly call: string
  readonly device: string
  readonly account: string
  readonly candidates?: readonly string[]
}

const linesOf = ({ call, timeline = [] }: CallView): Line[] =>
  timeline.map(line => ({
    ...(line as object as Line),
    call,
    at: Date.parse(line.at),
    device: `${line.account} ${line.device}`,
  }))

/** The dead who rang although calls before had shown it, while someone who is sound came after them. */
const wrongOffers = ({ harms, phones }: World, lines: readonly (readonly Line[])[]): string[] => {
  const devicesOf = (account: string): string[] =>
    phones.filter(phone => phone.account === account).map(phone => `${account} ${phone.device}`)
  const suspected = lines.flat().filter(({ event }) => event === 'suspect')
  const knownDead = (device: string, at: number): boolean => {
    const death = harms.find(harm => harm.dies && harm.device === device && harm.from <= at && at < harm.to)
    return suspected.some(each => death && each.device === device && each.at >= death.from && each.at < at)
  }
  const sound = (account: string, at: number): boolean =>
    !harms.some(
      ({ device, from, to }) => devicesOf(account).includes(device) && from <= at && at < to + 60_000,
    )
  return lines.flatMap(own => {
    const { at = 0, candidates = [], call } = own.find(({ event }) => event === 'picked') ?? {}
    const rung = new Set(own.filter(({ event }) => event === 'offered').map(({ account }) => account))
    return candidates.flatMap((account, index) => {
      if (!rung.has(account) || !devicesOf(account).every(device => knownDead(device, at))) return []
      const after = candidates.slice(index + 1).filter(name => sound(name, at))
      return after.length === 0 ? [] : [`${call} rang ${account}, dead, before ${after}`]
    })
  })
}

const begin = async (t: Test, seed: number): Promise<World> => {
  const membersOf = (group: number) => people.filter((_, index) => index % groups.length === group)
  const hub = await testHub({
    groups: Object.fromEntries(groups.map((name, index) => [name, { members: membersOf(index) }])),
    config: {
      calls: { lingerMs: 20_000, ringTimeoutMs: 5_000, confirmMs },
      limits: {
        callsPerMinutePerAccount: 100_000,
        callsPerMinutePerTenant: 100_000,
        callsPerTenant: 10_000,
        endedCallBytesPerTenant: 1e9,
        endedCallsPerTenant: 1e5,
      },
    },
    seed,
    reorder: true,
  })
  t.teardown(() => hub.close())
  const world = new World(hub, chanceOf(seed))
  await world.arrive()
  return world
}

t.test(
  '[U8] [U19] every call ends once and as all were told, whatever becomes of the connections',
  async t => {
    const seed = seedOf(t)
    const begun = performance.now()
    const world = await begin(t, seed)
    const { placed, faults } = world
    while (placed.size < calls) await world.step()
    await world.end()
    const records = await world.records()
    t.comment(
      `${placed.size} calls in ${Math.round(performance.now() - begun)} ms, ${world.harms.length} harms`,
    )

    const reasons: Record<string, number> = {}
    t.equal(records.length, placed.size)
    for (const { call: id, reason = '', by } of records) {
      const told = placed.get(id)
      const end = await told?.call.over
      if (told?.ended !== 1) faults.push(`${id} ended ${told?.ended} times`)
      if (end?.reason !== reason) faults.push(`${id} ended ${reason}, the caller heard ${end?.reason}`)
      if (told?.call.by?.account !== by?.account)
        faults.push(`${id} was answered by ${by?.account}, not as the caller heard`)
      reasons[reason] = (reasons[reason] ?? 0) + 1
    }
    t.comment(reasons)

    const lines = records.map(linesOf)
    for (const own of lines) {
      const last = own.at(-1)
      const offered = own.filter(({ event }) => event === 'offered').map(({ device }) => device)
      if (last?.event !== 'ended') faults.push(`${last?.call} goes on after its end: ${last?.event}`)
      if (new Set(offered).size !== offered.length) faults.push(`${last?.call} was offered twice: ${offered}`)
      if (own.filter(({ event }) => event === 'answered').length > 1)
        faults.push(`${last?.call} was answered twice`)
    }
    const talks = lines.flatMap(own => {
      const answer = own.find(({ event }) => event === 'answered')
      return answer === undefined ? [] : [{ ...answer, until: own.at(-1)?.at ?? 0 }]
    })
    for (const { event, account, at, call } of lines.flat()) {
      if (event !== 'offered' && event !== 'answered') continue
      const talk = talks.find(
        other => other.account === account && other.call !== call && other.at < at && at < other.until,
      )
      if (talk !== undefined) faults.push(`${account} was ${event} ${call} while in ${talk.call}`)
    }
    t.same([...faults, ...wrongOffers(world, lines)], [])
  },
)
