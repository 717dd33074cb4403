// What every call of a router works with: given once, to the router, and passed down whole.

import type { Config } from '../config.js'
import type { Bounds } from '../limits/index.js'
import type { Presence } from '../presence/index.js'
import type { CallId, Destination, Resource, TenantId } from '../protocol/index.js'
import type { Clock, Log } from '../runtime/index.js'
import type { CallRecord } from '../store/index.js'
import type { Call } from './call.js'
import type { Memory } from './memory.js'
import type { Queues } from './queue/index.js'
import type { Sides } from './sides.js'
import type { Source } from './source/index.js'
import type { Callbacks } from './status-callbacks.js'

export interface Parts {
  readonly config: Pick<Config, 'calls'>
  readonly presence: Presence
  readonly bounds: Bounds
  readonly clock: Clock
  readonly log: Log
  readonly source: Source
  readonly sides: Sides
  readonly memory: Memory
  readonly queues: Queues
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** Reads a destination's routing view through the presence API: in this process, or over the network. */
  read(tenant: TenantId, destination: Destination): Promise<Resource>
  newId(): CallId
  /** Watches over work that nobody waits for: what it throws is logged, and ends its call. */
  guard(work: Promise<unknown>, call: Call): void
  /** Where what applications are told of calls goes. */
  readonly callbacks: Callbacks
  /**
   * Keeps the record of a call that is over, and says when its caller may hear of that: `tell` calls back when they
   * have. Absent: none is kept.
   */
  readonly keep?: ((record: CallRecord, tell: (told: () => void) => void) => void) | undefined
  /** The call is over: it moves from the live ones to the ended. */
  ended(call: Call): void
}
