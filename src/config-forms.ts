// What the shapes of a configuration file are made of: strict sections, options with what holds where they are absent,
// spans of time, counts.

import Type, { type Static, type TSchema } from 'typebox'

/** An option that may be absent, and then is `value`. A section whose options all have defaults defaults to `{}`. */
export const defaultsTo = <const D extends Static<S>, S extends TSchema>(value: D, schema: S) =>
  Object.assign(Type.Optional(schema), { default: value })

type Properties = Parameters<typeof Type.Object>[0]

/** An object that has nothing but these properties. */
export const section = <P extends Properties>(description: string, properties: P) =>
  Type.Object(properties, { additionalProperties: false, description })

/** An object whose keys are names. */
export const byName = <S extends TSchema>(description: string, value: S) =>
  Type.Record(Type.String(), value, { description })

/** A span of time in milliseconds, of at most a week. */
export const ms = (description: string, minimum = 0) =>
  Type.Integer({ minimum, maximum: 7 * 86_400_000, description })

export const text = (description: string, minLength = 0) => Type.String({ minLength, description })

export const flag = (description: string) => Type.Boolean({ description })

/** How many of something there may be, or how much of it. */
export const count = (description: string) => Type.Integer({ minimum: 1, maximum: 1e9, description })

export const portNumber = (description: string) => Type.Integer({ minimum: 0, maximum: 65_535, description })
