// The door of the instruction languages: documents into steps, and where documents come from.

export { checkCallback } from './callback.js'
export { documentLimit, type Language, readDocument, readInstructions } from './document.js'
export { forwardOf } from './forward.js'
export { checkInline, type InlineSource, type InstructionSource, type UrlSource } from './inline.js'
export type { Method } from './location.js'
export {
  type CallbackEvent,
  callbackEvents,
  type DialStep,
  type EnqueueStep,
  type GatewayVerb,
  type HangupStep,
  type Instructions,
  type Noun,
  nameOf,
  type PauseStep,
  type PerformStep,
  type RedirectStep,
  type RejectStep,
  type StatusCallback,
  type Step,
} from './steps.js'
