// Who of a tenant may be offered a waiting call now: what the feeds of its queues say of each account, whatever the group
// that it came by, since an account is the same in all of them. Whoever is being offered a call is not free until the feed
// has told of them anew, so that no two calls are offered to them by the same word.

import type { AccountEntry, AccountId } from '../../protocol/index.js'
import { atWall, type Clock, type Timer } from '../../runtime/index.js'

/** Whether someone would take a call of a group, but for what the group and the call ask of them. */
const willing = ({ status, routing }: AccountEntry): boolean =>
  status === 'available' && routing?.canReceive === true && routing.freeCapacity > 0

export class People {
  readonly #clock: Clock
  readonly #freed: () => void
  readonly #entries = new Map<AccountId, AccountEntry>()
  readonly #free = new Set<AccountId>()
  readonly #cooling = new Map<AccountId, Timer>()

  /** `freed` is called whenever someone may be offered a call who might not before. */
  constructor(clock: Clock, freed: () => void) {
    this.#clock = clock
    this.#freed = freed
  }

  /** Whoever is free, of any group. */
  get free(): ReadonlySet<AccountId> {
    return this.#free
  }

  /** How someone was when they were last told of. */
  entryOf(account: AccountId): AccountEntry | undefined {
    return this.#entries.get(account)
  }

  /** The feed's word of someone. */
  tell(entry: AccountEntry): void {
    const { account, routing } = entry
    this.forget(account)
    this.#entries.set(account, entry)
    if (!willing(entry)) return
    const notBefore = Date.parse(routing?.notBefore ?? '')
    // Without a cool-down this is no number, and not later.
    if (notBefore > this.#clock.wall()) {
      this.#cooling.set(
        account,
        atWall(this.#clock, notBefore, () => this.#release(account)),
      )
    } else this.#release(account)
  }

  /** Someone is being offered a call: they are not free until they are told of anew. */
  take(account: AccountId): void {
    this.#free.delete(account)
  }

  forget(account: AccountId): void {
    this.#entries.delete(account)
    this.#free.delete(account)
    this.#cooling.get(account)?.cancel()
    this.#cooling.delete(account)
  }

  #release(account: AccountId): void {
    this.#free.add(account)
    this.#freed()
  }
}
