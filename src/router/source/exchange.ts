// One instruction document over HTTP: what a voice application is told, with the signature that shows who asks, and
// what its answer amounts to. How it is reached, and where no request goes, is the egress room's.

import type { Config } from '../../config.js'
import { type Connect, createEgress, type Method } from '../../egress/index.js'
import { type Clock, faultText } from '../../runtime/index.js'
import { documentLimit, type Instructions, type Language, readDocument } from '../instructions/index.js'
import { signatureOf } from './form.js'

/** What is asked for, and with which fields: posted, or with GET as its query. */
export interface Ask {
  readonly url: URL
  readonly method: Method
  readonly form: URLSearchParams
  /** Signs the requests to the host of `url`; those that a redirect leads to another host are unsigned. */
  readonly authToken: string | undefined
}

/** The number that voice applications know a failure by: the retrieval's, the document's, its type's. */
export type Failure = '11200' | '12100' | '12300'

export type Answer =
  /** `from`: where the document was found in the end. */
  | { readonly ok: true; readonly instructions: Instructions; readonly from: string }
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
export const createExchange = (fetch: Config['fetch'], clock: Clock, connect?: Connect): Exchange => {
  const egress = createEgress(fetch, clock, connect)
  return {
    ask: async ({ url: first, method, form, authToken }, withinMs) => {
      const answer = await egress.ask(
        {
          url: first,
          method,
          limit: documentLimit,
          wants: type => languages.has(type),
          say(hop) {
            const posted = hop.method === 'POST' ? form : undefined
            return {
              headers: {
                ...(posted && { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }),
                ...(authToken !== undefined &&
                  hop.url.host === first.host && {
                    'x-twilio-signature': signatureOf(authToken, hop.url, posted),
                  }),
              },
              ...(posted && { body: posted.toString() }),
            }
          },
        },
        withinMs,
      )
      if (!answer.ok) {
        return answer.unwanted
          ? refused(`${answer.why}, which is neither XML nor JSON`, '12300')
          : refused(answer.why, '11200')
      }
      const document = readDocument(answer.bytes, languages.get(answer.type))
      return document.ok
        ? { ok: true, instructions: document.value, from: answer.from }
        : refused(
            `answered with a document that fails: ${document.faults.map(faultText).join('; ')}`,
            '12100',
          )
    },
    close: () => egress.close(),
  }
}
