// All that applications outside are told: handed over here and forgotten by whoever did, since nobody waits for a
// receiver. What a tenant has waiting is bounded; where there is too much, the receiver that has most waiting loses the
// one that waited longest. Callbacks are in the store's queue until they are over, under the same id, so that a new
// process goes on with them; notices are not.

import { type Egress, shown } from '../egress/index.js'
import type { Bounds } from '../limits/index.js'
import type { TenantId } from '../protocol/index.js'
import type { Clock, Log } from '../runtime/index.js'
import type { DeliveryQueue } from '../store/index.js'
import { type Attempt, attemptOver, type Callback, type Delivery, type Notice } from './delivery.js'
import { type Ending, Receiver, type Waiting } from './receiver.js'

/** What a tenant's receivers have waiting. */
interface Load {
  count: number
  bytes: number
  /** When the log was last told of one that was given up, and how many were since. */
  toldAt: number
  untold: number
  readonly receivers: Map<string, Receiver>
}

/** Of one tenant no more than one line of the log in so long a time is about what was given up. */
const TELLING_MS = 60_000

export interface DeliveriesOptions {
  readonly webhooks: { readonly retryForMs: number; readonly timeoutMs: number; readonly atOnce: number }
  readonly tenants: ReadonlyMap<TenantId, { readonly authToken?: string }>
  readonly egress: Egress
  readonly queue: DeliveryQueue
  readonly bounds: Bounds
  readonly clock: Clock
  readonly log: Log
}

export class Deliveries {
  /** What came of attempts that were in vain (`failed`), and of deliveries. */
  readonly counts = { delivered: 0, failed: 0, refused: 0, expired: 0, dropped: 0 }
  readonly #options: DeliveriesOptions
  readonly #attempt: Attempt
  readonly #loads = new Map<TenantId, Load>()
  #tenants: DeliveriesOptions['tenants']
  #closed = false

  constructor(options: DeliveriesOptions) {
    const { egress, clock, webhooks, queue } = options
    this.#options = options
    this.#tenants = options.tenants
    this.#attempt = attemptOver({
      egress,
      clock,
      timeoutMs: webhooks.timeoutMs,
      tenant: name => this.#tenants.get(name),
    })
    for (const delivery of queue.recall()) this.#add(delivery)
  }

  /** How many are not over. */
  get waiting(): number {
    let waiting = 0
    for (const { count } of this.#loads.values()) waiting += count
    return waiting
  }

  /** Delivers a form, at least once, as long as there is time for it. Returns at once. */
  deliver(callback: Callback): void {
    const delivery = { ...callback, at: this.#options.clock.wall() }
    this.#options.queue.put(delivery)
    this.#add(delivery)
  }

  /** Calls back once all that was handed over to `deliver` outlasts the process, or cannot for now; at once if so. */
  kept(then: () => void): void {
    this.#options.queue.kept(then)
  }

  /** The same for a text that outlasts nothing; `settled` hears whether it was taken, and never at once. */
  notify(notice: Notice, settled: (taken: boolean) => void): void {
    this.#add({ ...notice, at: this.#options.clock.wall() }, settled)
  }

  /** Goes by these tenants from now on. */
  configure(tenants: DeliveriesOptions['tenants']): void {
    this.#tenants = tenants
  }

  /** Sends nothing more, and gives up what is on its way; what is in the queue stays there for the next start. */
  async close(): Promise<void> {
    this.#closed = true
    for (const { receivers } of this.#loads.values()) for (const each of receivers.values()) each.close()
    await this.#options.egress.close()
  }

  #add(delivery: Delivery, settled?: (taken: boolean) => void): void {
    if (this.#closed) return
    const load = this.#loadOf(delivery.tenant)
    const bytes = JSON.stringify(delivery).length
    this.#makeRoom(load, bytes)
    load.count++
    load.bytes += bytes
    this.#receiverOf(load, delivery).add({ delivery, bytes, settled })
  }

  /** Drops what is too much once so many bytes more are there. */
  #makeRoom(load: Load, bytes: number): void {
    const { bounds } = this.#options
    const { deliveriesPerTenant, deliveryBytesPerTenant } = bounds.of
    for (;;) {
      const crowded = load.count >= deliveriesPerTenant
      if (!crowded && load.bytes + bytes <= deliveryBytesPerTenant) return
      let fullest: Receiver | undefined
      for (const each of load.receivers.values()) {
        if (each.resting > (fullest?.resting ?? 0)) fullest = each
      }
      // All that is left is on its way.
      if (fullest === undefined) return
      fullest.drop()
      bounds.note(crowded ? 'deliveriesPerTenant' : 'deliveryBytesPerTenant')
    }
  }

  #loadOf(tenant: TenantId): Load {
    const known = this.#loads.get(tenant)
    if (known !== undefined) return known
    const load = { count: 0, bytes: 0, toldAt: Number.NEGATIVE_INFINITY, untold: 0, receivers: new Map() }
    this.#loads.set(tenant, load)
    return load
  }

  #receiverOf(load: Load, { tenant, url }: Delivery): Receiver {
    const { origin } = new URL(url)
    const known = load.receivers.get(origin)
    if (known !== undefined) return known
    const { clock, log, webhooks } = this.#options
    const receiver = new Receiver({
      name: { tenant, receiver: origin },
      attempt: this.#attempt,
      atOnce: webhooks.atOnce,
      retryForMs: webhooks.retryForMs,
      clock,
      log,
      failed: () => {
        this.counts.failed++
      },
      over: (waiting, ending, why) => {
        this.#over(load, waiting, ending)
        if (receiver.size === 0) load.receivers.delete(origin)
        if (ending !== 'delivered') this.#tell(load, waiting, ending, why)
      },
    })
    load.receivers.set(origin, receiver)
    return receiver
  }

  #over(load: Load, { delivery, bytes, settled }: Waiting, ending: Ending): void {
    this.counts[ending]++
    load.count--
    load.bytes -= bytes
    this.#options.queue.remove(delivery.id)
    settled?.(ending === 'delivered')
  }

  #tell(load: Load, { delivery }: Waiting, ending: Ending, why: string | undefined): void {
    const { clock, log } = this.#options
    if (clock.now() - load.toldAt < TELLING_MS) {
      load.untold++
      return
    }
    const { tenant, id, url } = delivery
    const { untold } = load
    log.warn({ tenant, url: shown(url), id, ending, why, untold }, 'a delivery was given up')
    load.toldAt = clock.now()
    load.untold = 0
  }
}
