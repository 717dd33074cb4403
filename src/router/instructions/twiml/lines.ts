// Number, Sip and Conference: nouns of Dial that only a gateway can reach.

import type { Element } from '../../../runtime/index.js'
import { isSip, type Line, numberOf, numberRule, sipRule } from '../content.js'
import { label } from '../options.js'
import { quoted, type Reading } from '../reading.js'
import { conferenceOptions, numberOptions } from '../vocabulary.js'
import { attributes, refuseChildren } from './element.js'

export const number = (element: Element, reading: Reading): Line | undefined => {
  const options = attributes(numberOptions, element, reading)
  refuseChildren(element, reading)
  const found = numberOf(element.text)
  if (found !== undefined) return { number: found, ...options }
  reading.fault(element.place, `Number must be ${numberRule}, not ${quoted(element.text)}`)
  return undefined
}

export const sip = (element: Element, reading: Reading): Line | undefined => {
  attributes({}, element, reading)
  refuseChildren(element, reading)
  if (isSip(element.text)) return { sip: element.text }
  reading.fault(element.place, `Sip must be ${sipRule}, not ${quoted(element.text)}`)
  return undefined
}

const roomName = label('name')

/** What the gateway is told of a room. */
export const conference = (element: Element, reading: Reading): { readonly name: string } => {
  const options = attributes(conferenceOptions, element, reading)
  refuseChildren(element, reading)
  const read = roomName.twiml(element.text)
  if ('fault' in read) reading.fault(element.place, `Conference ${read.fault}`)
  return { name: element.text, ...options }
}
