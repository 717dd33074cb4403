// The hub's HTTP API for systems outside the platform: submit calls, follow them, read presence, change groups. Over the
// platform's fetch; whatever is refused, or can not be reached, is a SwitchhookError.

import { apiAddress } from './address.js'
import type { CallView, Explanation, Params, Resource, StatusChange, View } from './frames.js'
import { Groups } from './groups.js'
import { SseParser } from './sse.js'
import { SwitchhookError, type SwitchhookErrorCode } from './switchhook-error.js'

export type { CallView, Explanation } from './frames.js'

export interface HubApiOptions {
  /** The hub: `https://hub.example`, or the socket's own address. */
  readonly url: string
  /** A JWT, or where to get one: asked at each request. */
  readonly token: string | (() => string | Promise<string>)
  /** Default: the platform's. */
  readonly fetch?: typeof globalThis.fetch | undefined
}

export interface InboundCall {
  readonly to: string
  readonly from: string
  readonly params?: Params | undefined
  readonly sdp?: string | undefined
  /** An inline document, or a URL; absent: the hub's route for `to`. */
  readonly instructions?: unknown
}

export interface CallQuery {
  readonly state?: CallView['state'] | undefined
  /** ISO 8601: calls received at or after. */
  readonly since?: string | undefined
  /** ISO 8601: calls received before. */
  readonly until?: string | undefined
  readonly to?: string | undefined
  readonly from?: string | undefined
  readonly reason?: CallView['reason'] | undefined
  /** The account that answered. */
  readonly by?: string | undefined
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

/** One event of a stream: `type` and `data` are those of the frame, `id` is for `lastEventId`. */
export interface StreamEvent {
  readonly id: string
  readonly type: string
  readonly data: unknown
}

interface Request {
  readonly method?: string
  readonly query?: object
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly signal?: AbortSignal | undefined
}

const given = (values: object): [string, string][] =>
  Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]))

/** The hub's refusal, or that of something before it that does not speak our JSON. */
const refused = async (response: Response): Promise<SwitchhookError> => {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  const facts = {
    retry: response.status === 429 || (response.status >= 500 && response.status !== 501),
    retryAfterMs: Number.isNaN(seconds) ? undefined : seconds * 1000,
  }
  try {
    const { error } = (await response.json()) as {
      error: { code: SwitchhookErrorCode; message: string; details?: unknown }
    }
    return new SwitchhookError(error.code, error.message, { ...facts, details: error.details })
  } catch (cause) {
    return new SwitchhookError('internal', `the hub answered ${response.status}`, { ...facts, cause })
  }
}

/** The next piece of a stream. */
const next = async (reader: ReadableStreamDefaultReader<Uint8Array>, signal: AbortSignal | undefined) => {
  try {
    return await reader.read()
  } catch (cause) {
    if (signal?.aborted) throw cause
    throw new SwitchhookError('disconnected', 'the stream of events broke', { retry: true, cause })
  }
}

