// Reject: the caller is refused, as `rejected` or as `busy`.

import type { Call } from '../call.js'
import type { RejectStep } from '../instructions/index.js'
import type { Next } from '../plan.js'

export const reject = (call: Call, { reason }: RejectStep): Next => {
  call.end(reason, { by: 'instructions' })
  return { next: 'nothing' }
}
