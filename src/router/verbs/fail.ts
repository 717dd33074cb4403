// What no verb can do anything about: the call is over, and its message says why.

import type { Call } from '../call.js'
import type { Next } from '../plan.js'

export const fail = (call: Call, message: string): Next => {
  call.end('failed', { message })
  return { next: 'nothing' }
}
