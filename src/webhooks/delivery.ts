// One thing that an application outside is told, and what came of one attempt: a form as voice applications know it, or
// a text in JSON. How it is signed and what is read of an answer is the egress room's; when to try again, the
// receiver's (beside).

import { addressed, digested, type Egress, locate, type Message, signed } from '../egress/index.js'
import type { TenantId } from '../protocol/index.js'
import type { Clock } from '../runtime/index.js'
import type { KeptDelivery } from '../store/index.js'

/** A form, which is kept until it is taken or given up. */
export type Callback = Omit<KeptDelivery, 'at'>

/** A text in JSON, which is kept in memory alone. */
export interface Notice {
  readonly id: string
  readonly tenant: TenantId
  readonly url: string
  readonly json: string
  /** Those of one key go one after the other. */
  readonly key: string
}

/** `at`: when it was handed over, in milliseconds since 1970. */
export type Delivery = (Callback | Notice) & { readonly at: number }

/** What came of one attempt. */
export type Outcome =
  | { readonly taken: true }
  /** `final`: it would be the same again. `retryAfterMs`: by the receiver's own word, 0 for none. */
  | { readonly taken: false; readonly final: boolean; readonly why: string; readonly retryAfterMs: number }

export type Attempt = (delivery: Delivery) => Promise<Outcome>

/** What of an answer is read at most, in bytes, and none of it kept. */
const answerLimit = 64 * 1024

/** A receiver is heeded when it asks for a pause, for so long at most. */
const longestPauseMs = 300_000

/** Refusals that are of the moment; of all others below 500 a repetition makes nothing better. */
const momentary: ReadonlySet<number> = new Set([408, 425, 429])

const isFinal = (status = 500): boolean => status < 500 && !momentary.has(status)

const futile = (why: string): Outcome => ({ taken: false, final: true, why, retryAfterMs: 0 })

/** Retry-After: seconds, or a time of day (RFC 9110, section 10.2.3); what is neither is none. */
const pauseOf = (retryAfter = '', wall: number): number => {
  const ms = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - wall
  return Math.min(longestPauseMs, Math.max(0, ms || 0))
}

const messageOf = (delivery: Delivery): Message =>
  'json' in delivery
    ? { json: delivery.json }
    : { form: new URLSearchParams(Object.entries(delivery.fields)) }

export interface AttemptOptions {
  readonly egress: Egress
  readonly clock: Pick<Clock, 'wall'>
  readonly timeoutMs: number
  /** The tenant as it is configured now; undefined if there is none of that name any more. */
  tenant(name: TenantId): { readonly authToken?: string } | undefined
}

/** Delivers once, within the time. Never rejects. */
export const attemptOver =
  ({ egress, clock, timeoutMs, tenant }: AttemptOptions): Attempt =>
  async delivery => {
    const settings = tenant(delivery.tenant)
    if (settings === undefined) return futile('its tenant is gone')
    const located = locate(delivery.url)
    if (!located.ok) return futile(located.message)
    const message = messageOf(delivery)
    const method = 'json' in delivery ? 'POST' : delivery.method
    const { value: bare } = located
    const url =
      'json' in message ? digested(bare, message.json) : addressed({ url: bare, method }, message.form)
    const say = signed(url, message, settings.authToken)
    const answer = await egress.ask(
      {
        url,
        method,
        tells: true,
        limit: answerLimit,
        wants: Boolean,
        say(hop) {
          const { headers, ...said } = say(hop)
          // The name by which applications of this kind know a repetition.
          return { headers: { ...headers, 'i-twilio-idempotency-token': delivery.id }, ...said }
        },
      },
      timeoutMs,
    )
    if (answer.ok) return { taken: true }
    const { why, status, retryAfter } = answer
    return { taken: false, final: isFinal(status), why, retryAfterMs: pauseOf(retryAfter, clock.wall()) }
  }
