// One document over HTTP from a server outside: redirects are followed here, each hop judged as the first; one retry
// when a connection fails; all of it within the time that is given. An answer is judged by its status, type and size,
// and every refusal is a value that says why. Nothing is kept of an answer that is not wanted, and no proxy is heeded:
// the address that is judged is the one the answer comes from. What may be given again is the cache's (beside) to say,
// where whoever asks has one; what a document says is for whoever asked.

import { Agent } from 'undici'
import type { Config } from '../config.js'
import { type Clock, plain } from '../runtime/index.js'
import { AddressRefused, connectorOf, type Network } from './address.js'
import type { Document, Shelf } from './cache.js'
import { locate } from './location.js'

export type Method = 'GET' | 'POST'

export interface Hop {
  readonly url: URL
  readonly method: Method
}

/** What is asked for, and of which answers. */
export interface EgressRequest extends Hop {
  /** What a hop is told, the first one and those that redirects lead to. */
  readonly say: (hop: Hop) => { readonly headers: Readonly<Record<string, string>>; readonly body?: string }
  /** Whether a media type (lower case, without parameters; `none` for none) is wanted. */
  readonly wants: (type: string) => boolean
  /** The largest document, in bytes. */
  readonly limit: number
  /** Whether every hop must be https. */
  readonly secure?: boolean
  /** Where documents are kept that may be given again, and looked for; absent: none are. */
  readonly shelf?: Shelf
  /**
   * It tells something, and asks for nothing: whatever body comes with 2xx, nothing of it is kept, nor read beyond
   * `limit`; and only redirects that keep the method are followed, since what is said would be lost on any other.
   */
  readonly tells?: true
}

export type EgressAnswer =
  /**
   * `from`: where the document was found in the end. `date`: what time it is there (RFC 9110, section 6.6.1). `cached`:
   * it was given before, and nobody was asked for it again.
   */
  | (Document & {
      readonly ok: true
      readonly from: string
      readonly date?: string | undefined
      readonly cached: boolean
    })
  /**
   * `unwanted`: it is only the type that is not wanted. `status`, if it is that, and when to ask again by the answer's
   * own word (RFC 9110, section 10.2.3).
   */
  | {
      readonly ok: false
      readonly why: string
      readonly unwanted: boolean
      readonly status?: number
      readonly retryAfter?: string | undefined
    }

export interface Egress {
  /** Settles within `withinMs`, whatever the other side does. Never rejects. */
  ask(request: EgressRequest, withinMs: number): Promise<EgressAnswer>
  /** Connects as if to ask, TLS included, and asks nothing: why that cannot be done, if so. Never rejects. */
  reach(url: URL, withinMs: number): Promise<string | undefined>
  /** Gives up what is under way. */
  close(): Promise<void>
}

/** What every request says. An answer is read as it comes, so one that unfolds to more than it seems is not wanted. */
const always = { 'user-agent': 'switchhook', accept: '*/*', 'accept-encoding': 'identity' }

const nothing = new Uint8Array()

const redirectLimit = 3
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/** Those that keep the method; after the others it is GET (RFC 9110, section 15.4). */
const keepMethod: ReadonlySet<number> = new Set([307, 308])

/** Why a connection could not be made, or broke. */
const failure = (error: NodeJS.ErrnoException): string =>
  error instanceof AddressRefused ? error.message : `the connection failed (${error.code})`

const refused = (
  why: string,
  more: { unwanted?: true; status?: number; retryAfter?: string | undefined } = {},
) => ({ ok: false, why, unwanted: false, ...more }) satisfies EgressAnswer

const notAllowed = ({ host }: URL): string => `${host} is not one of the allowed hosts`

