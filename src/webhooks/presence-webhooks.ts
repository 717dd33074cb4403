// What applications outside are told of presence: of each destination that a tenant's configuration names, the
// consolidated state at the start, and then its changes, as any reader of the feed is told them. Of one destination one
// notice is under way at a time and one goes out in each span of gathering; what changes meanwhile is one more, in which
// a later state has taken the place of an earlier one. A receiver that missed one begins anew, with a snapshot.

import { locate } from '../egress/index.js'
import type { Fault } from '../errors.js'
import type { Presence, Reader, Subscriptions } from '../presence/index.js'
import type { AccountEntry, AccountId, Destination, PresenceFrame, TenantId } from '../protocol/index.js'
import type { Clock } from '../runtime/index.js'
import type { Deliveries } from './deliveries.js'

/** Where a tenant wants to be told of which destinations. */
export interface PresenceWebhook {
  readonly url: string
  readonly destinations: readonly Destination[]
  readonly view: 'full' | 'summary'
}

type Tenants = ReadonlyMap<TenantId, { readonly webhooks: readonly PresenceWebhook[] }>

export interface PresenceWebhooksOptions {
  readonly presence: Pick<Presence, 'subscriptions'>
  readonly deliveries: Pick<Deliveries, 'notify'>
  readonly gatherMs: number
  readonly clock: Clock
  newId(): string
}

/** What is wrong with the addresses in a configuration. */
export const faultsOfWebhooks = (tenants: Tenants): readonly Fault[] =>
  [...tenants].flatMap(([tenant, { webhooks }]) =>
    webhooks.flatMap(({ url }, index) => {
      const located = locate(url)
      const path = `tenants.${tenant}.webhooks[${index}].url`
      return located.ok ? [] : [{ path, message: located.message }]
    }),
  )

/** What is to be told next: the state that it comes to, and all that changed since the last notice. */
interface News {
  head: PresenceFrame
  readonly first: PresenceFrame
  readonly accounts: Map<AccountId, AccountEntry>
  readonly removed: Set<AccountId>
}

interface Watched extends Omit<PresenceWebhook, 'destinations'> {
  readonly tenant: TenantId
  readonly destination: Destination
}

/** One destination at one address. */
class Watch implements Reader {
  readonly #options: PresenceWebhooksOptions
  readonly #watched: Watched
  readonly #subscriptions: Subscriptions
  #news: News | undefined
  #sending = false
  #gathering = false
  /** The receiver did not take the last notice. */
  #missed = false

  constructor(options: PresenceWebhooksOptions, watched: Watched) {
    this.#options = options
    this.#watched = watched
    this.#subscriptions = options.presence.subscriptions(watched.tenant, this)
    this.#begin()
  }

  send(frame: PresenceFrame): void {
    if (this.#missed) {
      this.#begin()
      return
    }
    if (frame.snapshot) this.#news = undefined
    this.#news ??= { head: frame, first: frame, accounts: new Map(), removed: new Set() }
    const { accounts, removed } = this.#news
    this.#news.head = frame
    for (const entry of frame.accounts ?? []) {
      removed.delete(entry.account)
      accounts.set(entry.account, entry)
    }
    for (const account of frame.removed ?? []) {
      accounts.delete(account)
      removed.add(account)
    }
    this.#flush()
  }

  close(): void {
    this.#subscriptions.close()
    this.#news = undefined
  }

  /** Asks for how things stand, which comes at once. */
  #begin(): void {
    this.#missed = false
    const { destination, view } = this.#watched
    this.#subscriptions.subscribe(destination, { view, devices: false })
  }

  #flush(): void {
    const news = this.#news
    if (news === undefined || this.#sending || this.#gathering) return
    this.#news = undefined
    this.#sending = true
    this.#gathering = true
    const { clock, gatherMs, deliveries, newId } = this.#options
    clock.after(gatherMs, () => {
      this.#gathering = false
      this.#flush()
    })
    const id = newId()
    const { tenant, url, destination, view } = this.#watched
    const json = JSON.stringify(this.#bodyOf(id, news))
    const key = `presence ${view} ${url} ${destination}`
    deliveries.notify({ id, tenant, url, json, key }, taken => {
      this.#sending = false
      if (taken) this.#flush()
      // With the next change it is told how things stand; if there was one since, then that is now.
      else if (this.#news === undefined) this.#missed = true
      else this.#begin()
    })
  }

  #bodyOf(id: string, { head, first, accounts, removed }: News): object {
    const { destination, kind, version, status, since, counts } = head
    const { snapshot, prev } = first
    const { tenant, view } = this.#watched
    return {
      event: 'presence.changed',
      id,
      tenant,
      destination,
      kind,
      at: new Date(this.#options.clock.wall()).toISOString(),
      snapshot,
      ...(prev !== undefined && { prev }),
      version,
      status,
      since,
      counts,
      ...(view === 'full' && { accounts: [...accounts.values()], removed: [...removed] }),
    }
  }
}

export class PresenceWebhooks {
  readonly #options: PresenceWebhooksOptions
  /** By what is watched, as text. */
  readonly #watches = new Map<string, Watch>()

  constructor(options: PresenceWebhooksOptions, tenants: Tenants) {
    this.#options = options
    this.configure(tenants)
  }

  /** Watches what these tenants want to be told of, from now on; what they want as before goes on as it is. */
  configure(tenants: Tenants): void {
    const wanted = new Map<string, Watched>()
    for (const [tenant, { webhooks }] of tenants) {
      for (const { url, destinations, view } of webhooks) {
        for (const destination of destinations) {
          const watched = { tenant, url, view, destination }
          wanted.set(`${tenant} ${view} ${destination} ${url}`, watched)
        }
      }
    }
    for (const [name, watch] of this.#watches) {
      if (wanted.has(name)) continue
      this.#watches.delete(name)
      watch.close()
    }
    for (const [name, watched] of wanted) {
      if (!this.#watches.has(name)) this.#watches.set(name, new Watch(this.#options, watched))
    }
  }

  close(): void {
    this.configure(new Map())
  }
}
