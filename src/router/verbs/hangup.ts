// Hangup, and the end of a document: the call ends as its last dial did, or was complete without one.

import type { Call } from '../call.js'
import type { Next } from '../plan.js'

export const hangup = (call: Call): Next => {
  if (call.dialled !== undefined) call.end(call.dialled)
  else if (call.served) call.end('completed', { by: 'instructions' })
  else call.end('unavailable', { message: 'the instructions rang nobody' })
  return { next: 'nothing' }
}
