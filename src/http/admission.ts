// What is taken on while the hub is short of something: nothing new. Calls that are there go on over HTTP and are ended
// by it, and tokens are taken back. Looked at before the token is, and before a byte of the body: a request that is not
// taken on costs next to nothing.

import type { onRequestAsyncHookHandler } from 'fastify'
import { HubError, type Refusal } from '../errors.js'

const goesOn = /^\/v1\/(calls\/:call|revocations)/

/** Refuses what would be new, while `overloaded` says why. */
export const shed =
  (overloaded: () => Refusal | undefined): onRequestAsyncHookHandler =>
  async request => {
    const refusal = overloaded()
    if (refusal !== undefined && !goesOn.test(String(request.routeOptions.url)))
      throw new HubError(refusal.code, refusal.message)
  }
