// What a translator of the voice SDK's language remembers of its connection: who is there, what was asked and waits
// for its reply, how far what was written has arrived, and the calls. It says nothing itself.

import { randomUUID } from 'node:crypto'
import {
  type AccountId,
  type DeviceId,
  frameOf,
  type HubFrame,
  type HubFrames,
  type SessionId,
  type TenantId,
} from '../../../protocol/index.js'
import type { Message } from '../../outlet.js'
import type { Heard, Line } from '../dialect.js'
import { VoiceCalls } from './calls.js'

/** What is said once the reply to a frame is there. */
export type Answer = (reply: HubFrame) => readonly Message[]

/** The reply is of no interest to the client. */
export const unsaid: Answer = () => []

export class Conversation {
  readonly line: Line
  calls = new VoiceCalls()
  /** What the translator remembered that it goes on for. */
  earlier: Conversation | undefined
  /** The last number that one wrote, if its session goes on. */
  before = 0
  /** The token that was heard last; undefined: none yet. */
  token: string | undefined
  client = 'voice-sdk'
  /** One for each connection, unless the token or a call that is taken up names another. */
  device = `voice-${randomUUID()}` as DeviceId
  session = '' as SessionId
  tenant = '' as TenantId
  account = '' as AccountId
  canReceive = false
  registered = false
  /** The calls that are to be taken up, while the session that has them is asked for. */
  claimed: string[] | undefined
  readonly #waiting = new Map<string, Answer>()
  #refs = 0
  /** The number of the last frame about a call that was written. */
  written = 0
  #arriving = 0
  #unechoed = 0

  constructor(line: Line) {
    this.line = line
  }

  /** A frame of the client that stands for `text`, and what to say to its reply. */
  ask(frame: object, text: string, answer: Answer): Heard {
    const ref = String(++this.#refs)
    this.#waiting.set(ref, answer)
    return frameOf({ ...frame, ref }, text)
  }

  /** What to say to a reply; undefined where it answers nothing that was asked. */
  answerTo(ref: string): Answer | undefined {
    const answer = this.#waiting.get(ref)
    this.#waiting.delete(ref)
    return answer
  }

  /** A session begins, or goes on with its calls: its numbers are its own. */
  begin({ resumed, session, tenant, account, device, canReceive }: HubFrames['welcome']): void {
    this.session = session
    this.tenant = tenant
    this.account = account
    this.device = device ?? this.device
    this.canReceive = canReceive
    this.written = 0
    this.#arriving = 0
    if (resumed && this.earlier) {
      this.calls = this.earlier.calls
      this.before = this.earlier.written
    }
  }

  /** A sign of life is asked for: its echo says that all before it has arrived. */
  beat(): void {
    if (this.#unechoed++ === 0) this.#arriving = this.written
  }

  /** The last number that has arrived, now that an echo is here; 0: none. */
  echoed(): number {
    if (this.#unechoed > 0) this.#unechoed--
    return this.#arriving
  }
}
