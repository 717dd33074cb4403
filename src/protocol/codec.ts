// Text to client frame and back: the only JSON.parse of socket input. It tells the faults that end a session
// (not JSON, not an object, no type) from those that are answered, and bounds the depth of what is relayed.

import type { ErrorCode } from '../errors.js'
import { type Check, check, faultText } from '../runtime/index.js'
import { type ClientFrame, clientFrames, signalLimit } from './client-frames.js'

export type Decoded =
  | { readonly ok: true; readonly frame: ClientFrame }
  | {
      readonly ok: false
      readonly code: ErrorCode
      readonly message: string
      readonly ref?: string
    }

const checks = new Map<string, Check<ClientFrame>>(
  Object.entries(clientFrames).map(([type, schema]) => [type, check(schema)]),
)

/** The deepest nesting of objects and arrays that a frame may have. */
export const depthLimit = 32

/** Whether objects and arrays nest deeper than `levels`. */
export const deeperThan = (value: unknown, levels: number): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (levels === 0 || Object.values(value).some(inner => deeperThan(inner, levels - 1)))

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const loneSurrogate = /\p{Surrogate}/u

/** Half a surrogate pair, which JSON can say (`\ud800`) and UTF-8 can not: it would not arrive as it was sent. */
export const holdsLoneSurrogate = (value: unknown): boolean =>
  typeof value === 'string'
    ? loneSurrogate.test(value)
    : typeof value === 'object' &&
      value !== null &&
      Object.entries(value).some(([name, inner]) => loneSurrogate.test(name) || holdsLoneSurrogate(inner))

/** What is wrong with a well-shaped frame that its schema cannot say; undefined if nothing. */
const excess = (text: string, frame: ClientFrame): string | undefined => {
  if (deeperThan(frame, depthLimit)) return `nests deeper than ${depthLimit} levels`
  if (text.includes('\\u') && holdsLoneSurrogate(frame)) return 'holds text that is not well-formed Unicode'
  if (frame.type === 'signal' && Buffer.byteLength(JSON.stringify(frame.data)) > signalLimit) {
    return `data must keep within ${signalLimit} bytes of JSON`
  }
  return undefined
}

/** Reads one text message. `malformed` ends the session (4500); every other refusal is an `error` frame. */
export const decode = (text: string): Decoded => frameOf(parse(text), text)

/** Holds what was read from `text`, in whatever language, to the form of a client's frame. */
export const frameOf = (value: unknown, text: string): Decoded => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return {
      ok: false,
      code: 'malformed',
      message: 'a frame is one JSON object',
    }
  }
  const { type, ref } = value as { type?: unknown; ref?: unknown }
  if (typeof type !== 'string') return { ok: false, code: 'malformed', message: 'a frame has a type' }
  const echo = typeof ref === 'string' && ref.length <= 64 ? { ref } : {}
  const known = checks.get(type)
  if (known === undefined) {
    return {
      ok: false,
      code: 'unknown-type',
      message: `no frame type "${type.slice(0, 64)}"`,
      ...echo,
    }
  }
  const checked = known(value)
  if (!checked.ok) {
    return {
      ok: false,
      code: 'invalid',
      message: checked.faults.map(faultText).join('; '),
      ...echo,
    }
  }
  const fault = excess(text, checked.value)
  if (fault !== undefined) return { ok: false, code: 'invalid', message: fault, ...echo }
  return { ok: true, frame: checked.value }
}
