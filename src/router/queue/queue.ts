// The queue of one group: the calls that wait for its people, in order, and what is told of it. It watches its group's
// presence while calls wait; who is offered to which of them is decided for all queues of a tenant at once (hall.ts).

import type { GroupConfig } from '../../config.js'
import type { AccountEntry, AccountId, Destination, QueueResource } from '../../protocol/index.js'
import type { Timer } from '../../runtime/index.js'
import { membersOf, obstacle, type Picked, pick, unlisted } from '../pick/index.js'
import type { Place } from '../search.js'
import type { Hall } from './hall.js'
import { Line, type Waits } from './line.js'
import { Members } from './members.js'
import { type Departure, Statistics } from './statistics.js'
import type { Waiting } from './waiting.js'
import { type Way, ways } from './ways.js'

/** How long changes of place gather, by the length of the queue: so it tells at most a hundred callers a second. */
export const tellMs = (length: number): number => Math.max(1_000, 10 * length)

/** The wait of a place. */
const waitOf = ({ position: _, ...wait }: Place) => wait

const nobody: ReadonlySet<AccountId> = new Set()

/** How a queue stands, but for its people. */
export type Figures = Omit<QueueResource, 'queue' | 'serviceLevelMs' | 'freeAgents' | 'signedIn'>

/** Of a queue in which nobody has waited. */
export const noFigures: Figures = {
  waiting: 0,
  longestWaitMs: 0,
  answered: 0,
  abandoned: 0,
  unanswered: 0,
}

export class Queue {
  readonly group: Destination
  readonly line = new Line<Waiting>()
  readonly #hall: Hall
  readonly #statistics = new Statistics()
  #config: GroupConfig
  /** While calls wait. */
  #members: Members | undefined
  /** Who is free for which skills, as this pass has found. */
  readonly #able = new Map<string, AccountEntry[]>()
  #moved = false
  #telling: Timer | undefined

  constructor(hall: Hall, group: Destination, config: GroupConfig) {
    this.#hall = hall
    this.group = group
    this.#config = config
  }

  get config(): GroupConfig {
    return this.#config
  }

  /** Puts a call in line, or sends it away at once. */
  enter(waiting: Waiting): void {
    const { maxLength, maxWaitMs } = this.#config.queue
    if (this.line.length >= maxLength) {
      waiting.leave(ways.full)
      return
    }
    if (this.line.length === 0) this.#open()
    this.line.add(waiting)
    if (this.#deserted) {
      waiting.leave(ways.empty)
      return
    }
    waiting.begin(Math.min(maxWaitMs, waiting.terms.maxWaitMs ?? maxWaitMs))
    this.#moved = true
    this.changed()
  }

  /** A wait is over: of a call that was in line, or had no place there. */
  departed(waiting: Waiting, how: Departure, waitMs: number): void {
    this.#statistics.left(how, waitMs, this.#config.queue.serviceLevelMs, this.#now)
    if (!this.line.has(waiting)) return
    this.line.remove(waiting)
    this.#moved = true
    if (this.line.length > 0) this.changed()
    else this.#close()
  }

  /** Something is different: who waits, who is free, or who may be rung again. */
  readonly changed = (): void => this.#hall.changed()

  /** Before it is decided who is offered to whom. */
  begin(): void {
    this.#able.clear()
    if (this.#deserted) this.#sendAway(ways.empty)
  }

  /** After that. */
  tell(): void {
    if (!this.#moved || this.#telling !== undefined) return
    this.#moved = false
    this.#telling = this.#hall.options.clock.after(tellMs(this.line.length), () => {
      this.#telling = undefined
      this.tell()
    })
    for (const [index, waiting] of this.line.all.entries()) waiting.moved(index + 1)
  }

  /** The directory's word on the group has changed; undefined: it is no more. */
  configure(config: GroupConfig | undefined): void {
    if (config === undefined) {
      this.#sendAway(ways.removed)
      return
    }
    this.#config = config
    this.#members?.refresh()
    this.changed()
  }

  /** Where a call stands, or would. */
  placeOf(waits: Waits): Place {
    const position = this.line.ahead(waits) + 1
    const expectedWaitMs = this.#statistics.expectedWaitMs(position, this.#now)
    return { position, ...(expectedWaitMs !== undefined && { expectedWaitMs }) }
  }

