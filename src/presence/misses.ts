// Misses in a row: who lets that many calls of a group ring is taken for away, by the system's word for all of their
// devices. It stands until someone says otherwise, and then the count begins anew; so does it with an answered call.

import { systemName } from '../protocol/index.js'
import { override } from './declaration.js'
import type { Graph } from './graph.js'
import type { AccountRecord } from './records.js'

/**
 * Sets the override `away` if the account has missed `most` calls in a row. Their own word stands where it already
 * keeps calls from them, and who has no device left is offline, not away.
 */
export const withdraw = (graph: Graph, account: AccountRecord, most: number): void => {
  const { missedInARow } = account.history
  const said = account.state.value.override
  if (missedInARow < most || account.devices.length === 0) return
  if (said !== 'none' && said !== 'available') return
  const note = `missed ${missedInARow} calls in a row`
  // Refused where the tenant has as many overrides as it may: that is counted, and nobody is here to be told.
  override(graph, account.tenant, account.account, { status: 'away', note }, systemName)
}
