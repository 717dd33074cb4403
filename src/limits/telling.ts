// How much is told of refusals: each is a line of the log that says from where it came, and whoever is refused for as
// long as they like would fill the disk. Of one address so many lines are written a second, and all are counted. Lines
// about anything else go through as they are.

import { type Log, subscriberOf } from '../runtime/index.js'
import type { Bounds } from './bounds.js'
import { Buckets, perSecond } from './bucket.js'

/** A log in which the refusals of one address are bounded; `now`: monotonic milliseconds. */
export const telling = (log: Log, bounds: Bounds, now: () => number): Log => {
  const lines = new Buckets()
  return {
    info(facts, message) {
      const { code, peer } = facts as { readonly code?: unknown; readonly peer?: unknown }
      const refusal = code !== undefined && peer !== undefined
      const pace = perSecond(bounds.of.refusalLinesPerSecond)
      if (refusal && lines.take(subscriberOf(String(peer)), pace, now()) > 0)
        bounds.note('refusalLinesPerSecond')
      else log.info(facts, message)
    },
    warn: (facts, message) => log.warn(facts, message),
    error: (facts, message) => log.error(facts, message),
  }
}
