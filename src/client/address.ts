// Where the hub is: one address serves the socket and the HTTP API, whichever of the two it was written for.

const SOCKET_PATH = '/v1/socket'

const base = (url: string): URL => {
  const parsed = new URL(url)
  const path = parsed.pathname.replace(/\/+$/, '')
  parsed.pathname = path.endsWith(SOCKET_PATH) ? path.slice(0, -SOCKET_PATH.length) : path
  parsed.search = ''
  parsed.hash = ''
  return parsed
}

const address = (url: string, scheme: 'http' | 'ws', path: string): string => {
  const { protocol, host, pathname } = base(url)
  if (!/^(http|ws)s?:$/.test(protocol)) throw new TypeError(`not the address of a hub: ${url}`)
  const secure = protocol === 'https:' || protocol === 'wss:'
  return `${scheme}${secure ? 's' : ''}://${host}${pathname.replace(/\/$/, '')}${path}`
}

/** `http://hub:8080`, or the socket's own address, as the address of the socket. Throws TypeError for any other. */
export const socketAddress = (url: string): string => address(url, 'ws', SOCKET_PATH)

/** The same as the root of the HTTP API, without a slash at its end. */
export const apiAddress = (url: string): string => address(url, 'http', '')
