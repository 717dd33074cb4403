// Who asks, and whether they may: the bearer token of a request (RFC 6750, section 2.1) becomes its grant before a
// byte of the body is read. The URL is never looked at for a token.

import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import { HubError, ok, type Result, refuse } from '../errors.js'
import { allows, bearerOf, type Grant, type Scope, type Verifier } from '../gateway/token/index.js'
import type { Query } from '../presence/index.js'
import type { Destination, ViewName } from '../protocol/index.js'
import { accepted } from './refusal.js'

/** The grant of a request that was let in. */
export const grantOf = (request: FastifyRequest): Grant => request.getDecorator<Grant>('grant')

/** Lets in requests with a valid token; others hear 401 and what to send (RFC 6750, section 3). */
export const authenticate =
  (verifier: Pick<Verifier, 'verify'>): onRequestAsyncHookHandler =>
  async (request, reply) => {
    const token = bearerOf(request.headers.authorization)
    const grant = token.ok ? await verifier.verify(token.value) : token
    if (!grant.ok) reply.header('www-authenticate', token.ok ? 'Bearer error="invalid_token"' : 'Bearer')
    request.setDecorator('grant', accepted(grant))
  }

/** Lets in grants with a permission. */
export const requires =
  (scope: Scope): onRequestAsyncHookHandler =>
  async request => {
    if (!allows(grantOf(request), scope)) throw new HubError('forbidden', `the token lacks ${scope}`)
  }

/** How much of a destination a grant may read, at the view asked for. */
export const queryOf = (grant: Grant, destination: Destination, view: ViewName): Result<Query> => {
  if (!allows(grant, 'presence:read', destination)) {
    return refuse('forbidden', `the token lacks presence:read for ${destination}`)
  }
  if (view === 'routing' && !allows(grant, 'presence:route')) {
    return refuse('forbidden', 'the token lacks presence:route')
  }
  const own = (destination as string) === grant.account
  return ok({ view, devices: own || allows(grant, 'presence:devices') })
}
