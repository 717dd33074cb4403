// enqueue: waits until someone of a group is free.

import Type from 'typebox'
import { DestinationName } from '../../../protocol/index.js'
import { areSkills, skillsRule } from '../content.js'
import { below } from '../reading.js'
import { enqueueOptions } from '../vocabulary.js'
import { shape, type Verb } from './shape.js'

const enqueueShape = shape(enqueueOptions, {
  group: DestinationName,
  skills: Type.Optional(Type.Array(Type.String())),
})

export const enqueue: Verb = (given, at, reading) => {
  const value = enqueueShape(given, at, reading)
  if (value === undefined) return undefined
  const skills = [...new Set(value.skills)]
  if (!areSkills(skills)) reading.fault(below(at, 'skills'), `must be ${skillsRule}`)
  return { verb: 'enqueue', priority: 0, method: 'POST', ...value, skills }
}