  get figures(): Figures {
    const { oldest, length: waiting } = this.line
    const { inTime, waitedMs, ...counts } = this.#statistics.counts(this.#now)
    const left = counts.answered + counts.abandoned + counts.unanswered
    return {
      ...noFigures,
      ...(oldest && {
        waiting,
        longestWaitMs: Math.round(this.#now - oldest.since),
        ...waitOf(this.placeOf({ priority: 0, ordinal: Number.POSITIVE_INFINITY })),
      }),
      ...(left > 0 && { serviceLevel: inTime / left }),
      ...counts,
      ...(counts.answered > 0 && { averageWaitMs: Math.round(waitedMs / counts.answered) }),
    }
  }

  /** Nobody waits, and nobody has for as long as figures go back. */
  get spent(): boolean {
    const { answered, abandoned, unanswered } = this.#statistics.counts(this.#now)
    return this.line.length + answered + abandoned + unanswered === 0
  }

  /** Those who are free and able to take a call, but for what it is to themselves, in the directory's order. */
  able(skills: readonly string[]): AccountEntry[] {
    const { people, options } = this.#hall
    const key = skills.join('\n')
    let able = this.#able.get(key)
    if (able === undefined) {
      const members = membersOf(this.#config)
      const asked = { skills, rung: nobody, now: options.clock.wall() }
      const fits = (entry: AccountEntry) =>
        obstacle(entry, members.get(entry.account) ?? unlisted, asked) === undefined
      able = this.#watched.free.filter(fits)
      this.#able.set(key, able)
    }
    return able.filter(({ account }) => people.free.has(account))
  }

  /** Of these, whom to ring for a call, in the group's order; and why not the others. */
  pick({ call, terms }: Waiting, accounts: readonly AccountEntry[], rung = nobody): Picked {
    const { clock, memory, random } = this.#hall.options
    const { strategy } = this.#config
    const { party } = call.caller
    // Turns are kept of all who are in the group.
    const all = strategy === 'round-robin' ? this.#watched.all : accounts
    return pick(
      { accounts: [...accounts] },
      {
        strategy,
        members: membersOf(this.#config),
        skills: terms.skills,
        ...(party && { caller: party.account }),
        rung,
        now: clock.wall(),
        random,
        ...memory.recall(strategy, this.#place, call.request.from, all),
      },
    )
  }

  /** The same of all who are in the group. */
  survey(waiting: Waiting): Picked {
    return this.pick(waiting, this.#watched.all)
  }

  /** Someone is being offered a call. */
  take(account: AccountId): void {
    this.#hall.people.take(account)
  }

  /** It was someone's turn. */
  rang(account: AccountId): void {
    if (this.#config.strategy === 'round-robin') this.#hall.options.memory.rang(this.#place, account)
  }

  talked(from: string, account: AccountId): void {
    if (this.#config.strategy === 'sticky') this.#hall.options.memory.talked(this.#place, from, account)
  }

  /** The tier that joins after this one, if there is one. */
  tierAfter(tier: number): number | undefined {
    const later = this.#config.members.map(member => member.tier).filter(other => other > tier)
    return later.length === 0 ? undefined : Math.min(...later)
  }

  /** Whether its feed tells of someone. */
  tellsOf(account: AccountId): boolean {
    return this.#members?.has(account) === true
  }

  #open(): void {
    const { people, options, tenant } = this.#hall
    this.#statistics.begun(this.#now)
    this.#members = new Members({
      presence: options.presence,
      tenant,
      group: this.group,
      people,
      shared: account => this.#hall.tellsOf(account, this),
      changed: this.changed,
    })
  }

  #close(): void {
    this.#members?.close()
    this.#members = undefined
    this.#able.clear()
  }

  #sendAway(way: Way): void {
    for (const waiting of [...this.line.all]) waiting.leave(way)
  }

  get #deserted(): boolean {
    return this.#config.queue.leaveWhenEmpty && this.#members?.signedIn === 0
  }

  /** While calls wait. */
  get #watched(): Members {
    return this.#members as Members
  }

  get #place() {
    return { tenant: this.#hall.tenant, group: this.group }
  }

  get #now(): number {
    return this.#hall.options.clock.now()
  }
}
