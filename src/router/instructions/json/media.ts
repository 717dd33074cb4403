// say, play, gather, record, conference and forward: what only a gateway can do.

import Type from 'typebox'
import { isSip, type Line, numberOf, numberRule, sipRule, spokenLimit } from '../content.js'
import { label, url } from '../options.js'
import { below, type Reading } from '../reading.js'
import type { GatewayVerb, Step } from '../steps.js'
import {
  conferenceDialOptions,
  conferenceOptions,
  forwardOptions,
  gatherOptions,
  numberOptions,
  playOptions,
  recordOptions,
  sayOptions,
} from '../vocabulary.js'
import { pauseShape } from './flow.js'
import { isObject, shape, type Verb } from './shape.js'

type Told = Readonly<Record<string, unknown>>

const spoken = Type.String({
  minLength: 1,
  maxLength: spokenLimit,
  expected: `text of 1 to ${spokenLimit} characters`,
})
const sayShape = shape(sayOptions, { text: spoken })
const playShape = shape({ ...playOptions, url: url('url') })
const gatherShape = shape(gatherOptions, { prompts: Type.Optional(Type.Array(Type.Unknown())) })
const recordShape = shape(recordOptions)
const conferenceShape = shape({ ...conferenceOptions, ...conferenceDialOptions, name: label('name') }, {}, [
  'name',
])
const forwardShape = shape(forwardOptions, { to: Type.Unknown() })
const numberShape = shape(numberOptions, { number: Type.String() })
const sipShape = shape({}, { sip: Type.String() })

const sayWith = (given: unknown, at: string, reading: Reading): Told | undefined =>
  sayShape(typeof given === 'string' ? { text: given } : given, at, reading)

const playWith = (given: unknown, at: string, reading: Reading): Told | undefined => {
  const value = playShape(typeof given === 'string' ? { url: given } : given, at, reading)
  if (value && value.url === undefined && value.digits === undefined) {
    reading.fault(at, 'must have url or digits')
  }
  return value
}

export const say: Verb = (given, at, reading) => {
  const told = sayWith(given, at, reading)
  return told && { verb: 'perform', what: 'say', with: told }
}

export const play: Verb = (given, at, reading) => {
  const told = playWith(given, at, reading)
  return told && { verb: 'perform', what: 'play', with: told }
}

const prompts = new Map<string, (given: unknown, at: string, reading: Reading) => Told | undefined>([
  ['say', sayWith],
  ['play', playWith],
  ['pause', pauseShape],
])

const prompt = (given: unknown, at: string, reading: Reading): Told | undefined => {
  const [entry, more] = isObject(given) ? Object.entries(given) : []
  const read = entry && prompts.get(entry[0])
  if (entry === undefined || more !== undefined || read === undefined) {
    reading.fault(at, 'must be an object with one of say, play and pause')
    return undefined
  }
  const [name, value] = entry
  const told = read(value, below(at, name), reading)
  return told && { [name]: told }
}

const step = (
  what: GatewayVerb,
  { action, method = 'POST', ...told }: Told & { action?: string; method?: 'GET' | 'POST' },
): Step => ({ verb: 'perform', what, with: told, ...(action !== undefined && { action }), method })

export const gather: Verb = (given, at, reading) => {
  const value = gatherShape(given, at, reading)
  if (value === undefined) return undefined
  const { actionOnEmptyResult, prompts: asked = [], input = ['dtmf'], ...options } = value
  const said = asked
    .map((one, index) => prompt(one, `${below(at, 'prompts')}[${index}]`, reading))
    .filter(one => one !== undefined)
  return {
    ...step('gather', { input, ...options, prompts: said }),
    ...(actionOnEmptyResult === true && { evenEmpty: true }),
  } as Step
}

export const record: Verb = (given, at, reading) => {
  const value = recordShape(given, at, reading)
  return value && step('record', value)
}

export const conference: Verb = (given, at, reading) => {
  const value = conferenceShape(typeof given === 'string' ? { name: given } : given, at, reading)
  return value && step('conference', value)
}

const lineOf = (given: unknown, at: string, reading: Reading): Line | undefined => {
  if (typeof given === 'string') {
    return lineOf(/^sips?:/i.test(given) ? { sip: given } : { number: given }, at, reading)
  }
  if (isObject(given) && 'sip' in given) {
    const value = sipShape(given, at, reading)
    if (value && !isSip(value.sip)) reading.fault(at, `must be ${sipRule}`)
    return value
  }
  const value = numberShape(given, at, reading)
  const number = value && numberOf(value.number)
  if (value && number === undefined) reading.fault(at, `must be ${numberRule}`)
  return value && { ...value, number: number ?? '' }
}

export const forward: Verb = (given, at, reading) => {
  const value = forwardShape(given, at, reading)
  const to = isObject(given) && 'to' in given ? [given.to].flat() : []
  if (value && to.length === 0) reading.fault(below(at, 'to'), 'must name a number or a SIP address')
  const lines = to
    .map((one, index) =>
      lineOf(one, Array.isArray(value?.to) ? `${below(at, 'to')}[${index}]` : below(at, 'to'), reading),
    )
    .filter(one => one !== undefined)
  return value && step('forward', { sequential: false, ...value, to: lines })
}
