// For how long an answer may be given again without asking, by its own headers, and what to ask with after that: the
// terms of RFC 9111 for a private cache. Nothing is guessed: an answer that names no lifetime is asked about each time,
// and kept only if it has a validator to ask with. Pure; the cache (beside) keeps, and knows what time it is.

/** The headers of an answer, by their names in lower case. */
export type AnswerHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

/** When an answer came: monotonic milliseconds, and the wall clock's when it was there. */
export interface Arrival {
  readonly askedAt: number
  readonly cameAt: number
  readonly wall: number
}

export interface Freshness {
  /** Monotonic milliseconds; in the past if it is to be asked about each time. */
  readonly freshUntil: number
  /** The headers that ask whether it still holds (RFC 9110, section 13.1). */
  readonly condition: Readonly<Record<string, string>>
}

const textOf = (value: AnswerHeaders[string]): string => [value ?? []].flat().join(', ')

/** A name, and what follows it: quoted, or up to the next comma. A quote that nothing closes goes to the end. */
const directive = /([\w!#$%&'*+.^`|~-]+)(?:=(?:"((?:\\.|[^"\\])*)(?:"|$)|([^\s,"]*)))?/g

/** The directives of Cache-Control; of one that is there twice the first counts (RFC 9111, section 4.2.1). */
const directivesOf = (text: string): ReadonlyMap<string, string> => {
  const directives = new Map<string, string>()
  for (const [, name = '', quoted, bare = ''] of text.matchAll(directive)) {
    const key = name.toLowerCase()
    if (!directives.has(key)) directives.set(key, quoted ?? bare)
  }
  return directives
}

/** Seconds beyond this are for ever (RFC 9111, section 1.2.2). */
const longest = 2 ** 31

/** Whole seconds, in milliseconds; undefined if it is none. */
const secondsOf = (text: string): number | undefined =>
  /^\d+$/.test(text) ? Math.min(Number(text), longest) * 1000 : undefined

/** A time of day in one of the forms of RFC 9110, section 5.6.7, all of which are in GMT; NaN if it is none. */
const timeOf = (text: string): number =>
  /\d\d:\d\d:\d\d/.test(text) ? Date.parse(text.replace(/( GMT)?$/, ' GMT')) : Number.NaN

/** How long an answer holds from when it was made; 0 if it is to be asked about each time. */
const lifetimeOf = (
  headers: AnswerHeaders,
  directives: ReadonlyMap<string, string>,
  date: number,
): number => {
  if (directives.has('no-cache')) return 0
  const maxAge = directives.get('max-age')
  if (maxAge !== undefined) return secondsOf(maxAge) ?? 0
  return timeOf(textOf(headers.expires)) - date || 0
}

/** How old an answer is when it comes (RFC 9111, section 4.2.3). */
const ageOf = (headers: AnswerHeaders, { askedAt, cameAt, wall }: Arrival, date: number): number => {
  const told = secondsOf(textOf(headers.age)) ?? 0
  return Math.max(0, wall - date, told + cameAt - askedAt)
}

/** The freshness of an answer to GET; undefined if it may not be kept, or keeping it would be of no use. */
export const freshnessOf = (headers: AnswerHeaders, arrival: Arrival): Freshness | undefined => {
  const directives = directivesOf(textOf(headers['cache-control']))
  // Whoever keeps an answer compares all that was said, so that of Vary only `*` is left (RFC 9111, section 4.1).
  if (directives.has('no-store') || textOf(headers.vary).includes('*')) return undefined
  const told = timeOf(textOf(headers.date))
  const date = Number.isNaN(told) ? arrival.wall : told
  const freshUntil = arrival.cameAt + lifetimeOf(headers, directives, date) - ageOf(headers, arrival, date)
  const [etag, modified] = [textOf(headers.etag), textOf(headers['last-modified'])]
  const condition = {
    ...(etag !== '' && { 'if-none-match': etag }),
    ...(modified !== '' && { 'if-modified-since': modified }),
  }
  return freshUntil > arrival.cameAt || etag !== '' || modified !== '' ? { freshUntil, condition } : undefined
}
