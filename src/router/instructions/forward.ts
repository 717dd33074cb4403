// A Dial that goes outside, as the step that its gateway performs.

import type { Line } from './content.js'
import { present } from './reading.js'
import type { DialStep, PerformStep } from './steps.js'

type Terms = Pick<DialStep, 'sequential' | 'method' | 'action' | 'timeoutMs' | 'callerId' | 'timeLimitMs'>

export const forwardOf = (
  to: readonly Line[],
  { sequential, timeoutMs, callerId, timeLimitMs, action, method }: Terms,
): PerformStep => ({
  verb: 'perform',
  what: 'forward',
  with: { to, sequential, ...present({ timeoutMs, callerId, timeLimitMs }) },
  ...present({ action }),
  method,
})
