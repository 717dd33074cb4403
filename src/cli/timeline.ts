// A call's timeline as a table: when, what, whom it was about, and why. Every event and every fact is shown, known
// or not, so that nothing the hub says is lost on the way to whoever asks why a call went where it went.

import type { CallView } from '../client/index.js'
import { bold, green, type Line, type Piece, red, table, yellow } from './text.js'

const looks: Readonly<Record<string, (text: string) => Piece>> = {
  answered: green,
  ended: bold,
  failed: red,
  'instructions-refused': red,
  warning: yellow,
  'not-rung': yellow,
  'timed-out': yellow,
  rejected: yellow,
  'claim-refused': yellow,
  suspect: yellow,
}

const isParty = (value: object): value is { account: string; device: string } =>
  'account' in value && 'device' in value

const show = (value: unknown): string => {
  if (Array.isArray(value)) return value.map(show).join(', ') || 'none'
  if (typeof value !== 'object' || value === null) return String(value)
  return isParty(value) ? `${value.account}/${value.device}` : JSON.stringify(value)
}

/** What heads a line or an event already, or is for machines. */
const apart: ReadonlySet<string> = new Set(['at', 'event', 'type', 'call', 'seq', 'sdp'])

/** What is told without its name, which its event says already: `progress ringing`, `ended completed`. */
const plain: ReadonlySet<string> = new Set(['state', 'reason'])

/** The facts of a timeline's entry, or of a frame: `alice/web`, or the account alone; then the others by their names. */
export const factsText = ({ account, device, ...facts }: { readonly [fact: string]: unknown }): string => {
  const whom = account === undefined ? [] : [device === undefined ? show(account) : show({ account, device })]
  const others = Object.entries(facts).filter(([name]) => !apart.has(name))
  const told = others.map(([name, value]) => (plain.has(name) ? show(value) : `${name} ${show(value)}`))
  return [...whom, ...told].join('; ')
}

/** A frame as an event for programs. */
export const eventOf = <F extends { readonly type: string; readonly ref?: unknown }>({
  type,
  ref: _ref,
  ...facts
}: F) => ({ event: type, ...facts })

/** Seconds since the call came in. */
const since = (at: string, began: string): string =>
  `${((Date.parse(at) - Date.parse(began)) / 1000).toFixed(3).padStart(7)} s`

export const timelineTable = ({ createdAt, timeline = [] }: CallView): Line[] =>
  table(
    timeline.map(entry => [
      since(entry.at, createdAt),
      looks[entry.event]?.(entry.event) ?? entry.event,
      factsText(entry),
    ]),
    2,
  )
