// Pause: waits, unless the call ends or goes elsewhere meanwhile.

import type { Call } from '../call.js'
import type { PauseStep } from '../instructions/index.js'
import type { Course, Next } from '../plan.js'

export const pause = async (call: Call, { ms }: PauseStep, { errand }: Course): Promise<Next> => {
  call.timeline.add('pause', { ms })
  const { signal } = errand
  await new Promise<void>(resolve => {
    const over = (): void => {
      timer.cancel()
      signal.removeEventListener('abort', over)
      resolve()
    }
    const timer = call.parts.clock.after(ms, over)
    signal.addEventListener('abort', over)
  })
  return { next: 'verb' }
}
