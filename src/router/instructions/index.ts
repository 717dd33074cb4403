// The door of the instruction languages: documents into steps, and where documents come from.

export { documentLimit, type Language, readDocument, readInstructions } from './document.js'
export { checkInline, type InlineSource, type InstructionSource, type UrlSource } from './inline.js'
export type { Method } from './location.js'
export type {
  DialStep,
  HangupStep,
  Instructions,
  Noun,
  PauseStep,
  RedirectStep,
  RejectStep,
  Step,
} from './steps.js'
