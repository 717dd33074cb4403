// Where to report what becomes of a call, or of a destination: an address, or an object with it, in the instructions
// and beside a call that is placed.

import type { Read } from '../../config.js'
import { locate } from '../../egress/index.js'
import { shape } from './json/shape.js'
import { methods } from './location.js'
import { url, word, words } from './options.js'
import { below, Reading } from './reading.js'
import { callbackEvents, type StatusCallback } from './steps.js'

const form = shape(
  { method: word('method', methods), events: words('events', callbackEvents), url: url('url') },
  {},
  ['url'],
)

export const readCallback = (given: unknown, at: string, reading: Reading): StatusCallback | undefined => {
  const value = form(typeof given === 'string' ? { url: given } : given, at, reading)
  return (
    value && {
      url: String(value.url),
      method: value.method ?? 'POST',
      events: value.events ?? ['completed'],
    }
  )
}

/** The same where there is no document that its address could begin at: it is absolute. Faults have paths from `path` on. */
export const checkCallback = (given: unknown, path: string): Read<StatusCallback> => {
  const reading = new Reading()
  const callback = readCallback(given, path, reading)
  const located = callback && locate(callback.url)
  if (callback && located?.ok) return { ok: true, value: { ...callback, url: located.value.href } }
  if (located?.ok === false) reading.fault(below(path, 'url'), located.message)
  return { ok: false, faults: reading.faults }
}
