// `switchhook simulate`: many phones and many inbound calls from one process, as a seed has it, against a hub that
// runs or one of its own. Done only if all of it was played, and every call had exactly one end.

import { Command, Option } from 'commander'
import { HubApi, type SwitchhookError } from '../../client/index.js'
import { Failure, misuse } from '../failure.js'
import { duration, readText, whole } from '../flags.js'
import { Live } from '../live.js'
import type { Start } from '../program.js'
import type { Job, Shell } from '../shell.js'
import { bold, dim, line, yellow } from '../text.js'
import { httpCarrier, socketCarrier } from './carrier.js'
import type { Distribution } from './distribution.js'
import { names, rate, share, times } from './flags.js'
import { machineTimers as timers } from './play.js'
import { progress, progressLine, progressPicture, summaryLines } from './report.js'
import { createScenario } from './scenario.js'
import { Simulation } from './simulation.js'
import { Tally } from './tally.js'
import { kept } from './tokens.js'
import { openVenue, type Venue, type VenueOptions } from './venue.js'

interface SimulateOptions extends VenueOptions {
  readonly phones: number
  readonly account: readonly string[]
  readonly group: string
  readonly to?: string
  readonly callers: 'socket' | 'http'
  readonly calls?: number
  readonly duration?: number
  readonly rate: number
  readonly answer: Distribution
  readonly talk: Distribution
  readonly patience: Distribution
  readonly reject: number
  readonly ignore: number
  readonly drop?: Distribution
  readonly seed?: number
  readonly json?: boolean
}

const preset = <T>(flags: string, description: string, read: (text: string) => T, value: string): Option =>
  new Option(flags, description).argParser(read).default(read(value), value)

const many = 100_000

export const simulateCommand = (start: Start): Command =>
  new Command('simulate')
    .description('many phones and many calls from one process, and what came of them')
    .optionsGroup('What happens:')
    .addOption(preset('--phones <number>', 'so many phones', whole(1, many), '50'))
    .option('--calls <number>', 'so many calls (default: 100, if no --duration says)', whole(1, 10_000_000))
    .option('--duration <duration>', 'calls come for so long', duration)
    .addOption(preset('--rate <number>', 'calls a second on average, at random', rate, '10'))
    .addOption(preset('--answer <time>', 'a phone rings until its person acts', times, '500ms..2s'))
    .addOption(preset('--talk <time>', 'an answered call lasts', times, '1s..3s'))
    .addOption(preset('--patience <time>', 'a caller waits for an answer', times, 'exp:30s'))
    .addOption(preset('--reject <share>', 'offers that are rejected', share, '5%'))
    .addOption(preset('--ignore <share>', 'offers that are left ringing', share, '0%'))
    .option('--drop <time>', 'a phone keeps its connection, and comes back (default: for good)', times)
    .option('--seed <number>', 'the same number, the same script (default: any)', whole(0, 999_999_999))
    .optionsGroup('Who, and where:')
    .addOption(
      preset('--account <names>', "the phones' accounts in turn, with commas; # is a number", names, 'sim-#'),
    )
    .option('--group <name>', 'the open group that phones join', 'support')
    .option('--to <number>', 'what is called (default: the group)')
    .addOption(
      new Option('--callers <way>', 'come over one socket, as of a gateway, or each over HTTP')
        .choices(['socket', 'http'])
        .default('socket', 'socket'),
    )
    .addOption(
      new Option('--dev', 'against a hub of its own, which is the default without an address').conflicts([
        'url',
      ]),
    )
    .option('--url <url>', 'where the hub is (default: $SWITCHHOOK_URL)')
    .option('--tenant <name>', 'tokens are minted for this tenant')
    .option('--kid <name>', 'with the key of this name')
    .addOption(
      new Option('--secret <text>', 'and this secret, by HS256').conflicts(['secretFile', 'tokenCommand']),
    )
    .addOption(new Option('--secret-file <file>', 'the same in a file').conflicts(['tokenCommand']))
    .option(
      '--token-command <command>',
      'a command that prints a token for $SWITCHHOOK_ACCOUNT with $SWITCHHOOK_SCOPE and $SWITCHHOOK_GROUP',
    )
    .optionsGroup('How it is told:')
    .option('--json', 'one JSON object a line: progress each second, and a summary')
    .action((options: SimulateOptions) => start(options, simulate))

