// Instructions as JSON: { "steps": [...] }, each step an object with one key, its verb. Durations are in
// milliseconds. A verb that nobody knows fails the document, as a wrong value does; a key that nobody knows is
// ignored with a warning. Each verb is read in a file of `json/`.

import Type from 'typebox'
import type { Read } from '../../config.js'
import { dial } from './json/dial.js'
import { enqueue } from './json/enqueue.js'
import { hangup, pause, redirect, reject } from './json/flow.js'
import { conference, forward, gather, play, record, say } from './json/media.js'
import { isObject, shape, type Verb } from './json/shape.js'
import { below, Reading } from './reading.js'
import type { Instructions, Step } from './steps.js'

const documentShape = shape({}, { steps: Type.Array(Type.Unknown()) })

const verbs: ReadonlyMap<string, Verb> = new Map([
  ['dial', dial],
  ['enqueue', enqueue],
  ['redirect', redirect],
  ['reject', reject],
  ['hangup', hangup],
  ['pause', pause],
  ['say', say],
  ['play', play],
  ['gather', gather],
  ['record', record],
  ['conference', conference],
  ['forward', forward],
])

const step = (given: unknown, at: string, reading: Reading): Step | undefined => {
  const [entry, more] = isObject(given) ? Object.entries(given) : []
  if (entry === undefined || more !== undefined) {
    reading.fault(at, 'must be an object with one key, its verb')
    return undefined
  }
  const [name, value] = entry
  const verb = verbs.get(name)
  if (verb === undefined) reading.fault(below(at, name), 'is not supported')
  return verb?.(value, below(at, name), reading)
}

/** Reads a document that is JSON; faults have paths as `steps[1].dial.to[0]`. */
export const readJson = (document: unknown): Read<Instructions> => {
  const reading = new Reading()
  const steps = documentShape(document, '', reading)?.steps ?? []
  return reading.finish(steps.map((given, index) => step(given, `steps[${index}]`, reading)))
}
