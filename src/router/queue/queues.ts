// All queues of a router, by tenant and group. One is made for the first call that waits in it, and goes once nobody has
// waited there for as long as its figures go back.

import type { Config, GroupConfig } from '../../config.js'
import type { Destination, Party, QueueResource, TenantId } from '../../protocol/index.js'
import type { Call } from '../call.js'
import type { EnqueueStep } from '../instructions/index.js'
import type { Place } from '../search.js'
import { type SurveyParts, survey } from '../survey.js'
import { Hall, type HallOptions } from './hall.js'
import { noFigures, Queue } from './queue.js'
import { windowMs } from './statistics.js'
import { Waiting } from './waiting.js'

export type QueuesOptions = HallOptions & SurveyParts

/** Of whoever would come now: after all of the same priority. */
const newcomer = (priority: number) => ({ priority, ordinal: Number.POSITIVE_INFINITY })

export class Queues {
  readonly #options: QueuesOptions
  readonly #halls = new Map<TenantId, Hall>()
  #tenants: Config['tenants']
  #ordinal = 0

  constructor(tenants: Config['tenants'], options: QueuesOptions) {
    this.#tenants = tenants
    this.#options = options
  }

  /** Takes a call in; undefined where there is no such group. Its wait may be over already. */
  enter(call: Call, step: EnqueueStep): Waiting | undefined {
    const group = step.group as Destination
    const config = this.#tenants.get(call.tenant)?.groups.get(group)
    if (config === undefined) return undefined
    const hall = this.#hall(call.tenant)
    const queue = hall.queues.get(group) ?? this.#begin(hall, group, config)
    const waiting = new Waiting(call, step, queue, ++this.#ordinal)
    queue.enter(waiting)
    return waiting
  }

  /** The call that has waited longest for a group, of those that nobody is offered now, and that are not one's own. */
  oldestFor({ tenant, account }: Party, group: Destination): Waiting | undefined {
    const { all = [] } = this.#halls.get(tenant)?.queues.get(group)?.line ?? {}
    return all
      .filter(({ call, offers }) => offers.length === 0 && call.caller.party?.account !== account)
      .sort((a, b) => a.ordinal - b.ordinal)[0]
  }

  /** Where a call of this priority would stand if it came now. */
  placeFor(tenant: TenantId, group: Destination, priority: number): Place {
    const queue = this.#halls.get(tenant)?.queues.get(group)
    return queue?.placeOf(newcomer(priority)) ?? { position: 1 }
  }

  /** How the queue of a group stands; undefined where there is no such group. */
  async view(tenant: TenantId, group: Destination): Promise<QueueResource | undefined> {
    const settings = this.#tenants.get(tenant)
    const config = settings?.groups.get(group)
    if (settings === undefined || config === undefined) return undefined
    const { resource, candidates } = await survey(this.#options, {
      tenant,
      settings,
      destination: group,
      from: '',
      rung: new Set(),
    })
    const { offline: _, ...there } = resource.counts
    const { serviceLevelMs } = config.queue
    return {
      queue: group,
      ...(this.#halls.get(tenant)?.queues.get(group)?.figures ?? noFigures),
      serviceLevelMs,
      freeAgents: candidates.length,
      signedIn: Object.values(there).reduce((sum, count) => sum + count),
    }
  }

  /** The groups of a tenant in whose queues calls wait, or have waited within the last hour. */
  named(tenant: TenantId): Destination[] {
    return [...(this.#halls.get(tenant)?.queues.keys() ?? [])]
  }

  /** How many calls wait, of each queue in which some do. */
  *waiting(): Iterable<{ readonly tenant: TenantId; readonly queue: Destination; readonly count: number }> {
    for (const [tenant, { queues }] of this.#halls) {
      for (const [queue, { line }] of queues) if (line.length > 0) yield { tenant, queue, count: line.length }
    }
  }

  /** Goes by these directories from now on, for the calls that wait, too. */
  configure(tenants: Config['tenants']): void {
    this.#tenants = tenants
    for (const { tenant, queues } of this.#halls.values()) {
      for (const [group, queue] of queues) {
        queue.configure(tenants.get(tenant)?.groups.get(group))
      }
    }
  }

  #hall(tenant: TenantId): Hall {
    const known = this.#halls.get(tenant)
    if (known !== undefined) return known
    const hall = new Hall(tenant, this.#options)
    this.#halls.set(tenant, hall)
    return hall
  }

  #begin(hall: Hall, group: Destination, config: GroupConfig): Queue {
    const queue = new Queue(hall, group, config)
    hall.queues.set(group, queue)
    const look = (): void => {
      if (queue.spent) hall.queues.delete(group)
      else this.#options.clock.after(windowMs, look)
    }
    this.#options.clock.after(windowMs, look)
    return queue
  }
}
