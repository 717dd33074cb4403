// Where a call's instructions come from when they are needed: at hand, or asked of a voice application, and of the
// fallback if the first gives nothing usable. All attempts share one budget of time, so a call that waits for its
// instructions knows within it what they are, or why there are none.

import type { Config } from '../../config.js'
import { addressed, locate, type Network, shown } from '../../egress/index.js'
import { Bounds } from '../../limits/index.js'
import type { Clock } from '../../runtime/index.js'
import type { InstructionSource, Instructions, Method } from '../instructions/index.js'
import { type Answer, createExchange } from './exchange.js'
import { formOf, type InstructionRequest } from './form.js'

/** A URL that was asked in vain, without its query (which may hold secrets), and why. */
export interface Attempt {
  readonly url: string
  readonly why: string
}

export type Retrieved =
  | {
      readonly ok: true
      readonly value: Instructions
      /** The document's own address, which relative URLs in it begin at; of one at hand, what to call it. */
      readonly from: string
      /** Whether it was given before, and nobody was asked for it again. */
      readonly cached: boolean
      readonly attempts: readonly Attempt[]
    }
  /** `message` says of every attempt why it failed. */
  | { readonly ok: false; readonly message: string; readonly attempts: readonly Attempt[] }

export interface Source {
  /** Settles within the configured `fetch.timeoutMs`. Never rejects. */
  retrieve(source: InstructionSource, request: InstructionRequest): Promise<Retrieved>
  /** Gives up what is under way. */
  close(): Promise<void>
}

/** The share of the time that the first URL may take where there is another to ask. */
const firstShare = 0.6

/** The sources of instructions under a configuration's `fetch`. */
export const createSource = ({
  fetch,
  clock,
  bounds = new Bounds(),
  network = {},
}: {
  readonly fetch: Config['fetch']
  readonly clock: Clock
  /** Default: the documented limits. */
  readonly bounds?: Bounds
  readonly network?: Network
}): Source => {
  const exchange = createExchange(fetch, { clock, bounds, network })

  const ask = async (
    text: string,
    method: Method,
    request: InstructionRequest,
    failed: Readonly<Record<string, string>>,
    withinMs: number,
  ): Promise<Answer> => {
    const located = locate(text, request.base)
    if (!located.ok) return { ok: false, failure: '11200', why: located.message }
    const form = formOf(request, failed)
    const url = addressed({ url: located.value, method }, form)
    const { tenant, authToken } = request
    return exchange.ask({ tenant, url, method, form, authToken }, withinMs)
  }

  return {
    retrieve: async (source, request) => {
      if (source.kind === 'inline') {
        return { ok: true, value: source.instructions, from: source.from, cached: false, attempts: [] }
      }
      const { url, method, fallbackUrl } = source
      const until = clock.now() + fetch.timeoutMs
      const attempts: Attempt[] = []
      let failed = {}
      for (const each of fallbackUrl === undefined ? [url] : [url, fallbackUrl]) {
        const leftMs = Math.ceil(until - clock.now())
        const last = attempts.length > 0 || fallbackUrl === undefined
        const answer = await ask(
          each,
          method,
          request,
          failed,
          last ? leftMs : Math.ceil(leftMs * firstShare),
        )
        if (answer.ok) {
          const { instructions, from, cached } = answer
          return { ok: true, value: instructions, from, cached, attempts }
        }
        attempts.push({ url: shown(each), why: answer.why })
        failed = { ErrorUrl: each, ErrorCode: answer.failure }
      }
      return { ok: false, message: attempts.map(({ url, why }) => `${url} ${why}`).join('; '), attempts }
    },
    close: () => exchange.close(),
  }
}
