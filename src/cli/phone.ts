// `switchhook phone`: a softphone in the terminal. It is present while it runs, rings, and is answered by keys typed
// on standard input, a line each, or by itself (`--auto`). That standard input ends does not end it.

import { randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline'
import { Command, InvalidArgumentError, Option } from 'commander'
import type { Call, Declared, Self, Softphone, Welcome } from '../client/index.js'
import { blaming, Failure, reportTo } from './failure.js'
import { duration, type HubFlags, hubOf, withHub } from './flags.js'
import { keyHelp, press } from './keys.js'
import { connect, createLine, stateLines, tellConnection } from './line.js'
import { Live } from './live.js'
import type { Output } from './output.js'
import { standing } from './picture.js'
import type { Start } from './program.js'
import { aborted, type Job } from './shell.js'
import { bold, dim, green, type Line, line, type Piece, yellow } from './text.js'
import { eventOf, factsText } from './timeline.js'

/** What the phone does by itself when it rings, and after how long. */
interface Auto {
  readonly act: 'accept' | 'reject' | 'busy' | 'ignore'
  readonly afterMs: number
}

interface PhoneOptions extends HubFlags {
  readonly account?: string
  readonly device?: string
  readonly status?: Declared
  readonly note?: string
  readonly auto?: Auto
  readonly hangupAfter?: number
  readonly once?: boolean
  readonly json?: boolean
}

const auto = (text: string): Auto => {
  const [, act, after] = /^(accept|reject|busy|ignore)(?::(.*))?$/.exec(text) ?? []
  if (act === undefined) {
    throw new InvalidArgumentError(
      'It must be accept, reject, busy or ignore; or one with a delay: accept:2s.',
    )
  }
  return { act: act as Auto['act'], afterMs: after === undefined ? 0 : duration(after) }
}

export const phoneCommand = (start: Start): Command =>
  withHub(new Command('phone').description('a softphone in the terminal'))
    .option('--account <name>', 'refuse to start with a token of another account')
    .option('--device <name>', "the device's name, the same at each start (default: a new one)")
    .addOption(
      new Option('--status <status>', 'the status at the start').choices([
        'available',
        'away',
        'busy',
        'dnd',
      ]),
    )
    .option('--note <text>', 'a note to the status')
    .option('--auto <action>', 'answer by itself: accept, accept:2s, reject, busy, ignore', auto)
    .option('--hangup-after <duration>', 'hang up so long after the call is connected', duration)
    .option('--once', 'leave after the first call')
    .option('--json', 'one JSON object a line')
    .action((options: PhoneOptions) => start(options, phone))

const phone = async (options: PhoneOptions, { shell, out, stop }: Job): Promise<number> => {
  const { device = `terminal-${randomBytes(3).toString('hex')}`, status, note } = options
  const softphone = createLine({ ...hubOf(options, shell), device, status, note })
  tellConnection(softphone, out)
  const live = new Live(out)
  let you: readonly Line[] = []
  const picture = () => [...stateLines(softphone), ...you, ...callLines(softphone)]
  softphone.on('self', self => {
    you = [selfLine(self)]
    live.show(eventOf(self), selfLine(self), picture)
  })
  const report = reportTo(out)
  softphone.on('error', report)
  const welcome = await blaming(connect(softphone), { device: '--device', note: '--note' })
  const keys = createInterface({ input: shell.stdin })
  try {
    check(welcome, options)
    softphone.on('calls', () => live.draw(picture))
    softphone.on('connection', () => live.draw(picture))
    out.tell({ ...eventOf(welcome), event: 'registered' }, ...welcomeLines(welcome, out))
    const over = new Promise<void>((resolve, reject) => {
      softphone.on('connection', connection => connection.state === 'closed' && reject(connection.error))
      const follow = (call: Call) => {
        attend(call, options, out, report)
        if (options.once) call.over.then(() => resolve())
      }
      softphone.on('invite', follow)
      softphone.on('restored', follow)
      keys.on('line', typed => {
        out.typed()
        press(softphone, typed, { out, follow, quit: resolve }).catch(report)
      })
    })
    await Promise.race([over, aborted(stop), out.gone])
    return 0
  } finally {
    live.end()
    keys.close()
    shell.stdin.pause()
    await softphone.close()
  }
}

const check = ({ account, device }: Welcome, options: PhoneOptions): void => {
  if (options.account !== undefined && options.account !== account) {
    throw new Failure(1, `--account ${options.account}: the token is for ${account}`)
  }
  if (device === null) throw new Failure(1, '--token: it lacks the permission presence:register')
}

const welcomeLines = ({ tenant, account, device, groups, canReceive }: Welcome, out: Output) => [
  line(
    green('registered'),
    ' as ',
    bold(`${account}/${device}`),
    ` of ${tenant}`,
    groups.length === 0 ? ', in no group' : `, in ${groups.join(', ')}`,
  ),
  ...(canReceive ? [] : [line(yellow('receives no calls'), ': the token lacks the permission call:receive')]),
  ...(out.live ? keyHelp.map(text => line(dim(text))) : []),
]

const selfLine = (self: Self): Line => {
  const { override, until, devices } = self
  return line(
    'you are ',
    standing(self),
    override === 'none' ? '' : `, set for all devices${until === null ? '' : ` until ${until}`}`,
    dim(`: ${devices.map(({ device, status }) => `${device} ${status}`).join(', ')}`),
  )
}

/** How each call stands. */
const callLines = ({ calls }: Softphone): Line[] =>
  calls.map(({ state, direction, facts: { from, to } }) =>
    line('  ', (looks[state] ?? dim)(state), direction === 'incoming' ? ` from ${from}` : ` to ${to}`),
  )

const looks: Readonly<Record<string, (text: string) => Piece>> = {
  connected: green,
  answered: green,
  cancel: yellow,
  ended: bold,
}

/** Tells what becomes of a call, and does with it what the options say. */
const attend = (
  call: Call,
  { auto, hangupAfter }: PhoneOptions,
  out: Output,
  report: (error: unknown) => void,
): void => {
  const timers = new Set<NodeJS.Timeout>()
  const later = (delayMs: number, act: () => Promise<void>): void => {
    timers.add(setTimeout(() => act().catch(report), delayMs))
  }
  for (const type of ['progress', 'connected', 'answered', 'signal', 'cancel', 'ended'] as const) {
    call.on(type, frame => {
      out.tell(eventOf(frame), line('  ', (looks[type] ?? dim)(type), ` ${factsText(frame)}`))
      if (hangupAfter !== undefined && (type === 'connected' || type === 'answered')) {
        later(hangupAfter, () => call.hangup())
      }
    })
  }
  call.over.then(() => timers.forEach(clearTimeout))
  if (call.state !== 'ringing' || call.direction !== 'incoming') return
  const { id, from, to, facts, params } = call
  const { destination, replaces, expiresMs } = facts
  const acts = {
    accept: () => call.accept(),
    reject: () => call.reject(),
    busy: () => call.reject('busy'),
  }
  out.ring()
  out.tell(
    { event: 'invite', call: id, from, to, destination, params, replaces, expiresMs },
    line(
      yellow('ringing'),
      ` ${from} calls ${to} for ${destination}`,
      dim(
        Object.entries(params)
          .map(([name, value]) => `; ${name} ${value}`)
          .join(''),
      ),
    ),
  )
  // Whoever was talked to is still there, only by way of another call.
  if (replaces !== undefined) later(0, () => call.accept())
  else if (auto !== undefined && auto.act !== 'ignore') later(auto.afterMs, acts[auto.act])
}
