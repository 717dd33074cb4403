// What an address in a document, a configuration or a redirect may be: an absolute URL of http or https, without
// a user or password, at a port where the web is served. Where it leads to is judged on the connected address.

import { ok, type Result, refuse } from '../errors.js'
import { plain } from '../runtime/index.js'

/** Ports below 1024 belong to other services: mail, shells, name servers. */
const servesTheWeb = (port: string): boolean =>
  port === '' || port === '80' || port === '443' || Number(port) >= 1024

/** Reads an address; a relative one against `base`. The fragment is dropped, as it never goes on the wire. */
export const locate = (text: string, base?: string): Result<URL> => {
  if (!URL.canParse(text, base)) return refuse('invalid', 'must be an absolute URL')
  const url = new URL(text, base)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return refuse('invalid', 'must be an http or https URL')
  }
  if (url.username !== '' || url.password !== '') {
    return refuse('invalid', 'must be a URL without a user or password')
  }
  if (!servesTheWeb(url.port)) {
    return refuse('invalid', `must be a URL with port 80, 443, or 1024 and up, not ${url.port}`)
  }
  url.hash = ''
  // An empty query loses its question mark on the way: then it is not to be signed either.
  if (url.search === '') url.search = ''
  return ok(url)
}

/** An address for a message or a log line: without its query, which may hold secrets. */
export const shown = (url: string): string => plain(url.replace(/[?#].*/s, ''))
