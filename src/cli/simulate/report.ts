// A simulation as people read it: how it stands while it runs, and what came of it in the end.

import { bold, dim, green, type Line, line, type Piece, red, table, yellow } from '../text.js'
import type { Figure, Forecast } from './forecast.js'
import type { Quantiles } from './samples.js'
import type { Counter, Summary, Tally } from './tally.js'

const sum = (counter: Counter): number => Object.values(counter).reduce((all, one) => all + one, 0)

/** `busy 3, no-answer 1`. */
const kinds = (counter: Counter): string =>
  Object.entries(counter)
    .map(([kind, times]) => `${kind} ${times}`)
    .join(', ')

/** `820 ms`, `1.25 s`, `3.5 min`, `8.0 h`; a dash where nothing was measured. */
const time = (ms: number | null): string => {
  if (ms === null) return '-'
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 120_000) return `${(ms / 1000).toFixed(2)} s`
  return ms < 7_200_000 ? `${(ms / 60_000).toFixed(1)} min` : `${(ms / 3_600_000).toFixed(1)} h`
}

/** A round time: `500 ms`, `20 s`, `5 min`. */
const round = (ms: number): string => {
  if (ms < 1000) return `${ms} ms`
  return ms % 60_000 === 0 ? `${ms / 60_000} min` : `${ms / 1000} s`
}

/** How it stands, for programs. */
export const progress = (tally: Tally, elapsedMs: number) => {
  const { placed, open, answered, unanswered, refused, connections, faultCount } = tally
  const { canceled: abandoned = 0, ...others } = unanswered
  return {
    event: 'progress',
    elapsedMs: Math.round(elapsedMs),
    placed,
    open,
    answered,
    abandoned,
    unanswered: sum(others),
    refused: sum(refused),
    online: connections.online,
    faults: faultCount,
  }
}

type Progress = ReturnType<typeof progress>

const sofar = (ms: number): string => (ms < 120_000 ? `${Math.round(ms / 1000)} s` : time(ms))

export const progressLine = ({ elapsedMs, placed, open, faults, ...now }: Progress): Line => {
  const outcomes = (['answered', 'abandoned', 'unanswered', 'refused'] as const).filter(name => now[name] > 0)
  return line(
    dim(sofar(elapsedMs)),
    `  ${[`${placed} placed`, `${open} now`, ...outcomes.map(name => `${now[name]} ${name}`)].join(', ')}`,
    faults === 0 ? '' : red(`, ${faults} faults`),
  )
}

export const progressPicture = (now: Progress, tally: Tally): Line[] => [
  line(bold('simulating'), dim(`  ${sofar(now.elapsedMs)}`)),
  ...table(
    [
      ['phones', `${now.online} of ${tally.phones.length} online`],
      ['calls', `${now.placed} placed, ${now.open} now`],
      ['answered', green(String(now.answered))],
      ['abandoned', String(now.abandoned)],
      ['unanswered', kinds(tally.unanswered) || '0'],
      ['refused', kinds(tally.refused) || '0'],
      ['faults', now.faults === 0 ? '0' : red(String(now.faults))],
    ],
    2,
  ),
]

const share = (part: number, whole: number): string =>
  whole === 0 ? '' : `${((100 * part) / whole).toFixed(1)} %`

const outcomes = ({ calls }: Summary): Line[] => {
  const { placed, answered, abandoned, unanswered, refused, ended } = calls
  const row = (name: string, number: number, told: Piece): Piece[] => [
    name,
    String(number),
    share(number, placed),
    told,
  ]
  return table(
    [
      row('answered', answered, dim(kinds(ended))),
      row('abandoned', abandoned, dim(abandoned === 0 ? '' : 'the caller gave up first')),
      row('unanswered', sum(unanswered), dim(kinds(unanswered))),
      row('refused', sum(refused), dim(kinds(refused))),
    ],
    2,
  )
}

const times = ({ lagMs, dispatchMs, waitMs, ringMs, talkMs }: Summary, virtual: boolean): Line[] => {
  const row = (name: string, { median, p90, p99, max }: Quantiles, told: string): Piece[] => [
    name,
    ...[median, p90, p99, max].map(time),
    dim(told),
  ]
  return table(
    [
      ['', dim('median'), dim('p90'), dim('p99'), dim('longest'), ''],
      ...(virtual ? [] : [row('lag', lagMs, 'behind the script, by this machine')]),
      row('dispatch', dispatchMs, 'until the first phone rings'),
      row('wait', waitMs, 'until the answer'),
      row('ring', ringMs, 'from the first ring to the answer'),
      row('talk', talkMs, 'from the answer to the end'),
    ],
    2,
  )
}

