// Instructions as JSON: { "steps": [...] }, each step an object with one key, its verb. Durations are in
// milliseconds. A verb or option that asks for something this hub cannot do fails the document; a key that
// nobody knows is ignored with a warning; `say` and `play` are passed over with one.

import Type, { type Static, type TObject, type TSchema } from 'typebox'
import { type Read, strategies } from '../../config.js'
import { DestinationName, Params, paramsFit, paramsLimit } from '../../protocol/index.js'
import { check } from '../../runtime/index.js'
import { locateLater, methods } from './location.js'
import { below, passedOver, present, Reading } from './reading.js'
import { type Instructions, longestMs, type Noun, rejections, type Step } from './steps.js'

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Reads the known keys of an object. The `refused` ask for what is not to be had; any other is warned of. */
const shape = <P extends Record<string, TSchema>>(properties: P, refused: readonly string[] = []) => {
  const fits = check(Type.Object(properties, { expected: 'an object' }))
  return (given: unknown, at: string, reading: Reading): Static<TObject<P>> | undefined => {
    const value = reading.fit(fits, given, at)
    if (!isObject(given)) return undefined
    for (const key of Object.keys(given)) {
      if (refused.includes(key)) reading.fault(below(at, key), 'is not supported')
      else if (!Object.hasOwn(properties, key)) reading.warn(below(at, key), 'is ignored')
    }
    return value
  }
}

const Ms = (minimum: number) =>
  Type.Integer({ minimum, maximum: longestMs, expected: `whole milliseconds, ${minimum} to ${longestMs}` })

const documentShape = shape({ steps: Type.Array(Type.Unknown()) })
const nameFits = check(DestinationName)
const nounShape = shape({ name: DestinationName, params: Type.Optional(Params) })
const dialShape = shape(
  {
    to: Type.Unknown(),
    timeoutMs: Type.Optional(Ms(1)),
    totalTimeoutMs: Type.Optional(Ms(1)),
    sequential: Type.Optional(Type.Boolean()),
    strategy: Type.Optional(Type.Enum([...strategies])),
    skills: Type.Optional(Type.Array(Type.String())),
  },
  ['action', 'method'],
)
const redirectShape = shape({ url: Type.String(), method: Type.Optional(Type.Enum([...methods])) })
const rejectShape = shape({ reason: Type.Optional(Type.Enum([...rejections])) })
const hangupShape = shape({})
const pauseShape = shape({ ms: Ms(0) })

const noun = (given: unknown, at: string, reading: Reading): Noun | undefined => {
  if (typeof given === 'string') {
    const name = reading.fit(nameFits, given, at)
    return name && { name, params: {} }
  }
  const value = nounShape(given, at, reading)
  if (value?.params && !paramsFit(value.params)) {
    reading.fault(below(at, 'params'), `must keep within ${paramsLimit} bytes`)
  }
  return value && { name: value.name, params: value.params ?? {} }
}

const nouns = (given: unknown, at: string, reading: Reading): readonly (Noun | undefined)[] => {
  if (!Array.isArray(given)) return [noun(given, at, reading)]
  if (given.length === 0) reading.fault(at, 'must name a destination')
  return given.map((one, index) => noun(one, `${at}[${index}]`, reading))
}

type Verb = (given: unknown, at: string, reading: Reading) => Step | undefined

const dial: Verb = (given, at, reading) => {
  const value = dialShape(given, at, reading)
  const to = isObject(given) && 'to' in given ? nouns(given.to, below(at, 'to'), reading) : []
  if (value === undefined) return undefined
  const { timeoutMs, totalTimeoutMs, strategy, skills, sequential = false } = value
  return {
    verb: 'dial',
    to: to.filter(one => one !== undefined),
    ...present({ timeoutMs, totalTimeoutMs, strategy, skills }),
    sequential,
  }
}

const redirect: Verb = (given, at, reading) => {
  const value = redirectShape(given, at, reading)
  if (value === undefined) return undefined
  const located = locateLater(value.url)
  if (!located.ok) reading.fault(below(at, 'url'), located.message)
  return { verb: 'redirect', url: value.url, method: value.method ?? 'POST' }
}

const reject: Verb = (given, at, reading) => ({
  verb: 'reject',
  reason: rejectShape(given, at, reading)?.reason ?? 'rejected',
})

const hangup: Verb = (given, at, reading) => hangupShape(given, at, reading) && { verb: 'hangup' }

const pause: Verb = (given, at, reading) => {
  const value = pauseShape(given, at, reading)
  return value && { verb: 'pause', ms: value.ms }
}

const passOver: Verb = (_given, at, reading) => {
  reading.warn(at, passedOver)
  return undefined
}

const verbs: ReadonlyMap<string, Verb> = new Map([
  ['dial', dial],
  ['redirect', redirect],
  ['reject', reject],
  ['hangup', hangup],
  ['pause', pause],
  ['say', passOver],
  ['play', passOver],
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
