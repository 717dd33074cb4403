// The life of a softphone's connection as a table: in each state, what an event makes of it. Pure: whoever runs
// it opens and drops sockets and sets timers as the state says, and shows the state to users as a value.
//
//   idle --connect--> connecting --welcome--> online
//                       ^   |                   |
//            due,connect|   +-------lost--------+
//                       |   v                   |
//                    reconnecting               | lost for good, leave
//                                               v
//                    (any) --leave-->         closed --connect--> connecting

import { backoffMs } from './backoff.js'
import type { Welcome } from './frames.js'
import { SwitchhookError } from './switchhook-error.js'

export type Connection =
  | { readonly state: 'idle' }
  /** Opening a socket and saying hello. `attempt`: reconnects in a row so far, 0 at first. */
  | { readonly state: 'connecting'; readonly attempt: number }
  | {
      readonly state: 'online'
      readonly welcome: Welcome
      /** Milliseconds since 1970. */
      readonly since: number
      readonly attempt: number
    }
  /** Waiting `inMs` before the next attempt. `error`: why there is no connection now. */
  | {
      readonly state: 'reconnecting'
      readonly attempt: number
      readonly inMs: number
      readonly error: SwitchhookError
    }
  /** Will not come back by itself. `code`: the close code, RFC 6455, section 7.4. */
  | {
      readonly state: 'closed'
      readonly code: number
      readonly reason: string
      readonly error: SwitchhookError
    }

export type ConnectionEvent =
  | { readonly type: 'connect' }
  | { readonly type: 'welcome'; readonly welcome: Welcome; readonly at: number }
  | {
      readonly type: 'lost'
      readonly code: number
      readonly reason: string
      readonly at: number
      /** The hub asked for at least so long a wait. */
      readonly waitMs: number
      readonly error: SwitchhookError
    }
  | { readonly type: 'due' }
  | { readonly type: 'leave' }

/** What the table decides by. */
export interface Rules {
  /** Reconnects in a row before giving up. */
  readonly attempts: number
  /** Whether a token that was refused can be replaced by another. */
  readonly renewable: boolean
  /** Uniform in [0, 1). */
  readonly random: () => number
}

type State = Connection['state']
type In<S extends State> = Extract<Connection, { state: S }>
type Event<T extends ConnectionEvent['type']> = Extract<ConnectionEvent, { type: T }>
type Table = {
  [S in State]: {
    [T in ConnectionEvent['type']]?: (from: In<S>, event: Event<T>, rules: Rules) => Connection
  }
}

/** A connection that held for so long was a good one: the count of attempts begins anew. */
const STABLE_MS = 10_000

/** Whether a client may come back after this close code: not after its own leave, nor after 4500 to 4999. */
export const mayReturn = (code: number): boolean => code !== 1000 && code < 4500

const begin = (): Connection => ({ state: 'connecting', attempt: 0 })

const leave = (): Connection => {
  const reason = 'the softphone has left'
  return { state: 'closed', code: 1000, reason, error: new SwitchhookError('closed', reason) }
}

const retry = ({ attempt }: { attempt: number }): Connection => ({ state: 'connecting', attempt })

const fall = (before: number, { code, reason, waitMs, error }: Event<'lost'>, rules: Rules): Connection => {
  const attempt = before + 1
  const welcomeBack = mayReturn(code) && (code !== 4401 || rules.renewable)
  if (!welcomeBack || attempt > rules.attempts) return { state: 'closed', code, reason, error }
  return { state: 'reconnecting', attempt, inMs: waitMs + backoffMs(attempt, rules.random), error }
}

const table: Table = {
  idle: { connect: begin, leave },
  connecting: {
    welcome: ({ attempt }, { welcome, at }) => ({ state: 'online', welcome, since: at, attempt }),
    lost: ({ attempt }, event, rules) => fall(attempt, event, rules),
    leave,
  },
  online: {
    lost: ({ attempt, since }, event, rules) =>
      fall(event.at - since >= STABLE_MS ? 0 : attempt, event, rules),
    leave,
  },
  reconnecting: { due: retry, connect: retry, leave },
  closed: { connect: begin },
}

/** The state after `event`; the same object if the event means nothing now. */
export const advance = (from: Connection, event: ConnectionEvent, rules: Rules): Connection => {
  const step = table[from.state][event.type] as
    | ((from: Connection, event: ConnectionEvent, rules: Rules) => Connection)
    | undefined
  return step === undefined ? from : step(from, event, rules)
}
