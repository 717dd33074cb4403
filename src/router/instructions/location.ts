// What an address in a document, a configuration or a redirect may be: an absolute URL of http or https, without
// a user or password, at a port where the web is served. Where it leads to is judged on the connected address.

import { ok, type Result, refuse } from '../../errors.js'

/** Methods an instruction document may be asked for with. */
export const methods = ['GET', 'POST'] as const
export type Method = (typeof methods)[number]

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
  return ok(url)
}

/** As `locate`, for an address that may be relative to one not known yet. */
export const locateLater = (text: string): Result<URL> => locate(text, 'http://document.invalid/')
