// What answers a client's frame, where it is not refused: one table, for the types of the SDK and for whoever reads
// the protocol. A frame without an answer of its own gets `ok` if it has a `ref`.

import type { ClientFrameType } from './client-frames.js'
import type { HubFrames } from './hub-frames.js'

export const replies = {
  hello: 'welcome',
  status: 'ok',
  wrapup: 'ok',
  subscribe: 'ok',
  unsubscribe: 'ok',
  presence: 'resources',
  token: 'ok',
  place: 'placed',
  ringing: null,
  accept: 'ok',
  reject: 'ok',
  hangup: 'ok',
  transfer: 'ok',
  signal: 'ok',
  performed: 'ok',
  ack: null,
  ping: 'pong',
  leave: null,
} as const satisfies Record<ClientFrameType, keyof HubFrames | null>
