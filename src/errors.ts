// The one table of what can go wrong between a peer and the hub: for each code its HTTP status, the
// WebSocket close code that goes with it where it ends the session, and whether trying again can help.
// Everything that refuses anything (socket, HTTP API, command line) speaks in these codes.

/** What a code means on each side. `http` is a status of RFC 9110, `close` a close code of RFC 6455, section 7.4. */
export interface ErrorFacts {
  readonly http: number
  readonly close?: number
  readonly retry: boolean
}

export const errorTable = {
  invalid: { http: 400, retry: false },
  'unknown-type': { http: 400, retry: false },
  malformed: { http: 400, close: 4500, retry: false },
  unauthorized: { http: 401, close: 4401, retry: false },
  revoked: { http: 401, close: 4504, retry: false },
  forbidden: { http: 403, close: 4502, retry: false },
  'name-taken': { http: 403, close: 4502, retry: false },
  'not-found': { http: 404, retry: false },
  'no-hello': { http: 408, close: 4408, retry: true },
  conflict: { http: 409, retry: false },
  'call-gone': { http: 409, retry: false },
  busy: { http: 409, retry: true },
  replaced: { http: 409, close: 4501, retry: false },
  'too-large': { http: 413, close: 1009, retry: false },
  'unsupported-media-type': { http: 415, close: 1003, retry: false },
  'idempotency-mismatch': { http: 422, retry: false },
  'too-many': { http: 429, close: 4429, retry: true },
  internal: { http: 500, close: 1011, retry: true },
  'not-supported': { http: 501, retry: false },
  draining: { http: 503, close: 1012, retry: true },
  overloaded: { http: 503, close: 1013, retry: true },
} as const satisfies Record<string, ErrorFacts>

export type ErrorCode = keyof typeof errorTable

/** One thing wrong with an input: where (`tenants.acme.keys[0].alg`, `destinations[3]`, line and column) and what. */
export interface Fault {
  readonly path: string
  readonly message: string
}

/** The facts of a code. */
export const factsOf = (code: ErrorCode): ErrorFacts => errorTable[code]

/** A refusal with a stable `code`; the message names the field, flag or file at fault and holds no secret. */
export class HubError extends Error {
  readonly code: ErrorCode
  readonly faults: readonly Fault[]
  /** When it may help to try again, in milliseconds, where that is known. */
  readonly retryAfterMs: number | undefined

  constructor(
    code: ErrorCode,
    message: string,
    options: { faults?: readonly Fault[]; cause?: unknown; retryAfterMs?: number | undefined } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'HubError'
    this.code = code
    this.faults = options.faults ?? []
    this.retryAfterMs = options.retryAfterMs
  }
}

/** The outcome of something that may be refused as a matter of course: a value, never a throw. */
export type Result<T> = { readonly ok: true; readonly value: T } | Refusal

export interface Refusal {
  readonly ok: false
  readonly code: ErrorCode
  readonly message: string
  /** When it may help to try again, in milliseconds, where that is known. */
  readonly retryAfterMs?: number
}

export const ok = <T>(value: T): Result<T> => ({ ok: true, value })

export const refuse = (code: ErrorCode, message: string): Refusal => ({
  ok: false,
  code,
  message,
})
