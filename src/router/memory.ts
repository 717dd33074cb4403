// What a router remembers from one call to the next, for the strategies that go by more than presence says: whose turn
// it was in a group, and who talked to a caller last. Turns are kept of those who are in the group, callers for a day
// and so many of a tenant; nothing of it outlasts the process.

import { LRUCache } from 'lru-cache'
import type { Config, Strategy } from '../config.js'
import type { Bounds } from '../limits/index.js'
import type { AccountEntry, AccountId, Destination, TenantId } from '../protocol/index.js'
import type { Clock } from '../runtime/index.js'
import type { Policy } from './pick/index.js'

/** A group of a tenant. */
export interface Place {
  readonly tenant: TenantId
  readonly group: Destination
}

/** Who talked to a caller is tried first for so long. */
const stickyMs = 86_400_000

/** A longer name is none that anyone calls by, and is not worth the room. */
const longestCaller = 256

const nothing: Pick<Policy, 'turns'> = { turns: new Map() }

const keyOf = ({ tenant, group }: Place): string => `${tenant}\n${group}`

export class Memory {
  readonly #clock: Clock
  readonly #bounds: Bounds
  readonly #turns = new Map<string, Map<AccountId, number>>()
  readonly #callers = new Map<TenantId, LRUCache<string, AccountId>>()
  #last = 0

  constructor(clock: Clock, bounds: Bounds) {
    this.#clock = clock
    this.#bounds = bounds
  }

  /** How many turns and callers are remembered. */
  get size(): number {
    let size = 0
    for (const turns of this.#turns.values()) size += turns.size
    for (const callers of this.#callers.values()) size += callers.size
    return size
  }

  /** It was this person's turn. */
  rang(place: Place, account: AccountId): void {
    const key = keyOf(place)
    const turns = this.#turns.get(key) ?? new Map<AccountId, number>()
    this.#turns.set(key, turns.set(account, ++this.#last))
  }

  /** This person has talked to that caller, as one of the group. */
  talked({ tenant, group }: Place, from: string, account: AccountId): void {
    if (from === '' || from.length > longestCaller) return
    let callers = this.#callers.get(tenant)
    if (callers === undefined) {
      callers = new LRUCache({
        max: this.#bounds.of.callersPerTenant,
        ttl: stickyMs,
        ttlResolution: 0,
        perf: { now: () => this.#clock.wall() },
        dispose: (_account, _caller, reason) => {
          if (reason === 'evict') this.#bounds.note('callersPerTenant')
        },
      })
      this.#callers.set(tenant, callers)
    }
    callers.set(`${group}\n${from}`, account)
  }

  /** What a strategy goes by. `accounts`: who is in the group now; others are forgotten in time. */
  recall(
    strategy: Strategy,
    place: Place,
    from: string,
    accounts: readonly AccountEntry[],
  ): Pick<Policy, 'turns' | 'last'> {
    const turns = strategy === 'round-robin' ? this.#turns.get(keyOf(place)) : undefined
    if (turns !== undefined) return { turns: this.#among(turns, accounts) }
    const callers = strategy === 'sticky' ? this.#callers.get(place.tenant) : undefined
    const last = callers?.get(`${place.group}\n${from}`)
    return last === undefined ? nothing : { ...nothing, last }
  }

  /** Once as many are remembered again as there are, those that are not there are forgotten. */
  #among(turns: Map<AccountId, number>, accounts: readonly AccountEntry[]): Map<AccountId, number> {
    if (turns.size <= 2 * accounts.length) return turns
    const names = new Set(accounts.map(({ account }) => account))
    for (const account of turns.keys()) if (!names.has(account)) turns.delete(account)
    return turns
  }

  /** Forgets the tenants and groups that are no more. */
  configure(tenants: Config['tenants']): void {
    for (const key of this.#turns.keys()) {
      const [tenant, group] = key.split('\n')
      if (!tenants.get(tenant as TenantId)?.groups.has(group as Destination)) this.#turns.delete(key)
    }
    for (const tenant of this.#callers.keys()) if (!tenants.has(tenant)) this.#callers.delete(tenant)
  }
}