export class HubApi {
  /** The directory, for administrators. */
  readonly groups = new Groups((path, request) => this.#send(path, request))
  readonly #root: string
  readonly #token: HubApiOptions['token']
  readonly #fetch: typeof globalThis.fetch

  /** Throws TypeError for an address that is none. */
  constructor({ url, token, fetch = globalThis.fetch }: HubApiOptions) {
    this.#root = apiAddress(url)
    this.#token = token
    this.#fetch = (input, init) => fetch(input, init)
  }

  /**
   * Submits an inbound call. With `waitMs` (at most 60,000) the answer comes when the call is answered or over;
   * with an `idempotencyKey` the same request may be sent again, and names the first call.
   */
  place(
    call: InboundCall,
    { waitMs, idempotencyKey }: { waitMs?: number | undefined; idempotencyKey?: string | undefined } = {},
  ): Promise<CallView> {
    const headers = { 'idempotency-key': idempotencyKey }
    return this.#json('/v1/calls', { method: 'POST', query: { waitMs }, body: call, headers })
  }

  call(id: string): Promise<CallView> {
    return this.#json(`/v1/calls/${encodeURIComponent(id)}`)
  }

  calls(query: CallQuery = {}): Promise<{ calls: CallView[]; cursor?: string }> {
    return this.#json('/v1/calls', { query })
  }

  /** Sends a live call to other instructions, a document or a URL. */
  async redirect(id: string, instructions: unknown): Promise<void> {
    await this.#change(id, { instructions })
  }

  /** Relays `data`, any JSON of at most 16 KiB, to the other side of a live call. */
  async signal(id: string, data: unknown): Promise<void> {
    await this.#change(id, { signal: data })
  }

  /** The caller gives up, or hangs up. */
  async hangup(id: string): Promise<void> {
    await this.#send(`/v1/calls/${encodeURIComponent(id)}`, { method: 'DELETE' })
  }

  /** All that the caller is told, until the call is over, the stream breaks, or `signal` aborts it. */
  async *events(
    id: string,
    { lastEventId, signal }: { lastEventId?: string | undefined; signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<StreamEvent, void, undefined> {
    const headers = { accept: 'text/event-stream', 'last-event-id': lastEventId }
    const response = await this.#send(`/v1/calls/${encodeURIComponent(id)}/events`, { headers, signal })
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    const parser = new SseParser()
    const decoder = new TextDecoder()
    try {
      for (let part = await next(reader, signal); !part.done; part = await next(reader, signal)) {
        for (const event of parser.push(decoder.decode(part.value, { stream: true }))) {
          yield { ...event, data: JSON.parse(event.data) }
        }
      }
    } finally {
      reader.cancel().catch(() => {})
    }
  }

  /** Who would be rung if this call came now; places none. With `fetch` the URL of its instructions is asked, too. */
  explain(question: {
    to: string
    from?: string | undefined
    fetch?: boolean | undefined
  }): Promise<Explanation> {
    return this.#json('/v1/explain', { method: 'POST', body: question })
  }

  presence(destination: string, { view }: { view?: View | undefined } = {}): Promise<Resource> {
    return this.#json(`/v1/presence/${encodeURIComponent(destination)}`, { query: { view } })
  }

  /** At most 500 destinations in one answer, in the order asked. */
  async presences(
    destinations: readonly string[],
    { view }: { view?: View | undefined } = {},
  ): Promise<Resource[]> {
    const body = { destinations, view }
    const { resources } = await this.#json<{ resources: Resource[] }>('/v1/presence', {
      method: 'POST',
      body,
    })
    return resources
  }

  /** Sets someone's override; `status: null` clears it. */
  async setStatus(account: string, change: StatusChange): Promise<void> {
    await this.#send(`/v1/presence/${encodeURIComponent(account)}/status`, { method: 'PUT', body: change })
  }

  async #change(id: string, body: object): Promise<void> {
    await this.#send(`/v1/calls/${encodeURIComponent(id)}`, { method: 'POST', body })
  }

  async #json<T>(path: string, request: Request = {}): Promise<T> {
    const response = await this.#send(path, request)
    return (await response.json()) as T
  }

  async #send(
    path: string,
    { method = 'GET', query = {}, body, headers = {}, signal }: Request,
  ): Promise<Response> {
    const search = new URLSearchParams(given(query)).toString()
    const token = typeof this.#token === 'function' ? await this.#token() : this.#token
    const init: RequestInit = {
      method,
      headers: Object.fromEntries([
        ['authorization', `Bearer ${token}`],
        ...(body === undefined ? [] : [['content-type', 'application/json']]),
        ...given(headers),
      ]),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    }
    const response = await this.#reach(`${this.#root}${path}${search && '?'}${search}`, init)
    if (!response.ok) throw await refused(response)
    return response
  }

  async #reach(url: string, init: RequestInit): Promise<Response> {
    try {
      return await this.#fetch(url, init)
    } catch (cause) {
      if (init.signal?.aborted) throw cause
      throw new SwitchhookError('disconnected', `can not reach the hub at ${this.#root}`, {
        retry: true,
        cause,
      })
    }
  }
}
