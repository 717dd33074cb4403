// dial: destinations by name, or a queue.

import Type from 'typebox'
import { DestinationName, Params, paramsFit, paramsLimit } from '../../../protocol/index.js'
import { check } from '../../../runtime/index.js'
import { readCallback } from '../callback.js'
import { numberOf } from '../content.js'
import { distinct } from '../options.js'
import { below, type Reading } from '../reading.js'
import type { Noun } from '../steps.js'
import { dialOptions } from '../vocabulary.js'
import { isObject, shape, type Verb } from './shape.js'

const nameFits = check(DestinationName)
const nounShape = shape(
  {},
  {
    name: DestinationName,
    params: Type.Optional(Params),
    statusCallback: Type.Optional(Type.Unknown()),
  },
)
const dialShape = shape(dialOptions, {
  to: Type.Optional(Type.Unknown()),
  queue: Type.Optional(DestinationName),
})

const noun = (given: unknown, at: string, reading: Reading): Noun | undefined => {
  if (typeof given === 'string') {
    const name = reading.fit(nameFits, given, at)
    return name && { name, params: {} }
  }
  const value = nounShape(given, at, reading)
  if (value === undefined) return undefined
  const { name, params = {}, statusCallback } = value
  if (!paramsFit(params)) reading.fault(below(at, 'params'), `must keep within ${paramsLimit} bytes`)
  const told =
    statusCallback === undefined
      ? undefined
      : readCallback(statusCallback, below(at, 'statusCallback'), reading)
  return { name, params, ...(told && { statusCallback: told }) }
}

const nouns = (given: unknown, at: string, reading: Reading): readonly (Noun | undefined)[] => {
  if (!Array.isArray(given)) return [noun(given, at, reading)]
  if (given.length === 0) reading.fault(at, 'must name a destination')
  return given.map((one, index) => noun(one, `${at}[${index}]`, reading))
}

export const dial: Verb = (given, at, reading) => {
  const value = dialShape(given, at, reading)
  const named = isObject(given) && 'to' in given
  const to = named ? nouns(given.to, below(at, 'to'), reading) : []
  const queued = isObject(given) && 'queue' in given
  if (isObject(given) && !named && !queued) reading.fault(below(at, 'to'), 'is missing')
  if (named && queued) reading.fault(at, 'must have to or queue, not both')
  if (value === undefined) return undefined
  const { sequential = false, method = 'POST', to: text, queue, skills, ...options } = value
  return {
    verb: 'dial',
    to: to.filter(one => one !== undefined),
    ...(queue !== undefined && { queue: { name: queue } }),
    sequential,
    method,
    ...options,
    ...(skills !== undefined && { skills: distinct(skills) }),
    ...(typeof text === 'string' && numberOf(text) !== undefined && { number: true }),
  }
}
