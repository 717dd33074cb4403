// What surrounds a hub, judged: key sets and servers of instructions that have to be reached, the data folder that has to
// be had, the port that has to be free.

import type { Inspection } from '../../inspection.js'
import { type Finding, fault, fine, warning } from './finding.js'
import type { Port } from './port.js'

const shownUrl = (url: string): string => url.replace(/[?#].*/s, '')

export const checkKeySets = (keySets: Inspection['keySets']): Finding[] =>
  keySets.flatMap(({ path, url, news }) => {
    const what = `${path}: ${shownUrl(url)}`
    if (!news.ok) {
      return [
        fault(
          'key sets',
          `${what} ${news.why}`,
          'until it can be had, no token signed with its keys is accepted',
        ),
      ]
    }
    if (news.usable === 0) {
      return [
        fault(
          'key sets',
          `${what} has no key that is of use: ${news.passedOver.join('; ') || 'it is empty'}`,
        ),
      ]
    }
    return [
      fine('key sets', `${what} has ${news.usable} usable keys`),
      ...news.passedOver.map(each => warning('key sets', `${what} ${each}`, 'that key is passed over')),
    ]
  })

export const checkOrigins = (origins: Inspection['origins']): Finding[] =>
  origins.map(({ origin, paths, why }) => {
    if (why === undefined) return fine('instructions', `${origin} can be connected to; nothing was asked`)
    const where = `${paths[0]}${paths.length > 1 ? ` and ${paths.length - 1} more` : ''}`
    return fault(
      'instructions',
      `${origin}: ${why}`,
      `calls of ${where} would fail; see fetch.allowHosts and fetch.allowPrivate, the name, and its certificate`,
    )
  })

/** `running`: a hub listens where this one would. */
export const checkDataDir = (
  dataDir: Inspection['dataDir'],
  where: string | undefined,
  running: boolean,
): Finding => {
  if (dataDir === undefined) {
    return warning('data', 'nothing outlasts a restart', 'set dataDir, if overrides and revocations should')
  }
  if (dataDir.ok) return fine('data', `${where} can be written`)
  if (dataDir.code === 'conflict' && running) return fine('data', `${dataDir.message}: the hub that runs`)
  return dataDir.code === 'conflict'
    ? fault('data', dataDir.message, 'stop that process, or give this hub a folder of its own')
    : fault(
        'data',
        dataDir.message,
        'see that the folder is one, and belongs to the user that the hub runs as',
      )
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'ports below 1024 are not for ordinary users: choose another, or let the process have it',
  EADDRNOTAVAIL: 'this machine has no such address: see listen.host',
}

export const checkPort = (check: string, { host, port, state }: Port): Finding => {
  const at = `${host} port ${port}`
  if (port === 0) return fine(check, `a free port is picked on ${host}`)
  if (state === 'free') return fine(check, `${at} is free`)
  if (state === 'hub') return fine(check, `a hub listens already on ${at}`)
  if (state === 'EADDRINUSE') {
    return fault(check, `another program has ${at}`, 'stop it, or choose another (listen.port, serve --port)')
  }
  return fault(check, `${at} cannot be listened on (${state})`, reasons[state] ?? 'see listen.host')
}
