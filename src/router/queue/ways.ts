// The ways out of a queue: how the call would end if nothing followed, and what a voice application is told of it. The
// words of `QueueResult` are those that such applications know; where they have none, it is the ending's own.

import type { EndReason } from '../../protocol/index.js'
import type { Departure } from './statistics.js'

export interface Way {
  readonly how: Departure
  readonly reason: EndReason
  /** `QueueResult`. */
  readonly result: string
  /** Why, for people. */
  readonly message?: string
}

export const ways = {
  answered: { how: 'answered', reason: 'completed', result: 'bridged' },
  canceled: { how: 'abandoned', reason: 'canceled', result: 'hangup' },
  redirected: { how: 'unanswered', reason: 'completed', result: 'redirected' },
  failed: { how: 'unanswered', reason: 'failed', result: 'system-error' },
  full: { how: 'unanswered', reason: 'busy', result: 'queue-full', message: 'the queue is full' },
  late: { how: 'unanswered', reason: 'no-answer', result: 'no-answer', message: 'it has waited long enough' },
  empty: {
    how: 'unanswered',
    reason: 'unavailable',
    result: 'unavailable',
    message: 'nobody of the group is signed in',
  },
  removed: { how: 'unanswered', reason: 'failed', result: 'error', message: 'the group is no more' },
} as const satisfies Record<string, Way>
