// Presence as people read it: a destination with its counts and its people, whole or as one line.

import type { Counts, Resource, Self, Status } from '../client/index.js'
import { bold, cyan, dim, green, type Line, line, type Piece, red, table, yellow } from './text.js'

const looks: Readonly<Record<Status, (text: string) => Piece>> = {
  available: green,
  ringing: cyan,
  busy: yellow,
  away: yellow,
  dnd: red,
  offline: dim,
}

export const statusPiece = (status: Status): Piece => looks[status](status)

/** An account's status, and what it is doing where the status does not say it: `busy (wrapup)`. */
export const standing = ({ status, activity }: Pick<Self, 'status' | 'activity'>): Piece =>
  looks[status](activity === 'free' || activity === status ? status : `${status} (${activity})`)

/** `2 available, 1 busy`: those there are; else `nobody`. */
export const countsText = (counts: Counts): string =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([status, count]) => `${count} ${status}`)
    .join(', ') || 'nobody'

const noteText = (note: string, until: string | null): string =>
  [note, until === null ? '' : `until ${until}`].filter(text => text !== '').join(', ')

/** One destination, with a row for each of its accounts. */
export const picture = ({ destination, status, counts, version, accounts = [] }: Resource): Line[] => [
  line(bold(destination), '  ', statusPiece(status), dim(`  version ${version}  `), countsText(counts)),
  ...table(
    accounts.map(({ account, status, activity, note, until, devices = [] }) => [
      account,
      standing({ status, activity }),
      [...devices.map(({ device, status }) => `${device} ${status}`), noteText(note, until)]
        .filter(text => text !== '')
        .join(', '),
    ]),
    2,
  ),
]

/** One line for one change. */
export const changeLine = ({ destination, status, version, counts, accounts = [] }: Resource): Line =>
  line(
    bold(destination),
    ` ${version} `,
    statusPiece(status),
    `: ${countsText(counts)}`,
    dim(accounts.map(({ account, status }) => `; ${account} ${status}`).join('')),
  )
