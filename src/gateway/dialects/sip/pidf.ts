// Presence as SIP clients write it: PIDF (RFC 3863), with the activities of RPID (RFC 4480) in the person (RFC 4479).
// PIDF itself knows open and closed only. What else the hub knows is an activity that most clients show, `busy` with a
// word more where RPID has none; the note says it for people. Read is more than is written, since clients differ.

import type { Read } from '../../../config.js'
import type { DeviceDeclared, Status } from '../../../protocol/index.js'
import { type Element, readXml } from '../../../runtime/index.js'

const namespaces =
  'xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid"'

/** How each status is said: in PIDF, in RPID and for people. */
const sayings: Readonly<Record<Status, { basic: 'open' | 'closed'; activities: string; label: string }>> = {
  available: { basic: 'open', activities: '', label: 'Available' },
  ringing: { basic: 'open', activities: '<rpid:busy/><rpid:other>ringing</rpid:other>', label: 'Ringing' },
  busy: { basic: 'open', activities: '<rpid:on-the-phone/><rpid:busy/>', label: 'On the phone' },
  away: { basic: 'open', activities: '<rpid:away/>', label: 'Away' },
  dnd: { basic: 'open', activities: '<rpid:busy/><rpid:other>dnd</rpid:other>', label: 'Do not disturb' },
  offline: { basic: 'closed', activities: '', label: 'Offline' },
}

const unwritable = /[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu
const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

const escapeXml = (text: string): string =>
  text.replace(unwritable, '\uFFFD').replace(/[&<>"]/g, mark => entities[mark] as string)

export interface Pidf {
  /** The address it is about. */
  readonly entity: string
  readonly status: Status
  readonly note?: string
  /** Each one's own status beside that of the whole. */
  readonly devices?: readonly { readonly name: string; readonly status: Status }[]
}

const tuple = (id: string, status: Status, note: string): string =>
  `<tuple id="${id}"><status><basic>${sayings[status].basic}</basic></status><note>${escapeXml(note)}</note></tuple>`

export const writePidf = ({ entity, status, note, devices = [] }: Pidf): string => {
  const { activities, label } = sayings[status]
  const tuples = [
    tuple('account', status, note ?? label),
    ...devices.map((device, at) => tuple(`device-${at}`, device.status, device.name)),
  ].join('')
  const person =
    activities === ''
      ? ''
      : `<dm:person id="person"><rpid:activities>${activities}</rpid:activities></dm:person>`
  return `<?xml version="1.0" encoding="UTF-8"?>\n<presence ${namespaces} entity="${escapeXml(entity)}">${tuples}${person}</presence>\n`
}

/** What a client says of itself. */
export interface Told {
  readonly status: DeviceDeclared
  readonly note?: string
}

const occupied = new Set(['busy', 'on-the-phone', 'meeting', 'appointment', 'presentation', 'performance'])
const elsewhere = new Set([
  ...[
    'away',
    'breakfast',
    'dinner',
    'holiday',
    'in-transit',
    'lunch',
    'meal',
    'permanent-absence',
    'playing',
  ],
  ...['shopping', 'sleeping', 'spectator', 'steering', 'travel', 'tv', 'vacation', 'worship'],
])
const undisturbed = /^(?:dnd|do[ -]not[ -]disturb)$/i

const localName = ({ name }: Element): string => name.slice(name.indexOf('}') + 1)

/** Every element within, in the order of the document. */
const within = (element: Element): Element[] => element.children.flatMap(child => [child, ...within(child)])

const statusOf = (basics: readonly string[], activities: readonly string[], note: string): DeviceDeclared => {
  const isAny = (names: ReadonlySet<string>): boolean => activities.some(name => names.has(name))
  if ([...activities, note].some(word => undisturbed.test(word))) return 'dnd'
  if (basics.length > 0 && !basics.includes('open')) return 'offline'
  if (isAny(occupied)) return 'busy'
  return isAny(elsewhere) ? 'away' : 'available'
}

/** Reads what a client published; activities are taken in any version of their namespace, and wherever they stand. */
export const readPidf = (text: string): Read<Told> => {
  const read = readXml(text)
  if (!read.ok) return read
  const root = read.value
  const refused = (message: string): Read<Told> => ({ ok: false, faults: [{ path: root.place, message }] })
  if (root.name !== '{urn:ietf:params:xml:ns:pidf}presence') return refused('is no PIDF document')
  const elements = within(root)
  const named = (name: string): Element[] => elements.filter(element => localName(element) === name)
  const basics = named('basic').map(element => element.text.toLowerCase())
  const activities = named('activities')
    .flatMap(({ children }) => children)
    .flatMap(activity => [localName(activity), activity.text.toLowerCase()])
  if (basics.length === 0 && activities.length === 0) return refused('says no status')
  const note = named('note').find(element => element.text !== '')?.text ?? ''
  return { ok: true, value: { status: statusOf(basics, activities, note), ...(note !== '' && { note }) } }
}