/** All of a body, or undefined if it is larger than `limit`; the rest of it is not read. */
const readBody = async (body: AsyncIterable<Uint8Array>, limit: number): Promise<Uint8Array | undefined> => {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > limit) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** The way out under a configuration's `fetch`. Deadlines are the clock's. */
export const createEgress = (fetch: Config['fetch'], clock: Clock, network: Network = {}): Egress => {
  const connector = connectorOf(fetch, network)
  const agent = new Agent({ connect: connector, headersTimeout: 0, bodyTimeout: 0 })
  const hosts = fetch.allowHosts && new Set(fetch.allowHosts.map(host => host.toLowerCase()))
  const allows = (url: URL): boolean => hosts === undefined || hosts.has(url.hostname) || hosts.has(url.host)

  /** One request, and what its answer amounts to. Rejects when the connection fails. */
  const send = async (
    { url, method }: Hop,
    { say, wants, limit, secure, shelf, tells }: EgressRequest,
    signal: AbortSignal,
  ): Promise<EgressAnswer | Hop> => {
    if (!allows(url)) return refused(notAllowed(url))
    if (secure && url.protocol !== 'https:') return refused(`${url.host} is not asked without https`)
    const said = say({ url, method })
    const from = url.href
    const found = method === 'GET' ? shelf?.find(from, said.headers) : undefined
    if (found?.fresh) return { ok: true, ...found.document, from, cached: true }
    const askedAt = clock.now()
    const { statusCode, headers, body } = await agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method,
      signal,
      headers: { ...always, ...said.headers, ...found?.condition },
      body: said.body ?? null,
    })

    if (statusCode === 304 && found !== undefined) {
      shelf?.renew(from, said.headers, found, headers, askedAt)
      return { ok: true, ...found.document, from, cached: false }
    }
    // What was posted may have changed what is at this address (RFC 9111, section 4.4).
    if (method === 'POST' && statusCode < 400) shelf?.forget(from)
    const { location } = headers
    if ((tells ? keepMethod : redirects).has(statusCode) && typeof location === 'string') {
      const located = locate(location, url.href)
      if (!located.ok) return refused(`redirects to what ${located.message}`)
      return { url: located.value, method: keepMethod.has(statusCode) ? method : 'GET' }
    }
    if (statusCode < 200 || statusCode > 299) {
      const retryAfter = headers['retry-after']?.toString()
      return refused(`answered ${statusCode}`, { status: statusCode, retryAfter })
    }
    if (tells) {
      // Read to its end, where it has one that is near, so that the connection serves again.
      await readBody(body, limit).catch(() => undefined)
      return { ok: true, bytes: nothing, type: 'none', from, cached: false }
    }
    const declared = String(headers['content-type'] ?? 'none')
    const type = declared.replace(/;.*/s, '').trim().toLowerCase()
    if (!wants(type)) return refused(`answered with the content type ${plain(declared)}`, { unwanted: true })
    const coding = String(headers['content-encoding'] ?? 'identity')
    if (!/^(identity)?$/i.test(coding)) return refused(`answered in the coding ${plain(coding)}`)
    const bytes = await readBody(body, limit)
    if (bytes === undefined) return refused(`answered with more than ${limit} bytes`)
    if (method === 'GET' && statusCode === 200) {
      shelf?.keep(from, said.headers, { bytes, type }, headers, askedAt)
    }
    return { ok: true, bytes, type, from, date: headers.date?.toString(), cached: false }
  }

  const follow = async (request: EgressRequest, signal: AbortSignal): Promise<EgressAnswer> => {
    let retries = 1
    const persist = async (hop: Hop): Promise<EgressAnswer | Hop> => {
      try {
        return await send(hop, request, signal)
      } catch (error) {
        if (retries === 0 || signal.aborted || error instanceof AddressRefused) throw error
        retries -= 1
        return send(hop, request, signal)
      }
    }
    let hop: Hop = request
    for (let hops = 0; hops <= redirectLimit; hops++) {
      const answer = await persist(hop)
      if ('ok' in answer) return answer
      hop = answer
    }
    return refused(`redirects more than ${redirectLimit} times`)
  }

  return {
    ask: async (request, withinMs) => {
      const over = new AbortController()
      const timer = clock.after(withinMs, () => over.abort())
      const answer = await follow(request, over.signal).catch((error: NodeJS.ErrnoException) => {
        if (over.signal.aborted) return refused(`gave no whole answer within ${withinMs} ms`)
        return refused(failure(error))
      })
      timer.cancel()
      // What was not read, of an answer that was not wanted, is given up with its connection.
      over.abort()
      return answer
    },
    reach: (url, withinMs) =>
      new Promise(resolve => {
        if (!allows(url)) return resolve(notAllowed(url))
        const timer = clock.after(withinMs, () => resolve(`could not be connected to within ${withinMs} ms`))
        const { hostname, host, protocol, port } = url
        connector({ hostname, host, protocol, port }, (error, socket) => {
          timer.cancel()
          socket?.destroy()
          resolve(error === null ? undefined : failure(error))
        })
      }),
    close: () => agent.destroy(),
  }
}
