// Dial: destinations by name, or somewhere outside by way of the gateway, or a queue, or a conference. One Dial has
// nouns of one of these kinds.

import type { Element } from '../../../runtime/index.js'
import { numberOf } from '../content.js'
import { forwardOf } from '../forward.js'
import type { Options } from '../options.js'
import { present, type Reading } from '../reading.js'
import type { DialStep, Step } from '../steps.js'
import { conferenceDialOptions, dialOptions, forwardOptions } from '../vocabulary.js'
import { client, readName } from './client.js'
import { at, attributes, refuseChild, refuseChildren, type Verb } from './element.js'
import { conference, number, sip } from './lines.js'

/** What each noun is: nouns of one kind may stand side by side. */
const kinds: ReadonlyMap<string, 'destination' | 'line' | 'queue' | 'conference'> = new Map([
  ['Client', 'destination'],
  ['Number', 'line'],
  ['Sip', 'line'],
  ['Queue', 'queue'],
  ['Conference', 'conference'],
])

/** Those of the children that are of the first one's kind; the others are faults. */
const nounsOf = (element: Element, reading: Reading): { kind?: string; nouns: readonly Element[] } => {
  const known = element.children.filter(
    child => kinds.has(child.name) || refuseChild(child, element, reading),
  )
  const [first] = known
  if (first === undefined) return { nouns: [] }
  const kind = kinds.get(first.name) as string
  const nouns = known.filter((child, index) => {
    const fits = kinds.get(child.name) === kind && (index === 0 || kind === 'destination' || kind === 'line')
    if (!fits) reading.fault(child.place, `${child.name} must not stand beside ${first.name} in one Dial`)
    return fits
  })
  return { kind, nouns }
}

/** Warns of the options that are for destinations here, and says nothing to a gateway. */
const only = (options: Options, element: Element, reading: Reading): void => {
  for (const attribute of element.attributes.keys()) {
    if (Object.hasOwn(dialOptions, attribute) && !Object.hasOwn(options, attribute)) {
      reading.warn(at(element), `${attribute} is ignored`)
    }
  }
}

const queueName = (element: Element, reading: Reading): { name: string } => {
  attributes({}, element, reading)
  refuseChildren(element, reading)
  return { name: readName(element, element.text, reading) ?? '' }
}

/** Dial with text: a destination, or, where there is none of that name, a number. */
const dialText = (element: Element, head: Omit<DialStep, 'to'>, reading: Reading): Step => {
  const found = numberOf(element.text)
  const name = found === undefined || !/[\s()]/.test(element.text) ? element.text : found
  if (readName(element, name, reading) === undefined) return { ...head, to: [] }
  return { ...head, to: [{ name, params: {} }], ...(found !== undefined && { number: true }) }
}

export const dial: Verb = (element, reading) => {
  const { sequential = false, method = 'POST', ...options } = attributes(dialOptions, element, reading)
  const head = { verb: 'dial' as const, sequential, method, ...options }
  const { text, children, place } = element
  if (text === '' && children.length === 0) reading.fault(place, 'Dial must name a destination')
  if (text !== '' && children.length > 0) reading.fault(place, 'Dial must have text or nouns, not both')
  if (children.length === 0) return text === '' ? undefined : dialText(element, head, reading)
  const { kind, nouns } = nounsOf(element, reading)
  const [first] = nouns
  if (first === undefined) return undefined
  switch (kind) {
    case 'queue':
      return { ...head, to: [], queue: queueName(first, reading) }
    case 'conference': {
      only(conferenceDialOptions, element, reading)
      const { action, timeLimitMs } = options
      const told = { ...conference(first, reading), ...present({ timeLimitMs }) }
      return { verb: 'perform', what: 'conference', with: told, ...present({ action }), method }
    }
    case 'line': {
      only(forwardOptions, element, reading)
      const to = nouns
        .map(noun => (noun.name === 'Sip' ? sip : number)(noun, reading))
        .filter(line => line !== undefined)
      return forwardOf(to, head)
    }
    default:
      return { ...head, to: nouns.map(noun => client(noun, reading)).filter(noun => noun !== undefined) }
  }
}
