// A support line on its worst day, on virtual time and without a socket: people come, vanish and return, answer, decline, let it
// ring, pass calls on and set their status, while callers give up, hang up and get lost, at any moment and in any order
// within a turn. Whether all of it is right is `line.ts`'s to say. A seed is a run; every step has a chance of its own, so
// that a run without some of its steps is one too.

import { strategies } from '../../src/config-schema.js'
import type { CallFrame, CallId, HubFrame } from '../../src/protocol/index.js'
import type { Caller, CallRequest } from '../../src/router/index.js'
import { silentLog, VirtualClock } from '../../src/runtime/index.js'
import type { CallRecords } from '../../src/store/index.js'
import { type Chance, chanceOf } from './chance.js'
import { documentOf, papers } from './documents.js'
import { type Device, Line, type Story } from './line.js'
import { acme, newRoom, type Room } from './room.js'

const everything = ['say', 'play', 'gather', 'record', 'conference', 'forward']
const statuses = ['available', 'available', 'available', 'away', 'busy', 'dnd'] as const

const people = Array.from({ length: 27 }, (_, index): [string, number, number] => [
  `p${index}`,
  1 + (index % 3),
  1 + (Math.floor(index / 3) % 3),
])

/** A group for each strategy, of six people in three tiers. */
const groups = Object.fromEntries(
  strategies.map((strategy, group) => [
    `g${group}`,
    {
      strategy,
      members: Array.from({ length: 6 }, (_, index) => ({
        account: `p${(group * 3 + index * 4) % people.length}`,
        tier: 1 + Math.floor(index / 2),
        weight: 1 + index,
        ...(index % 2 === 0 && { skills: ['fr'] }),
        ...(group === 4 && index === 5 && { paused: 'training' }),
      })),
      ringTimeoutMs: 1_500 + 500 * group,
      tierDelayMs: 1_000 + 700 * group,
      wrapupMs: group % 3 === 0 ? 0 : 800,
      coolDownMs: { rejected: 500, busy: 1_000, missed: group % 2 === 0 ? 2_000 : 0 },
      ...(group % 2 === 0 && { awayAfterMisses: 3 }),
      queue: { maxWaitMs: 4_000 + 1_000 * group, maxLength: 4 + group, leaveWhenEmpty: group % 2 === 0 },
    },
  ]),
)

const many = 1_000_000_000
const settings = {
  calls: { ringTimeoutMs: 2_500, totalTimeoutMs: 15_000, confirmMs: 900 },
  limits: {
    callsPerMinutePerAccount: many,
    callsPerMinutePerTenant: many,
    callsPerTenant: 10_000,
    endedCallsPerTenant: 1_000,
  },
}

const names = [...Object.keys(groups), ...people.map(([account]) => account), 'nobody']

export class Turmoil {
  readonly line: Line
  readonly done: Record<string, number> = {}
  readonly #seed: number
  readonly #room: Room
  readonly #clock = new VirtualClock()
  readonly #log: string[] | undefined
  #live: Story[] = []
  #kept = 0

