// The feed under a random crowd: whatever people and their connections do, what each reader folds, by the strict
// rule that a diff builds on the very version held, is the presence status resource. Over real sockets and real
// HTTP; only time is told. The fold is the spec's own; the SDK's readers are held to the same.

import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { WebSocket } from 'ws'
import { HubApi, type Resource, Softphone, type Watch } from '../../src/client/index.js'
import type { PresenceFrame } from '../../src/protocol/index.js'
import { chanceOf, seedOf, turns } from '../support/chance.js'
import { Crowd, type Seat } from '../support/crowd.js'
import { tokenOf } from '../support/hub.js'
import { Fold, settled } from '../support/presence-world.js'
import { must, newStage } from '../support/race.js'
import { Wire } from '../support/wire.js'

const acts = Number(process.env.ROUNDS ?? 1000)
const life = { expiresInSeconds: 86_400 }

t.setTimeout(180_000)

const listed = ['mia', 'noa', 'oli', 'pam', 'quin']
const guests = ['gus', 'hana', 'ida', 'jo', 'kit']
const tenant = {
  wrapupMs: 300,
  accounts: { noa: { capacity: 2 }, oli: { wrapupMs: 900 } },
  groups: { team: { members: listed, open: true }, crew: { members: ['mia', 'gus'] } },
}

/** One reader of some destinations, by the strict fold. */
class Reader {
  readonly wire: Wire
  readonly view: 'full' | 'summary' | 'routing'
  readonly api: HubApi
  readonly destinations: Set<string>
  readonly folds = new Map<string, Fold>()
  /** By destination, each state that was held, by its version. */
  readonly held = new Map<string, Map<number, unknown>>()
  readonly #newest = new Map<string, number>()
  /** What broke a rule. */
  readonly fouls: string[] = []
  frames = 0

  constructor(wire: Wire, api: HubApi, view: Reader['view'], destinations: readonly string[]) {
    this.wire = wire
    this.api = api
    this.view = view
    this.destinations = new Set(destinations)
    wire.on(frame => {
      if (frame.type !== 'presence') return
      try {
        this.#take(frame as PresenceFrame)
      } catch (error) {
        this.fouls.push(`${(error as Error).message} ${JSON.stringify(frame)}`)
      }
    })
  }

  /** A new session knows nothing of the old one's subscriptions. */
  async subscribe(destinations: readonly string[] = [...this.destinations]): Promise<void> {
    for (const name of destinations) this.destinations.add(name)
    await this.wire.ask('subscribe', { destinations, view: this.view })
  }

  async unsubscribe(name: string): Promise<void> {
    await this.wire.ask('unsubscribe', { destinations: [name] })
    this.destinations.delete(name)
    this.folds.delete(name)
  }

