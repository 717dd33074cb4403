// Instructions as TwiML. Names of verbs, nouns and attributes are case-sensitive; durations are whole seconds.
// A verb or noun that nobody knows fails the document, as a wrong value does; an attribute that nobody needs is
// ignored with a warning, and so is text between verbs. What counts as text, and as a name, is said in xml.ts;
// each verb is read in a file of `twiml/`.

import type { Read } from '../../config.js'
import { readXml } from '../../runtime/index.js'
import { Reading } from './reading.js'
import type { Instructions } from './steps.js'
import { dial } from './twiml/dial.js'
import { attributes, ignoreText, type Verb } from './twiml/element.js'
import { enqueue } from './twiml/enqueue.js'
import { hangup, pause, redirect, reject } from './twiml/flow.js'
import { gather, play, record, say } from './twiml/media.js'

const verbs: ReadonlyMap<string, Verb> = new Map([
  ['Dial', dial],
  ['Enqueue', enqueue],
  ['Redirect', redirect],
  ['Reject', reject],
  ['Hangup', hangup],
  ['Pause', pause],
  ['Say', say],
  ['Play', play],
  ['Gather', gather],
  ['Record', record],
])

/** Reads a document that is TwiML; faults have `line:column` as their path. */
export const readTwiml = (text: string): Read<Instructions> => {
  const xml = readXml(text)
  if (!xml.ok) return xml
  const response = xml.value
  const reading = new Reading()
  if (response.name !== 'Response') {
    reading.fault(response.place, `the root must be Response, not ${response.name}`)
    return reading.finish([])
  }
  attributes({}, response, reading)
  ignoreText(response, reading)
  const steps = response.children.map(element => {
    const verb = verbs.get(element.name)
    if (verb === undefined) reading.fault(element.place, `${element.name} is not supported`)
    return verb?.(element, reading)
  })
  return reading.finish(steps)
}
