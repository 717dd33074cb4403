// Enqueue: there is no queue in this hub yet, and a caller who asks for one is told so.

import type { Call } from '../call.js'
import type { Next } from '../plan.js'

export const enqueue = (call: Call): Next => {
  call.end('failed', { message: 'Enqueue is not supported by this hub yet' })
  return { next: 'nothing' }
}
