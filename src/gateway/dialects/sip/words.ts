// The small words of SIP's grammar (RFC 3261, section 25.1), which every header field is made of: tokens, quoted
// strings, lists, parameters and escapes. Each is read in one pass, and in time that grows with its length only.

/** Parameters by name, in lower case; '' is the value of one that has none. */
export type Params = ReadonlyMap<string, string>

const token = /^[\w\-.!%*+`'~]+$/

export const isToken = (text: string): boolean => token.test(text)

const isBlank = (text: string, at: number): boolean => text[at] === ' ' || text[at] === '\t'

/** Without the blanks around it, which are SIP's own two: to `trim` a byte order mark is one too. */
export const trimmed = (text: string): string => {
  let begin = 0
  let end = text.length
  while (isBlank(text, begin)) begin++
  while (end > begin && isBlank(text, end - 1)) end--
  return text.slice(begin, end)
}

/** The text between quotes, as it was meant: RFC 3261's quoted-pair undone. */
export const unquote = (quoted: string): string => quoted.slice(1, -1).replace(/\\(.)/gsu, '$1')

// What ends a line or a text for somebody is a space.
const breaks = /[\0\r\n]+/g

/** Text as a quoted string, whatever is in it. */
export const quote = (text: string): string => `"${text.replace(breaks, ' ').replace(/["\\]/g, '\\$&')}"`

/** Text for a place that has no quotes and no escapes: in one line. */
export const inOneLine = (text: string): string => text.replace(breaks, ' ')

const separators = /[",<>]/g

/** Where a quoted string ends that begins at `from`: behind its quote. -1 if it does not end. */
export const endOfQuoted = (text: string, from: number): number => {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '"') return at + 1
    if (text[at] === '\\') at++
  }
  return -1
}

/** The elements between commas that stand in no quotes and in no angle brackets; empty ones too. */
export const splitList = (text: string): string[] => {
  if (!text.includes(',')) return [text]
  const elements: string[] = []
  let begin = 0
  let within = false
  separators.lastIndex = 0
  for (let found = separators.exec(text); found !== null; found = separators.exec(text)) {
    const mark = found[0]
    if (mark === '"') {
      const end = endOfQuoted(text, found.index)
      if (end < 0) break
      separators.lastIndex = end
    } else if (mark === ',') {
      if (within) continue
      elements.push(trimmed(text.slice(begin, found.index)))
      begin = found.index + 1
    } else {
      within = mark === '<'
    }
  }
  elements.push(trimmed(text.slice(begin)))
  return elements
}

// A value without quotes is read more widely than it is written: what cannot end it is part of it.
const parameter = /[ \t]*;[ \t]*([\w\-.!%*+`'~]+)(?:[ \t]*=[ \t]*(?:([^\s;,"<>]+)|("(?:[^"\\]|\\.)*")))?/gsuy

const none: Params = new Map()

/** Reads `;name=value…` from `from` on to the end of the text; undefined if it is anything else. */
export const readParams = (text: string, from: number): Params | undefined => {
  if (from === text.length) return none
  const params = new Map<string, string>()
  let end = from
  parameter.lastIndex = from
  for (let found = parameter.exec(text); found !== null; found = parameter.exec(text)) {
    const [, name = '', plain, quoted] = found
    params.set(name.toLowerCase(), quoted === undefined ? (plain ?? '') : unquote(quoted))
    end = parameter.lastIndex
  }
  return trimmed(text.slice(end)) === '' ? params : undefined
}

/** A token, or an address of IPv6. */
const plainValue = /^(?:[\w\-.!%*+`'~]+|\[[\da-f:.]+\])$/i

export const formatParams = (params: Params): string => {
  let text = ''
  for (const [name, value] of params) {
    text += value === '' ? `;${name}` : `;${name}=${plainValue.test(value) ? value : quote(value)}`
  }
  return text
}

/** Undoes escapes (`%41`); bytes that are no UTF-8 become U+FFFD. */
export const unescaped = (text: string): string =>
  text.includes('%')
    ? text.replace(/(?:%[\da-f]{2})+/gi, run => Buffer.from(run.replaceAll('%', ''), 'hex').toString())
    : text

/** Escapes what is not in `allowed`, a class of characters. */
export const escapedBy =
  (allowed: RegExp) =>
  (text: string): string =>
    text.replace(allowed, char => Buffer.from(char).toString('hex').toUpperCase().replace(/../g, '%$&'))
