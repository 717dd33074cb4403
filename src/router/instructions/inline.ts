// Where a call's instructions come from, as a configuration or a request for a call says it: a URL, a document
// within, or (in a configuration) a file. Checked at once with everything that is wrong, each fault at its path.
// What is inline or in a file is read right here, so a call never finds it broken.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import Type from 'typebox'
import type { Read } from '../../config.js'
import { locate } from '../../egress/index.js'
import type { Fault } from '../../errors.js'
import { check, faultText } from '../../runtime/index.js'
import { readDocument, readInstructions } from './document.js'
import { type Method, methods } from './location.js'
import { below, present } from './reading.js'
import type { Instructions } from './steps.js'

/** Instructions that are at hand. */
export interface InlineSource {
  readonly kind: 'inline'
  readonly instructions: Instructions
  /** What to call their place in a timeline: `inline`, or the name of the file. */
  readonly from: string
}

/** Instructions that are asked for when a call comes. */
export interface UrlSource {
  readonly kind: 'url'
  readonly url: string
  readonly method: Method
  /** Asked when `url` gives no usable document. */
  readonly fallbackUrl?: string
}

export type InstructionSource = InlineSource | UrlSource

const strict = { additionalProperties: false }
const UrlForm = check(
  Type.Object(
    {
      url: Type.String(),
      method: Type.Optional(Type.Enum([...methods])),
      fallbackUrl: Type.Optional(Type.String()),
    },
    strict,
  ),
)
const StepsForm = check(Type.Object({ steps: Type.Unknown() }, strict))
const TwimlForm = check(Type.Object({ twiml: Type.String() }, strict))
const FileForm = check(Type.Object({ file: Type.String() }, strict))

const fault = (path: string, message: string): { ok: false; faults: readonly Fault[] } => ({
  ok: false,
  faults: [{ path, message }],
})

/** The document's faults, each told by `tell`, or the source it makes. */
const inline = (
  document: Read<Instructions>,
  from: string,
  tell: (fault: Fault) => Fault,
): Read<InlineSource> =>
  document.ok
    ? { ok: true, value: { kind: 'inline', instructions: document.value, from } }
    : { ok: false, faults: document.faults.map(tell) }

const fromUrl = (value: unknown): Read<UrlSource> => {
  const form = UrlForm(value)
  if (!form.ok) return form
  const { url, method = 'POST', fallbackUrl } = form.value
  const urls = { url, ...present({ fallbackUrl }) }
  const faults = Object.entries(urls).flatMap(([path, text]) => {
    const located = locate(text)
    return located.ok ? [] : [{ path, message: located.message }]
  })
  return faults.length > 0 ? { ok: false, faults } : { ok: true, value: { kind: 'url', ...urls, method } }
}

const fromSteps = (value: unknown): Read<InlineSource> => {
  const form = StepsForm(value)
  return form.ok ? inline(readInstructions({ json: form.value }), 'inline', same => same) : form
}

const fromTwiml = (value: unknown): Read<InlineSource> => {
  const form = TwimlForm(value)
  if (!form.ok) return form
  return inline(readInstructions(form.value), 'inline', ({ path, message }) => ({
    path: `twiml:${path}`,
    message,
  }))
}

const fromFile = (value: unknown, dir: string | undefined): Read<InlineSource> => {
  const form = FileForm(value)
  if (!form.ok) return form
  if (dir === undefined) return fault('file', 'is for the configuration only')
  const name = form.value.file
  let bytes: Uint8Array
  try {
    bytes = readFileSync(resolve(dir, name))
  } catch (error) {
    return fault('file', `cannot be read: ${name} (${(error as NodeJS.ErrnoException).code})`)
  }
  return inline(readDocument(bytes), name, one => ({ path: 'file', message: `${name}: ${faultText(one)}` }))
}

type Form = (value: unknown, dir: string | undefined) => Read<InstructionSource>

const forms: ReadonlyMap<string, Form> = new Map<string, Form>([
  ['url', fromUrl],
  ['steps', fromSteps],
  ['twiml', fromTwiml],
  ['file', fromFile],
])

const read = (value: unknown, dir: string | undefined): Read<InstructionSource> => {
  if (typeof value === 'string') {
    const located = locate(value)
    return located.ok
      ? { ok: true, value: { kind: 'url', url: value, method: 'POST' } }
      : fault('', located.message)
  }
  const [form, another] =
    typeof value === 'object' && value !== null ? [...forms].filter(([key]) => key in value) : []
  if (form === undefined || another !== undefined) {
    return fault('', 'must be a URL, or an object with one of url, steps, twiml and file')
  }
  return form[1](value, dir)
}

/**
 * Reads one of the forms that instructions are given in: a URL, `{ url, method?, fallbackUrl? }`, `{ steps }`,
 * `{ twiml }` or `{ file }`. Faults have paths below `path`. With `dir`, where relative file names begin, it is a
 * configuration's; without it a `file` is refused.
 */
export const checkInline = (value: unknown, path: string, dir?: string): Read<InstructionSource> => {
  const source = read(value, dir)
  if (source.ok) return source
  return {
    ok: false,
    faults: source.faults.map(one => ({ path: below(path, one.path), message: one.message })),
  }
}
