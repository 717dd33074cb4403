// Key sets at an address (`jwksUrl`), asked for when a token needs them and kept: fresh for ten minutes, and while
// their server is down as good as the last answer for a day. Whatever tokens come, a server is asked once in a
// cool-down, and a key that was good lately makes nobody wait for a slow one. Sets outlive a change of configuration.

import type { Config } from '../../config.js'
import { type Connect, createEgress, type Egress, locate, shown } from '../../egress/index.js'
import type { Fault } from '../../errors.js'
import type { Clock, Log } from '../../runtime/index.js'
import { type Jwks, noKeys, readJwks } from './jwks.js'
import type { TokenKey } from './keys.js'

/** Milliseconds, and for `bytes` the largest set that is read. */
export const keySetLimits = {
  freshMs: 10 * 60_000,
  keptMs: 24 * 3_600_000,
  coolDownMs: 30_000,
  answerMs: 5_000,
  /** How long one waits for news whose key is known from before. */
  patienceMs: 1_000,
  bytes: 64 * 1024,
} as const

/** At most so many lines about the keys of one set are logged at a time. */
const loggedLines = 16

/** The keys at one address. */
export interface KeySet {
  /** The key of this `kid`; `undefined` finds the only key of a set with one. Never rejects. */
  find(kid: unknown): Promise<TokenKey | undefined>
}

/** What came of asking for a set: what is in it, and what time it is there; or why it cannot be had. */
export type KeySetNews =
  | {
      readonly ok: true
      /** How many of its keys are of use. */
      readonly usable: number
      /** A line for each of the others. */
      readonly passedOver: readonly string[]
      readonly date: string | undefined
    }
  | { readonly ok: false; readonly why: string }

/** A set that can be asked for whatever is known of it. */
export interface RemoteKeySet extends KeySet {
  /** Never rejects. */
  ask(): Promise<KeySetNews>
}

export interface KeySets {
  /** The tenant's set at this address, or what is wrong with the address. Nothing is asked for yet. */
  of(tenant: string, url: string): RemoteKeySet | Fault
  /** Gives up what is under way. */
  close(): Promise<void>
}

interface Surroundings {
  readonly egress: Pick<Egress, 'ask'>
  readonly clock: Clock
  readonly log: Log
  /** Whether only https will do. */
  readonly secure: boolean
}

class RemoteKeys implements RemoteKeySet {
  readonly #url: URL
  readonly #facts: object
  readonly #around: Surroundings
  #set: Jwks = noKeys
  #freshUntil = Number.NEGATIVE_INFINITY
  #keptUntil = Number.NEGATIVE_INFINITY
  #restUntil = Number.NEGATIVE_INFINITY
  /** An answer under way: `soon` settles with it, or when patience is over. */
  #asking: { readonly answered: Promise<void>; readonly soon: Promise<void> } | undefined

  constructor(tenant: string, url: URL, around: Surroundings) {
    this.#url = url
    this.#facts = { tenant, url: shown(url.href) }
    this.#around = around
  }

  async find(kid: unknown): Promise<TokenKey | undefined> {
    const known = this.#known(kid)
    const now = this.#around.clock.now()
    if (known !== undefined && now < this.#freshUntil) return known
    if (this.#asking === undefined && now >= this.#restUntil) this.#renew()
    await (known === undefined ? this.#asking?.answered : this.#asking?.soon)
    return this.#known(kid)
  }

  #known(kid: unknown): TokenKey | undefined {
    return this.#around.clock.now() < this.#keptUntil ? this.#set.keys.get(kid) : undefined
  }

  #renew(): void {
    const { clock } = this.#around
    this.#restUntil = clock.now() + keySetLimits.coolDownMs
    const answered = this.ask().then(news => {
      this.#asking = undefined
      if (!news.ok)
        this.#around.log.warn({ ...this.#facts, reason: news.why }, 'no key set: the last one holds')
    })
    const impatient = new Promise<void>(resolve => {
      clock.after(keySetLimits.patienceMs, resolve)
    })
    this.#asking = { answered, soon: Promise.race([answered, impatient]) }
  }

  /** Takes the set as it is now. */
  async ask(): Promise<KeySetNews> {
    const { egress, clock, log, secure } = this.#around
    const request = {
      url: this.#url,
      method: 'GET' as const,
      say: () => ({ headers: {} }),
      wants: () => true,
      limit: keySetLimits.bytes,
      secure,
    }
    const answer = await egress.ask(request, keySetLimits.answerMs)
    if (!answer.ok) return answer
    const read = await readJwks(answer.bytes, this.#set)
    if (!read.ok) return { ok: false, why: read.message }
    this.#set = read.value
    this.#freshUntil = clock.now() + keySetLimits.freshMs
    this.#keptUntil = clock.now() + keySetLimits.keptMs
    const { passedOver, byContent } = read.value
    if (passedOver.length > 0) {
      log.warn({ ...this.#facts, keys: passedOver.slice(0, loggedLines) }, 'keys of a set are passed over')
    }
    return { ok: true, usable: byContent.size, passedOver, date: answer.date }
  }
}

/** The key sets of a hub, asked for under its configuration's `fetch`. */
export const createKeySets = (options: {
  readonly fetch: Config['fetch']
  readonly clock: Clock
  readonly log: Log
  readonly connect?: Connect | undefined
}): KeySets => {
  const { fetch, clock, log } = options
  const egress = createEgress(fetch, clock, { connect: options.connect })
  const secure = !fetch.allowPrivate
  // One for each tenant, though two may name the same address: neither then wears out the other's cool-down. One that
  // no configuration names any more asks for nothing.
  const sets = new Map<string, RemoteKeys>()
  return {
    of(tenant, url) {
      const located = locate(url)
      if (!located.ok) return { path: 'jwksUrl', message: located.message }
      if (secure && located.value.protocol !== 'https:')
        return { path: 'jwksUrl', message: 'must be an https URL' }
      const name = `${tenant}\n${located.value.href}`
      const set = sets.get(name) ?? new RemoteKeys(tenant, located.value, { egress, clock, log, secure })
      sets.set(name, set)
      return set
    },
    close: () => egress.close(),
  }
}
