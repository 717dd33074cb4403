// What the bodies of requests that are on their way take, of one account and in all. One is small, and a client may
// take its time for it; thousands at once would be more than a process has, before one of them could be judged.

import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Bounds, Quota } from '../limits/index.js'
import type { Audit } from './audit.js'
import { whenOver } from './over.js'
import { accepted } from './refusal.js'

/** The largest body, in bytes. */
export const bodyLimit = 256 * 1024

export class Bodies {
  readonly #bounds: Bounds
  readonly #audit: Pick<Audit, 'shareOf'>
  readonly #byAccount = new Quota()
  #bytes = 0

  constructor(bounds: Bounds, audit: Pick<Audit, 'shareOf'>) {
    this.#bounds = bounds
    this.#audit = audit
  }

  /** Makes room for a body, until all of it was read or its connection is over. Throws `too-many` or `overloaded`. */
  expect(request: FastifyRequest, reply: FastifyReply): void {
    const { headers, raw } = request
    const key = this.#audit.shareOf(request)
    // One of unknown or impossible length may come to the limit.
    const { 'content-length': length = bodyLimit } = headers
    const bytes = Math.min(Number(length), bodyLimit)
    const { bodyBytes, bodyBytesPerAccount } = this.#bounds.of
    if (this.#bytes + bytes > bodyBytes) accepted(this.#bounds.refuse('bodyBytes'))
    if (!this.#byAccount.take(key, bodyBytesPerAccount, bytes))
      accepted(this.#bounds.refuse('bodyBytesPerAccount'))
    this.#bytes += bytes
    const over = whenOver(request, reply, () => {
      this.#bytes -= bytes
      this.#byAccount.give(key, bytes)
    })
    raw.once('end', over)
  }
}
