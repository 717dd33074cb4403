// The language of the voice SDK (`@twilio/voice-sdk` 2.18), at `/signal`: what it says becomes frames of the hub's own
// protocol, and the hub's frames become what it understands. It never confirms that it rings; it is present once it
// has registered, not by its connection alone; and it is told to leave, for it would come back at once from a
// connection that the hub has closed.

import type { Dialect, Line, Translator } from '../dialect.js'
import { isLasting } from './codes.js'
import { Conversation } from './conversation.js'
import { echo, hear } from './hearing.js'
import { close } from './phrases.js'
import { say } from './saying.js'

class VoiceTranslator implements Translator {
  readonly #talk: Conversation

  constructor(line: Line) {
    this.#talk = new Conversation(line)
  }

  read(text: string) {
    return hear(this.#talk, text)
  }

  write(frame: Parameters<Translator['write']>[0]) {
    return say(this.#talk, frame)
  }

  asked(): void {
    this.#talk.beat()
  }

  follow(earlier: Translator): void {
    if (!(earlier instanceof VoiceTranslator)) return
    this.#talk.earlier = earlier.#talk
    earlier.#talk.earlier = undefined
  }
}

/** The signalling of the voice SDK, version 1.6. */
export const voice = (): Dialect => ({
  path: '/signal',
  subprotocols: [],
  confirms: false,
  status: 'offline',
  beat: echo,
  parting: refusal => (isLasting(refusal) ? close : undefined),
  open: line => new VoiceTranslator(line),
})
