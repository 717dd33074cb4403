// Where the calls of one tenant wait, in all of its queues: who is free is offered to whichever call comes first among
// those that they may take, whatever queue it is in. That is decided once a turn, for all that has changed in it.

import type { Presence } from '../../presence/index.js'
import type { AccountId, Destination, TenantId } from '../../protocol/index.js'
import { type Clock, TurnEnd } from '../../runtime/index.js'
import type { Memory } from '../memory.js'
import { merged } from './line.js'
import { People } from './people.js'
import type { Queue } from './queue.js'

export interface HallOptions {
  readonly presence: Pick<Presence, 'subscriptions'>
  readonly clock: Clock
  readonly memory: Memory
  /** Uniform in [0, 1). */
  readonly random: () => number
}

export class Hall {
  readonly tenant: TenantId
  readonly options: HallOptions
  readonly people: People
  readonly queues = new Map<Destination, Queue>()
  readonly #turnEnd = new TurnEnd<Hall>(hall => hall.#match())

  constructor(tenant: TenantId, options: HallOptions) {
    this.tenant = tenant
    this.options = options
    this.people = new People(options.clock, () => this.changed())
  }

  /** Something is different: at the end of the turn it is decided anew who is offered to whom. */
  changed(): void {
    this.#turnEnd.add(this)
  }

  /** Whether the feed of another queue than this tells of someone, too. */
  tellsOf(account: AccountId, but: Queue): boolean {
    for (const queue of this.queues.values()) if (queue !== but && queue.tellsOf(account)) return true
    return false
  }

  #match(): void {
    const queues = [...this.queues.values()].filter(({ line }) => line.length > 0)
    for (const queue of queues) queue.begin()
    for (const waiting of merged(queues.map(({ line }) => line))) {
      if (this.people.free.size === 0) break
      waiting.serve()
    }
    for (const queue of queues) queue.tell()
  }
}
