// A document in either language, as a value or as the bytes that came from a file or over the network, into its
// instructions. Bytes are UTF-8 whatever a label says; anything else is refused rather than guessed at.

import type { Read } from '../../config.js'
import { plain, xmlBounds } from '../../runtime/index.js'
import { readJson } from './json.js'
import type { Instructions } from './steps.js'
import { readTwiml } from './twiml.js'

export type Language = 'json' | 'twiml'

/** The largest document that is fetched, or read as TwiML, in bytes. */
export const documentLimit = xmlBounds.bytes

/**
 * Reads instructions. Faults come all at once, with `line:column` as their path in TwiML (only the first one where
 * it is not well-formed XML) and a path as `steps[1].dial` in JSON.
 */
export const readInstructions = (
  document: { readonly json: unknown } | { readonly twiml: string },
): Read<Instructions> => ('twiml' in document ? readTwiml(document.twiml) : readJson(document.json))

const refused = (message: string): Read<Instructions> => ({ ok: false, faults: [{ path: '', message }] })

/** As `readInstructions`, from bytes; without a `language`, what begins with `<` is TwiML. */
export const readDocument = (bytes: Uint8Array, language?: Language): Read<Instructions> => {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return refused('is not UTF-8')
  }
  if ((language ?? (text.trimStart().startsWith('<') ? 'twiml' : 'json')) === 'twiml') return readTwiml(text)
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    return refused(plain(`is not JSON: ${(error as Error).message}`))
  }
  return readJson(json)
}
