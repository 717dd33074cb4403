// Enqueue: the text names the group whose people take the call. What the caller hears meanwhile is the gateway's.

import { enqueueOptions } from '../vocabulary.js'
import { readName } from './client.js'
import { attributes, refuseChildren, type Verb } from './element.js'

export const enqueue: Verb = (element, reading) => {
  const options = attributes(enqueueOptions, element, reading)
  refuseChildren(element, reading)
  const group = readName(element, element.text, reading)
  if (group === undefined) return undefined
  return { verb: 'enqueue', group, priority: 0, skills: [], method: 'POST', ...options }
}
