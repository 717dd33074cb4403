// `switchhook call`: an inbound call as a system outside the platform places it, over HTTP. Shows what the caller is
// told as it comes, and then the timeline: who was rung, who was not, and why. Done when it was answered.

import { Command, Option } from 'commander'
import { type CallView, HubApi, type InboundCall, SwitchhookError } from '../client/index.js'
import { showExplanation } from './call-explain.js'
import { blaming, Failure, misuse } from './failure.js'
import { duration, type HubFlags, hubOf, pair, readText, withHub } from './flags.js'
import type { Start } from './program.js'
import type { Job, Shell } from './shell.js'
import { bold, dim, green, line, type Piece, red } from './text.js'
import { eventOf, factsText, timelineTable } from './timeline.js'

interface CallOptions extends HubFlags {
  readonly to: string
  readonly from: string
  readonly param?: Readonly<Record<string, string>>
  readonly twiml?: string
  readonly instructions?: string
  readonly jsonSteps?: string
  readonly wait: number
  readonly hangupAfter?: number
  readonly explain?: boolean
  readonly fetch?: boolean
  readonly json?: boolean
}

export const callCommand = (start: Start): Command =>
  withHub(
    new Command('call')
      .description('simulate an inbound call, and show what becomes of it')
      .requiredOption('--to <number>', 'the number or name that is called')
      .addOption(new Option('--from <number>', 'who calls').default('+15550199', '+15550199')),
  )
    .option('--param <name=value>', 'what the call brings along; may be repeated', pair)
    .addOption(
      new Option('--instructions <url>', 'where to ask for instructions, in place of the route').conflicts([
        'twiml',
        'jsonSteps',
      ]),
    )
    .addOption(new Option('--twiml <file>', 'instructions in a file of TwiML').conflicts(['jsonSteps']))
    .option('--json-steps <file>', 'instructions in a file of JSON: {"steps": […]}')
    .addOption(
      new Option('--wait <duration>', 'give up when nobody has answered for so long')
        .argParser(duration)
        .default(duration('30s'), '30s'),
    )
    .option('--hangup-after <duration>', 'hang up so long after the answer (default: never)', duration)
    .addOption(
      new Option(
        '--explain',
        'say who would be rung now, and why each other would not; places no call',
      ).conflicts(['param', 'instructions', 'twiml', 'jsonSteps', 'wait', 'hangupAfter']),
    )
    .option('--fetch', 'with --explain: ask the URL of the instructions, too')
    .option('--json', 'one JSON object a line')
    .action((options: CallOptions) => start(options, call))

const instructionsOf = (
  { twiml, instructions, jsonSteps }: CallOptions,
  shell: Shell,
): Pick<InboundCall, 'instructions'> => {
  if (twiml !== undefined) return { instructions: { twiml: readText('--twiml', twiml, shell) } }
  if (jsonSteps === undefined) return { instructions }
  try {
    return { instructions: JSON.parse(readText('--json-steps', jsonSteps, shell)) }
  } catch (error) {
    throw error instanceof Failure ? error : misuse(`--json-steps ${jsonSteps} is not JSON`)
  }
}

/** The flag, and the file, that each field of a call comes from. */
const sourcesOf = ({ twiml, jsonSteps }: CallOptions): Readonly<Record<string, string>> => ({
  'to ': '--to ',
  'from ': '--from ',
  params: '--param',
  ...(twiml !== undefined && { 'instructions.twiml': `--twiml ${twiml}` }),
  ...(jsonSteps !== undefined && { 'instructions.': `--json-steps ${jsonSteps}: ` }),
  instructions: jsonSteps === undefined ? '--instructions' : `--json-steps ${jsonSteps}`,
})

const headlines: Readonly<Record<string, (text: string) => Piece>> = { answered: green, ended: bold }

const call = async (options: CallOptions, { shell, out, stop }: Job): Promise<number> => {
  const { to, from, param: params, wait, hangupAfter } = options
  if (options.fetch && !options.explain) throw misuse('--fetch goes with --explain')
  const api = new HubApi(hubOf(options, shell))
  const sources = sourcesOf(options)
  if (options.explain) {
    return blaming(showExplanation(api, { to, from, fetch: options.fetch === true }, out), sources)
  }
  const asked = { to, from, params, ...instructionsOf(options, shell) }
  const { call: id } = await blaming(api.place(asked), sources)
  out.tell({ event: 'placed', call: id, to, from }, line('call ', bold(id), ` from ${from} to ${to}`))

  // That the call is over by then is no fault.
  const hangUp = () => void api.hangup(id).catch(() => {})
  let timer = setTimeout(hangUp, wait)
  let answered = false
  let over = false
  if (stop.aborted) hangUp()
  stop.addEventListener('abort', hangUp)
  try {
    for await (const { type, data } of api.events(id)) {
      const frame = { ...(data as object), type }
      out.tell(eventOf(frame), line('  ', (headlines[type] ?? dim)(type), ` ${factsText(frame)}`))
      if (type === 'answered') {
        answered = true
        clearTimeout(timer)
        if (hangupAfter !== undefined) timer = setTimeout(hangUp, hangupAfter)
      }
      over ||= type === 'ended'
    }
  } finally {
    clearTimeout(timer)
    stop.removeEventListener('abort', hangUp)
  }
  if (!over) throw new SwitchhookError('disconnected', 'the hub has gone away')
  const view = await api.call(id)
  out.tell({ event: 'call', ...view }, ...summary(view))
  return answered ? 0 : 1
}

const summary = (view: CallView): ReturnType<typeof timelineTable> => {
  const { by, reason, message, timeline } = view
  const ending = `${reason}${message === undefined ? '' : `: ${message}`}`
  const verdict = by === undefined ? red('not answered') : green(`answered by ${by.account}/${by.device}`)
  return [
    ...(timeline === undefined
      ? [line(dim('the timeline is shown to tokens with the permission call:explain'))]
      : timelineTable(view)),
    line(verdict, `; ended ${ending}`),
  ]
}
