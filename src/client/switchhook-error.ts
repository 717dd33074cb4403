// The one error of the SDK: what the hub refused, over the socket or HTTP, or what kept the hub from answering.

import type { ErrorCode } from '../errors.js'
import type { HubFrames } from './frames.js'

/**
 * The hub's codes, and the SDK's own: `disconnected` (the connection was lost before the answer, or the hub can not
 * be reached), `closed` (the softphone has left, or may not come back), `timeout` (no answer in time).
 */
export type SwitchhookErrorCode = ErrorCode | 'disconnected' | 'closed' | 'timeout'

export interface SwitchhookErrorFacts {
  readonly retry?: boolean | undefined
  readonly retryAfterMs?: number | undefined
  readonly details?: unknown
  readonly cause?: unknown
}

export class SwitchhookError extends Error {
  override readonly name = 'SwitchhookError'
  readonly code: SwitchhookErrorCode
  /** Whether the same request may succeed later. */
  readonly retry: boolean
  /** Not to be tried again before so many milliseconds have passed. */
  readonly retryAfterMs: number | undefined
  /** More of what was wrong, where the hub says so (HTTP only). */
  readonly details: unknown

  constructor(code: SwitchhookErrorCode, message: string, facts: SwitchhookErrorFacts = {}) {
    super(message, { cause: facts.cause })
    this.code = code
    this.retry = facts.retry ?? false
    this.retryAfterMs = facts.retryAfterMs
    this.details = facts.details
  }
}

/** An `error` frame of the hub's. */
export const refusal = ({ code, message, retry, retryAfterMs }: HubFrames['error']): SwitchhookError =>
  new SwitchhookError(code as SwitchhookErrorCode, message, { retry, retryAfterMs })
