// How groups look to people: a table of all of them, and one with its settings and its members.

import type { GroupSummary, GroupView, MemberView } from '../../client/index.js'
import { bold, dim, type Line, line, type Piece, table, yellow } from '../text.js'

const origin = (changed: boolean): Piece => (changed ? yellow('at run time') : dim('configuration'))
const seconds = (ms: number): string => `${ms / 1000} s`

const summaryRow = ({ group, strategy, open, members, paused, changed }: GroupSummary): Piece[] => [
  group,
  strategy,
  String(members),
  paused === 0 ? '-' : yellow(String(paused)),
  open ? 'yes' : '-',
  origin(changed),
]

export const listLines = (groups: readonly GroupSummary[]): readonly Line[] =>
  groups.length === 0
    ? [line('no groups')]
    : table([['group', 'strategy', 'members', 'paused', 'open', 'said'].map(dim), ...groups.map(summaryRow)])

const memberRow = ({ account, tier, weight, skills, paused }: MemberView): Piece[] => [
  account,
  String(tier),
  String(weight),
  skills.join(' ') || '-',
  paused === undefined ? '-' : yellow(paused),
]

export const groupLines = (view: GroupView): readonly Line[] => {
  const { group, strategy, open, members, ringTimeoutMs, tierDelayMs, wrapupMs, changed } = view
  return [
    line(bold(group), ` ${strategy}${open ? ', open' : ''}, said: `, origin(changed)),
    line(
      dim(
        `rings ${seconds(ringTimeoutMs)}, next tier after ${seconds(tierDelayMs)}, wrap-up ${seconds(wrapupMs)}`,
      ),
    ),
    ...(members.length === 0
      ? [line('no members')]
      : table([['account', 'tier', 'weight', 'skills', 'paused'].map(dim), ...members.map(memberRow)])),
  ]
}
