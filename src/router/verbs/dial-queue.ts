// Dial with Queue: whoever calls is connected with the call of a queue that has waited longest. It is offered to the device
// that they call from, in exchange for the call by which they asked, which is over with that.

import type { Destination } from '../../protocol/index.js'
import type { Call } from '../call.js'
import type { UrlSource } from '../instructions/index.js'
import type { Next } from '../plan.js'
import { entryOf } from '../sides.js'
import { dialFields, toAction } from './action.js'
import { fail } from './fail.js'

export const dialQueue = (call: Call, name: string, action: UrlSource | undefined): Next => {
  const { party } = call.caller
  if (party === undefined) {
    return fail(call, 'Dial with Queue is for callers who call from a device of this hub')
  }
  if (!entryOf(call.parts, party).canReceive) {
    return fail(call, 'Dial with Queue is for callers whose device may be offered calls')
  }
  const waiting = call.parts.queues.oldestFor(party, name as Destination)
  if (waiting === undefined) {
    call.dialledAs('unavailable', { queue: name })
    if (action === undefined) return { next: 'verb' }
    return toAction(call, action, dialFields(call, { reason: 'unavailable', talkMs: 0 }))
  }
  waiting.offerTo(party, call.id)
  call.end('completed', { message: `offered the call that has waited longest for ${name}` })
  return { next: 'nothing' }
}
