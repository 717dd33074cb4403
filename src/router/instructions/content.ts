// What stands within a verb: the texts that are spoken, numbers, SIP addresses, skills. One rule for both languages.

import { isName } from '../../protocol/index.js'

/** How many characters may be spoken at once. */
export const spokenLimit = 4096

/** Somewhere outside, that a gateway calls. */
export type Line = { readonly number: string; readonly sendDigits?: string } | { readonly sip: string }

export const numberRule = 'a number: up to 32 digits, * and #, with a + first if it has one'
export const sipRule = 'a sip: or sips: URI of at most 256 characters, without spaces'

/** A telephone number without what only serves to read it; undefined if it is none. */
export const numberOf = (text: string): string | undefined => {
  const number = text.replace(/[\s().-]/g, '')
  return /^\+?[0-9*#]{1,32}$/.test(number) ? number : undefined
}

/** Nothing of it can end the header field that it goes into. */
export const isSip = (text: string): boolean => /^sips?:[!#-;=?-~]{1,251}$/i.test(text)

const skillLimit = 32

export const skillsRule = `at most ${skillLimit} names of skills`

export const areSkills = (skills: readonly string[]): boolean =>
  skills.length <= skillLimit && skills.every(isName)
