// Pause: waits, unless the call ends meanwhile.

import type { Call } from '../call.js'
import type { PauseStep } from '../instructions/index.js'
import type { Next } from '../plan.js'

export const pause = async (call: Call, { ms }: PauseStep): Promise<Next> => {
  call.timeline.add('pause', { ms })
  const { signal } = call.over
  await new Promise<void>(resolve => {
    const timer = call.parts.clock.after(ms, resolve)
    signal.addEventListener('abort', () => {
      timer.cancel()
      resolve()
    })
  })
  return { next: 'verb' }
}