  #take(frame: PresenceFrame): void {
    this.frames++
    const { destination, version } = frame
    must(this.destinations.has(destination), 'a reader hears of what it watches', frame)
    must(version >= (this.#newest.get(destination) ?? 0), 'no version goes back', frame)
    this.#newest.set(destination, version)
    let fold = this.folds.get(destination)
    if (fold === undefined) {
      must(frame.snapshot, 'a feed begins with a snapshot', frame)
      fold = new Fold()
      this.folds.set(destination, fold)
    }
    fold.apply(frame)
    const held = this.held.get(destination) ?? new Map()
    this.held.set(destination, held.set(version, fold.state))
  }
}

t.test('what every reader folds is the resource, whatever the crowd does', async t => {
  const seed = seedOf(t)
  const chance = chanceOf(seed)
  const stage = await newStage(t, tenant)
  const { clock, world } = stage
  const faults: unknown[] = []

  const seats: Seat[] = []
  const tokens = (account: string, groups: readonly string[]) => tokenOf(account, { groups, ...life })
  for (const account of [...listed, ...guests]) {
    const guest = guests.includes(account)
    for (const device of guest ? ['web'] : ['web', 'desk']) {
      const groups = guest ? ['team'] : []
      const wire = await stage.wire(account, device, { groups })
      seats.push({ account, device, wire, state: 'here', busy: false })
    }
  }
  const crowd = new Crowd(stage, chance, { group: 'team', seats, guests: new Set(guests), tokens })

  const rights = {
    full: ['presence:read'],
    devices: ['presence:read', 'presence:devices'],
    routing: ['presence:read', 'presence:route'],
  }
  const apiOf = async (scopes: string[]) =>
    new HubApi({ url: world.listening.url, token: await tokenOf('reader', { scopes, ...life }) })
  const readerOf = async (
    scopes: string[],
    view: Reader['view'],
    destinations: string[],
  ): Promise<Reader> => {
    const token = await tokenOf('reader', { scopes, ...life })
    const wire = new Wire({ url: world.listening.socket, token })
    t.teardown(() => wire.close(1000))
    const reader = new Reader(wire, await apiOf(scopes), view, destinations)
    await wire.open()
    await reader.subscribe()
    return reader
  }
  const everything = ['team', 'crew', 'mia', 'gus', 'nobody']
  const steady = await readerOf(rights.devices, 'full', everything)
  const restless = await readerOf(rights.devices, 'full', everything)
  const readers = [
    steady,
    restless,
    await readerOf(rights.full, 'full', everything),
    await readerOf(rights.full, 'summary', everything),
    await readerOf(rights.routing, 'routing', everything),
  ]

  // The SDK's: one that stays, and one whose connection breaks.
  const cables: WebSocket[] = []
  class Cable extends WebSocket {
    constructor(...line: ConstructorParameters<typeof WebSocket>) {
      super(...line)
      cables.push(this)
    }
  }
  const token = await tokenOf('reader', { scopes: rights.devices, ...life })
  const phones: { phone: Softphone; watches: readonly Watch[] }[] = []
  for (const socket of [WebSocket, Cable]) {
    const phone = new Softphone({
      url: world.listening.url,
      token,
      WebSocket: socket as never,
      // Comes back at once, however often it breaks.
      random: () => 0,
    })
    t.teardown(() => phone.close())
    phone.on('error', error => faults.push(error))
    await phone.connect()
    const watches = phone.subscribe(everything)
    for (const watch of watches) {
      let newest = 0
      watch.on('change', ({ version }) => {
        if (version < newest) faults.push(`${watch.destination} went back from ${newest} to ${version}`)
        newest = version
      })
    }
    await Promise.all(watches.map(({ ready }) => ready))
    phones.push({ phone, watches })
  }
  const breaking = phones[1] as (typeof phones)[number]

  /** Resources that were read at some moment, to be held against what was folded at their version. */
  const samples: Resource[] = []

  /** Time passes until nothing more is to be told; then every reader holds what is read. */
  const checkpoint = async (): Promise<void> => {
    if (!restless.wire.up) {
      const { resumed } = await restless.wire.open({ resume: true })
      if (!resumed) await restless.subscribe()
    }
    await breaking.phone.connect()
    for (let attempt = 0; ; attempt++) {
      await clock.settle(250)
      await Promise.all(readers.map(({ wire }) => wire.quiet()))
      await Promise.all(phones.map(({ phone }) => phone.request('ping', {})))
      const wrong: unknown[] = []
      for (const { api, view, folds, destinations, fouls } of readers) {
        must(fouls.length === 0, 'every frame builds on what is held', fouls)
        for (const resource of await api.presences([...destinations], { view })) {
          const read = settled(resource as never)
          const folded = folds.get(resource.destination)?.state
          if (!isDeepStrictEqual(folded, read)) wrong.push({ view, read, folded })
        }
      }
      const resources = await steady.api.presences(everything, { view: 'full' })
      for (const { watches } of phones) {
        for (const [index, { resource }] of watches.entries()) {
          const read = settled(resources[index] as never)
          const folded = settled(resource as never)
          if (!isDeepStrictEqual(folded, read)) wrong.push({ sdk: true, read, folded })
        }
      }
      // What devices are told of their own account, without asking.
      for (const { account, device, state, wire } of seats) {
        if (state !== 'here') continue
        await wire.quiet()
        const self = wire.frames.findLast(({ type }) => type === 'self')
        const [own] = (await steady.api.presence(account)).accounts ?? []
        const { status, activity, note, until, devices } = self as never as NonNullable<typeof own>
        const told = {
          status,
          activity,
          note,
          until,
          devices: devices?.map(each => `${each.device} ${each.status}`),
        }
        const read = {
          status: own?.status,
          activity: own?.activity,
          note: own?.note,
          until: own?.until,
          devices: own?.devices?.map(each => `${each.device} ${each.status}`),
        }
        if (!isDeepStrictEqual(told, read)) wrong.push({ self: `${account}/${device}`, told, read })
      }
      if (wrong.length === 0) break
      // A timer may have changed something just now; what is told late is told at the next look.
      must(attempt < 4, 'what is folded is what is read', wrong[0])
    }
    for (const resource of samples.splice(0)) {
      const folded = steady.held.get(resource.destination)?.get(resource.version)
      must(
        folded === undefined || isDeepStrictEqual(folded, settled(resource as never)),
        'what was folded is what was read at that version',
        { folded, resource },
      )
    }
    must(faults.length === 0, 'the SDK has nothing to report', faults)
  }

  /** A connection that breaks and comes back in time, or that another takes over, is in no diff. */
  const blink = async (): Promise<boolean> => {
    const seat = crowd.someone()
    const [before] = (await steady.api.presence(seat?.account ?? 'nobody')).accounts ?? []
    if (seat === undefined || before?.until !== null || before.activity !== 'free') return false
    const seen: string[] = []
    const stops = readers.slice(0, 4).map(({ wire }) =>
      wire.on(frame => {
        if (frame.type !== 'presence' || frame.snapshot) return
        const names = [...(frame.accounts ?? []).map(({ account }) => account), ...(frame.removed ?? [])]
        if (names.includes(seat.account)) seen.push(JSON.stringify(frame))
      }),
    )
    // Time stands still meanwhile, so that nothing else can change the account.
    const taken = chance.odds(0.4)
    if (!taken) {
      seat.wire.drop()
      for (let link = 'attached'; link === 'attached'; ) {
        const [entry] = (await steady.api.presence(seat.account)).accounts ?? []
        link = entry?.devices?.find(({ device }) => device === seat.device)?.link ?? 'gone'
      }
    }
    const welcome = await seat.wire.open({ resume: !taken })
    must(welcome.resumed === !taken, 'in time', welcome)
    await Promise.all(readers.map(({ wire }) => wire.quiet()))
    for (const stop of stops) stop()
    const [after] = (await steady.api.presence(seat.account)).accounts ?? []
    const same = isDeepStrictEqual(
      settled({ accounts: [before] } as never).accounts,
      settled({ accounts: [after] } as never).accounts,
    )
    must(same && seen.length === 0, 'nobody sees it', { before, after, seen })
    return true
  }

  /** The reader that comes and goes, and now and then looks at someone who is in no directory. */
  const stir = async (): Promise<void> => {
    const { wire, destinations } = restless
    if (!wire.up) {
      const { resumed } = await wire.open({ resume: chance.odds(0.8) })
      if (!resumed) await restless.subscribe()
      return
    }
    const way = chance.below(10)
    if (way < 3) wire.drop()
    else if (way < 4) {
      wire.drop()
      await wire.open()
      await restless.subscribe()
    } else if (way < 5) await restless.subscribe([chance.pick(everything)])
    else {
      const name = chance.pick(guests.slice(1))
      if (destinations.has(name)) await restless.unsubscribe(name)
      else await restless.subscribe([name])
    }
  }

  let blinks = 0
  let stirring = Promise.resolve()
  let underWay: Promise<unknown>[] = []
  for (let act = 0; act < acts; act++) {
    try {
      underWay.push(crowd.act())
      await turns(chance.below(3))
      if (chance.odds(0.4)) await Promise.all(underWay.splice(0))
      if (chance.odds(0.4)) await clock.settle(chance.below(60))
      if (chance.odds(0.02)) await clock.settle(9_000)
      if (chance.odds(0.2)) {
        stirring = stirring.then(stir)
        underWay.push(stirring)
      }
      if (chance.odds(0.03)) {
        cables.at(-1)?.terminate()
        if (chance.odds(0.7)) underWay.push(breaking.phone.connect())
      }
      if (chance.odds(0.2)) samples.push(await steady.api.presence(chance.pick(everything)))
      if (act % 20 === 19) {
        await Promise.all(underWay)
        underWay = []
        await checkpoint()
        if (await blink()) blinks++
        for (const { held } of readers) held.clear()
      }
    } catch (error) {
      throw new Error(`SEED=${seed}, act ${act}: ${(error as Error).message}`, { cause: error })
    }
  }
  await checkpoint()

  await Promise.all(seats.map(({ wire }) => wire.close(1000)))
  await clock.settle(130_000)
  for (const seat of seats) seat.state = 'away'
  await checkpoint()
  t.equal(await stage.metric('devices'), 0, 'nobody is left')
  t.equal(await stage.metric('calls_live'), 0, 'and no call')
  t.equal(
    await stage.metric('sessions'),
    readers.length + phones.length + 1,
    'and no session but the readers',
  )
  t.same(stage.errors, [], 'and nothing failed')
  t.comment(JSON.stringify({ ...crowd.done, blinks, frames: readers.map(({ frames }) => frames) }))
  t.ok(blinks > acts / 100, 'connections broke and came back without a trace')
  t.pass('every reader holds what is read')
})
