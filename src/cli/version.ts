// The version of the package, and the name under which its command line is known to a hub.

import { readFileSync } from 'node:fs'

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

export const { version } = manifest

export const clientName = `switchhook-cli/${version}`
