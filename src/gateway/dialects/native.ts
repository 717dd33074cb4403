// The hub's own language: one JSON object a message. A frame that goes to thousands of readers is one object,
// so its bytes are made once and shared.

import { decode, type HubFrame } from '../../protocol/index.js'
import type { Dialect, Text, Translator } from './dialect.js'

/** The native protocol, version 1. */
export const native = (): Dialect => {
  let last: HubFrame | undefined
  let texts: readonly Text[] = []
  const translator: Translator = {
    read: text => [decode(text)],
    write(frame) {
      if (frame !== last) {
        last = frame
        texts = [Buffer.from(JSON.stringify(frame))]
      }
      return texts
    },
  }
  return { path: '/v1/socket', subprotocols: ['switchhook.v1'], confirms: true, open: () => translator }
}
