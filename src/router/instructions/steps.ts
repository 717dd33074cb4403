// The one step list that every instruction language is read into, validated and with durations in milliseconds.

import type { Strategy } from '../../config.js'
import type { Params } from '../../protocol/index.js'
import type { Method } from './location.js'

/** The longest duration that a step may name: a week. */
export const longestMs = 7 * 86_400_000

/** One thing to ring: a destination by name, and parameters that overlay the call's own in its invite. */
export interface Noun {
  readonly name: string
  readonly params: Params
}

export interface DialStep {
  readonly verb: 'dial'
  readonly to: readonly Noun[]
  /** How long each person is rung; absent: the group's, or the hub's. */
  readonly timeoutMs?: number
  /** Bounds the whole; absent: the hub's. */
  readonly totalTimeoutMs?: number
  /** One noun after the other instead of side by side. */
  readonly sequential: boolean
  /** Overrides the group's. */
  readonly strategy?: Strategy
  /** What whoever is rung must be able to do; absent: nothing. */
  readonly skills?: readonly string[]
}

export interface RedirectStep {
  readonly verb: 'redirect'
  /** Relative ones are resolved against the document's own address. */
  readonly url: string
  readonly method: Method
}

/** What a caller who is refused can be told. */
export const rejections = ['rejected', 'busy'] as const

export interface RejectStep {
  readonly verb: 'reject'
  readonly reason: (typeof rejections)[number]
}

export interface HangupStep {
  readonly verb: 'hangup'
}

export interface PauseStep {
  readonly verb: 'pause'
  readonly ms: number
}

export type Step = DialStep | RedirectStep | RejectStep | HangupStep | PauseStep

/** A document read: its steps in order, and what was passed over (`Say` at 3:5 is passed over: …). */
export interface Instructions {
  readonly steps: readonly Step[]
  readonly warnings: readonly string[]
}
