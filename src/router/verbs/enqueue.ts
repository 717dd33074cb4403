// Enqueue: the call waits until someone of a group takes it, or its wait is over another way. Then its `action` is asked,
// or the next verb follows; without an `action` an answered call is over when either side hangs up.

import type { Call } from '../call.js'
import type { EnqueueStep } from '../instructions/index.js'
import type { Course, Next } from '../plan.js'
import { actionOf, toAction } from './action.js'
import { fail } from './fail.js'

/** Waits, and follows what comes of it. */
export const enqueue = async (call: Call, step: EnqueueStep, course: Course): Promise<Next> => {
  const action = actionOf(step, course)
  if (!action.ok) return fail(call, `Enqueue action: ${action.message}`)
  const waiting = call.parts.queues.enter(call, step)
  if (waiting === undefined) return fail(call, `Enqueue: there is no group ${step.group}`)
  const { how, reason, result, waitMs } = await waiting.over
  const over = how !== 'answered' || (action.value && (await waiting.talk))
  if (over === undefined || course.errand.over) return { next: 'nothing' }
  if (how !== 'answered') call.passed(reason)
  if (action.value === undefined) return { next: 'verb' }
  return toAction(call, action.value, {
    QueueResult: result,
    QueueSid: step.group,
    QueueTime: String(Math.round(waitMs / 1000)),
  })
}
