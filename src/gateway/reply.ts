// From what came of a client's frame to the frame that says so: the reply echoes `ref`, a refusal becomes an
// `error`, and what has no reply of its own gets `ok` only if it was given a `ref`.

import { type ErrorCode, factsOf, type Refusal, type Result } from '../errors.js'
import type { HubFrame, HubFrames } from '../protocol/index.js'

/** What a verb answers; undefined: nothing of its own. */
export type Reply = HubFrames['ok' | 'placed' | 'pong' | 'resources'] | Refusal | undefined

/** The plain `ok`, or the refusal. */
export const done = (result: Result<unknown>): Reply => (result.ok ? { type: 'ok' } : result)

export const errorFrame = ({ code, message, retryAfterMs }: Refusal, ref?: string): HubFrame => ({
  type: 'error',
  ...(ref !== undefined && { ref }),
  code,
  message,
  retry: factsOf(code).retry,
  ...(retryAfterMs !== undefined && { retryAfterMs }),
})

/** What a reply refuses: the whole, or some of what was asked. */
export const refusalIn = (reply: NonNullable<Reply>): Pick<Refusal, 'code' | 'message'> | undefined => {
  if ('code' in reply) return reply
  const [first] = reply.type === 'ok' ? (reply.refused ?? []) : []
  return first && { code: first.code as ErrorCode, message: `of the destinations, ${first.destination}` }
}

/** The frame of a reply; undefined where nothing is to be said. */
export const replyFrame = (reply: Reply, ref: string | undefined): HubFrame | undefined => {
  if (reply === undefined) return ref === undefined ? undefined : { type: 'ok', ref }
  if ('code' in reply) return errorFrame(reply, ref)
  return ref === undefined ? reply : { ...reply, ref }
}
