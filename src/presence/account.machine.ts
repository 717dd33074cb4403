// One person's account. Two regions:
//
//   override   none | available | away | busy | dnd, each reached from any by `override.WORD`
//   activity   free --claim-last--> ringing --engage--> engaged --wrap--> wrapup --free--> free
//                ^------free----------/  <----ring------/ |                 |
//                ^------free------------------------------/                 |
//              and `claim-more` keeps it free: a place was taken, and another is left.
//
// A claim is accepted in `free` only: the machine is the lock. The other events follow what becomes of the places
// that are taken (calls that ring, calls that talk, wrap-up): with a capacity above one an account is `ringing`,
// `engaged` or in `wrapup` when its last place is.

import { setup } from 'xstate'
import type { AccountActivity, Declared } from '../protocol/index.js'
import { Automaton, type State } from './automaton.js'

export type Override = Declared | 'none'

export type AccountEvent =
  | 'claim-more'
  | 'claim-last'
  | 'ring'
  | 'engage'
  | 'wrap'
  | 'free'
  | `override.${Override}`

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
            'claim-more': 'free',
            'claim-last': 'ringing',
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
export const account = new Automaton<AccountValue, AccountEvent>(accountMachine)
