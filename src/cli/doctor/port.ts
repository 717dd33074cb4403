// Whether a port can be listened on, and if not, whether a hub has it already.

import { once } from 'node:events'
import { get as getPlain } from 'node:http'
import { get as getSecure } from 'node:https'
import { createServer } from 'node:net'
import { json } from 'node:stream/consumers'

export interface Port {
  readonly host: string
  readonly port: number
  /** `hub`: one of ours listens there; else why it cannot be had: EADDRINUSE, EACCES, … */
  readonly state: 'free' | 'hub' | (string & {})
}

/** What answers at an address: a hub says what it is in its description. */
export interface Answering {
  readonly hub: boolean
  /** The version of the API that it speaks. */
  readonly version?: string
  readonly date?: string
}

const longestMs = 5_000

/** Asks who is there. Rejects with the system's error where nobody is, and where what answers is no HTTP. */
export const identify = async (root: string): Promise<Answering> => {
  // A certificate that this machine does not trust is no reason not to know who it is.
  const request = root.startsWith('https:')
    ? getSecure(`${root}/openapi.json`, { rejectUnauthorized: false, signal: AbortSignal.timeout(longestMs) })
    : getPlain(`${root}/openapi.json`, { signal: AbortSignal.timeout(longestMs) })
  const [response] = await once(request, 'response')
  const { date } = response.headers
  const said = await json(response).catch(() => ({}))
  const { info } = said as { info?: { title?: unknown; version?: unknown } }
  const hub = info?.title === 'Switchhook'
  return { hub, ...(hub && { version: String(info?.version) }), ...(date !== undefined && { date }) }
}

/** Where to ask for what listens on an address: of one that stands for all, on this machine. */
const rootOf = (host: string, port: number, secure: boolean): string => {
  const at = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }[host] ?? (host.includes(':') ? `[${host}]` : host)
  return `http${secure ? 's' : ''}://${at}:${port}`
}

const isHub = async (root: string): Promise<boolean> => {
  try {
    return (await identify(root)).hub
  } catch {
    return false
  }
}

/** Listens for a moment. */
export const tryPort = async (host: string, port: number, secure: boolean): Promise<Port> => {
  const server = createServer().listen(port, host)
  try {
    await once(server, 'listening')
    server.close()
    return { host, port, state: 'free' }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const hub = code === 'EADDRINUSE' && (await isHub(rootOf(host, port, secure)))
    return { host, port, state: hub ? 'hub' : String(code) }
  }
}
