// What the two ends of a simulated call share while a scenario is played: the script, the time it goes by, the tally,
// and the calls under way, by which a phone knows what it is rung for and a caller who has answered.

import { SwitchhookError, type Timers } from '../../client/index.js'
import type { PhoneCall } from './handset.js'
import type { Scenario } from './scenario.js'
import type { Tally } from './tally.js'

/** One call under way. */
export interface Live {
  readonly placedAt: number
  /** When the first phone rang. */
  rungAt: number | undefined
  /** The call as the phone has it that answered. */
  callee: PhoneCall | undefined
}

export interface Play {
  readonly scenario: Scenario
  readonly timers: Timers
  readonly tally: Tally
  /** By the number of their arrival. */
  readonly live: Map<number, Live>
}

/** The parameter by which a call says which arrival it is. */
const MARK = 'simulated'

export const mark = (number: number): Readonly<Record<string, string>> => ({ [MARK]: String(number) })

/** The number of the arrival that a call is; none for calls from elsewhere. */
export const numberOf = ({ params }: PhoneCall): number => Number(params[MARK])

/** The machine's own time. */
export const machineTimers: Timers = {
  now: () => Date.now(),
  setTimeout: (task, delayMs) => setTimeout(task, delayMs),
  clearTimeout: timer => clearTimeout(timer as NodeJS.Timeout | undefined),
}

/** What an error is counted as. */
export const codeOf = (error: unknown): string => (error instanceof SwitchhookError ? error.code : 'internal')

/** Settles after `ms`, or when `stop` is aborted. */
export const pause = (timers: Timers, ms: number, stop: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    const done = (): void => {
      timers.clearTimeout(timer)
      stop.removeEventListener('abort', done)
      resolve()
    }
    const timer = timers.setTimeout(done, ms)
    stop.addEventListener('abort', done)
  })
