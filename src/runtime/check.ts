// Shapes: compiles a schema once and says of a value either that it fits or every fault, each with its path.
// A schema node may carry `expected`, a phrase that completes "must be …"; it replaces the stock message,
// and for a union the messages of its branches.

import type { Static, TSchema } from 'typebox'
import { Compile } from 'typebox/schema'
import { Settings } from 'typebox/system'
import type { Fault } from '../errors.js'
import { cut } from './plain.js'

Settings.Set({ maxErrors: 64 })

export type Check<T> = (value: unknown) => { ok: true; value: T } | { ok: false; faults: readonly Fault[] }

interface SchemaError {
  readonly keyword: string
  readonly schemaPath: string
  readonly instancePath: string
  readonly params: object
  readonly message: string
}

/** A key may be anyone's text: no more of it is told than of a name. */
const longestKey = 64

/** `/tenants/acme/keys/0` as people write it: `tenants.acme.keys[0]`. */
const dotted = (pointer: string): string =>
  pointer
    .split('/')
    .slice(1)
    .map(part => cut(part.replaceAll('~1', '/').replaceAll('~0', '~'), longestKey))
    .reduce(
      (path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : path === '' ? part : `${path}.${part}`),
      '',
    )

const expectedAt = (schema: TSchema, pointer: string): string | undefined => {
  let node: unknown = schema
  for (const part of pointer.split('/').slice(1)) {
    node = (node as Record<string, unknown> | undefined)?.[part.replaceAll('~1', '/').replaceAll('~0', '~')]
  }
  return (node as { expected?: string } | undefined)?.expected
}

const faultsOf = (schema: TSchema, errors: readonly SchemaError[]): Fault[] => {
  const faults: Fault[] = []
  for (const error of errors) {
    if (/\/anyOf\/\d+/.test(error.schemaPath) || error.keyword === 'additionalProperties') continue
    const path = dotted(error.instancePath)
    if ('requiredProperties' in error.params) {
      for (const name of error.params.requiredProperties as string[]) {
        faults.push({
          path: path === '' ? name : `${path}.${name}`,
          message: 'is missing',
        })
      }
      continue
    }
    const expected = expectedAt(schema, error.schemaPath)
    const enumerated = (error.params as { allowedValues?: unknown[] }).allowedValues
    const message =
      expected !== undefined
        ? `must be ${expected}`
        : error.keyword === 'boolean'
          ? 'is not known here'
          : enumerated !== undefined
            ? `must be one of ${enumerated.join(', ')}`
            : error.message
    faults.push({ path, message })
  }
  return faults
}

/** Compiles `schema` into its check. */
export const check = <S extends TSchema>(schema: S): Check<Static<S>> => {
  const compiled = Compile(schema)
  return value =>
    compiled.Check(value)
      ? { ok: true, value: value as Static<S> }
      : {
          ok: false,
          faults: faultsOf(schema, compiled.Errors(value)[1] as SchemaError[]),
        }
}

/** One line for one fault: `capacity must be >= 1`. */
export const faultText = ({ path, message }: Fault): string => (path === '' ? message : `${path} ${message}`)
