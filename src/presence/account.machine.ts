// One person's account. Two regions:
//
//   override   none | available | away | busy | dnd, each reached from any by `override.WORD`
//   activity   free --ring--> ringing --engage--> engaged --wrap--> wrapup --free--> free
//                ^----free------/  <----ring------/ |      (and from each of the four to each other)
//                ^----free--------------------------/
//
// `claim` is accepted in `free` only: the machine is the lock. The other events follow, in the same turn, what the
// places are taken by (calls that ring, calls that talk, wrap-up): an account is `ringing`, `engaged` or in `wrapup`
// when its last place is, and with a capacity above one it stays `free` until then.

import { setup } from 'xstate'
import type { AccountActivity, Declared } from '../protocol/index.js'
import { Automaton, type State } from './automaton.js'

export type Override = Declared | 'none'

export type AccountEvent = 'claim' | 'ring' | 'engage' | 'wrap' | 'free' | `override.${Override}`

export interface AccountValue {
  readonly override: Override
  readonly activity: AccountActivity
}

export const accountMachine = setup({ types: { events: {} as { type: AccountEvent } } }).createMachine({
  id: 'account',
  type: 'parallel',
  states: {
    override: {
      initial: 'none',
      on: {
        'override.none': '.none',
        'override.available': '.available',
        'override.away': '.away',
        'override.busy': '.busy',
        'override.dnd': '.dnd',
      },
      states: { none: {}, available: {}, away: {}, busy: {}, dnd: {} },
    },
    activity: {
      initial: 'free',
      states: {
        free: {
          on: {
            claim: 'free',
            ring: 'ringing',
            engage: 'engaged',
            wrap: 'wrapup',
          },
        },
        ringing: { on: { engage: 'engaged', wrap: 'wrapup', free: 'free' } },
        engaged: { on: { ring: 'ringing', wrap: 'wrapup', free: 'free' } },
        wrapup: { on: { ring: 'ringing', engage: 'engaged', free: 'free' } },
      },
    },
  },
})

export type AccountState = State<AccountValue>
export const accountAutomaton = new Automaton<AccountValue, AccountEvent>(accountMachine)
