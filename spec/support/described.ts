// Whether what a hub really says is what its published descriptions say: JSON Schemas checked by another library than
// the hub's own, and closed, so that a field that nobody described is found as well.

import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'

type Json = { readonly [key: string]: unknown }

/** The same schema, of which objects have no other fields than those it names. A line of a timeline may have any. */
const closed = (node: unknown): unknown => {
  if (Array.isArray(node)) return node.map(closed)
  if (typeof node !== 'object' || node === null) return node
  const inner = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, closed(value)]))
  const { type, properties, title } = node as Json
  const open = type !== 'object' || typeof properties !== 'object' || title === 'TimelineEntry'
  return open ? inner : { ...inner, additionalProperties: false }
}

/** What is wrong with values, by parts of one document: `judge('#/components/schemas/Call')(value)`. */
export const createJudge = (document: object) => {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  ajv.addSchema(closed({ ...document, $schema: undefined }) as object, 'document')
  const compiled = new Map<string, ValidateFunction>()
  return (pointer: string) => {
    const validate = compiled.get(pointer) ?? ajv.compile({ $ref: `document${pointer}` })
    compiled.set(pointer, validate)
    return (value: unknown): string | undefined =>
      validate(value) ? undefined : ajv.errorsText(validate.errors, { dataVar: 'value' })
  }
}

/** A key as a part of a JSON pointer in a URI fragment (RFC 6901, section 6). */
export const pointed = (...keys: readonly string[]): string =>
  `#${keys.map(key => `/${encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('')}`
