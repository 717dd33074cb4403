// What goes wrong, in the numbers that the voice SDK knows. It tells applications of 31201, 31204 and 31205 by names
// of their own; most others it shows as they are only where `enableImprovedSignalingErrorPrecision` is set.

import type { ErrorCode, Refusal } from '../../../errors.js'
import type { EndReason, HubFrames } from '../../../protocol/index.js'

/** What the SDK is told of a refusal. */
export interface Fault {
  readonly code: number
  readonly message: string
}

const EXPIRED = 31205

/** By the code of a refusal; where the SDK has no number for it, that of an unknown error. */
const numbers: Partial<Record<ErrorCode, number>> = {
  invalid: 31100,
  'unknown-type': 31100,
  malformed: 31100,
  'too-large': 31100,
  unauthorized: 31204,
  revoked: 31201,
  forbidden: 31201,
  'not-found': 31404,
  'no-hello': 31003,
  'call-gone': 31008,
  busy: 31486,
  'too-many': 31206,
}
const UNKNOWN = 31000

/** A token that holds no more, as the verifier and the session say it; any other fault of a token is for good. */
const isOver = ({ code, message }: Pick<HubFrames['error'], 'code' | 'message'>): boolean =>
  code === 'unauthorized' && /exp has passed|has expired/.test(message)

export const faultOf = (refusal: Pick<HubFrames['error'], 'code' | 'message'>): Fault => ({
  code: isOver(refusal) ? EXPIRED : (numbers[refusal.code as ErrorCode] ?? UNKNOWN),
  message: refusal.message,
})

/** Why a call is over; the rest is no fault. */
const endings: Partial<Record<EndReason, number>> = {
  'no-answer': 31480,
  unavailable: 31480,
  busy: 31486,
  rejected: 31603,
  failed: UNKNOWN,
}
const NOBODY = 31404

/** What a client is told of the end of a call; undefined: nothing went wrong. */
export const faultOfEnd = ({ reason, message = reason }: HubFrames['ended']): Fault | undefined => {
  const number = endings[reason]
  if (number === undefined) return undefined
  return { code: /^no route and no destination/.test(message) ? NOBODY : number, message }
}

/** The token does not let its device be called. */
export const notCallable: Fault = {
  code: 31201,
  message: 'the token does not let this device be called: that needs presence:register and call:receive',
}

/** A call can not be taken up again. */
export const callOver: Fault = { code: 31008, message: 'the call is over' }

/** Refusals after which coming back at once is right: the hub is somewhere else, or will have room. */
const passing: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['draining', 'overloaded'])

/** Whether a client that came back at once would be refused again, again and again. */
export const isLasting = ({ code }: Refusal): boolean => !passing.has(code)
