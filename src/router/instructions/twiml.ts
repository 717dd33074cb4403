// Instructions as TwiML. Names of verbs, nouns and attributes are case-sensitive; durations are whole seconds.
// A verb, noun or attribute that asks for something this hub cannot do fails the document, as a wrong value
// does; an attribute that nobody needs is ignored with a warning, and so is text between verbs; `Say` and
// `Play` are passed over with one. What counts as text, and as a name, is said in xml.ts.

import { type Read, strategies } from '../../config.js'
import { isName, nameRule, paramsFit, paramsLimit } from '../../protocol/index.js'
import { locateLater, methods } from './location.js'
import { passedOver, present, quoted, Reading } from './reading.js'
import { type Instructions, longestMs, type Noun, rejections, type Step } from './steps.js'
import { type Element, readXml } from './xml.js'

/** How the text of an attribute is read. */
type Notation<T> = (text: string) => { readonly value: T } | { readonly fault: string }

const longestSeconds = longestMs / 1000

/** Whole seconds, as milliseconds. */
const seconds =
  (least: number): Notation<number> =>
  text => {
    const count = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN
    return count >= least && count <= longestSeconds
      ? { value: count * 1000 }
      : { fault: `must be whole seconds, ${least} to ${longestSeconds}` }
  }

const oneOf =
  <W extends string>(words: readonly W[]): Notation<W> =>
  text => {
    const value = words.find(word => word === text)
    return value === undefined ? { fault: `must be one of ${words.join(', ')}` } : { value }
  }

const anyText: Notation<string> = text => ({ value: text })

/** Words with white space between them. */
const words: Notation<readonly string[]> = text => ({ value: text.split(/\s+/).filter(word => word !== '') })

type Values<N> = { readonly [K in keyof N]: N[K] extends Notation<infer T> ? T | undefined : never }

/** Reads the attributes of an element that have a notation here. The `refused` ask for what is not to be had; any other is warned of. */
const attributes =
  <N extends Readonly<Record<string, Notation<unknown>>>>(notations: N, refused: readonly string[] = []) =>
  ({ name, place, attributes }: Element, reading: Reading): Values<N> => {
    const values: Record<string, unknown> = {}
    for (const [attribute, text] of attributes) {
      const notation = Object.hasOwn(notations, attribute) ? notations[attribute] : undefined
      const read = notation?.(text)
      if (refused.includes(attribute)) reading.fault(place, `${name} ${attribute} is not supported`)
      else if (read === undefined) reading.warn(`${name} at ${place}:`, `${attribute} is ignored`)
      else if ('value' in read) values[attribute] = read.value
      else reading.fault(place, `${name} ${attribute} ${read.fault}, not ${quoted(text)}`)
    }
    return values as Values<N>
  }

const refuseChild = (child: Element, parent: Element, reading: Reading): undefined => {
  reading.fault(child.place, `${child.name} in ${parent.name} is not supported`)
}

const refuseChildren = (element: Element, reading: Reading): void => {
  for (const child of element.children) refuseChild(child, element, reading)
}

const ignoreText = ({ name, place, text }: Element, reading: Reading): void => {
  if (text !== '') reading.warn(`${name} at ${place}:`, `the text ${quoted(text)} is ignored`)
}

const dialAttributes = attributes(
  {
    timeout: seconds(1),
    totalTimeout: seconds(1),
    sequential: oneOf(['true', 'false']),
    strategy: oneOf(strategies),
    skills: words,
  },
  ['action'],
)
const parameterAttributes = attributes({ name: anyText, value: anyText })
const redirectAttributes = attributes({ method: oneOf(methods) })
const rejectAttributes = attributes({ reason: oneOf(rejections) })
const pauseAttributes = attributes({ length: seconds(0) })
const noAttributes = attributes({})

const nounOf = (element: Element, name: string, reading: Reading): Noun | undefined => {
  if (isName(name)) return { name, params: {} }
  reading.fault(element.place, `${element.name} must be ${nameRule}, not ${quoted(name)}`)
  return undefined
}

const readIdentity = (element: Element, reading: Reading): string => {
  noAttributes(element, reading)
  refuseChildren(element, reading)
  return element.text
}

