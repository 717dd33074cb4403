// Phones and callers at a hub's core in the same process: what the SDK and the socket do elsewhere is done here by
// calling it, so that a day of a support line takes seconds. Each hears what happens in a turn of its own, as behind a
// socket, never within the call that made it happen.

import { SwitchhookError } from '../../client/index.js'
import type { Core, CoreCall, CorePhone } from '../../core.js'
import type { Result } from '../../errors.js'
import { type Carrier, followed } from './carrier.js'
import type { Handset, HandsetEvents, OpenHandset, PhoneCall, SignedIn, Who } from './handset.js'
import { promised } from './promised.js'
import type { Register } from './simulation.js'

type HubFrame = Parameters<Parameters<Core['phone']>[1]>[0]
type Invite = Extract<HubFrame, { type: 'invite' }>
type CallFrame = Parameters<Parameters<Core['place']>[1]>[0]

/** What was granted; throws what was refused. */
const granted = <T>(result: Result<T>): T => {
  if (result.ok) return result.value
  throw new SwitchhookError(result.code, result.message)
}

class InnerCall implements PhoneCall {
  readonly id: string
  readonly params: Readonly<Record<string, string>>
  readonly #connected = promised<boolean>()
  readonly #over = promised<void>()
  readonly #invite: Invite
  readonly #phone: CorePhone

  constructor(invite: Invite, phone: CorePhone) {
    this.id = invite.call
    this.params = invite.params
    this.#invite = invite
    this.#phone = phone
  }

  get connected(): Promise<boolean> {
    return this.#connected.promise
  }

  get over(): Promise<void> {
    return this.#over.promise
  }

  /** What the hub says of it. */
  hear(type: HubFrame['type']): void {
    this.#connected.resolve(type === 'connected')
    if (type !== 'connected') this.#over.resolve()
  }

  async accept(): Promise<void> {
    granted(this.#phone.accept(this.#invite.call))
  }

  async reject(reason: 'declined' | 'busy'): Promise<void> {
    granted(this.#phone.reject(this.#invite.call, reason))
  }

  async hangup(): Promise<void> {
    granted(this.#phone.hangup(this.#invite.call))
  }
}

const ofCalls: ReadonlySet<HubFrame['type']> = new Set(['connected', 'cancel', 'ended'])

class InnerHandset implements Handset {
  readonly #core: Core
  readonly #group: string
  readonly #who: Who
  readonly #events: HandsetEvents
  readonly #calls = new Map<string, InnerCall>()
  #phone: CorePhone | undefined

  constructor(core: Core, group: string, who: Who, events: HandsetEvents) {
    this.#core = core
    this.#group = group
    this.#who = who
    this.#events = events
  }

  async connect(): Promise<SignedIn> {
    const phone = granted(
      this.#core.phone({ ...this.#who, groups: [this.#group] }, frame => {
        if (frame.type === 'invite') queueMicrotask(() => this.#ring(frame, phone))
        else if (ofCalls.has(frame.type)) queueMicrotask(() => this.#hear(frame))
      }),
    )
    this.#phone = phone
    this.#events.online('new')
    return { groups: phone.groups }
  }

  get calls(): readonly PhoneCall[] {
    return [...this.#calls.values()]
  }

  async rest(): Promise<void> {
    ;(this.#phone as CorePhone).rest()
  }

  async close(): Promise<void> {
    this.#phone?.leave()
  }

  /** There is no connection that could be lost. */
  cut(): void {}

  #ring(invite: Invite, phone: CorePhone): void {
    const call = new InnerCall(invite, phone)
    this.#calls.set(invite.call, call)
    phone.ringing(invite.call)
    this.#events.invite(call)
  }

  #hear(frame: HubFrame): void {
    const { type, call: id } = frame as Extract<HubFrame, { call: string }>
    const call = this.#calls.get(id) as InnerCall
    call.hear(type)
    if (type !== 'connected') this.#calls.delete(id)
  }
}

/** Phones that sign in to `core`, and join this group. */
export const innerHandsets =
  (core: Core, group: string): OpenHandset =>
  (who, events) =>
    new InnerHandset(core, group, who, events)

/** What becomes of one call, for its caller. What is heard before the call is followed is kept until then. */
interface News {
  hear: (frame: CallFrame) => void
  readonly early: CallFrame[]
}

/** Calls that are placed at `core`. */
export const innerCarrier = (core: Core): Carrier => {
  const lines = new Map<string, { readonly call: CoreCall; readonly news: News }>()
  const lineOf = (id: string) => lines.get(id) as { readonly call: CoreCall; readonly news: News }
  return {
    open: async () => {},
    async place({ to, from, params }) {
      const early: CallFrame[] = []
      const news: News = { early, hear: frame => early.push(frame) }
      const call = granted(core.place({ to, from, params }, frame => news.hear(frame)))
      lines.set(call.id, { call, news })
      return { call: call.id }
    },
    follow(id, hear) {
      const { news } = lineOf(id)
      const over = promised<void>()
      news.hear = frame => {
        hear(frame.type, frame)
        if (frame.type === 'ended') over.resolve()
      }
      for (const frame of news.early) news.hear(frame)
      return followed(over.promise, () => lines.delete(id))
    },
    hangup: async id => {
      granted(lineOf(id).call.hangup())
    },
    close: async () => {},
  }
}

/** What the core itself says of its calls. */
export const innerRegister = (core: Core): Register => ({
  calls: async query => granted(await core.calls(query)),
})
