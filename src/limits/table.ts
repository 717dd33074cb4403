// What each limit is about, and what becomes of whoever reaches it: for messages, metrics and docs/limits.md. The
// values and their meaning are the configuration's (`limits`).

import type { Limits } from '../config.js'
import type { ErrorCode } from '../errors.js'

/** The limits that something can reach: one option only widens others, and one is a deadline of the wire. */
export type LimitName = Exclude<keyof Limits, 'gatewayFactor' | 'closeMs'>

export type LimitFacts =
  /** Refused with `code`; the message says `at most N` and then `what`. */
  | { readonly code: ErrorCode; readonly what: string }
  /** Nobody is refused: what happens instead. */
  | { readonly instead: string }

export const limitTable = {
  connections: { code: 'overloaded', what: 'connections of this hub' },
  connectionsPerAddress: { code: 'too-many', what: 'connections from one address' },
  connectionsPerAccount: { code: 'too-many', what: 'sessions of one account' },
  devicesPerAccount: { code: 'too-many', what: 'devices of one account' },
  takeoversPerMinute: {
    code: 'too-many',
    what: 'takeovers of one device a minute: do two clients share its name?',
  },
  helloMs: { code: 'no-hello', what: 'milliseconds until a valid hello' },
  messageBytes: { code: 'too-large', what: 'bytes in a message' },
  framesPerSecond: { code: 'too-many', what: 'frames a second on one connection' },
  bytesPerSecond: { code: 'too-many', what: 'bytes a second on one connection' },
  waitingFrames: { code: 'too-many', what: 'frames before an answer' },
  waitingBytes: { code: 'too-many', what: 'bytes before an answer' },
  crowdedBytes: { instead: 'presence collapses into a later snapshot' },
  unsentBytes: { code: 'overloaded', what: 'bytes that wait to be read' },
  unackedFrames: { instead: 'the oldest frame is forgotten; a client that missed it begins anew' },
  unackedBytes: { instead: 'the oldest frames are forgotten; a client that missed them begins anew' },
  subscriptionsPerSession: { code: 'too-many', what: 'destinations watched by one session' },
  bodyBytesPerAccount: { code: 'too-many', what: 'bytes of request bodies of one account on their way' },
  bodyBytes: { code: 'overloaded', what: 'bytes of request bodies on their way' },
  unreadBytesPerAccount: { code: 'too-many', what: 'bytes of answers of one account that wait to be read' },
  requestsPerSecond: { code: 'too-many', what: 'requests a second of one account' },
  streamsPerAccount: { code: 'too-many', what: 'event streams and waiting requests of one account' },
  callsPerTenant: { code: 'too-many', what: 'live calls' },
  callsPerMinutePerAccount: { code: 'too-many', what: 'calls a minute placed by one account' },
  callsPerMinutePerTenant: { code: 'too-many', what: 'calls a minute' },
  params: { code: 'invalid', what: 'params in a call' },
  paramsBytes: { code: 'invalid', what: 'bytes in the params of a call' },
  callBytes: {
    instead: 'the oldest events are forgotten, which a gap in their numbers shows; the timeline is cut',
  },
  endedCallsPerTenant: { instead: 'the call that ended first is forgotten' },
  endedCallBytesPerTenant: { instead: 'the calls that ended first are forgotten' },
  callersPerTenant: { instead: 'the caller of whom nothing was heard for longest is forgotten' },
  waitingRecords: { code: 'overloaded', what: 'records of ended calls that wait for the disk' },
  idempotencyKeysPerTenant: { instead: 'the key that was used longest ago is forgotten' },
  overridesPerTenant: { code: 'too-many', what: 'overridden accounts' },
  revocationsPerTenant: { code: 'too-many', what: 'revocations in force, and this one is not' },
  groupsPerTenant: { code: 'too-many', what: 'groups' },
  membersPerGroup: { code: 'too-many', what: 'members of a group' },
  directoryBytesPerTenant: { code: 'too-many', what: 'characters of groups that were changed at run time' },
  refusalLinesPerSecond: { instead: 'it is counted as any, and the log does not tell of it' },
  deliveriesPerTenant: { instead: 'the receiver that has most waiting loses the one that waited longest' },
  deliveryBytesPerTenant: { instead: 'the receiver that has most waiting loses those that waited longest' },
  cachedTokens: { instead: 'the token that was used longest ago is verified again' },
  cachedDocuments: { instead: 'the document that was used longest ago is asked for again' },
  cachedDocumentBytes: { instead: 'the documents that were used longest ago are asked for again' },
} as const satisfies Record<LimitName, LimitFacts>

export const limitNames = Object.keys(limitTable) as LimitName[]

/** The limits whoever reaches is refused. */
export type RefusingLimit = {
  [N in LimitName]: (typeof limitTable)[N] extends { readonly code: ErrorCode } ? N : never
}[LimitName]
