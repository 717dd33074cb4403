// The port to the queue of what is to be told to applications outside, as far as it outlasts the process: handed over,
// crossed out once it is taken or given up, and found again at the next start. Handing over never fails; whoever must
// not go on before it is kept asks when that is so.

import Type, { type Static } from 'typebox'
import { TenantName } from '../protocol/index.js'

export const KeptDelivery = Type.Object({
  /** The same for as long as it is tried, over restarts too. */
  id: Type.String(),
  tenant: TenantName,
  url: Type.String(),
  method: Type.Enum(['GET', 'POST']),
  fields: Type.Record(Type.String(), Type.String()),
  /** Those of one key go one after the other. */
  key: Type.String(),
  /** When it was handed over, in milliseconds since 1970. */
  at: Type.Integer(),
})
export type KeptDelivery = Static<typeof KeptDelivery>

export interface DeliveryQueue {
  /** All that is to be delivered, in the order in which it was handed over. */
  recall(): readonly KeptDelivery[]
  put(delivery: KeptDelivery): void
  /** It is taken, or given up. */
  remove(id: string): void
  /**
   * Calls back, once: when all that was handed over so far is where it outlasts the process, or when the disk refuses
   * it or takes too long. At once, if that is so already.
   */
  kept(then: () => void): void
}

/** The engine that keeps nothing. */
export const unkeptDeliveries: DeliveryQueue = {
  recall: () => [],
  put() {},
  remove() {},
  kept: then => then(),
}
