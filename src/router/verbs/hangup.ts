// Hangup, and the end of a document: nobody has answered, so the call ends as its last dial did.

import type { Call } from '../call.js'
import type { Next } from '../plan.js'

export const hangup = (call: Call): Next => {
  if (call.dialled === undefined) call.end('unavailable', { message: 'the instructions rang nobody' })
  else call.end(call.dialled)
  return { next: 'nothing' }
}
