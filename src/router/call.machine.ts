// One call, from its arrival to its end:
//
//   received --plan--> planning --place--> placing --ring--> ringing --connect--> connected
//                        ^  |  ^--------plan--/  \<----------/   |                    |
//                        |  |   (nobody answered: the next verb) |                    |
//                        \--+--------------------plan------------/                    |
//   each of them --end--> ended  <----------------------------------------------------/
//                       connected --plan--> planning, where its dial has an action
//   planning --queue--> queued --ring--> ringing --queue--> queued: nobody who was rung took it, and it waits again
//                       queued --plan--> planning, queued --connect--> connected, as placing
//
// `placing` says that someone is being found, `queued` that it waits for someone, `ringing` that a device has said it
// rings. Only one `connect` is ever accepted, which is what makes one device of many the winner. The reason of an end is
// the holder's to keep.

import { setup } from 'xstate'
import { Automaton } from '../presence/index.js'
import type { CallState } from '../protocol/index.js'

export type CallEvent = 'plan' | 'place' | 'queue' | 'ring' | 'connect' | 'end'

export const callMachine = setup({ types: { events: {} as { type: CallEvent } } }).createMachine({
  id: 'call',
  initial: 'received',
  states: {
    received: { on: { plan: 'planning', end: 'ended' } },
    planning: { on: { place: 'placing', queue: 'queued', end: 'ended' } },
    queued: { on: { ring: 'ringing', plan: 'planning', connect: 'connected', end: 'ended' } },
    placing: { on: { ring: 'ringing', plan: 'planning', connect: 'connected', end: 'ended' } },
    ringing: { on: { queue: 'queued', plan: 'planning', connect: 'connected', end: 'ended' } },
    connected: { on: { plan: 'planning', end: 'ended' } },
    ended: {},
  },
})

export const callAutomaton = new Automaton<CallState, CallEvent>(callMachine)
