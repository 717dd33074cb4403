// Answers that stay open: event streams, and requests that wait for their call. Each holds a connection for as long
// as its reader likes, so that how many one account has at once is a limit.

import type { FastifyReply } from 'fastify'
import type { Grant } from '../gateway/token/index.js'
import { type Bounds, Quota } from '../limits/index.js'
import { accepted } from './refusal.js'

export class Streams {
  readonly #bounds: Bounds
  readonly #open = new Quota()

  constructor(bounds: Bounds) {
    this.#bounds = bounds
  }

  /** Counts an answer until its connection has done with it. Throws `too-many`. */
  hold({ tenant, account }: Grant, reply: FastifyReply): void {
    const key = `${tenant}\n${account}`
    if (!this.#open.take(key, this.#bounds.of.streamsPerAccount)) {
      accepted(this.#bounds.refuse('streamsPerAccount'))
    }
    reply.raw.once('close', () => this.#open.give(key))
  }
}
