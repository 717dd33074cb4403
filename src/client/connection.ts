// The life of a softphone's connection as a table: in each state, what an event makes of it. Pure: whoever runs
// it opens and drops sockets and sets timers as the state says, and shows the state to users as a value.
//
//   idle --connect--> connecting --welcome--> online
//                       ^   |                   |
//    due, connect, back |   +-------lost--------+---lost for good--> closed --connect--> connecting
//                       |   v
//                   reconnecting
//
//   any --leave--> closed;  connecting, online, reconnecting --away--> paused --back, connect--> connecting

import { backoffMs, CAP_MS } from './backoff.js'
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
  | {
      /** Waiting for the next attempt. */
      readonly state: 'reconnecting'
      /** The next reconnect's number in a row; those made without a network are not counted. */
      readonly attempt: number
      /** How long the wait is, and when it is over, in milliseconds since 1970. */
      readonly inMs: number
      readonly dueAt: number
      /** The platform says that there is no network: the wait is long, and over as soon as there is one. */
      readonly offline: boolean
      /** Why there is no connection now. */
      readonly error: SwitchhookError
    }
  /** The page is put away (back-forward cache) or frozen. It connects when it is back. */
  | { readonly state: 'paused'; readonly attempt: number; readonly error: SwitchhookError }
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
      readonly offline: boolean
      readonly error: SwitchhookError
    }
  | { readonly type: 'due' }
  | { readonly type: 'leave' }
  /** The signals of these names, of the page and the network. `waitMs`: as above, what is left of it. */
  | { readonly type: 'away' }
  | { readonly type: 'offline'; readonly at: number; readonly waitMs: number }
  | { readonly type: 'back'; readonly at: number; readonly waitMs: number }

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

const wait = (
  { attempt, error }: { attempt: number; error: SwitchhookError },
  inMs: number,
  at: number,
  offline = false,
): Connection => ({ state: 'reconnecting', attempt, inMs, dueAt: at + inMs, offline, error })

const fall = (before: number, event: Event<'lost'>, rules: Rules): Connection => {
  const { code, reason, at, waitMs, offline, error } = event
  const attempt = before + (offline ? 0 : 1)
  const welcomeBack = mayReturn(code) && (code !== 4401 || rules.renewable)
  if (!welcomeBack || attempt > rules.attempts) return { state: 'closed', code, reason, error }
  // Some platforms are wrong about the network: they too come back, if late.
  return wait({ attempt, error }, waitMs + (offline ? CAP_MS : backoffMs(attempt, rules.random)), at, offline)
}

const pause = (): Connection => {
  const error = new SwitchhookError('disconnected', 'the page was put away', { retry: true })
  return { state: 'paused', attempt: 0, error }
}

/** At once, unless the hub asked for a wait that is not over. */
const back = (from: In<'reconnecting' | 'paused'>, { at, waitMs }: Event<'back'>): Connection =>
  waitMs > 0 ? wait(from, waitMs, at) : retry(from)

const table: Table = {
  idle: { connect: begin, leave },
  connecting: {
    welcome: ({ attempt }, { welcome, at }) => ({ state: 'online', welcome, since: at, attempt }),
    lost: ({ attempt }, event, rules) => fall(attempt, event, rules),
    away: pause,
    leave,
  },
  online: {
    lost: ({ attempt, since }, event, rules) =>
      fall(event.at - since >= STABLE_MS ? 0 : attempt, event, rules),
    away: pause,
    leave,
  },
  reconnecting: {
    due: retry,
    connect: retry,
    back,
    offline: (from, { at, waitMs }) => wait(from, waitMs + CAP_MS, at, true),
    away: pause,
    leave,
  },
  paused: { connect: retry, back, leave },
  closed: { connect: begin },
}

/** The state after `event`; the same object if the event means nothing now. */
export const advance = (from: Connection, event: ConnectionEvent, rules: Rules): Connection => {
  const step = table[from.state][event.type] as
    | ((from: Connection, event: ConnectionEvent, rules: Rules) => Connection)
    | undefined
  return step === undefined ? from : step(from, event, rules)
}
