// Who asks, and whether they may: the bearer token of a request (RFC 6750, section 2.1) becomes its grant before a
// byte of the body is read. The URL is never looked at for a token. A token that is revoked while its request arrives,
// or while an answer streams, is of no more use from then on.

import type { Readable } from 'node:stream'
import type {
  FastifyRequest,
  FastifySchema,
  onRequestAsyncHookHandler,
  preHandlerAsyncHookHandler,
} from 'fastify'
import { HubError } from '../errors.js'
import {
  allows,
  bearerOf,
  type Grant,
  type Revocations,
  revoked,
  type Scope,
  type Verifier,
} from '../gateway/token/index.js'
import { type Bounds, Buckets, type Connections, perSecond } from '../limits/index.js'
import type { Clock } from '../runtime/index.js'
import { described, type Told } from './openapi.js'
import { accepted } from './refusal.js'

/** The grant of a request that was let in. */
export const grantOf = (request: FastifyRequest): Grant => request.getDecorator<Grant>('grant')

/** What decides who may ask, and how often. */
export interface Gate {
  readonly verifier: Pick<Verifier, 'verify'>
  readonly connections: Pick<Connections, 'refusalOf'>
  readonly bounds: Bounds
  readonly clock: Pick<Clock, 'now'>
}

/**
 * Lets in requests with a valid token, as many a second as its account may send; others hear 401 and what to send
 * (RFC 6750, section 3), or when to come back.
 */
export const authenticate = ({ verifier, connections, bounds, clock }: Gate): onRequestAsyncHookHandler => {
  const requests = new Buckets()
  return async (request, reply) => {
    const unwelcome = connections.refusalOf(request.raw)
    if (unwelcome !== undefined) {
      reply.header('connection', 'close')
      accepted(unwelcome)
    }
    const token = bearerOf(request.headers.authorization)
    const verified = token.ok ? await verifier.verify(token.value) : token
    // Who has left meanwhile is let go here: what is counted for them from now on would wait for an end that has been.
    if (request.raw.socket.destroyed) return reply.hijack()
    if (!verified.ok) reply.header('www-authenticate', token.ok ? 'Bearer error="invalid_token"' : 'Bearer')
    const grant = accepted(verified)
    request.setDecorator('grant', grant)
    const { gatewayFactor, requestsPerSecond } = bounds.of
    const value = requestsPerSecond * (allows(grant, 'call:inbound') ? gatewayFactor : 1)
    const key = `${grant.tenant}\n${grant.account}`
    const retryAfterMs = requests.take(key, perSecond(value), clock.now())
    if (retryAfterMs > 0) accepted(bounds.refuse('requestsPerSecond', { value, retryAfterMs }))
  }
}

/** Lets in grants with a permission. */
const requires =
  (scope: Scope): onRequestAsyncHookHandler =>
  async request => {
    if (!allows(grantOf(request), scope)) throw new HubError('forbidden', `the token lacks ${scope}`)
  }

/** The options of a route that lets in grants with the permission it tells of. */
export const guarded = <S extends FastifySchema>(told: Told & { readonly scope: Scope }, schema: S) => ({
  onRequest: requires(told.scope),
  ...described(told, schema),
})

/** Looks again, after a wait. Throws `revoked`. */
export const stillGood = (revocations: Pick<Revocations, 'covers'>, grant: Grant): void => {
  if (revocations.covers(grant)) throw new HubError(revoked.code, revoked.message)
}

/** Looks again, now that all of a request is there. */
export const recheck =
  (revocations: Pick<Revocations, 'covers'>): preHandlerAsyncHookHandler =>
  async request =>
    stillGood(revocations, grantOf(request))

/** A stream that is cut off in the turn in which its reader's token is revoked. */
export const whileGood = <S extends Readable>(
  stream: S,
  request: FastifyRequest,
  revocations: Pick<Revocations, 'covers' | 'watch'>,
): S => {
  const grant = grantOf(request)
  const unwatch = revocations.watch(() => {
    if (revocations.covers(grant)) stream.destroy()
  })
  return stream.once('close', unwatch)
}
