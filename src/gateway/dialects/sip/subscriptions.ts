// Presence that the client watches (RFC 3856, RFC 6665): each SUBSCRIBE is a dialog of its own, and the hub's `presence`
// frames are its NOTIFYs. One NOTIFY is under way at a time, so a client that is slow hears how things stand, not how
// they came to. What the client may watch the hub says, again at each refresh.

import type { HubFrame, PresenceFrame, Status } from '../../../protocol/index.js'
import type { Timer } from '../../../runtime/index.js'
import { accountOf, tagOf, uriOf } from './address.js'
import { type Agent, contactOf } from './agent.js'
import { refusedBy, statusOf } from './answers.js'
import { Dialog } from './dialogs.js'
import { lifetimeOf } from './lifetimes.js'
import type { Field } from './message.js'
import { writePidf } from './pidf.js'
import { newToken, type ServerTransaction } from './transactions.js'

/** So many subscriptions a client has at once. */
export const subscriptionLimit = 256

interface Subscription {
  readonly tag: string
  readonly destination: string
  readonly dialog: Dialog
  expiresAt: number
  timer: Timer
  /** How things stand, and what was said of that last. */
  state: { readonly status: Status; readonly note: string } | undefined
  told: string
  /** Whether a NOTIFY is under way, and another is due after it. */
  telling: boolean
  due: boolean
}

export class Subscriptions {
  readonly #agent: Agent
  readonly #byTag = new Map<string, Subscription>()

  constructor(agent: Agent) {
    this.#agent = agent
  }

  get size(): number {
    return this.#byTag.size
  }

  /** A SUBSCRIBE: a new one, or one that goes on with what there is. */
  receive(transaction: ServerTransaction): void {
    const agent = this.#agent
    const { headers, uri } = transaction.request
    const event = (headers.get('Event') ?? '').replace(/;.*/s, '').trim()
    if (event !== 'presence') {
      agent.answer(transaction, 489, { headers: [['Allow-Events', 'presence']] })
      return
    }
    const seconds = lifetimeOf(headers.get('Expires'))
    const tag = tagOf(headers.get('To') as string)
    const known = tag === undefined ? undefined : this.#byTag.get(tag)
    if (tag !== undefined) {
      if (known === undefined || known.dialog.callId !== headers.get('Call-ID'))
        agent.answer(transaction, 481)
      else if (!known.dialog.takes(transaction.request)) agent.answer(transaction, 500)
      else this.#watch(transaction, known, seconds)
      return
    }
    const destination = accountOf(uri)
    if (destination === undefined) {
      agent.answer(transaction, 404)
      return
    }
    if (this.#byTag.size >= subscriptionLimit) {
      agent.answer(transaction, 503, { headers: [['Retry-After', '60']] })
      return
    }
    const fresh = newToken()
    const subscription: Subscription = {
      tag: fresh,
      destination,
      dialog: Dialog.begunBy(transaction.request, fresh),
      expiresAt: 0,
      timer: { cancel() {} },
      state: undefined,
      told: '',
      telling: false,
      due: false,
    }
    this.#watch(transaction, subscription, seconds)
  }

  hear({ accounts, destination, kind, status }: PresenceFrame): void {
    for (const subscription of this.#byTag.values()) {
      if (subscription.destination !== destination) continue
      const note = (kind === 'account' && accounts?.[0]?.note) || ''
      subscription.state = { status, note }
      this.#tell(subscription)
    }
  }

  /** The hub has forgotten what the client watches. */
  resume(): void {
    for (const destination of new Set([...this.#byTag.values()].map(each => each.destination))) {
      this.#agent.ask({ type: 'subscribe', destinations: [destination] })
    }
  }

  /** Asks the hub, and says how that went. */
  #watch(transaction: ServerTransaction, subscription: Subscription, seconds: number): void {
    const agent = this.#agent
    const { destination, tag } = subscription
    agent.ask({ type: 'subscribe', destinations: [destination] }, reply => {
      const refused = refusedBy(reply) ?? refusalIn(reply)
      if (refused !== undefined) {
        agent.answer(transaction, refused)
        return this.#end(subscription, 'rejected')
      }
      this.#byTag.set(tag, subscription)
      subscription.timer.cancel()
      subscription.expiresAt = agent.wall() + seconds * 1000
      subscription.told = ''
      agent.answer(transaction, 200, { tag, headers: [contactOf(agent), ['Expires', String(seconds)]] })
      // One that ends at once still hears once how things stand.
      subscription.timer = agent.agenda.after(seconds * 1000, () => this.#end(subscription, 'timeout'))
    })
  }

  #tell(subscription: Subscription): void {
    const body = this.#document(subscription)
    if (body === subscription.told) return
    subscription.due = subscription.telling
    if (subscription.telling) return
    subscription.told = body
    const left = Math.ceil((subscription.expiresAt - this.#agent.wall()) / 1000)
    this.#notify(subscription, `active;expires=${Math.max(0, left)}`, body)
  }

  /** It is over: whoever was told of it is told that. */
  #end(subscription: Subscription, reason: string): void {
    if (!this.#forget(subscription)) return
    this.#notify(subscription, `terminated;reason=${reason}`, this.#document(subscription))
  }

  #forget({ destination, tag, timer }: Subscription): boolean {
    timer.cancel()
    const known = this.#byTag.delete(tag)
    const others = [...this.#byTag.values()].some(each => each.destination === destination)
    if (known && !others) this.#agent.ask({ type: 'unsubscribe', destinations: [destination] })
    return known
  }

  #notify(subscription: Subscription, state: string, body: string): void {
    const fields: Field[] = [
      ['Event', 'presence'],
      ['Subscription-State', state],
      contactOf(this.#agent),
      ['Content-Type', 'application/pidf+xml'],
    ]
    subscription.telling = true
    this.#agent.transactions.request(subscription.dialog.request('NOTIFY', fields, body), response => {
      if (response.status < 200) return
      subscription.telling = false
      if (response.status >= 300) this.#forget(subscription)
      else if (subscription.due && this.#byTag.has(subscription.tag)) {
        subscription.due = false
        this.#tell(subscription)
      }
    })
  }

  #document({ destination, state = { status: 'offline', note: '' } }: Subscription): string {
    const { note, status } = state
    const entity = uriOf(destination, this.#agent.domain)
    return writePidf({ entity, status, ...(note !== '' && { note }) })
  }
}

/** Why the one destination of a `subscribe` is not watched. */
const refusalIn = (reply: HubFrame): number | undefined => {
  const [refused] = (reply as { refused: readonly { code: string }[] }).refused
  return refused && statusOf(refused.code)
}
