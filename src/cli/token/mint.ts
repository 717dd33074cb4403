// `switchhook token`: mints a token for development. Production tokens come from the platform's own issuer.

import type { Algorithm } from '../../config.js'
import { HubError } from '../../errors.js'
import { mintToken, scopesOf } from '../../gateway/token/index.js'
import { misuse } from '../failure.js'
import { readText } from '../flags.js'
import type { Job, Shell } from '../shell.js'
import { whole } from '../text.js'

export interface MintFlags {
  readonly secret?: string
  readonly secretFile?: string
  readonly privateKey?: string
  readonly tenant?: string
  readonly account?: string
  readonly kid?: string
  readonly alg?: Algorithm
  readonly scope?: readonly string[]
  readonly group?: readonly string[]
  readonly capacity?: number
  readonly expires: number
  readonly audience?: string
}

const keyOf = ({ secret, secretFile, privateKey, alg }: MintFlags, shell: Shell) => {
  if (privateKey !== undefined) {
    return { alg: alg ?? 'ES256', privateKey: readText('--private-key', privateKey, shell) } as const
  }
  const text = secretFile === undefined ? secret : readText('--secret-file', secretFile, shell).trimEnd()
  if (text === undefined) throw misuse('token needs --secret, --secret-file or --private-key')
  return { alg: alg ?? 'HS256', secret: text } as const
}

/** The flag behind what the mint refuses. */
const flagOf = (path: string, { secretFile }: MintFlags): string => {
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

/** Prints a token. */
export const mint = async (options: MintFlags, { shell, out }: Job): Promise<number> => {
  const { tenant, account, kid, scope, group, capacity, expires, audience } = options
  if (tenant === undefined) throw misuse('token needs --tenant <name>')
  if (account === undefined) throw misuse('token needs --account <name>')
  if (scope?.length === 0) throw misuse('--scope names no permission')
  if (expires === 0) throw misuse('--expires must be more than 0')
  if (audience === '') throw misuse('--audience must not be empty')
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