const readParameter = (element: Element, params: Map<string, string>, reading: Reading): void => {
  const { name, value } = parameterAttributes(element, reading)
  refuseChildren(element, reading)
  ignoreText(element, reading)
  if (name === undefined || value === undefined) {
    reading.fault(element.place, 'Parameter must have a name and a value')
  } else if (params.has(name)) {
    reading.fault(element.place, `Parameter ${quoted(name)} is there twice`)
  } else {
    params.set(name, value)
  }
}

/** `<Client>alice</Client>`, or with `<Identity>` and `<Parameter>`s in it. */
const readClient = (element: Element, reading: Reading): Noun | undefined => {
  noAttributes(element, reading)
  const params = new Map<string, string>()
  const identities = element.text === '' ? [] : [element.text]
  for (const child of element.children) {
    if (child.name === 'Identity') identities.push(readIdentity(child, reading))
    else if (child.name === 'Parameter') readParameter(child, params, reading)
    else refuseChild(child, element, reading)
  }
  const [identity, another] = identities
  if (identity === undefined || another !== undefined) {
    reading.fault(element.place, 'Client must have one identity, as its text or in Identity')
    return undefined
  }
  const noun = nounOf(element, identity, reading)
  const whole = Object.fromEntries(params)
  if (!paramsFit(whole)) {
    reading.fault(element.place, `the Parameters of Client must keep within ${paramsLimit} bytes`)
  }
  return noun && { ...noun, params: whole }
}

type Verb = (element: Element, reading: Reading) => Step | undefined

const dial: Verb = (element, reading) => {
  const { timeout, totalTimeout, sequential, strategy, skills } = dialAttributes(element, reading)
  const { text, children, place } = element
  if (text === '' && children.length === 0) reading.fault(place, 'Dial must name a destination')
  if (text !== '' && children.length > 0) reading.fault(place, 'Dial must have text or nouns, not both')
  const nouns = children.map(child =>
    child.name === 'Client' ? readClient(child, reading) : refuseChild(child, element, reading),
  )
  if (text !== '') nouns.push(nounOf(element, text, reading))
  return {
    verb: 'dial',
    to: nouns.filter(noun => noun !== undefined),
    ...present({ timeoutMs: timeout, totalTimeoutMs: totalTimeout, strategy, skills }),
    sequential: sequential === 'true',
  }
}

const redirect: Verb = (element, reading) => {
  const { method = 'POST' } = redirectAttributes(element, reading)
  refuseChildren(element, reading)
  const located = locateLater(element.text)
  if (element.text === '') reading.fault(element.place, 'Redirect must have a URL')
  else if (!located.ok) reading.fault(element.place, `Redirect ${located.message}`)
  return { verb: 'redirect', url: element.text, method }
}

/** A verb without content. */
const bare =
  (read: Verb): Verb =>
  (element, reading) => {
    refuseChildren(element, reading)
    ignoreText(element, reading)
    return read(element, reading)
  }

const reject = bare((element, reading) => {
  const { reason = 'rejected' } = rejectAttributes(element, reading)
  return { verb: 'reject', reason }
})

const hangup = bare((element, reading) => {
  noAttributes(element, reading)
  return { verb: 'hangup' }
})

const pause = bare((element, reading) => {
  const { length = 1000 } = pauseAttributes(element, reading)
  return { verb: 'pause', ms: length }
})

const passOver: Verb = ({ name, place }, reading) => {
  reading.warn(`${name} at ${place}`, passedOver)
  return undefined
}

const verbs: ReadonlyMap<string, Verb> = new Map([
  ['Dial', dial],
  ['Redirect', redirect],
  ['Reject', reject],
  ['Hangup', hangup],
  ['Pause', pause],
  ['Say', passOver],
  ['Play', passOver],
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
  noAttributes(response, reading)
  ignoreText(response, reading)
  const steps = response.children.map(element => {
    const verb = verbs.get(element.name)
    if (verb === undefined) reading.fault(element.place, `${element.name} is not supported`)
    return verb?.(element, reading)
  })
  return reading.finish(steps)
}