  /** `log`: what is done is written there. */
  constructor(seed: number, log?: string[]) {
    this.#seed = seed
    this.#log = log
    const accounts = Object.fromEntries(people.map(([account, capacity]) => [account, { capacity }]))
    const { below } = chanceOf(seed, -1)
    this.#room = newRoom({ groups, accounts }, settings, silentLog, {
      clock: this.#clock,
      random: () => below(2 ** 31) / 2 ** 31,
      records: this.#records(),
      source: papers(this.#clock, seed, names),
    })
    this.line = new Line(people, () => new Date(this.#clock.wall()).toISOString())
    for (const device of this.line.devices) this.#arrive(device)
  }

  /** Some of everything, then time passes. `still`: only time. */
  async step(number: number, still = false): Promise<void> {
    const chance = chanceOf(this.#seed, number)
    const ms = chance.pick([0, 5, 60, 300, 900, 2_500])
    this.#live = this.#live.filter(story => !this.line.isOver(story))
    if (!still) {
      this.#log?.push(`step ${number}, ${this.#clock.now()} ms`)
      for (const act of this.#acts(chance)) {
        act()
        if (chance.odds(0.1)) await undefined
      }
    }
    await this.#clock.settle(ms)
    this.line.look()
  }

  /** Nobody does anything any more but hang up; then all must be as it was before. */
  async end(): Promise<void> {
    const { line } = this
    const { presence, router } = this.#room
    await this.#clock.settle(60_000)
    for (const story of this.#live) this.#hangUp(story)
    // Who answered is the caller, where those who called have passed them on.
    for (const device of line.devices)
      for (const call of device.calls.keys()) router.hangup(device.party, call)
    await this.#clock.settle(600_000)
    line.close()
    if (router.counts.live > 0) line.faults.push(`${router.counts.live} calls live on`)
    for (const { account, capacity, devices } of line.people) {
      if (devices.every(({ attachment }) => attachment === undefined)) continue
      const query = { view: 'routing', devices: true } as const
      const [entry] = presence.resource(acme, account as never, query).accounts ?? []
      const free = entry?.routing?.freeCapacity
      if (free !== capacity) line.faults.push(`${account} has ${free} of ${capacity} places when all is over`)
    }
  }

  /** A disk that is at once, soon, or late. */
  #records(): CallRecords {
    const unused = async () => Promise.reject(new Error('nobody reads records here'))
    return {
      append: (record, settled) => {
        const story = this.line.stories.get(record.call)
        if (story === undefined || story.record) this.line.faults.push(`${record.call} has two records`)
        else story.record = record
        const position = ++this.#kept
        this.#count(record.reason)
        if (record.timeline.some(({ event }) => event === 'queued')) this.#count('queued')
        if (position % 3 === 0) queueMicrotask(() => settled(position))
        else if (position % 3 === 1) this.#clock.after(20, () => settled(position))
        else {
          this.#clock.after(50, () => settled(undefined))
          this.#clock.after(300, () => settled(position))
        }
      },
      find: async () => undefined,
      page: unused,
      keys: () => [],
      top: 0,
      waiting: 0,
      trouble: undefined,
      counts: { written: 0, failed: 0, late: 0 } as never,
    }
  }

  #count(what: string): void {
    this.done[what] = (this.done[what] ?? 0) + 1
  }

  #note(text: string): void {
    this.#log?.push(`  ${text}`)
  }

