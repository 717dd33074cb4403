// Where simulated phones get their tokens from: a tenant's secret, with which each is minted here, or a command of
// the user's that asks whoever issues them.

import { exec } from 'node:child_process'
import { promisify } from 'node:util'
import type { Timers } from '../../client/index.js'
import type { HubError } from '../../errors.js'
import { mintToken } from '../../gateway/token/index.js'
import { Failure, misuse } from '../failure.js'
import type { Shell } from '../shell.js'

export interface TokenAsk {
  readonly account: string
  readonly scopes: readonly string[]
  readonly groups: readonly string[]
}

export type Tokens = (ask: TokenAsk) => Promise<string>

/** What it takes to mint a tenant's tokens. */
export interface Mint {
  readonly tenant: string
  readonly secret: string
  readonly kid?: string | undefined
  /** The file that the secret is from, if it is. */
  readonly secretFile?: string | undefined
}

const flagOf = (path: string, { secretFile }: Mint): string => {
  const secret = secretFile === undefined ? '--secret' : '--secret-file'
  return { iss: '--tenant', sub: '--account', secret }[path] ?? '--group'
}

export const minted =
  (mint: Mint, timers: Timers): Tokens =>
  async ask => {
    const { tenant, secret, kid } = mint
    try {
      return await mintToken({
        alg: 'HS256',
        secret,
        tenant,
        ...(kid !== undefined && { kid }),
        ...ask,
        clock: { wall: () => timers.now() },
      })
    } catch (error) {
      // Whatever the mint refuses was given by a flag.
      throw misuse(
        ...(error as HubError).faults.map(({ path, message }) => `${flagOf(path, mint)} ${message}`),
      )
    }
  }

/**
 * Runs `command` in the system's shell for each token. It finds whom the token is for in `SWITCHHOOK_ACCOUNT`,
 * `SWITCHHOOK_SCOPE` and `SWITCHHOOK_GROUP` (each a list with spaces), and prints the token.
 */
export const commanded =
  (command: string, { cwd, env }: Shell): Tokens =>
  async ({ account, scopes, groups }) => {
    const asked = {
      SWITCHHOOK_ACCOUNT: account,
      SWITCHHOOK_SCOPE: scopes.join(' '),
      SWITCHHOOK_GROUP: groups.join(' '),
    }
    try {
      const { stdout } = await promisify(exec)(command, { cwd, env: { ...env, ...asked } })
      return stdout.trim()
    } catch (error) {
      const { code, stderr } = error as { code: number; stderr: string }
      const [said = ''] = stderr.trim().split('\n').slice(-1)
      throw new Failure(1, `--token-command ended with ${code}${said && `: ${said}`}`)
    }
  }

/** Shorter than any token is worth issuing for. */
const KEPT_MS = 60_000

/** One token for many requests: asked for anew each minute. */
export const kept = (ask: () => Promise<string>, timers: Timers): (() => Promise<string>) => {
  let token = Promise.resolve('')
  let until = Number.NEGATIVE_INFINITY
  return () => {
    if (timers.now() >= until) {
      until = timers.now() + KEPT_MS
      token = ask()
    }
    return token
  }
}
