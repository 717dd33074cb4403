// A hub that runs: whether it is there, wants work, lets sockets through, and takes the token.

import { WebSocket } from 'ws'
import { HubApi, type SwitchhookError } from '../../client/index.js'
import { type Finding, fault, fine } from './finding.js'
import type { Heard } from './machine.js'
import { identify } from './port.js'

/** What the address of a hub is the root of: `ws://hub/v1/socket` is `http://hub`. */
const rootOf = (url: string): string => url.replace(/^ws/, 'http').replace(/(\/v1\/socket)?\/*$/, '')

/** Why a request could not be made at all. */
const whyOf = (error: unknown): string => {
  const { code, message } = ((error as Error).cause ?? error) as NodeJS.ErrnoException
  return code ?? message
}

const longestMs = 5_000

/** Asks whether it wants work. */
const checkReady = async (root: string): Promise<Finding> => {
  try {
    const response = await fetch(`${root}/readyz`, { signal: AbortSignal.timeout(longestMs) })
    if (response.ok) return fine('hub ready', 'it takes calls and connections')
    const said = (await response.json()) as { error?: { message?: string } }
    return fault('hub ready', `it wants no work now: ${said.error?.message}`)
  } catch (error) {
    return fault('hub ready', `it does not say (${whyOf(error)})`)
  }
}

/** Opens a socket, and says nothing on it. */
const checkSocket = (root: string): Promise<Finding> =>
  new Promise(resolve => {
    const socket = new WebSocket(`${root.replace(/^http/, 'ws')}/v1/socket`, 'switchhook.v1', {
      handshakeTimeout: longestMs,
    })
    socket.on('open', () => {
      socket.terminate()
      resolve(fine('hub socket', 'a WebSocket can be opened'))
    })
    socket.on('error', error =>
      resolve(
        fault(
          'hub socket',
          `no WebSocket can be opened (${error.message})`,
          'a proxy before it has to pass on Upgrade and Connection',
        ),
      ),
    )
  })

/** Shows the token to the API. Whether it allows anything in particular is not asked. */
const checkToken = async (root: string, token: string): Promise<Finding> => {
  try {
    await new HubApi({ url: root, token }).calls({ limit: 1 })
    return fine('hub token', 'it is accepted')
  } catch (error) {
    const { code, message } = error as SwitchhookError
    if (code === 'forbidden') return fine('hub token', 'it is accepted')
    return fault(
      'hub token',
      `it is refused: ${message} (${code})`,
      'switchhook token --check says what is in it',
    )
  }
}

/** Looks at the hub at `url`; what time it is there goes into `heard`. */
export const checkRunning = async (
  url: string,
  token: string | undefined,
  heard: Heard[],
): Promise<Finding[]> => {
  const root = rootOf(url)
  try {
    const { hub, version, date } = await identify(root)
    if (date !== undefined) heard.push({ from: root, date, at: Date.now() })
    if (!hub) return [fault('hub', `what answers at ${root} is no hub`, 'see --url, and the proxy before it')]
    return [
      fine('hub', `${root} is a hub, and speaks version ${version}`),
      await checkReady(root),
      await checkSocket(root),
      ...(token === undefined ? [] : [await checkToken(root, token)]),
    ]
  } catch (error) {
    return [fault('hub', `nothing answers at ${root} (${whyOf(error)})`, 'start it, or see --url')]
  }
}
