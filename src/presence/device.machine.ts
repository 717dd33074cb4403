// One client application's life. Four regions that know nothing of each other:
//
//   link       attached --lose--> lingering
//                |   ^---resume-----/ |
//                \--leave-> gone <-leave            (it said goodbye, or stayed away too long)
//   activity   idle --ring--> ringing --engage--> engaged
//                ^---rest-------/   \<---ring------/ |      (engaged --ring--> ringing: that call ended, another rings)
//                ^---rest---------------------------/       (idle --engage--> engaged: it placed a call)
//   liveness   live <--alive-- suspect                        (suspect: did not confirm ringing, or a ping, in time)
//   declared   available | away | busy | dnd | offline, each reached from any by `declare.WORD`

import { setup } from 'xstate'
import type { DeviceActivity, DeviceDeclared } from '../protocol/index.js'
import { Automaton, type State } from './automaton.js'

export type DeviceEvent =
  | 'lose'
  | 'resume'
  | 'leave'
  | 'ring'
  | 'engage'
  | 'rest'
  | 'suspect'
  | 'alive'
  | `declare.${DeviceDeclared}`

export interface DeviceValue {
  readonly link: 'attached' | 'lingering' | 'gone'
  readonly activity: DeviceActivity
  readonly liveness: 'live' | 'suspect'
  readonly declared: DeviceDeclared
}

export const deviceMachine = setup({ types: { events: {} as { type: DeviceEvent } } }).createMachine({
  id: 'device',
  type: 'parallel',
  states: {
    link: {
      initial: 'attached',
      states: {
        attached: { on: { lose: 'lingering', leave: 'gone' } },
        lingering: { on: { resume: 'attached', leave: 'gone' } },
        gone: {},
      },
    },
    activity: {
      initial: 'idle',
      states: {
        idle: { on: { ring: 'ringing', engage: 'engaged' } },
        ringing: { on: { engage: 'engaged', rest: 'idle' } },
        engaged: { on: { rest: 'idle', ring: 'ringing' } },
      },
    },
    liveness: {
      initial: 'live',
      states: {
        live: { on: { suspect: 'suspect' } },
        suspect: { on: { alive: 'live' } },
      },
    },
    declared: {
      initial: 'available',
      on: {
        'declare.available': '.available',
        'declare.away': '.away',
        'declare.busy': '.busy',
        'declare.dnd': '.dnd',
        'declare.offline': '.offline',
      },
      states: { available: {}, away: {}, busy: {}, dnd: {}, offline: {} },
    },
  },
})

export type DeviceState = State<DeviceValue>
export const deviceAutomaton = new Automaton<DeviceValue, DeviceEvent>(deviceMachine)