  /** What is done in a step, in the order of chance. */
  #acts(chance: Chance): (() => void)[] {
    const acts: (() => void)[] = []
    for (let index = chance.below(9); index > 0; index--) acts.push(() => this.#place(chance))
    for (const device of this.line.devices) {
      for (const call of device.calls.keys()) acts.push(() => this.#answer(chance, device, call))
      if (chance.odds(device.attachment === undefined || device.lost ? 0.05 : 0.008))
        acts.push(() => this.#harm(chance, device))
    }
    for (const story of this.#live) {
      if (story.step !== undefined && chance.odds(0.5)) acts.push(() => this.#perform(chance, story))
      const way = chance.below(100)
      if (way < 5) acts.push(() => this.#hangUp(story))
      else if (way === 5) acts.push(() => this.#redirect(chance, story))
      else if (way === 6) acts.push(() => this.#lose(story, chance.odds(0.5)))
    }
    if (chance.odds(0.3)) acts.push(() => this.#declare(chance))
    if (chance.odds(0.2)) acts.push(() => this.#stale(chance))
    return chance.shuffle(acts)
  }

  /** A call, from outside or by a device. */
  #place(chance: Chance, own = chance.odds(0.15) ? chance.pick(this.line.devices) : undefined): void {
    const { router } = this.#room
    if (own && (own.attachment === undefined || own.lost)) return
    let story: Story | undefined
    const send = (frame: CallFrame): void => story && this.line.told(story, frame)
    const caller = own
      ? { account: own.party.account, party: own.party, send }
      : { account: 'gateway' as never, ...(chance.odds(0.7) && { performs: everything }), send }
    const document = chance.odds(0.25) ? documentOf(chance, names) : undefined
    const request: CallRequest = {
      tenant: acme,
      to: chance.pick(names),
      from: own ? own.party.account : `+1555${chance.below(40)}`,
      direction: own ? 'outbound-dial' : 'inbound',
      caller: caller as Caller,
      ...(document && { instructions: document }),
    }
    const placed = router.place(request)
    this.#note(
      `${request.from} calls ${request.to} ${JSON.stringify(document ?? '')}: ${JSON.stringify(placed)}`,
    )
    if (!placed.ok) {
      if (!own || placed.code !== 'busy') this.line.faults.push(`not placed: ${placed.message}`)
      return
    }
    story = this.line.place(placed.value, request.caller)
    this.#live.push(story)
    if (own) this.line.begins(own, placed.value)
  }

  /** What a person does about a call that their device has. */
  #answer(chance: Chance, device: Device, call: CallId): void {
    const { router } = this.#room
    const { party, calls, lost } = device
    const part = calls.get(call)
    const way = chance.below(100)
    if (part === undefined || lost) return
    const does = (what: string, act: () => { ok: boolean }, expected = true) => {
      const { ok } = act()
      this.#note(`${party.account}/${party.device} ${what} ${call}, ${part}: ${ok}`)
      if (ok) this.#count(what)
      if (ok !== expected)
        this.line.faults.push(`${party.account}/${party.device} ${what} ${call}, ${part}: ${ok}`)
    }
    const isOpen = part === 'rung'
    if (part === 'talking' || part === 'calling') {
      const gone = this.line.stories.get(call)?.record !== undefined
      if (way < 12) does('hangs up', () => router.hangup(party, call), !gone)
      else if (way < 18) this.#pass(chance, device, call)
      // To talk to someone before, as one does.
      else if (way < 22) this.#place(chance, device)
      return
    }
    if (way < 20) does('accepts', () => router.accept(party, call), isOpen)
    else if (way < 26) {
      if (isOpen) calls.set(call, 'refused')
      does('rejects', () => router.reject(party, call, way < 23 ? 'declined' : 'busy'), isOpen)
    } else if (way < 50 && device.manner === 'slow') router.ringing(party, call)
  }

  /** Passes a call on, to a name, or to the other side of another call. */
  #pass(chance: Chance, { party, calls }: Device, call: CallId): void {
    const { router } = this.#room
    const others = [...calls.keys()].filter(other => other !== call)
    const attended = others.length > 0 && chance.odds(0.8) ? chance.pick(others) : undefined
    const to = chance.pick(names)
    const placed = [call, attended].flatMap(id => {
      const story = id && this.line.stories.get(id)
      return story && story.by.party === party && !story.deaf ? [story] : []
    })
    for (const story of placed) story.deaf = true
    const passed = router.transfer(party, call, to, attended)
    this.#note(
      `${party.account}/${party.device} passes ${call} on to ${attended ?? to}: ${JSON.stringify(passed)}`,
    )
    if (passed.ok) this.#count(attended ? 'connects' : 'passes on')
    else for (const story of placed) story.deaf = false
  }

  #arrive(device: Device): void {
    const { presence, router } = this.#room
    const { party, manner } = device
    const link = {
      send: (frame: HubFrame): void => {
        this.line.hear(device, frame)
        if (frame.type === 'invite' && manner === 'prompt') {
          queueMicrotask(() => device.lost || router.ringing(party, frame.call))
        }
      },
      probe: () => void this.#clock.after(200, () => device.attachment?.alive()),
    }
    const arrival = { ...party, link, groups: [], canReceive: true, confirms: party.device !== 'd1' }
    const attached = presence.attach(arrival)
    if (!attached.ok) throw new Error(attached.message)
    const again = device.attachment !== undefined
    device.attachment = attached.value
    if (device.lost) router.back(party)
    device.lost = false
    if (again) this.line.again(device, router.retell(party))
  }

  /** A device is lost, comes back, leaves, arrives, or is taken over by another session. */
  #harm(chance: Chance, device: Device): void {
    const { router } = this.#room
    const { attachment, party, lost } = device
    const way = chance.below(4)
    this.#note(`${party.account}/${party.device}: ${attachment && (lost ? 'lost' : 'there')}, ${way}`)
    this.#count('harm')
    if (attachment === undefined || way === 3) this.#arrive(device)
    else if (way === 2) {
      this.line.forget(device)
      attachment.leave()
      router.gone(party)
    } else if (lost) {
      device.lost = false
      attachment.resume()
      router.back(party)
    } else {
      device.lost = true
      attachment.linger()
      router.lost(party)
    }
  }

  #hangUp({ by, call, record }: Story): void {
    const { ok } = this.#room.router.hangup(by.party ?? by, call)
    this.#note(`the caller of ${call} hangs up: ${ok}`)
    if (!by.party && ok === (record !== undefined))
      this.line.faults.push(`the caller of ${call} hung up: ${ok}`)
  }