const scenarioOf = (options: SimulateOptions) => {
  const { rate, answer, talk, patience, reject, ignore, drop, calls, duration } = options
  if (reject + ignore > 1) throw misuse('--reject and --ignore are more than all offers')
  return createScenario({
    seed: options.seed ?? Math.floor(Math.random() * 1_000_000),
    ratePerSecond: rate,
    calls: calls ?? (duration === undefined ? 100 : Number.POSITIVE_INFINITY),
    durationMs: duration ?? Number.POSITIVE_INFINITY,
    answer,
    talk,
    patience,
    rejected: reject,
    ignored: ignore,
    connected: drop,
  })
}

const accountsOf = ({ phones, account }: SimulateOptions): readonly string[] =>
  Array.from({ length: phones }, (_, number) =>
    String(account[number % account.length]).replaceAll('#', String(number + 1)),
  )

/** A hub of one's own takes no other's tokens: who gives them has forgotten to say whose they are. */
const refuseUnused = (options: SimulateOptions, { env }: Shell): void => {
  if (!options.dev && (options.url || env.SWITCHHOOK_URL)) return
  const flags = {
    '--tenant': options.tenant,
    '--kid': options.kid,
    '--secret': options.secret,
    '--secret-file': options.secretFile,
    '--token-command': options.tokenCommand,
  }
  for (const [flag, value] of Object.entries(flags)) {
    if (value !== undefined) throw misuse(`${flag} is for a hub that runs: it needs --url`)
  }
}

const simulate = async (options: SimulateOptions, job: Job): Promise<number> => {
  const scenario = scenarioOf(options)
  const { secretFile, group } = options
  refuseUnused(options, job.shell)
  const given =
    secretFile === undefined
      ? options
      : { ...options, secret: readText('--secret-file', secretFile, job.shell).trimEnd() }
  const venue = await openVenue(given, group, job.shell, timers)
  try {
    return await play(options, scenario, venue, job)
  } finally {
    await venue.close()
  }
}

const refused = (error: SwitchhookError, { tokenCommand, secretFile }: SimulateOptions): Error => {
  if (error.code === 'disconnected') return error
  if (error.code !== 'unauthorized') return new Failure(1, `the hub refuses: ${error.message}`)
  const minting = secretFile === undefined ? '--secret' : '--secret-file'
  const source = tokenCommand === undefined ? minting : '--token-command'
  return new Failure(1, `${source}: the hub refuses: ${error.message}`)
}

const play = async (
  options: SimulateOptions,
  scenario: ReturnType<typeof createScenario>,
  { url, tokens }: Venue,
  { out, stop }: Job,
): Promise<number> => {
  const { group, to = group, callers } = options
  const { seed } = scenario
  const accounts = accountsOf(options)
  const tally = new Tally()
  const caller = () => tokens({ account: 'simulator', scopes: ['call:inbound'], groups: [] })
  const api = new HubApi({ url, token: kept(caller, timers) })
  const carrier =
    callers === 'http' ? httpCarrier(api, timers) : socketCarrier({ url, token: caller, timers })
  const token = (account: string): Promise<string> =>
    tokens({ account, scopes: ['presence:register', 'call:receive'], groups: [group] })
  const simulation = new Simulation({ scenario, tally, timers, url, carrier, api, accounts, token, to, stop })
  try {
    // Asked for here, so that what is wrong with them is told as it is.
    await Promise.all([caller(), token(String(accounts[0]))])
    const welcomes = await simulation.connect().catch(error => {
      throw refused(error, options)
    })
    const deaf = welcomes.filter(({ groups }) => to === group && !groups.includes(group)).length
    out.tell(
      { event: 'began', seed, url, phones: accounts.length, to },
      line(bold(`${accounts.length} phones`), ` at ${url}; calls to ${to}`, dim(`; seed ${seed}`)),
    )
    if (deaf > 0) {
      const message = `${deaf} phones are not in ${group}: the hub lets nobody join it by token, or has none of that name`
      out.tell({ event: 'warning', message }, line(yellow('warning'), ` ${message}`))
    }
    const began = timers.now()
    const live = new Live(out)
    const show = (): void => {
      const now = progress(tally, timers.now() - began)
      live.show(now, progressLine(now), () => progressPicture(now, tally))
    }
    const ticking = setInterval(show, 1000)
    try {
      await simulation.play()
    } finally {
      clearInterval(ticking)
      live.end()
    }
    const summary = tally.summary(seed, timers.now() - began)
    const early = stop.aborted ? [line(yellow('interrupted'), ': not all of it was played')] : []
    out.tell({ event: 'summary', ...summary, interrupted: stop.aborted }, ...summaryLines(summary), ...early)
    return summary.ok && !stop.aborted ? 0 : 1
  } finally {
    await simulation.close()
  }
}
