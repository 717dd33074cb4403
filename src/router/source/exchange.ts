// One instruction document over HTTP: what a voice application is told, and what its answer amounts to. How it is reached, and where no request goes, is the egress room's.

import type { Config } from '../../config.js'
import { createEgress, DocumentCache, type Method, type Network, signed } from '../../egress/index.js'
import type { Bounds } from '../../limits/index.js'
import type { TenantId } from '../../protocol/index.js'
import { type Clock, faultText } from '../../runtime/index.js'
import { documentLimit, type Instructions, type Language, readDocument } from '../instructions/index.js'

/** What is asked for, and with which fields: posted, or with GET as its query. */
export interface Ask {
  /** Whose call it is. */
  readonly tenant: TenantId
  readonly url: URL
  readonly method: Method
  readonly form: URLSearchParams
  /** Signs the requests to the host of `url`; those that a redirect leads to another host are unsigned. */
  readonly authToken: string | undefined
}

/** The number that voice applications know a failure by: the retrieval's, the document's, its type's. */
export type Failure = '11200' | '12100' | '12300'

export type Answer =
  /** `from`: where the document was found in the end. `cached`: it was given before, and nobody was asked again. */
  | {
      readonly ok: true
      readonly instructions: Instructions
      readonly from: string
      readonly cached: boolean
    }
  | { readonly ok: false; readonly failure: Failure; readonly why: string }

export interface Exchange {
  /** Settles within `withinMs`, whatever the other side does. Never rejects. */
  ask(ask: Ask, withinMs: number): Promise<Answer>
  close(): Promise<void>
}

const languages: ReadonlyMap<string, Language> = new Map([
  ['application/xml', 'twiml'],
  ['text/xml', 'twiml'],
  ['application/json', 'json'],
])

const refused = (why: string, failure: Failure): Answer => ({ ok: false, failure, why })

/** The exchange under a configuration's `fetch`. Deadlines are the clock's. */
export const createExchange = (
  fetch: Config['fetch'],
  { clock, bounds, network }: { readonly clock: Clock; readonly bounds: Bounds; readonly network: Network },
): Exchange => {
  const egress = createEgress(fetch, clock, network)
  const cache = new DocumentCache(clock, bounds)
  return {
    ask: async ({ tenant, url: first, method, form, authToken }, withinMs) => {
      const shelf = cache.of(tenant)
      const answer = await egress.ask(
        {
          url: first,
          method,
          shelf,
          limit: documentLimit,
          wants: type => languages.has(type),
          say: signed(first, { form }, authToken),
        },
        withinMs,
      )
      if (!answer.ok) {
        return answer.unwanted
          ? refused(`${answer.why}, which is neither XML nor JSON`, '12300')
          : refused(answer.why, '11200')
      }
      const document = readDocument(answer.bytes, languages.get(answer.type))
      if (document.ok) {
        return { ok: true, instructions: document.value, from: answer.from, cached: answer.cached }
      }
      // Whatever it says of itself: once it is mended, the next call is to find it so.
      shelf.forget(answer.from)
      const faults = document.faults.map(faultText).join('; ')
      return refused(`answered with a document that fails: ${faults}`, '12100')
    },
    close: () => egress.close(),
  }
}