const percent = (share: number | null): string => (share === null ? '-' : `${(100 * share).toFixed(1)} %`)

/** What a support line is judged by. */
const service = ({ serviceLevel, waitMs, occupancy }: Summary): Line[] =>
  table(
    [
      ['service level', percent(serviceLevel.share), dim(`answered within ${round(serviceLevel.withinMs)}`)],
      ['speed of answer', time(waitMs.mean), dim('on average, of those that were answered')],
      ['occupancy', percent(occupancy), dim('of their time signed in people were taken')],
    ],
    2,
  )

export interface SummaryStyle {
  /** Whether it took place in virtual time, in which this machine is never late. */
  readonly virtual: boolean
  /** Columns. */
  readonly width: number
  /** What bars are made of. */
  readonly bar: string
}

/** How many had waited how long, as bars: the longest takes what the numbers leave of the width. */
const drawing = ({ waits, waitMs }: Summary, { width, bar }: SummaryStyle): Line[] => {
  if (waits.length === 0) return []
  const most = Math.max(...waits.map(({ count }) => count))
  const rows = waits.map(({ toMs, count }) => {
    const span = `to ${toMs === null ? time(waitMs.max) : round(toMs)}`
    return { span, count: String(count), share: count / most }
  })
  const taken = (what: 'span' | 'count'): number => Math.max(...rows.map(row => row[what].length))
  const room = Math.max(1, width - taken('span') - taken('count') - 8)
  return [
    line('  answered after'),
    ...table(
      rows.map(({ span, count, share }) => [span, count, green(bar.repeat(Math.ceil(share * room)))]),
      4,
    ),
  ]
}

const formulas = { 'erlang-b': 'Erlang B', 'erlang-c': 'Erlang C' } as const

/** What was to be expected, beside what came. */
const expected = (forecast: Forecast): Line[] => {
  if (forecast.formula === null) return [line(dim(`  no forecast by Erlang: ${forecast.because}`))]
  const { formula, people, erlangs } = forecast
  const row = (name: string, show: (value: number) => string, { expected, measured, halfWidth }: Figure) => [
    name,
    show(expected),
    measured === null ? '-' : show(measured),
    halfWidth === null ? dim('too few calls to say') : `± ${show(halfWidth)}`,
  ]
  const rows =
    formula === 'erlang-b'
      ? [row('busy', percent, forecast.busy)]
      : [
          row('waiting', percent, forecast.waiting),
          row('wait until rung', time, forecast.waitMs),
          row('service level', percent, forecast.serviceLevel),
        ]
  return [
    line(`  ${formulas[formula]}: ${erlangs} erlangs, ${people} people`),
    ...table([['', dim('expected'), dim('here'), dim('at 99 %')], ...rows], 4),
  ]
}

const spread = (values: readonly number[]): string => {
  const sorted = [...values].sort((a, b) => a - b)
  return `${sorted[0]} to ${sorted.at(-1)}, median ${sorted[sorted.length >> 1]}`
}

const verdict = ({ ok, faults, faultCount }: Summary): Line[] =>
  ok
    ? [line(green('every call had exactly one end, and none was left open'))]
    : [
        ...faults.map(fault => line(red('fault'), ` ${fault}`)),
        line(red(`${faultCount} rules were broken`), dim(`; the first ${faults.length} are told`)),
      ]

/** What came of it. */
export const summaryLines = (
  summary: Summary & { readonly erlang: Forecast },
  style: SummaryStyle,
): Line[] => {
  const { seed, tookMs, calls, phones, connections, errors } = summary
  const { lost, resumed, renewed, signedOut } = connections
  const perPhone = (what: 'offered' | 'answered'): string => spread(phones.map(phone => phone[what]))
  return [
    line(bold(`${calls.placed} calls to ${phones.length} phones in ${time(tookMs)}`), dim(`, seed ${seed}`)),
    ...outcomes(summary),
    ...times(summary, style.virtual),
    ...service(summary),
    ...drawing(summary, style),
    ...expected(summary.erlang),
    line('  a phone was offered ', perPhone('offered'), ' calls, and answered ', perPhone('answered')),
    ...(lost === 0
      ? []
      : [line(`  connections: ${lost} lost, ${resumed} sessions resumed, ${renewed} begun anew`)]),
    ...(signedOut === 0 ? [] : [line(`  shifts: people signed out ${signedOut} times`)]),
    ...(sum(errors) === 0 ? [] : [line(yellow('  errors'), ` ${kinds(errors)}`)]),
    ...verdict(summary),
  ]
}
