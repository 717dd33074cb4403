// One instruction document over HTTP: redirects are followed here, each hop judged as the first; one retry when a
// connection fails; all of it within the time that is given. An answer is judged by its status, type and size
// before it is read as a document, and every refusal is a value that says why. Nothing is kept of an answer that
// is not wanted, and no proxy is heeded: the address that is judged is the one the answer comes from.

import { Agent } from 'undici'
import type { Config } from '../../config.js'
import { type Clock, faultText } from '../../runtime/index.js'
import {
  documentLimit,
  type Instructions,
  type Language,
  locate,
  type Method,
  plain,
  readDocument,
} from '../instructions/index.js'
import { AddressRefused, guardedConnector } from './address.js'
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

interface Target {
  readonly url: URL
  readonly method: Method
}

const redirectLimit = 3
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/** Those that keep the method; after the others it is GET (RFC 9110, section 15.4). */
const keepMethod: ReadonlySet<number> = new Set([307, 308])

const languages: ReadonlyMap<string, Language> = new Map([
  ['application/xml', 'twiml'],
  ['text/xml', 'twiml'],
  ['application/json', 'json'],
])

const refused = (why: string, failure: Failure = '11200'): Answer => ({ ok: false, failure, why })

/** All of a body, or undefined if it is larger than a document may be; the rest of it is not read. */
const readBody = async (body: AsyncIterable<Uint8Array>): Promise<Uint8Array | undefined> => {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > documentLimit) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** The exchange under a configuration's `fetch`. Deadlines are the clock's. */
export const createExchange = (fetch: Config['fetch'], clock: Clock): Exchange => {
  const agent = new Agent({ connect: guardedConnector(fetch), headersTimeout: 0, bodyTimeout: 0 })
  const hosts = fetch.allowHosts && new Set(fetch.allowHosts.map(host => host.toLowerCase()))
  const allows = (url: URL): boolean => hosts === undefined || hosts.has(url.hostname) || hosts.has(url.host)

  /** One request, and what its answer amounts to. Rejects when the connection fails. */
  const send = async (
    { url, method }: Target,
    { url: first, form, authToken }: Ask,
    signal: AbortSignal,
  ): Promise<Answer | Target> => {
    if (!allows(url)) return refused(`${url.host} is not one of the allowed hosts`)
    const posted = method === 'POST' ? form : undefined
    const { statusCode, headers, body } = await agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method,
      signal,
      headers: {
        'user-agent': 'switchhook',
        accept: '*/*',
        ...(posted && { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }),
        ...(authToken !== undefined &&
          url.host === first.host && { 'x-twilio-signature': signatureOf(authToken, url, posted) }),
      },
      body: posted?.toString() ?? null,
    })

    const { location } = headers
    if (redirects.has(statusCode) && typeof location === 'string') {
      const located = locate(location, url.href)
      if (!located.ok) return refused(`redirects to what ${located.message}`)
      return { url: located.value, method: keepMethod.has(statusCode) ? method : 'GET' }
    }
    if (statusCode < 200 || statusCode > 299) return refused(`answered ${statusCode}`)
    const type = String(headers['content-type'] ?? 'none')
    const language = languages.get(type.replace(/;.*/s, '').trim().toLowerCase())
    if (language === undefined) {
      return refused(`answered with the content type ${plain(type)}, which is neither XML nor JSON`, '12300')
    }
    const bytes = await readBody(body)
    if (bytes === undefined) return refused(`answered with more than ${documentLimit} bytes`)
    const document = readDocument(bytes, language)
    return document.ok
      ? { ok: true, instructions: document.value, from: url.href }
      : refused(`answered with a document that fails: ${document.faults.map(faultText).join('; ')}`, '12100')
  }

  const follow = async (ask: Ask, signal: AbortSignal): Promise<Answer> => {
    let retries = 1
    const persist = async (target: Target): Promise<Answer | Target> => {
      try {
        return await send(target, ask, signal)
      } catch (error) {
        if (retries === 0 || signal.aborted || error instanceof AddressRefused) throw error
        retries -= 1
        return send(target, ask, signal)
      }
    }
    let target: Target = ask
    for (let hops = 0; hops <= redirectLimit; hops++) {
      const answer = await persist(target)
      if ('ok' in answer) return answer
      target = answer
    }
    return refused(`redirects more than ${redirectLimit} times`)
  }

  return {
    ask: async (ask, withinMs) => {
      const over = new AbortController()
      const timer = clock.after(withinMs, () => over.abort())
      const answer = await follow(ask, over.signal).catch((error: NodeJS.ErrnoException) => {
        if (over.signal.aborted) return refused(`gave no whole answer within ${withinMs} ms`)
        if (error instanceof AddressRefused) return refused(error.message)
        return refused(`the connection failed (${error.code})`)
      })
      timer.cancel()
      // What was not read, of an answer that was not wanted, is given up with its connection.
      over.abort()
      return answer
    },
    close: () => agent.destroy(),
  }
}
