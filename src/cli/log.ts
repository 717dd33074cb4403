// The hub's log on the command line: pino, one JSON object a line. What might hold a secret is never written, and no
// character that a terminal would obey.

import { type LoggerOptions, pino } from 'pino'
import type { Log } from '../runtime/index.js'
import type { Screen } from './shell.js'
import { escapeJson } from './text.js'

export const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type Level = (typeof levels)[number]

const secrets = ['token', 'secret', 'authorization', 'cookie', 'authToken', 'privateKey']

const redact: NonNullable<LoggerOptions['redact']> = secrets.flatMap(name => [
  name,
  `*.${name}`,
  `*.*.${name}`,
])

export const createLog = (stderr: Screen, level: Level): Log =>
  pino({ level, redact, errorKey: 'error', name: 'switchhook', hooks: { streamWrite: escapeJson } }, stderr)
