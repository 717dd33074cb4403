// `switchhook token`: mints a token for development, or explains one.

import { Command, Option } from 'commander'
import { algorithms } from '../../config.js'
import { misuse } from '../failure.js'
import { duration, whole, words } from '../flags.js'
import type { Start } from '../program.js'
import type { Job } from '../shell.js'
import { type CheckFlags, checkToken } from './check.js'
import { type MintFlags, mint } from './mint.js'

interface TokenOptions extends MintFlags, CheckFlags {
  /** The token to check; `true`: it is elsewhere. */
  readonly check?: string | true
  readonly json?: boolean
}

export const tokenCommand = (start: Start): Command =>
  new Command('token')
    .description('mint a development token, or explain one')
    .option('--tenant <name>', 'the tenant, which owns the key')
    .addOption(
      new Option('--secret <text>', 'the key of an HS algorithm').conflicts([
        'secretFile',
        'privateKey',
        'publicKey',
        'config',
      ]),
    )
    .addOption(
      new Option('--secret-file <file>', 'the same, in a file').conflicts([
        'privateKey',
        'publicKey',
        'config',
      ]),
    )
    .option('--kid <id>', "the key's id, where the tenant has several")
    .addOption(
      new Option('--alg <algorithm>', 'default: HS256; with a private or public key: ES256').choices(
        algorithms,
      ),
    )
    .option('--audience <name>', "the hub's name for itself (default: switchhook)")
    .option('--json', 'one JSON object, with the claims')
    .optionsGroup('To mint:')
    .option('--account <name>', 'the account it is for')
    .option('--private-key <file>', 'the key of any other algorithm, in PEM')
    .option('--scope <permissions>', "permissions, with commas between them (default: a softphone's)", words)
    .option('--group <names>', 'open groups that it joins, with commas between them', words)
    .option('--capacity <number>', 'calls at once', whole(1, 1000))
    .addOption(
      new Option('--expires <duration>', 'how long it is valid, at most 24h')
        .argParser(duration)
        .default(duration('1h'), '1h'),
    )
    .optionsGroup('To explain:')
    .addOption(
      new Option(
        '--check [token]',
        'explain this token, the one on standard input (-), or $SWITCHHOOK_TOKEN',
      ).conflicts(['account', 'privateKey', 'scope', 'group', 'capacity', 'expires']),
    )
    .option('--public-key <file>', 'the key of any other algorithm, in PEM')
    .addOption(
      new Option('--config <file>', 'a configuration: all of its keys, and its groups').conflicts([
        'publicKey',
        'tenant',
        'kid',
        'alg',
      ]),
    )
    .action((options: TokenOptions) => start(options, token))

const token = async ({ check, ...options }: TokenOptions, job: Job): Promise<number> => {
  if (check !== undefined) return checkToken(check, options, job)
  if (options.config !== undefined) throw misuse('--config goes with --check')
  if (options.publicKey !== undefined) throw misuse('--public-key goes with --check')
  return mint(options, job)
}
