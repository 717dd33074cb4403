// Addresses: URIs (RFC 3261, section 19.1) and what is around them in header fields (section 20.10). Read values are
// decoded, written ones are escaped, so that a name goes out and comes back as it is, whatever is in it. A URI within an
// address is left as text: a peer's contact is handed back to it to the letter.

import {
  endOfQuoted,
  escapedBy,
  formatParams,
  inOneLine,
  isToken,
  type Params,
  quote,
  readParams,
  trimmed,
  unescaped,
  unquote,
} from './words.js'

export interface SipUri {
  readonly scheme: 'sip' | 'sips'
  /** Decoded. */
  readonly user?: string
  /** Decoded. */
  readonly password?: string
  /** In lower case; an IPv6 address in its brackets. */
  readonly host: string
  readonly port?: number
  /** Decoded, names in lower case. */
  readonly params: Params
  /** Decoded. */
  readonly headers: ReadonlyMap<string, string>
}

/** An address with what is around it: `"A name" <sip:…>;tag=…`, or a bare URI with the parameters of the field. */
export interface NameAddr {
  readonly displayName?: string
  /** As it was written. */
  readonly uri: string
  readonly params: Params
}

// Each part in the characters it may have, so that a text that fits is well formed.
const shape =
  /^(sips?):(?:((?:[\w\-.!~*'()&=+$,;?/]|%[\da-f]{2})+)(?::((?:[\w\-.!~*'()&=+$,]|%[\da-f]{2})*))?@)?(\[[\da-f:.]+\]|[\w\-.]+)(?::(\d{1,5}))?((?:;(?:[\w\-.!~*'()[\]/:&+$=]|%[\da-f]{2})+)*)(?:\?((?:[\w\-.!~*'()[\]/?:+$=&]|%[\da-f]{2})+))?$/i

const pairsOf = (text: string, separator: string): [string, string][] =>
  text.split(separator).map(pair => {
    const [name, ...value] = pair.split('=') as [string, ...string[]]
    return [unescaped(name), unescaped(value.join('='))]
  })

/** A `sip:` or `sips:` URI; undefined if it is none, or not well formed. */
export const parseUri = (text: string): SipUri | undefined => {
  const found = shape.exec(text)
  if (found === null) return undefined
  const [, scheme, user, password, host = '', port, params = '', headers] = found
  const read = params === '' ? [] : pairsOf(params.slice(1), ';')
  return {
    scheme: scheme?.toLowerCase() as SipUri['scheme'],
    ...(user !== undefined && { user: unescaped(user) }),
    ...(password !== undefined && { password: unescaped(password) }),
    host: host.toLowerCase(),
    ...(port !== undefined && { port: Number(port) }),
    params: new Map(read.map(([name, value]) => [name.toLowerCase(), value])),
    headers: new Map(headers === undefined ? [] : pairsOf(headers, '&')),
  }
}

const escapeUser = escapedBy(/[^\w\-.!~*'()&=+$,;?/]/gu)
const escapePassword = escapedBy(/[^\w\-.!~*'()&=+$,]/gu)
const escapeParam = escapedBy(/[^\w\-.!~*'()[\]/:&+$]/gu)
const escapeHeader = escapedBy(/[^\w\-.!~*'()[\]/?:+$]/gu)

const pairText = (pairs: ReadonlyMap<string, string>, escaped: (text: string) => string): string[] =>
  [...pairs].map(([name, value]) => escaped(name) + (value === '' ? '' : `=${escaped(value)}`))

/** A URI as text; the host is taken as it is. */
export const formatUri = ({ scheme, user, password, host, port, params, headers }: SipUri): string => {
  const secret = password === undefined ? '' : `:${escapePassword(password)}`
  const before = user === undefined ? '' : `${escapeUser(user)}${secret}@`
  const behind = pairText(params, escapeParam)
    .map(pair => `;${pair}`)
    .join('')
  const query = headers.size === 0 ? '' : `?${pairText(headers, escapeHeader).join('&')}`
  return `${scheme}:${before}${host}${port === undefined ? '' : `:${port}`}${behind}${query}`
}

/** The URI of a name at a host: `sip:name@host`. */
export const uriOf = (account: string, host: string): string => `sip:${escapeUser(account)}@${host}`

const tel = /^tel:(\+?[\d\-.()*#a-f]+)(?:;|$)/i

/** The name a URI means: its user part decoded; of a `tel:` URI its number without visual separators (RFC 3966). */
export const accountOf = (uri: string): string | undefined => {
  const number = tel.exec(uri)?.[1]
  return number === undefined ? parseUri(uri)?.user : number.replace(/[-.()]/g, '')
}

const sipScheme = /^sips?:/i
const anyUri = /^[a-z][a-z\d+\-.]*:[^\s<>"]+$/i

/** Whether a text is a URI: of SIP a well formed one, else of any scheme. */
export const isUri = (text: string): boolean => (sipScheme.test(text) ? shape.test(text) : anyUri.test(text))

const words = /^[\w\-.!%*+`'~ \t]*$/

/** The display name before an address, in quotes or as words; undefined if it is neither. */
const displayNameOf = (text: string): string | undefined => {
  if (text.startsWith('"')) return endOfQuoted(text, 0) === text.length ? unquote(text) : undefined
  return words.test(text) ? text : undefined
}

const bareUri = /^[^\s;,?<>"]+/

/** The value of From, To, Contact, Route and their like; undefined if it is not well formed. */
export const parseNameAddr = (value: string): NameAddr | undefined => {
  const text = trimmed(value)
  const afterName = text.startsWith('"') ? endOfQuoted(text, 0) : 0
  const begin = text.indexOf('<', afterName)
  // Without brackets what follows the URI belongs to the field; a quote that does not end hides all of it.
  const end = text.indexOf('>', begin)
  const uri = begin < 0 ? bareUri.exec(text)?.[0] : text.slice(begin + 1, end)
  if (afterName < 0 || end < begin || uri === undefined || !isUri(uri)) return undefined
  const params = readParams(text, begin < 0 ? uri.length : end + 1)
  if (begin < 0) return params && { uri, params }
  const displayName = displayNameOf(trimmed(text.slice(0, begin)))
  if (displayName === undefined || params === undefined) return undefined
  return { ...(displayName !== '' && { displayName }), uri, params }
}

const unfit = /[\s<>"]/gu

/** An address as text. Nothing in it can end it early: a URI's own marks are escaped, a name is quoted. */
export const formatNameAddr = ({ displayName, uri, params }: NameAddr): string => {
  const name = displayName === undefined ? '' : `${isToken(displayName) ? displayName : quote(displayName)} `
  return `${name}<${escapedBy(unfit)(inOneLine(uri))}>${formatParams(params)}`
}

/** The tag of a From or a To (RFC 3261, section 19.3). */
export const tagOf = (value: string): string | undefined => parseNameAddr(value)?.params.get('tag')
