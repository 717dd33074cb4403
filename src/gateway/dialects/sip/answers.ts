// How the hub's words are said as statuses of SIP: refusals by their code, endings by their reason (docs/routing.md),
// and why a device stops ringing (RFC 3326).

import type { ErrorCode } from '../../../errors.js'
import type { CancelReason, EndReason, HubFrame } from '../../../protocol/index.js'
import { endings } from '../../../router/index.js'
import { quote } from './words.js'

const statuses: Readonly<Record<ErrorCode, number>> = {
  invalid: 400,
  'unknown-type': 400,
  malformed: 400,
  unauthorized: 401,
  revoked: 403,
  forbidden: 403,
  'name-taken': 403,
  'not-found': 404,
  'no-hello': 408,
  conflict: 491,
  'call-gone': 481,
  busy: 486,
  replaced: 480,
  'too-large': 413,
  'unsupported-media-type': 415,
  'idempotency-mismatch': 400,
  'too-many': 503,
  internal: 500,
  'not-supported': 501,
  draining: 503,
  overloaded: 503,
}

/** The status that says what a reply says; undefined unless it refuses. */
export const refusedBy = (reply: HubFrame): number | undefined =>
  reply.type === 'error' ? statuses[reply.code as ErrorCode] : undefined

/** The status that says a refusal of this code. */
export const statusOf = (code: string): number => statuses[code as ErrorCode]

/** The final response to an INVITE whose call ended before it was answered; one that its instructions end is not answered either. */
export const endStatus = (reason: EndReason): number => endings[reason].sip ?? 480

/** A Reason of SIP, with its text. */
export const reasonOf = (status: number, text: string): string => `SIP;cause=${status};text=${quote(text)}`

/** Why a device stops ringing. */
export const cancelReason: Readonly<Record<CancelReason, string>> = {
  'answered-elsewhere': reasonOf(200, 'Call completed elsewhere'),
  'rejected-elsewhere': reasonOf(603, 'Call declined elsewhere'),
  'caller-canceled': reasonOf(487, 'The caller gave up'),
  timeout: reasonOf(480, 'Not answered in time'),
  failed: reasonOf(500, 'The call failed'),
}
