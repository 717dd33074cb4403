// A simulation as people read it: how it stands while it runs, and what came of it in the end.

import { bold, dim, green, type Line, line, type Piece, red, table, yellow } from '../text.js'
import type { Quantiles } from './samples.js'
import type { Counter, Summary, Tally } from './tally.js'

const sum = (counter: Counter): number => Object.values(counter).reduce((all, one) => all + one, 0)

/** `busy 3, no-answer 1`. */
const kinds = (counter: Counter): string =>
  Object.entries(counter)
    .map(([kind, times]) => `${kind} ${times}`)
    .join(', ')

/** `820 ms`, `1.25 s`; a dash where nothing was measured. */
const time = (ms: number | null): string => {
  if (ms === null) return '-'
  return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(2)} s`
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

const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`

export const progressLine = ({ elapsedMs, placed, open, faults, ...now }: Progress): Line => {
  const outcomes = (['answered', 'abandoned', 'unanswered', 'refused'] as const).filter(name => now[name] > 0)
  return line(
    dim(seconds(elapsedMs)),
    `  ${[`${placed} placed`, `${open} now`, ...outcomes.map(name => `${now[name]} ${name}`)].join(', ')}`,
    faults === 0 ? '' : red(`, ${faults} faults`),
  )
}

export const progressPicture = (now: Progress, tally: Tally): Line[] => [
  line(bold('simulating'), dim(`  ${seconds(now.elapsedMs)}`)),
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

const times = ({ lagMs, dispatchMs, waitMs, ringMs }: Summary): Line[] => {
  const row = (name: string, { median, p90, p99, max }: Quantiles, told: string): Piece[] => [
    name,
    ...[median, p90, p99, max].map(time),
    dim(told),
  ]
  return table(
    [
      ['', dim('median'), dim('p90'), dim('p99'), dim('longest'), ''],
      row('lag', lagMs, 'behind the script, by this machine'),
      row('dispatch', dispatchMs, 'until the first phone rings'),
      row('wait', waitMs, 'until the answer'),
      row('ring', ringMs, 'from the first ring to the answer'),
    ],
    2,
  )
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
export const summaryLines = (summary: Summary): Line[] => {
  const { seed, tookMs, calls, phones, connections, errors } = summary
  const { lost, resumed, renewed } = connections
  const perPhone = (what: 'offered' | 'answered'): string => spread(phones.map(phone => phone[what]))
  return [
    line(bold(`${calls.placed} calls to ${phones.length} phones in ${time(tookMs)}`), dim(`, seed ${seed}`)),
    ...outcomes(summary),
    ...times(summary),
    line('  a phone was offered ', perPhone('offered'), ' calls, and answered ', perPhone('answered')),
    ...(lost === 0
      ? []
      : [line(`  connections: ${lost} lost, ${resumed} sessions resumed, ${renewed} begun anew`)]),
    ...(sum(errors) === 0 ? [] : [line(yellow('  errors'), ` ${kinds(errors)}`)]),
    ...verdict(summary),
  ]
}
