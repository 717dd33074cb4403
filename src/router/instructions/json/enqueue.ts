// enqueue: waits until someone of a group is free.

import { DestinationName } from '../../../protocol/index.js'
import { distinct } from '../options.js'
import { enqueueOptions } from '../vocabulary.js'
import { shape, type Verb } from './shape.js'

const enqueueShape = shape(enqueueOptions, { group: DestinationName })

export const enqueue: Verb = (given, at, reading) => {
  const value = enqueueShape(given, at, reading)
  if (value === undefined) return undefined
  return { verb: 'enqueue', priority: 0, method: 'POST', ...value, skills: distinct(value.skills ?? []) }
}
