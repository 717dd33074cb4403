// What every verb does with its element: reads the attributes that it knows, warns of the others, refuses what stands
// in it and has no business there.

import type { Element } from '../../../runtime/index.js'
import type { Options, Values } from '../options.js'
import { quoted, type Reading } from '../reading.js'
import type { Step } from '../steps.js'

export type Verb = (element: Element, reading: Reading) => Step | undefined

export const at = ({ name, place }: Element): string => `${name} at ${place}:`

/** The values of the attributes that have an option here; any other is warned of. */
export const attributes = <O extends Options>(options: O, element: Element, reading: Reading): Values<O> => {
  const values: Record<string, unknown> = {}
  for (const [attribute, text] of element.attributes) {
    const option = Object.hasOwn(options, attribute) ? options[attribute] : undefined
    const read = option?.twiml(text)
    if (option === undefined || read === undefined) reading.warn(at(element), `${attribute} is ignored`)
    else if ('value' in read) values[option.key] = read.value
    else reading.fault(element.place, `${element.name} ${attribute} ${read.fault}`)
  }
  return values as Values<O>
}

export const refuseChild = (child: Element, parent: Element, reading: Reading): undefined => {
  reading.fault(child.place, `${child.name} in ${parent.name} is not supported`)
}

export const refuseChildren = (element: Element, reading: Reading): void => {
  for (const child of element.children) refuseChild(child, element, reading)
}

export const ignoreText = (element: Element, reading: Reading): void => {
  if (element.text !== '') reading.warn(at(element), `the text ${quoted(element.text)} is ignored`)
}

/** An element without anything in it. */
export const empty = (element: Element, reading: Reading): void => {
  refuseChildren(element, reading)
  ignoreText(element, reading)
}
