// Answers that stay open: event streams, and requests that wait for their call. Each holds a connection for as long
// as its reader likes, so that how many one account has at once is a limit.

import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Grant } from '../gateway/token/index.js'
import { type Bounds, Quota } from '../limits/index.js'
import type { Audit } from './audit.js'
import { whenOver } from './over.js'
import { accepted } from './refusal.js'

export class Streams {
  readonly #bounds: Bounds
  readonly #audit: Pick<Audit, 'refused' | 'whom'>
  readonly #open = new Quota()

  constructor(bounds: Bounds, audit: Pick<Audit, 'refused' | 'whom'>) {
    this.#bounds = bounds
    this.#audit = audit
  }

  /** What tells that the reader of a stream is let go, since they read nothing. */
  unread(request: FastifyRequest): () => void {
    const refusal = { code: 'overloaded', message: 'the stream was not read' } as const
    return () => this.#audit.refused(refusal, this.#audit.whom(request))
  }

  /** Counts an answer until its connection has done with it. Throws `too-many`. */
  hold({ tenant, account }: Grant, request: FastifyRequest, reply: FastifyReply): void {
    const key = `${tenant}\n${account}`
    if (!this.#open.take(key, this.#bounds.of.streamsPerAccount)) {
      accepted(this.#bounds.refuse('streamsPerAccount'))
    }
    whenOver(request, reply, () => this.#open.give(key))
  }
}
