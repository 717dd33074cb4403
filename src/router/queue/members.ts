// The feed of one queue's group, folded: who is in it, in which order, and how many are signed in. It subscribes as any
// client does; what the feed says of people goes on to all queues of the tenant.

import type { Presence, Reader, Subscriptions } from '../../presence/index.js'
import type { AccountEntry, AccountId, Destination, PresenceFrame, TenantId } from '../../protocol/index.js'
import type { People } from './people.js'

export interface MembersOptions {
  readonly presence: Pick<Presence, 'subscriptions'>
  readonly tenant: TenantId
  readonly group: Destination
  readonly people: People
  /** Whether another feed tells of someone, too. */
  readonly shared: (account: AccountId) => boolean
  /** Called after each frame. */
  readonly changed: () => void
}

export class Members implements Reader {
  /** Who becomes free is offered a call in the same turn. */
  readonly prompt = true
  readonly #options: MembersOptions
  readonly #subscriptions: Subscriptions
  /** Those in it, and each one's place in the directory's order. */
  #places = new Map<AccountId, number>()
  #next = 0
  #signedIn = 0

  /** Subscribes: what the feed knows now is known when this returns. */
  constructor(options: MembersOptions) {
    const { presence, tenant } = options
    this.#options = options
    this.#subscriptions = presence.subscriptions(tenant, this)
    this.refresh()
  }

  /** How many are signed in, on whatever device and in whatever mood. */
  get signedIn(): number {
    return this.#signedIn
  }

  has(account: AccountId): boolean {
    return this.#places.has(account)
  }

  /** All as they were last told of, in the directory's order. */
  get all(): AccountEntry[] {
    return this.#told([...this.#places.keys()])
  }

  /** Those who are free now, in the same order. */
  get free(): AccountEntry[] {
    const free = [...this.#options.people.free].filter(account => this.#places.has(account))
    return this.#told(free.sort((a, b) => this.#placeOf(a) - this.#placeOf(b)))
  }

  /** Asks for all anew: the order of the members is the snapshot's. */
  refresh(): void {
    this.#subscriptions.subscribe(this.#options.group, { view: 'routing', devices: true })
  }

  close(): void {
    this.#subscriptions.close()
    this.#drop(this.#places.keys())
  }

  send({ snapshot, accounts = [], removed = [], counts }: PresenceFrame): void {
    const { people, changed } = this.#options
    const { offline, ...there } = counts
    this.#signedIn = Object.values(there).reduce((sum, count) => sum + count)
    const before = this.#places
    if (snapshot) this.#places = new Map()
    for (const account of removed) this.#places.delete(account)
    for (const entry of accounts) {
      if (!this.#places.has(entry.account)) this.#places.set(entry.account, this.#next++)
      people.tell(entry)
    }
    this.#drop(removed)
    if (snapshot) this.#drop([...before.keys()].filter(account => !this.#places.has(account)))
    changed()
  }

  /** Those of whom nobody tells any more are forgotten. */
  #drop(accounts: Iterable<AccountId>): void {
    const { people, shared } = this.#options
    for (const account of accounts) if (!shared(account)) people.forget(account)
  }

  #placeOf(account: AccountId): number {
    return this.#places.get(account) as number
  }

  #told(accounts: readonly AccountId[]): AccountEntry[] {
    return accounts.map(account => this.#options.people.entryOf(account) as AccountEntry)
  }
}
