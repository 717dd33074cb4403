// The door of the presence room.

export { Automaton, type State } from './automaton.js'
export type { Link, Reader } from './link.js'
export { createPresence } from './local-presence.js'
export type {
  Arrival,
  Attachment,
  Hold,
  Page,
  Presence,
  Query,
  Release,
  Subscriptions,
} from './presence.js'
export { severalOf } from './several.js'
