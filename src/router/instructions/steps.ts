// The one step list that every instruction language is read into, validated and with durations in milliseconds.
// URLs are as the document has them: relative ones are resolved against its own address by whoever asks them.

import type { Strategy } from '../../config.js'
import type { Params } from '../../protocol/index.js'
import type { Method } from './location.js'

/** The longest duration that a step may name: a week. */
export const longestMs = 7 * 86_400_000

/** What a status callback may be told of. */
export const callbackEvents = ['initiated', 'ringing', 'answered', 'completed'] as const
export type CallbackEvent = (typeof callbackEvents)[number]

/** Told what becomes of one destination's call. */
export interface StatusCallback {
  readonly url: string
  readonly method: Method
  readonly events: readonly CallbackEvent[]
}

/** One thing to ring: a destination by name, and parameters that overlay the call's own in its invite. */
export interface Noun {
  readonly name: string
  readonly params: Params
  readonly statusCallback?: StatusCallback
}

/** What is asked once a step is over, in place of the rest of the document; absent: the next step follows. */
interface Continuation {
  readonly action?: string
  readonly method: Method
}

export interface DialStep extends Continuation {
  readonly verb: 'dial'
  /** Empty where there is a `queue`. */
  readonly to: readonly Noun[]
  /** In place of destinations: the call of this queue that has waited longest. */
  readonly queue?: { readonly name: string }
  /** Its one destination is plain text, and reads as a number: that is what it is where no destination has the name. */
  readonly number?: true
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
  /** Whom the devices are told that calls; absent: who does. */
  readonly callerId?: string
  /** How long those connected by it may talk; absent: as long as they like. */
  readonly timeLimitMs?: number
}

export interface EnqueueStep extends Continuation {
  readonly verb: 'enqueue'
  readonly group: string
  /** How long it waits; absent: as long as the queue lets it. */
  readonly maxWaitMs?: number
  /** Higher is served first. */
  readonly priority: number
  /** What the one who takes it must be able to do, all of it. */
  readonly skills: readonly string[]
}

export interface RedirectStep {
  readonly verb: 'redirect'
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

/** What needs media or a trunk, and is told to the gateway that placed the call. */
export const gatewayVerbs = ['say', 'play', 'gather', 'record', 'conference', 'forward'] as const
export type GatewayVerb = (typeof gatewayVerbs)[number]

export interface PerformStep {
  readonly verb: 'perform'
  readonly what: GatewayVerb
  /** Its attributes, the same whatever language they were written in. */
  readonly with: Readonly<Record<string, unknown>>
  /** Asked with what it gave: of all but `say` and `play`. */
  readonly action?: string
  readonly method?: Method
  /** Of `gather`: `action` is asked even if nothing was entered. */
  readonly evenEmpty?: true
}

export type Step = DialStep | EnqueueStep | RedirectStep | RejectStep | HangupStep | PauseStep | PerformStep

/** What a step is called where people read it. */
export const nameOf = (step: Step): string => (step.verb === 'perform' ? step.what : step.verb)

/** A document read: its steps in order, and what was passed over (`Dial` at 3:5: record is ignored). */
export interface Instructions {
  readonly steps: readonly Step[]
  readonly warnings: readonly string[]
}
