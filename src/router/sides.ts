// Which live calls a side is in, so that a lost connection finds them at once: an index by device, or by caller.

import type { Presence } from '../presence/index.js'
import type { Destination, DeviceEntry, Party } from '../protocol/index.js'
import type { Call } from './call.js'
import type { Side } from './routing.js'

export const isParty = (side: Side): side is Party => 'device' in side

/** The device of a side, where it has one. */
export const partyOf = (side: Side): Party | undefined => (isParty(side) ? side : side.party)

export const sameParty = (a: Party, b: Party | undefined): boolean =>
  a.device === b?.device && a.account === b.account && a.tenant === b.tenant

/** What presence says of a device that is in a call: whoever is in one is there. */
export const entryOf = (
  { presence }: { readonly presence: Pick<Presence, 'resource'> },
  { tenant, account, device: id }: Party,
): DeviceEntry => {
  const name = account as string as Destination
  const { accounts } = presence.resource(tenant, name, { view: 'routing', devices: true })
  return accounts?.[0]?.devices?.find(({ device }) => device === id) as DeviceEntry
}

const keyOf = (side: Side): unknown => {
  const party = partyOf(side)
  return party === undefined ? side : `${party.tenant}\n${party.account}\n${party.device}`
}

export class Sides {
  readonly #calls = new Map<unknown, Set<Call>>()

  add(side: Side, call: Call): void {
    const key = keyOf(side)
    const calls = this.#calls.get(key)
    if (calls === undefined) this.#calls.set(key, new Set([call]))
    else calls.add(call)
  }

  remove(side: Side, call: Call): void {
    const key = keyOf(side)
    const calls = this.#calls.get(key)
    calls?.delete(call)
    if (calls?.size === 0) this.#calls.delete(key)
  }

  /** A copy, so that what is done with them may change the index. */
  of(side: Side): readonly Call[] {
    return [...(this.#calls.get(keyOf(side)) ?? [])]
  }
}
