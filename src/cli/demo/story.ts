// What a call's timeline says, as steps of the story. Lines that say what another step shows are left out.

import type { CallView } from '../../client/index.js'
import { bold, green, type Piece, yellow } from '../text.js'
import type { Narrator } from './narrator.js'

type Entry = NonNullable<CallView['timeline']>[number]

const list = (value: unknown): string => (value as readonly string[]).join(', ')

const device = ({ account, device }: Entry): string => `${account}/${device}`

/** The label of an event, and what it says. */
const steps: Readonly<Record<string, (entry: Entry) => readonly [string, ...Piece[]]>> = {
  dial: ({ to }) => ['destination', `the instructions dial `, bold(list(to))],
  picked: ({ destination, status, version, candidates, strategy }) => [
    'picked',
    `${destination} is ${status} (version ${version} of its presence); `,
    ...((candidates as unknown[]).length === 0
      ? [yellow('nobody to ring')]
      : ['to ring: ', bold(list(candidates)), ` (${strategy})`]),
  ],
  'not-rung': ({ accounts, reason }) => ['not rung', `${list(accounts)}: `, yellow(String(reason))],
  ringing: entry => ['ringing', device(entry)],
  'timed-out': entry => ['no answer', yellow(device(entry))],
  answered: entry => ['answered', 'by ', green(device(entry))],
  dialled: ({ outcome }) => ['dialled', `ended ${outcome}; on to the next verb`],
  redirect: ({ url }) => ['redirect', `to ${url}`],
  ended: ({ reason }) => ['ended', bold(String(reason))],
}

/** Tells one line of a call's timeline. */
export const tellEntry = (narrator: Narrator, call: string, entry: Entry): void => {
  const [label, ...pieces] = steps[entry.event]?.(entry) ?? []
  if (label !== undefined) narrator.step('timeline', { call, entry }, label, ...pieces)
}

/** Who was rung, in this order, each person once. */
export const rungIn = ({ timeline = [] }: CallView): string[] => [
  ...new Set(timeline.filter(({ event }) => event === 'offered').map(({ account }) => String(account))),
]

/** The devices that were offered the call. */
export const offeredIn = ({ timeline = [] }: CallView): string[] =>
  timeline.filter(({ event }) => event === 'offered').map(device)

/** Why each of the others was not rung. */
export const notRungIn = ({ timeline = [] }: CallView): Record<string, string> =>
  Object.fromEntries(
    timeline
      .filter(({ event }) => event === 'not-rung')
      .flatMap(({ accounts, reason }) => (accounts as string[]).map(account => [account, String(reason)])),
  )