  /** An outside caller's connection is lost, and comes back, or does not. */
  #lose({ by, call, record }: Story, forGood: boolean): void {
    const { router } = this.#room
    if (by.party || record) return
    this.#note(`the caller of ${call} is lost${forGood ? ' for good' : ''}`)
    router.lost(by)
    if (forGood) router.gone(by)
    else this.#clock.after(400, () => router.back(by))
  }

  #perform(chance: Chance, story: Story): void {
    const wrong = chance.odds(0.1)
    const step = (story.step as number) + (wrong ? 1 : 0)
    const outcome = chance.pick(['done', 'completed', 'busy', 'no-answer', 'failed', 'rejected'])
    const data = chance.odds(0.5) ? { digits: '1' } : undefined
    const { ok } = this.#room.router.performed(story.by, story.call, { step, outcome, data })
    this.#note(`${story.call} step ${step} ${outcome}: ${ok}`)
    if (ok && wrong) this.line.faults.push(`${story.call} took step ${step}, which it had not asked for`)
    if (ok) {
      this.#count('performs')
      if (story.step === step) story.step = undefined
    }
  }

  #redirect(chance: Chance, { call, record }: Story): void {
    const instructions = documentOf(chance, names)
    const { ok } = this.#room.router.redirect(acme, call, instructions, 'boss' as never)
    this.#note(`${call} is redirected to ${JSON.stringify(instructions)}: ${ok}`)
    if (ok) this.#count('redirected')
    if (ok === (record !== undefined)) this.line.faults.push(`${call} was redirected: ${ok}`)
  }

  #declare(chance: Chance): void {
    const { presence } = this.#room
    const device = chance.pick(this.line.devices)
    const { account } = device.party
    const status = chance.pick(statuses)
    const way = chance.below(4)
    this.#note(`${account} ${way} ${status}`)
    if (way === 0 && !device.lost) device.attachment?.declare({ status })
    else if (way === 1 && chance.odds(0.5)) presence.override(acme, account, { status }, account)
    else if (way < 3) presence.override(acme, account, { status: null }, account)
    else presence.wrapup(acme, account, chance.pick([0, 500, 5_000]))
  }

  /** Someone takes up what is over, or was never theirs. */
  #stale(chance: Chance): void {
    const device = chance.pick(this.line.devices)
    const id = this.line.calls[chance.below(this.line.calls.length)]
    if (id === undefined || device.calls.has(id)) return
    if (this.#room.router.accept(device.party, id).ok)
      this.line.faults.push(`${id} was accepted by who had none of it`)
  }
}
