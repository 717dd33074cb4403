// One side of a call, as the hub's back-to-back user agent has it: a dialog with the client on the one hand, a call of
// the hub on the other.

import type { CallFrame, CallId } from '../../../protocol/index.js'
import type { Surroundings, Talk } from './talk.js'
import type { ServerTransaction } from './transactions.js'

export interface Leg {
  /** Our tag, which names the dialog. */
  readonly tag: string
  readonly callId: string
  /** The client's, once it is known. */
  readonly remoteTag: string | undefined
  /** Who is at the other side, as far as the client knows. */
  readonly peer: string
  /** The call of the hub; undefined until it is placed. */
  readonly call: CallId | undefined
  /** Once it is answered. */
  readonly talk: Talk | undefined
  /** What the hub says of the call. */
  hear(frame: CallFrame): void
  /** A request of the client in the dialog. */
  receive(transaction: ServerTransaction): void
  /** The call is none of this client's any more, and the hub has said so to nobody. */
  drop(): void
}

/** Where the legs of a client are. */
export interface Legs extends Surroundings {
  /** Its call has this id, until the hub says that it is over. */
  name(call: CallId, leg: Leg): void
  forget(leg: Leg): void
}
