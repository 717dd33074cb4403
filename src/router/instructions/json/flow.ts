// redirect, reject, hangup, pause.

import { Ms, url } from '../options.js'
import { redirectOptions, rejectOptions } from '../vocabulary.js'
import { shape, type Verb } from './shape.js'

const redirectShape = shape({ ...redirectOptions, url: url('url') }, {}, ['url'])
const rejectShape = shape(rejectOptions)
const hangupShape = shape({})
export const pauseShape = shape({}, { ms: Ms(0) })

export const redirect: Verb = (given, at, reading) => {
  const value = redirectShape(given, at, reading)
  return value && { verb: 'redirect', url: String(value.url), method: value.method ?? 'POST' }
}

export const reject: Verb = (given, at, reading) => ({
  verb: 'reject',
  reason: rejectShape(given, at, reading)?.reason ?? 'rejected',
})

export const hangup: Verb = (given, at, reading) => hangupShape(given, at, reading) && { verb: 'hangup' }

export const pause: Verb = (given, at, reading) => {
  const value = pauseShape(given, at, reading)
  return value && { verb: 'pause', ms: value.ms }
}
