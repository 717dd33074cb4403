// The hub's own language: one JSON object a message. A presence frame is one object for all its readers, so its
// message is made once and shared, for as long as anyone holds the frame.

import { decode, type HubFrame } from '../../protocol/index.js'
import { type Message, messageOf } from '../outlet.js'
import type { Dialect, Translator } from './dialect.js'

/** The native protocol, version 1. */
export const native = (): Dialect => {
  const shared = new WeakMap<HubFrame, readonly Message[]>()
  const share = (frame: HubFrame): readonly Message[] => {
    let messages = shared.get(frame)
    if (messages === undefined) {
      messages = [messageOf(JSON.stringify(frame))]
      shared.set(frame, messages)
    }
    return messages
  }
  const translator: Translator = {
    read: text => [decode(text)],
    write: frame => (frame.type === 'presence' ? share(frame) : [messageOf(JSON.stringify(frame))]),
  }
  return { path: '/v1/socket', subprotocols: ['switchhook.v1'], confirms: true, open: () => translator }
}
