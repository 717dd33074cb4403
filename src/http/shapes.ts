// Requests are held to typebox schemas by the same check as socket frames, so that both name a field at fault in the
// same words. A query is text: whole numbers are read where the schema asks for one, and a single value where it asks
// for a list is a list of one.

import type { FastifySchemaCompiler, FastifyTypeProvider } from 'fastify'
import type { Static, TSchema } from 'typebox'
import { HubError } from '../errors.js'
import { check, faultText } from '../runtime/index.js'

/** Gives handlers the types that their schemas say, and holds what they answer to those that are declared. */
export interface Shapes extends FastifyTypeProvider {
  readonly validator: this['schema'] extends TSchema ? Static<this['schema']> : unknown
  readonly serializer: this['schema'] extends TSchema ? Static<this['schema']> : unknown
}

interface QuerySchema {
  readonly properties: Readonly<Record<string, { readonly type?: string }>>
}

const readQuery = (schema: QuerySchema, query: object): object =>
  Object.fromEntries(
    Object.entries(query).map(([name, value]) => {
      const type = schema.properties[name]?.type
      if (type === 'integer' && /^\d{1,15}$/.test(value)) return [name, Number(value)]
      return [name, type === 'array' ? [value].flat() : value]
    }),
  )

/** Compiles the schema of one part of a route's requests. A misfit is `invalid`, with every fault in its details. */
export const checkRequest: FastifySchemaCompiler<TSchema> = ({ schema, httpPart = '' }) => {
  const fits = check(schema)
  return part => {
    const checked = fits(
      httpPart === 'querystring' ? readQuery(schema as unknown as QuerySchema, part) : part,
    )
    if (checked.ok) return { value: checked.value }
    const faults = checked.faults.map(({ path, message }) => ({
      path: path === '' ? httpPart : path,
      message,
    }))
    return { error: new HubError('invalid', faults.map(faultText).join('; '), { faults }) }
  }
}
