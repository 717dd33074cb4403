// The door to instructions when a call needs them: retrieved, wherever they are.

export type { InstructionRequest } from './form.js'
export { formOf } from './form.js'
export { type Attempt, createSource, type Retrieved, type Source } from './source.js'
