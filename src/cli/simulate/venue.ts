// Where a simulation takes place: at a hub that runs somewhere, at one of its own in this process, or in virtual time
// at no more than the core of one. It has the time, the phones and the way for callers to come.

import { HubApi, type Timers } from '../../client/index.js'
import type { HubError } from '../../errors.js'
import { createDev, type Dev } from '../dev.js'
import { misuse } from '../failure.js'
import { addressOf } from '../flags.js'
import { createLog } from '../log.js'
import type { Shell } from '../shell.js'
import { type Carrier, httpCarrier, socketCarrier } from './carrier.js'
import { chanceOf } from './chance.js'
import { type OpenHandset, socketHandsets } from './handset.js'
import { innerCarrier, innerHandsets, innerRegister } from './inner.js'
import { type OwnOptions, ownConfig } from './own-hub.js'
import { machineTimers } from './play.js'
import type { Register } from './simulation.js'
import { commanded, kept, type Mint, minted, type Tokens } from './tokens.js'
import { VirtualTime } from './virtual-time.js'

export interface Venue {
  /** Where it is, in words: an address, if it has one. */
  readonly place: string
  readonly timers: Timers
  readonly open: OpenHandset
  readonly carrier: Carrier
  readonly api: Register
  /** Whether time is what the machine can do in it: then nothing is late. */
  readonly virtual: boolean
  /** Asks for a caller's token and a phone's, so that what is wrong with them is told as it is. */
  try(account: string): Promise<unknown>
  /** Waits for `work`, and lets time pass where it does not by itself. */
  until<T>(work: Promise<T>): Promise<T>
  close(): Promise<void>
}

/** What was asked for, by flags or environment. */
export interface VenueOptions extends OwnOptions {
  readonly dev?: boolean | undefined
  readonly virtual?: boolean | undefined
  readonly callers: 'socket' | 'http'
  readonly url?: string | undefined
  readonly tenant?: string | undefined
  readonly kid?: string | undefined
  readonly secret?: string | undefined
  /** The file that `secret` was read from, if it was. */
  readonly secretFile?: string | undefined
  readonly tokenCommand?: string | undefined
}

/** The address of the hub that was named; none where it is to be one of its own. */
export const namedHub = ({ dev, virtual, url }: VenueOptions, { env }: Shell): string | undefined =>
  dev || virtual ? undefined : url || env.SWITCHHOOK_URL || undefined

/** With a configuration in which nothing is the user's but what is called, and its group. */
const blaming = async <T>({ group, to }: OwnOptions, begin: (dev: Dev) => Promise<T>): Promise<T> =>
  begin(createDev()).catch(error => {
    const blamed = (error as HubError).faults.map(({ path, message }) =>
      path.includes('.routes') ? `--to ${to} ${message}` : `--group ${group} ${message}`,
    )
    throw misuse(...blamed)
  })

/** Over sockets and HTTP, in the machine's own time. */
const reached = (
  url: string,
  tokens: Tokens,
  { group, callers }: VenueOptions,
  close: () => Promise<void>,
): Venue => {
  const timers = machineTimers
  const caller = () => tokens({ account: 'simulator', scopes: ['call:inbound'], groups: [] })
  const token = (account: string): Promise<string> =>
    tokens({ account, scopes: ['presence:register', 'call:receive'], groups: [group] })
  const api = new HubApi({ url, token: kept(caller, timers) })
  return {
    place: url,
    timers,
    open: socketHandsets({ url, token, timers }),
    carrier: callers === 'http' ? httpCarrier(api, timers) : socketCarrier({ url, token: caller, timers }),
    api,
    virtual: false,
    try: account => Promise.all([caller(), token(account)]),
    until: work => work,
    close,
  }
}

const ownHub = async (options: VenueOptions, shell: Shell): Promise<Venue> => {
  const { createHub } = await import('../../hub.js')
  const log = createLog(shell.stderr, 'warn')
  const { hub, dev } = await blaming(options, async dev => ({
    dev,
    hub: await createHub(ownConfig(dev, options), { log }),
  }))
  const { url } = await hub.listen()
  return reached(url, minted(dev, machineTimers), options, () => hub.close())
}

const virtualHub = async (options: VenueOptions, seed: number): Promise<Venue> => {
  const { createCore } = await import('../../core.js')
  const time = new VirtualTime()
  const { clock, timers } = time
  const core = await blaming(options, async dev =>
    createCore(ownConfig(dev, options), { tenant: dev.tenant, clock, random: chanceOf(seed, 'hub') }),
  )
  return {
    place: 'no address',
    timers,
    open: innerHandsets(core, options.group),
    carrier: innerCarrier(core),
    api: innerRegister(core),
    virtual: true,
    try: async () => {},
    until: work => time.passUntil(work),
    close: () => core.close(),
  }
}

const tokensOf = ({ tenant, secret, secretFile, kid, tokenCommand }: VenueOptions, shell: Shell): Tokens => {
  if (tokenCommand !== undefined) return commanded(tokenCommand, shell)
  if (tenant === undefined || secret === undefined) {
    throw misuse(
      '--url (SWITCHHOOK_URL) needs tokens: give --tenant and --secret to mint them, or --token-command; or use --dev',
    )
  }
  const mint: Mint = { tenant, secret, secretFile, kid }
  return minted(mint, machineTimers)
}

/** Opens the place: without an address a hub of its own. */
export const openVenue = async (options: VenueOptions, seed: number, shell: Shell): Promise<Venue> => {
  if (options.virtual) return virtualHub(options, seed)
  const url = namedHub(options, shell)
  if (url === undefined) return ownHub(options, shell)
  return reached(addressOf(url), tokensOf(options, shell), options, async () => {})
}
