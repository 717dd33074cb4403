// The values of flags that several commands share: durations, numbers, names of files, and where the hub is.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { misuse } from './failure.js'
import type { Shell } from './shell.js'

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

const LONGEST_MS = 24 * 3_600_000

/** `500ms`, `2s`, `5m` or `1h`, in milliseconds. */
export const duration = (text: string): number => {
  const [, count, unit = ''] = /^(\d{1,9})(ms|s|m|h)$/.exec(text) ?? []
  const ms = Number(count) * Number(units[unit])
  if (ms <= LONGEST_MS) return ms
  throw new InvalidArgumentError('It must be a duration such as 500ms, 2s, 5m or 1h, of at most 24h.')
}

/** A whole number within bounds. */
export const whole =
  (least: number, most: number) =>
  (text: string): number => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
    if (value >= least && value <= most) return value
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`)
  }

/** Collects `name=value`s. */
export const pair = (
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> => {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('It must be NAME=VALUE.')
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}

/** Collects words: `a b`, `a,b` and a flag given twice are the same. */
export const words = (text: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  ...text.split(/[\s,]+/).filter(word => word !== ''),
]

/** The text of the file that `flag` names. */
export const readText = (flag: string, file: string, { cwd }: Shell): string => {
  try {
    return readFileSync(resolve(cwd, file), 'utf8')
  } catch (error) {
    throw misuse(`${flag} ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}

export interface HubFlags {
  readonly url?: string
  readonly token?: string
}

/** The flags of every command that speaks to a hub. */
export const withHub = (command: Command): Command =>
  command
    .option('--url <url>', 'where the hub is (default: $SWITCHHOOK_URL)')
    .option('--token <jwt>', 'a token that says who you are (default: $SWITCHHOOK_TOKEN)')

/** The address of a hub as it was given, if it is one. */
export const addressOf = (url: string): string => {
  if (URL.canParse(url) && /^(http|ws)s?:$/.test(new URL(url).protocol)) return url
  throw misuse(`--url ${url} is not the address of a hub, such as http://127.0.0.1:8080`)
}

/** Where the hub is, and with which token, by flags or environment. */
export const hubOf = (flags: HubFlags, { env }: Shell): { readonly url: string; readonly token: string } => {
  const url = flags.url ?? env.SWITCHHOOK_URL
  const token = flags.token ?? env.SWITCHHOOK_TOKEN
  if (!url) throw misuse('--url is missing: give it, or set SWITCHHOOK_URL')
  if (!token) throw misuse('--token is missing: give it, or set SWITCHHOOK_TOKEN')
  return { url: addressOf(url), token: token.trim() }
}
