// What the parts of the hub's user agent have of one client: who it is, a way to say something to it, a way to ask the
// hub in its name, and time. All of it stays the same when the client goes on over another connection.

import type { CallId, HubFrame } from '../../../protocol/index.js'
import type { Agenda } from './agenda.js'
import type { Field, SipMessage, SipRequest } from './message.js'
import type { ServerTransaction, Transactions } from './transactions.js'

export interface Agent {
  /** The client's account, and the domain that it says it is of. */
  readonly account: string
  readonly domain: string
  /** Where it wants what is sent to it. */
  readonly contact: string
  readonly agenda: Agenda
  readonly transactions: Transactions
  /** Milliseconds since 1970. */
  wall(): number
  /** Says what is of no transaction: an ACK to a 2xx. */
  send(message: SipMessage): void
  /** A frame of the client; `answered` hears its reply. */
  ask(frame: Request, answered?: (reply: HubFrame) => void): void
  /** Answers a request. */
  answer(transaction: ServerTransaction, status: number, more?: Extras): void
}

/** A frame to be: it is held to the form of one when it is said. */
export interface Request {
  readonly type: string
  readonly call?: CallId | undefined
  readonly [field: string]: unknown
}

export interface Extras {
  /** The tag of the dialog that it begins. */
  readonly tag?: string
  readonly headers?: readonly Field[]
  readonly body?: string
}

export const sdpType: Field = ['Content-Type', 'application/sdp']

/** Where the hub itself is to be reached: over the connection there is, whatever stands here. */
export const contactOf = ({ domain }: Pick<Agent, 'domain'>): Field => [
  'Contact',
  `<sip:hub@${domain};transport=ws>`,
]

/** The methods that are understood. */
export const allow: Field = [
  'Allow',
  'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, REFER, MESSAGE, REGISTER, SUBSCRIBE, PUBLISH',
]

/** The extensions that are understood: a session timer is the client's to run, and to refresh (RFC 4028, section 9). */
export const extensions: ReadonlySet<string> = new Set(['timer'])

/** What an answer says of the session timer that a request asks for. */
export const timerOf = ({ headers }: SipRequest): readonly Field[] => {
  const [seconds] = /^\d+/.exec(headers.get('Session-Expires') ?? '') ?? []
  if (seconds === undefined || !headers.all('Supported').includes('timer')) return []
  return [
    ['Require', 'timer'],
    ['Session-Expires', `${seconds};refresher=uac`],
  ]
}
