// Enqueue: the text names the group whose people take the call. What the caller hears meanwhile is the gateway's.

import { areSkills, skillsRule } from '../content.js'
import type { Option } from '../options.js'
import { quoted } from '../reading.js'
import { enqueueOptions } from '../vocabulary.js'
import { readName } from './client.js'
import { attributes, refuseChildren, type Verb } from './element.js'

/** Names with spaces or commas between them. */
const skills: Option<'skills', readonly string[]> = {
  key: 'skills',
  json: {},
  twiml: text => {
    const value = [...new Set(text.split(/[\s,]+/).filter(part => part !== ''))]
    return areSkills(value) ? { value } : { fault: `must be ${skillsRule}, not ${quoted(text)}` }
  },
}

export const enqueue: Verb = (element, reading) => {
  const options = attributes({ ...enqueueOptions, skills }, element, reading)
  refuseChildren(element, reading)
  const group = readName(element, element.text, reading)
  if (group === undefined) return undefined
  return { verb: 'enqueue', group, priority: 0, skills: [], method: 'POST', ...options }
}
