// `switchhook token`: mints a token for development. Production tokens come from the platform's own issuer.

import { Command, Option } from 'commander'
import { type Algorithm, algorithms } from '../config.js'
import { HubError } from '../errors.js'
import { mintToken, scopesOf } from '../gateway/token/index.js'
import { misuse } from './failure.js'
import { duration, readText, whole as wholeNumber } from './flags.js'
import type { Start } from './program.js'
import type { Job, Shell } from './shell.js'
import { whole } from './text.js'

interface TokenOptions {
  readonly secret?: string
  readonly secretFile?: string
  readonly privateKey?: string
  readonly tenant: string
  readonly account: string
  readonly kid?: string
  readonly alg?: Algorithm
  readonly scope?: readonly string[]
  readonly group?: readonly string[]
  readonly capacity?: number
  readonly expires: number
  readonly audience?: string
  readonly json?: boolean
}

/** `a b`, `a,b` and a flag given twice are the same. */
const words = (text: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  ...text.split(/[\s,]+/).filter(word => word !== ''),
]

export const tokenCommand = (start: Start): Command =>
  new Command('token')
    .description('mint a development token')
    .requiredOption('--tenant <name>', 'the tenant, which owns the key')
    .requiredOption('--account <name>', 'the account it is for')
    .addOption(
      new Option('--secret <text>', 'the key of an HS algorithm').conflicts(['secretFile', 'privateKey']),
    )
    .addOption(new Option('--secret-file <file>', 'the same, in a file').conflicts(['privateKey']))
    .option('--private-key <file>', 'the key of any other algorithm, in PEM')
    .option('--kid <id>', "the key's id, where the tenant has several")
    .addOption(
      new Option('--alg <algorithm>', 'default: HS256; with --private-key: ES256').choices(algorithms),
    )
    .option('--scope <permissions>', "permissions, with commas between them (default: a softphone's)", words)
    .option('--group <names>', 'open groups that it joins, with commas between them', words)
    .option('--capacity <number>', 'calls at once', wholeNumber(1, 1000))
    .addOption(
      new Option('--expires <duration>', 'how long it is valid, at most 24h')
        .argParser(duration)
        .default(duration('1h'), '1h'),
    )
    .option('--audience <name>', "the hub's name for itself (default: switchhook)")
    .option('--json', 'one JSON object, with the claims')
    .action((options: TokenOptions) => start(options, token))

const keyOf = ({ secret, secretFile, privateKey, alg }: TokenOptions, shell: Shell) => {
  if (privateKey !== undefined) {
    return { alg: alg ?? 'ES256', privateKey: readText('--private-key', privateKey, shell) } as const
  }
  const text = secretFile === undefined ? secret : readText('--secret-file', secretFile, shell).trimEnd()
  if (text === undefined) throw misuse('token needs --secret, --secret-file or --private-key')
  return { alg: alg ?? 'HS256', secret: text } as const
}

/** The flag behind what the mint refuses. */
const flagOf = (path: string, { secretFile }: TokenOptions): string => {
  const claims: Readonly<Record<string, string>> = {
    iss: '--tenant',
    sub: '--account',
    exp: '--expires',
    aud: '--audience',
    privateKey: '--private-key',
    secret: secretFile === undefined ? '--secret' : '--secret-file',
  }
  return claims[path] ?? `--${path.replace(/^groups.*/, 'group')}`
}

const token = async (options: TokenOptions, { shell, out }: Job): Promise<number> => {
  const { tenant, account, kid, scope, group, capacity, expires, audience } = options
  for (const word of scope ?? []) {
    if (scopesOf(word).size === 0) throw misuse(`--scope ${word} is not a permission`)
  }
  try {
    const minted = await mintToken({
      ...keyOf(options, shell),
      tenant,
      account,
      ...(kid !== undefined && { kid }),
      ...(scope && { scopes: scope }),
      ...(group && { groups: group }),
      ...(capacity !== undefined && { capacity }),
      ...(audience !== undefined && { audience }),
      expiresInSeconds: Math.ceil(expires / 1000),
      clock: { wall: () => Date.now() },
    })
    const [, payload] = minted.split('.')
    const claims: unknown = JSON.parse(Buffer.from(String(payload), 'base64url').toString())
    out.tell({ event: 'token', token: minted, claims }, whole(minted))
    return 0
  } catch (error) {
    if (!(error instanceof HubError)) throw error
    throw misuse(...error.faults.map(({ path, message }) => `${flagOf(path, options)} ${message}`))
  }
}
