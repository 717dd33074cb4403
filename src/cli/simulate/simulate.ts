// `switchhook simulate`: many phones and many inbound calls from one process, as a seed has it, against a hub that
// runs or one of its own. Done only if all of it was played, and every call had exactly one end.

import { Command, Option } from 'commander'
import type { SwitchhookError } from '../../client/index.js'
import { strategies } from '../../config.js'
import { Failure, misuse } from '../failure.js'
import { duration, readText, whole } from '../flags.js'
import { Live } from '../live.js'
import type { Start } from '../program.js'
import type { Job, Shell } from '../shell.js'
import { bold, dim, line, yellow } from '../text.js'
import type { Distribution } from './distribution.js'
import { names, rate, share, shift, times, timesOrNever } from './flags.js'
import { type Forecast, forecast } from './forecast.js'
import { progress, progressLine, progressPicture, summaryLines } from './report.js'
import { createScenario, type Scenario, type Shift } from './scenario.js'
import { Simulation } from './simulation.js'
import { Tally } from './tally.js'
import { namedHub, openVenue, type Venue, type VenueOptions } from './venue.js'

interface SimulateOptions extends VenueOptions {
  readonly phones: number
  readonly devices: number
  readonly account: readonly string[]
  readonly calls?: number
  readonly duration?: number
  readonly rate: number
  readonly interval?: Distribution
  readonly answer: Distribution
  readonly talk: Distribution
  readonly patience: Distribution
  readonly reject: number
  readonly busy: number
  readonly ignore: number
  readonly shift?: Shift
  readonly drop?: Distribution
  readonly within: number
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
    .addOption(
      preset(
        '--rate <number>',
        'calls a second on average, at random; 90/m a minute, 400/h an hour',
        rate,
        '10',
      ),
    )
    .addOption(
      new Option('--interval <time>', 'from one call to the next (default: as --rate says)')
        .argParser(times)
        .conflicts('rate'),
    )
    .addOption(preset('--answer <time>', 'a phone rings until its person acts', times, '500ms..2s'))
    .addOption(preset('--talk <time>', 'an answered call lasts', times, '1s..3s'))
    .addOption(
      preset('--patience <time>', 'a caller waits for an answer; never: for ever', timesOrNever, 'exp:30s'),
    )
    .addOption(preset('--reject <share>', 'offers that are rejected', share, '5%'))
    .addOption(preset('--busy <share>', 'offers that are answered with busy', share, '0%'))
    .addOption(preset('--ignore <share>', 'offers that are left ringing', share, '0%'))
    .option('--shift <on,off>', 'people sign in for a time, and out for one (default: they stay)', shift)
    .option('--drop <time>', 'a phone keeps its connection, and comes back (default: for good)', times)
    .option('--seed <number>', 'the same number, the same script (default: any)', whole(0, 999_999_999))
    .optionsGroup('Who, and where:')
    .addOption(
      preset('--account <names>', "the phones' accounts in turn, with commas; # is a number", names, 'sim-#'),
    )
    .addOption(preset('--devices <number>', 'so many of the phones belong to one person', whole(1, 10), '1'))
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
    .addOption(
      new Option(
        '--virtual',
        'the same in virtual time, without sockets: as fast as this machine can',
      ).conflicts(['url']),
    )
    .option('--queue', 'its callers wait in a queue until someone is free')
    .addOption(new Option('--strategy <name>', "its group's strategy").choices(strategies))
    .option('--wrapup <duration>', 'its people are busy for so long after each call', duration)
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
    .addOption(
      preset('--within <duration>', 'the service level is the share answered in time', duration, '20s'),
    )
    .option('--json', 'one JSON object a line: progress each second, and a summary')
    .action((options: SimulateOptions) => start(options, simulate))

const scenarioOf = (options: SimulateOptions): Scenario => {
  const { rate, interval, answer, talk, patience, reject, busy, ignore, drop, shift, calls, duration } =
    options
  if (reject + busy + ignore > 1) throw misuse('--reject, --busy and --ignore are more than all offers')
  return createScenario({
    seed: options.seed ?? Math.floor(Math.random() * 1_000_000),
    ratePerSecond: rate,
    interval,
    calls: calls ?? (duration === undefined ? 100 : Number.POSITIVE_INFINITY),
    durationMs: duration ?? Number.POSITIVE_INFINITY,
    answer,
    talk,
    patience,
    rejected: reject,
    busy,
    ignored: ignore,
    connected: drop,
    shift,
  })
}

/** Whose each phone is: of each person so many, one after the other. */
const accountsOf = ({ phones, devices, account }: SimulateOptions): readonly string[] =>
  Array.from({ length: phones }, (_, number) => {
    const person = Math.floor(number / devices)
    return String(account[person % account.length]).replaceAll('#', String(person + 1))
  })

/**
 * A hub of one's own takes no other's tokens: who gives them has forgotten to say whose they are. And one that runs
 * goes by its own configuration.
 */
const refuseUnused = (options: SimulateOptions, shell: Shell): void => {
  const { virtual, drop, callers, tenant, kid, secret, secretFile, tokenCommand } = options
  const running = namedHub(options, shell) !== undefined
  const { queue, strategy, wrapup } = options
  const unused = running
    ? { '--queue': queue, '--strategy': strategy, '--wrapup': wrapup }
    : {
        '--tenant': tenant,
        '--kid': kid,
        '--secret': secret,
        '--secret-file': secretFile,
        '--token-command': tokenCommand,
      }
  for (const [flag, value] of Object.entries(unused)) {
    if (value === undefined) continue
    throw misuse(
      running
        ? `${flag} is for a hub of its own: the one at --url (SWITCHHOOK_URL) has its configuration`
        : `${flag} is for a hub that runs: it needs --url`,
    )
  }
  if (virtual && drop !== undefined) throw misuse('--drop is for sockets, which --virtual has none of')
  if (virtual && callers === 'http')
    throw misuse('--callers http is for sockets, which --virtual has none of')
}

const simulate = async (options: SimulateOptions, job: Job): Promise<number> => {
  const scenario = scenarioOf(options)
  const { secretFile } = options
  refuseUnused(options, job.shell)
  const given =
    secretFile === undefined
      ? options
      : { ...options, secret: readText('--secret-file', secretFile, job.shell).trimEnd() }
  const venue = await openVenue(given, scenario.seed, job.shell)
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

/** What Erlang's formulas say of it; a prompt ring takes no time where time is virtual. */
const forecastOf = (options: SimulateOptions, tally: Tally, people: number, shell: Shell): Forecast => {
  const { group, to, queue = false, rate, interval, answer, talk, patience, wrapup = 0, within } = options
  const { reject, busy, ignore, shift, drop, strategy, virtual } = options
  const given = {
    '--interval': interval !== undefined,
    '--reject': reject > 0,
    '--busy': busy > 0,
    '--ignore': ignore > 0,
    '--shift': shift !== undefined,
    '--drop': drop !== undefined,
    '--strategy all': strategy === 'all',
    '--to': !queue && to !== undefined && to !== group,
  }
  return forecast(
    {
      own: namedHub(options, shell) === undefined,
      queue,
      people,
      ratePerSecond: rate,
      answer,
      talk,
      patience,
      wrapupMs: wrapup,
      withinMs: within,
      foreign: Object.entries(given).flatMap(([flag, is]) => (is ? [flag] : [])),
      promptMs: virtual ? 0 : 100,
    },
    tally,
  )
}

const play = async (
  options: SimulateOptions,
  scenario: Scenario,
  venue: Venue,
  { out, stop, shell }: Job,
): Promise<number> => {
  const { group, to = group, wrapup: wrapupMs = 0, within } = options
  const { seed } = scenario
  const { timers, place, virtual, open, carrier, api } = venue
  const accounts = accountsOf(options)
  const tally = new Tally()
  const simulation = new Simulation({
    scenario,
    tally,
    timers,
    carrier,
    api,
    open,
    accounts,
    wrapupMs,
    to,
    stop,
  })
  try {
    await venue.try(String(accounts[0]))
    const signedIn = await venue.until(simulation.connect()).catch(error => {
      throw refused(error, options)
    })
    const deaf = signedIn.filter(({ groups }) => to === group && !groups.includes(group)).length
    out.tell(
      { event: 'began', seed, url: virtual ? null : place, phones: accounts.length, to },
      line(bold(`${accounts.length} phones`), ` at ${place}; calls to ${to}`, dim(`; seed ${seed}`)),
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
    let tookMs = 0
    try {
      await venue.until(
        simulation.play().finally(() => {
          tookMs = timers.now() - began
        }),
      )
    } finally {
      clearInterval(ticking)
      live.end()
    }
    const summary = {
      ...tally.summary(seed, tookMs, within),
      erlang: forecastOf(options, tally, new Set(accounts).size, shell),
    }
    const early = stop.aborted ? [line(yellow('interrupted'), ': not all of it was played')] : []
    const style = { virtual, width: out.width, bar: out.live ? '█' : '#' }
    out.tell(
      { event: 'summary', ...summary, interrupted: stop.aborted },
      ...summaryLines(summary, style),
      ...early,
    )
    return summary.ok && !stop.aborted ? 0 : 1
  } finally {
    await venue.until(simulation.close())
  }
}
