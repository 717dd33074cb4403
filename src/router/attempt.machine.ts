// One device's part in a call that is offered to it:
//
//   claimed --offer--> offered --confirm--> ringing
//                         |                    |
//                         +--------------------+--win--> won
//                         |                    |--reject--> rejected
//                         |                    |--time-out--> timed-out
//                         |                    |--cancel--> canceled     (answered elsewhere, or the caller gave up)
//                         \--------------------/--fail--> failed         (the device went away)
//
// `offered` and `ringing` are open: the device may still answer. All others on the right are final.

import { setup } from 'xstate'
import { Automaton, type State } from '../presence/index.js'

export type AttemptEvent = 'offer' | 'confirm' | 'win' | 'reject' | 'time-out' | 'cancel' | 'fail'
export type AttemptValue =
  | 'claimed'
  | 'offered'
  | 'ringing'
  | 'won'
  | 'rejected'
  | 'timed-out'
  | 'canceled'
  | 'failed'

const open = {
  win: 'won',
  reject: 'rejected',
  'time-out': 'timed-out',
  cancel: 'canceled',
  fail: 'failed',
} as const

export const attemptMachine = setup({ types: { events: {} as { type: AttemptEvent } } }).createMachine({
  id: 'attempt',
  initial: 'claimed',
  states: {
    claimed: { on: { offer: 'offered', fail: 'failed' } },
    offered: { on: { confirm: 'ringing', ...open } },
    ringing: { on: open },
    won: {},
    rejected: {},
    'timed-out': {},
    canceled: {},
    failed: {},
  },
})

export const attemptAutomaton = new Automaton<AttemptValue, AttemptEvent>(attemptMachine)
export type AttemptState = State<AttemptValue>
