// Say, Play, Gather and Record: what only a gateway, which has the call's media, can do.

import type { Element } from '../../../runtime/index.js'
import { spokenLimit } from '../content.js'
import { locateLater, type Method } from '../location.js'
import { present, type Reading } from '../reading.js'
import type { GatewayVerb } from '../steps.js'
import { gatherOptions, pauseOptions, playOptions, recordOptions, sayOptions } from '../vocabulary.js'
import { at, attributes, empty, ignoreText, refuseChild, refuseChildren, type Verb } from './element.js'

/** Markup of speech (SSML 1.1): what it marks is spoken, how it is marked is not told. */
const markup: ReadonlySet<string> = new Set([
  ...['break', 'emphasis', 'lang', 'p', 'phoneme', 'prosody', 's', 'say-as', 'sub', 'w'],
])

const unmark = (element: Element, within: Element, reading: Reading): void => {
  for (const child of within.children) {
    if (!markup.has(child.name)) refuseChild(child, element, reading)
    else {
      reading.warn(at(element), `${child.name} is ignored`)
      unmark(element, child, reading)
    }
  }
}

type Spoken = Readonly<Record<string, unknown>>

const sayWith = (element: Element, reading: Reading): Spoken | undefined => {
  const options = attributes(sayOptions, element, reading)
  unmark(element, element, reading)
  const { whole: text } = element
  if (text.length > spokenLimit) {
    reading.fault(element.place, `Say must keep within ${spokenLimit} characters`)
  }
  if (text === '') reading.warn(at(element), 'has no text, and is passed over')
  return text === '' ? undefined : { text, ...options }
}

const playWith = (element: Element, reading: Reading): Spoken => {
  const options = attributes(playOptions, element, reading)
  refuseChildren(element, reading)
  const { text: url } = element
  const located = locateLater(url)
  if (url === '' && options.digits === undefined)
    reading.fault(element.place, 'Play must have a URL or digits')
  else if (url !== '' && !located.ok) reading.fault(element.place, `Play ${located.message}`)
  return { ...(url !== '' && { url }), ...options }
}

export const say: Verb = (element, reading) => {
  const spoken = sayWith(element, reading)
  return spoken && { verb: 'perform', what: 'say', with: spoken }
}

export const play: Verb = (element, reading) => ({
  verb: 'perform',
  what: 'play',
  with: playWith(element, reading),
})

/** What is said and played while the caller is waited for. */
const prompt = (child: Element, gather: Element, reading: Reading): Spoken | undefined => {
  if (child.name === 'Say') {
    const spoken = sayWith(child, reading)
    return spoken && { say: spoken }
  }
  if (child.name === 'Play') return { play: playWith(child, reading) }
  if (child.name !== 'Pause') return refuseChild(child, gather, reading)
  empty(child, reading)
  const { ms = 1000 } = attributes(pauseOptions, child, reading)
  return { pause: { ms } }
}

interface After {
  readonly action?: string | undefined
  readonly method?: Method | undefined
}

const step = (what: GatewayVerb, told: Spoken, { action, method = 'POST' }: After) => ({
  verb: 'perform' as const,
  what,
  with: told,
  ...present({ action }),
  method,
})

export const gather: Verb = (element, reading) => {
  const { action, method, actionOnEmptyResult, input, ...options } = attributes(
    gatherOptions,
    element,
    reading,
  )
  ignoreText(element, reading)
  const prompts = element.children
    .map(child => prompt(child, element, reading))
    .filter(one => one !== undefined)
  return {
    ...step('gather', { input: input ?? ['dtmf'], ...options, prompts }, { action, method }),
    ...(actionOnEmptyResult === true && { evenEmpty: true }),
  }
}

export const record: Verb = (element, reading) => {
  const { action, method, ...options } = attributes(recordOptions, element, reading)
  empty(element, reading)
  return step('record', options, { action, method })
}
