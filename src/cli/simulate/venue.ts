// Where a simulation takes place: at a hub that runs somewhere, or at one of its own, in this process, which is
// there for as long as it lasts.

import type { Timers } from '../../client/index.js'
import type { HubError } from '../../errors.js'
import { createDev, devTenant } from '../dev.js'
import { misuse } from '../failure.js'
import { addressOf } from '../flags.js'
import { createLog } from '../log.js'
import type { Shell } from '../shell.js'
import { commanded, type Mint, minted, type Tokens } from './tokens.js'

export interface Venue {
  readonly url: string
  readonly tokens: Tokens
  close(): Promise<void>
}

/** What was asked for, by flags or environment. */
export interface VenueOptions {
  readonly dev?: boolean | undefined
  readonly url?: string | undefined
  readonly tenant?: string | undefined
  readonly kid?: string | undefined
  readonly secret?: string | undefined
  /** The file that `secret` was read from, if it was. */
  readonly secretFile?: string | undefined
  readonly tokenCommand?: string | undefined
}

/** All callers are one gateway, all phones at one address: what would bound a peer bounds no simulation. */
const boundless = 1_000_000
const limits = {
  connectionsPerAddress: boundless,
  requestsPerSecond: boundless,
  streamsPerAccount: boundless,
  callsPerTenant: boundless,
  callsPerMinutePerAccount: boundless,
  callsPerMinutePerTenant: boundless,
}

/** A hub of its own, with an open group of this name. */
const ownHub = async (group: string, shell: Shell, timers: Timers): Promise<Venue> => {
  const { createHub } = await import('../../hub.js')
  const dev = createDev()
  const tenant = devTenant(dev)
  const log = createLog(shell.stderr, 'warn')
  const groups = { ...tenant.groups, [group]: { open: true } }
  const config = { listen: { port: 0 }, drainMs: 0, limits, tenants: { [dev.tenant]: { ...tenant, groups } } }
  const hub = await createHub(config, { log }).catch(error => {
    // Nothing else in it is the user's.
    throw misuse(`--group ${group} ${(error as HubError).faults.map(({ message }) => message).join(', ')}`)
  })
  const { url } = await hub.listen()
  return { url, tokens: minted(dev, timers), close: () => hub.close() }
}

const tokensOf = (
  { tenant, secret, secretFile, kid, tokenCommand }: VenueOptions,
  shell: Shell,
  timers: Timers,
): Tokens => {
  if (tokenCommand !== undefined) return commanded(tokenCommand, shell)
  if (tenant === undefined || secret === undefined) {
    throw misuse(
      '--url (SWITCHHOOK_URL) needs tokens: give --tenant and --secret to mint them, or --token-command; or use --dev',
    )
  }
  const mint: Mint = { tenant, secret, secretFile, kid }
  return minted(mint, timers)
}

/** Opens the place: without an address a hub of its own. */
export const openVenue = async (
  options: VenueOptions,
  group: string,
  shell: Shell,
  timers: Timers,
): Promise<Venue> => {
  const url = options.url ?? shell.env.SWITCHHOOK_URL
  if (options.dev || !url) return ownHub(group, shell, timers)
  return { url: addressOf(url), tokens: tokensOf(options, shell, timers), close: async () => {} }
}
