// One document over HTTP from a server outside: redirects are followed here, each hop judged as the first; one retry
// when a connection fails; all of it within the time that is given. An answer is judged by its status, type and size,
// and every refusal is a value that says why. Nothing is kept of an answer that is not wanted, and no proxy is heeded:
// the address that is judged is the one the answer comes from. What a document says is for whoever asked.

import { Agent } from 'undici'
import type { Config } from '../config.js'
import { type Clock, plain } from '../runtime/index.js'
import { AddressRefused, type Connect, guardedConnector, plainConnector } from './address.js'
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
}

export type EgressAnswer =
  /** `from`: where the document was found in the end. `date`: what time it is there (RFC 9110, section 6.6.1). */
  | {
      readonly ok: true
      readonly bytes: Uint8Array
      readonly type: string
      readonly from: string
      readonly date: string | undefined
    }
  /** `unwanted`: it is only the type that is not wanted. */
  | { readonly ok: false; readonly why: string; readonly unwanted: boolean }

export interface Egress {
  /** Settles within `withinMs`, whatever the other side does. Never rejects. */
  ask(request: EgressRequest, withinMs: number): Promise<EgressAnswer>
  /** Connects as if to ask, TLS included, and asks nothing: why that cannot be done, if so. Never rejects. */
  reach(url: URL, withinMs: number): Promise<string | undefined>
  /** Gives up what is under way. */
  close(): Promise<void>
}

const redirectLimit = 3
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/** Those that keep the method; after the others it is GET (RFC 9110, section 15.4). */
const keepMethod: ReadonlySet<number> = new Set([307, 308])

/** Why a connection could not be made, or broke. */
const failure = (error: NodeJS.ErrnoException): string =>
  error instanceof AddressRefused ? error.message : `the connection failed (${error.code})`

const refused = (why: string, unwanted = false): EgressAnswer => ({ ok: false, why, unwanted })

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

/** The way out under a configuration's `fetch`. Deadlines are the clock's. `connect`: in place of guarded connections. */
export const createEgress = (fetch: Config['fetch'], clock: Clock, connect?: Connect): Egress => {
  const connector = connect === undefined ? guardedConnector(fetch) : plainConnector(connect)
  const agent = new Agent({ connect: connector, headersTimeout: 0, bodyTimeout: 0 })
  const hosts = fetch.allowHosts && new Set(fetch.allowHosts.map(host => host.toLowerCase()))
  const allows = (url: URL): boolean => hosts === undefined || hosts.has(url.hostname) || hosts.has(url.host)

  /** One request, and what its answer amounts to. Rejects when the connection fails. */
  const send = async (
    { url, method }: Hop,
    { say, wants, limit, secure }: EgressRequest,
    signal: AbortSignal,
  ): Promise<EgressAnswer | Hop> => {
    if (!allows(url)) return refused(notAllowed(url))
    if (secure && url.protocol !== 'https:') return refused(`${url.host} is not asked without https`)
    const said = say({ url, method })
    const { statusCode, headers, body } = await agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method,
      signal,
      headers: { 'user-agent': 'switchhook', accept: '*/*', ...said.headers },
      body: said.body ?? null,
    })

    const { location } = headers
    if (redirects.has(statusCode) && typeof location === 'string') {
      const located = locate(location, url.href)
      if (!located.ok) return refused(`redirects to what ${located.message}`)
      return { url: located.value, method: keepMethod.has(statusCode) ? method : 'GET' }
    }
    if (statusCode < 200 || statusCode > 299) return refused(`answered ${statusCode}`)
    const declared = String(headers['content-type'] ?? 'none')
    const type = declared.replace(/;.*/s, '').trim().toLowerCase()
    if (!wants(type)) return refused(`answered with the content type ${plain(declared)}`, true)
    const bytes = await readBody(body, limit)
    return bytes === undefined
      ? refused(`answered with more than ${limit} bytes`)
      : { ok: true, bytes, type, from: url.href, date: headers.date?.toString() }
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
