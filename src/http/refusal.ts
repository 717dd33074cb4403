// How a request is refused: one JSON form for every refusal, whoever made it, and no word of the inside. What is
// not a refusal but a fault of ours is logged, and told as `internal`.

import { type ErrorCode, type Fault, HubError, type Result } from '../errors.js'

/** What clients are told to wait, in seconds, where waiting helps (RFC 9110, section 10.2.3). */
const retryAfter = new Map<ErrorCode, string>([
  ['too-many', '2'],
  ['draining', '2'],
  ['overloaded', '2'],
])

/** The headers that go with a refusal. */
export const refusalHeaders = ({
  code,
  retryAfterMs,
}: Pick<HubError, 'code' | 'retryAfterMs'>): Readonly<Record<string, string>> => {
  const seconds = retryAfterMs === undefined ? retryAfter.get(code) : String(Math.ceil(retryAfterMs / 1000))
  return seconds === undefined ? {} : { 'retry-after': seconds }
}

/** `{"error":{"code","message","details?"}}`: `details` lists what is wrong, each with its path. */
export const errorBody = ({
  code,
  message,
  faults = [],
}: {
  readonly code: ErrorCode
  readonly message: string
  readonly faults?: readonly Fault[]
}): string => JSON.stringify({ error: { code, message, ...(faults.length > 0 && { details: faults }) } })

/** The value of what may be refused. Throws the refusal, for the error handler to answer. */
export const accepted = <T>(result: Result<T>): T => {
  if (!result.ok) throw new HubError(result.code, result.message, { retryAfterMs: result.retryAfterMs })
  return result.value
}

/** The web framework's own refusals that are told apart; any other with a 4xx status is about how the request came. */
const known = new Map<string, HubError>([
  ['FST_ERR_CTP_BODY_TOO_LARGE', new HubError('too-large', 'body must keep within 256 KiB')],
  ['FST_ERR_BAD_URL', new HubError('invalid', 'path must be percent-encoded UTF-8')],
])

/** Anything that was thrown, as a refusal. */
export const refusalOf = (error: unknown): HubError => {
  if (error instanceof HubError) return error
  const { code = '', statusCode = 500 } = error as { code?: string; statusCode?: number }
  const fallback =
    statusCode < 500
      ? new HubError('invalid', 'the request did not arrive whole')
      : new HubError('internal', 'something went wrong here')
  return known.get(code) ?? fallback
}
