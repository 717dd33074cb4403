// What every verb does with its object: reads the keys that it knows, warns of the others.

import Type, { type Static, type TObject, type TSchema } from 'typebox'
import { check } from '../../../runtime/index.js'
import type { Options, Values } from '../options.js'
import { below, type Reading } from '../reading.js'
import type { Step } from '../steps.js'

export type Verb = (given: unknown, at: string, reading: Reading) => Step | undefined

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

type Fields = Readonly<Record<string, TSchema>>

/** Reads an object with these options, and with these fields beside them; `required` are the options it cannot do without. */
export const shape = <O extends Options, P extends Fields = Readonly<Record<never, TSchema>>>(
  options: O,
  fields?: P,
  required: readonly string[] = [],
) => {
  const all = Object.values<Options[string]>(options)
  const optional = Object.fromEntries(
    all.map(({ key, json }) => [key, required.includes(key) ? json : Type.Optional(json)]),
  )
  const properties: Record<string, TSchema> = { ...fields, ...optional }
  const fits = check(Type.Object(properties, { expected: 'an object' }))
  return (given: unknown, at: string, reading: Reading): (Values<O> & Static<TObject<P>>) | undefined => {
    const value = reading.fit(fits, given, at)
    if (!isObject(given)) return undefined
    for (const key of Object.keys(given)) {
      if (!Object.hasOwn(properties, key)) reading.warn(below(at, key), 'is ignored')
    }
    for (const { key, judge } of all) {
      // A text by itself; a list once the whole has its shape.
      const fault = typeof given[key] === 'string' || value !== undefined ? judge?.(given[key]) : undefined
      if (fault !== undefined) reading.fault(below(at, key), fault)
    }
    if (value === undefined) return undefined
    const known: Record<string, unknown> = {}
    for (const key of Object.keys(properties)) {
      if (Object.hasOwn(value, key)) known[key] = (value as Record<string, unknown>)[key]
    }
    return known as Values<O> & Static<TObject<P>>
  }
}
