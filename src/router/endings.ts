// How calls end: the one table of what an ending is called on each side, and the fold from what became of
// everyone who was, or was not, rung.

import type { CancelReason, EndReason } from '../protocol/index.js'

export interface EndingFacts {
  /** What voice applications are told (`DialCallStatus`). */
  readonly dialCallStatus: 'completed' | 'canceled' | 'no-answer' | 'busy' | 'failed'
  /** The SIP response (RFC 3261, section 21) that refuses the call alike; none where it was answered. */
  readonly sip?: number
  /** What devices that still ring are told. */
  readonly cancel: CancelReason
}

export const endings: Readonly<Record<EndReason, EndingFacts>> = {
  completed: { dialCallStatus: 'completed', cancel: 'caller-canceled' },
  canceled: { dialCallStatus: 'canceled', sip: 487, cancel: 'caller-canceled' },
  'no-answer': { dialCallStatus: 'no-answer', sip: 480, cancel: 'timeout' },
  rejected: { dialCallStatus: 'busy', sip: 603, cancel: 'rejected-elsewhere' },
  busy: { dialCallStatus: 'busy', sip: 486, cancel: 'rejected-elsewhere' },
  unavailable: { dialCallStatus: 'no-answer', sip: 480, cancel: 'timeout' },
  failed: { dialCallStatus: 'failed', sip: 500, cancel: 'failed' },
}

/**
 * What became of one person who was to be rung. The claim was refused: `refused`, since another call had them; `gone`,
 * since they were not there or not available any more.
 */
export type OfferOutcome = 'missed' | 'declined' | 'busy' | 'refused' | 'gone'

/** Why a person was not rung, as the timeline says it. */
export const skipReasons = [
  'offline',
  'dnd',
  'away',
  'busy',
  'ringing',
  'no-capacity',
  'cannot-receive',
  'cooling-down',
  'paused',
  'lacks-skill',
  'is-the-caller',
  'rung-already',
  'not-reached',
] as const
export type SkipReason = (typeof skipReasons)[number]

const occupied: ReadonlySet<SkipReason> = new Set(['busy', 'ringing', 'no-capacity'])

/**
 * How a dial that nobody answered ended. Of those who were rung: anyone who did not answer makes it `no-answer`,
 * else anyone who declined `rejected`, else `busy`. Where nobody was rung: `busy` if someone would have been there.
 */
export const endingOf = (outcomes: readonly OfferOutcome[], skipped: readonly SkipReason[]): EndReason => {
  if (outcomes.includes('missed')) return 'no-answer'
  if (outcomes.includes('declined')) return 'rejected'
  if (outcomes.some(outcome => outcome !== 'gone') || skipped.some(reason => occupied.has(reason)))
    return 'busy'
  return 'unavailable'
}
