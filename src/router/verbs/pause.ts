// Pause: waits, unless the call ends meanwhile.

import type { Call } from '../call.js'
import type { PauseStep } from '../instructions/index.js'
import type { Next } from '../plan.js'

export const pause = async (call: Call, { ms }: PauseStep): Promise<Next> => {
  call.timeline.add('pause', { ms })
  const { ending } = call
  await new Promise<void>(resolve => {
    const over = (): void => {
      timer.cancel()
      ending.removeEventListener('abort', over)
      resolve()
    }
    const timer = call.parts.clock.after(ms, over)
    ending.addEventListener('abort', over)
  })
  return { next: 'verb' }
}
