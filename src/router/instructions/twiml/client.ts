// Client, the noun of Dial that is a destination here: `<Client>alice</Client>`, or with `<Identity>` and
// `<Parameter>`s in it, and with where to report what becomes of it.

import { isName, nameRule, paramsFit, paramsLimit } from '../../../protocol/index.js'
import type { Element } from '../../../runtime/index.js'
import { label } from '../options.js'
import { quoted, type Reading } from '../reading.js'
import type { Noun, StatusCallback } from '../steps.js'
import { callbackOptions } from '../vocabulary.js'
import { attributes, ignoreText, refuseChild, refuseChildren } from './element.js'

const anyText = (key: 'name' | 'value') => ({ ...label(key), twiml: (value: string) => ({ value }) })
const parameterOptions = { name: anyText('name'), value: anyText('value') }

/** A name of this place, or a fault that says what a name is. */
export const readName = (element: Element, name: string, reading: Reading): string | undefined => {
  if (isName(name)) return name
  reading.fault(element.place, `${element.name} must be ${nameRule}, not ${quoted(name)}`)
  return undefined
}

const readIdentity = (element: Element, reading: Reading): string => {
  attributes({}, element, reading)
  refuseChildren(element, reading)
  return element.text
}

const readParameter = (element: Element, params: Map<string, string>, reading: Reading): void => {
  const { name, value } = attributes(parameterOptions, element, reading)
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

const readCallback = (element: Element, reading: Reading): { statusCallback?: StatusCallback } => {
  const { url, method = 'POST', events = ['completed'] } = attributes(callbackOptions, element, reading)
  return url === undefined ? {} : { statusCallback: { url, method, events } }
}

export const client = (element: Element, reading: Reading): Noun | undefined => {
  const callback = readCallback(element, reading)
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
  const name = readName(element, identity, reading)
  const whole = Object.fromEntries(params)
  if (!paramsFit(whole)) {
    reading.fault(element.place, `the Parameters of Client must keep within ${paramsLimit} bytes`)
  }
  return name === undefined ? undefined : { name, params: whole, ...callback }
}
