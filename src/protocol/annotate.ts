// What a schema means, in words: they go into the published descriptions (docs/reference) and the tables of
// docs/protocol.md. A schema that is told of under a name of its own has that name as its title.

import Type, { type TSchema } from 'typebox'

/** The same schema, with what it means where it is used. */
export const about = <S extends TSchema>(schema: S, description: string): S =>
  Type.With(schema, { description }) as unknown as S

/** The same, of a field that may be absent. */
export const maybe = <S extends TSchema>(schema: S, description: string) =>
  Type.Optional(about(schema, description))
