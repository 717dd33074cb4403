// Redirect, Reject, Hangup, Pause.

import { locateLater } from '../location.js'
import { pauseOptions, redirectOptions, rejectOptions } from '../vocabulary.js'
import { attributes, empty, refuseChildren, type Verb } from './element.js'

export const redirect: Verb = (element, reading) => {
  const { method = 'POST' } = attributes(redirectOptions, element, reading)
  refuseChildren(element, reading)
  const located = locateLater(element.text)
  if (element.text === '') reading.fault(element.place, 'Redirect must have a URL')
  else if (!located.ok) reading.fault(element.place, `Redirect ${located.message}`)
  return { verb: 'redirect', url: element.text, method }
}

export const reject: Verb = (element, reading) => {
  empty(element, reading)
  const { reason = 'rejected' } = attributes(rejectOptions, element, reading)
  return { verb: 'reject', reason }
}

export const hangup: Verb = (element, reading) => {
  empty(element, reading)
  attributes({}, element, reading)
  return { verb: 'hangup' }
}

export const pause: Verb = (element, reading) => {
  empty(element, reading)
  const { ms = 1000 } = attributes(pauseOptions, element, reading)
  return { verb: 'pause', ms }
}
