// The version of the package, the one of Node that it takes, and the name under which its command line is known to a hub.

import { readFileSync } from 'node:fs'

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
  engines: { node: string }
}

export const { version, engines } = manifest

export const clientName = `switchhook-cli/${version}`
