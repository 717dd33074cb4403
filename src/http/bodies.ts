// What the bodies of requests that are on their way take in all. One is small, and a client may take its time for it;
// thousands at once would be more than a process has, before one of them could be judged.

import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Bounds } from '../limits/index.js'
import { accepted } from './refusal.js'

/** The largest body, in bytes. */
export const bodyLimit = 256 * 1024

export class Bodies {
  readonly #bounds: Bounds
  #bytes = 0

  constructor(bounds: Bounds) {
    this.#bounds = bounds
  }

  /** Makes room for a body, until all of it was read or its connection is over. Throws `overloaded`. */
  expect({ headers, raw }: FastifyRequest, reply: FastifyReply): void {
    // One of unknown or impossible length may come to the limit.
    const { 'content-length': length = bodyLimit } = headers
    const bytes = Math.min(Number(length), bodyLimit)
    if (this.#bytes + bytes > this.#bounds.of.bodyBytes) accepted(this.#bounds.refuse('bodyBytes'))
    this.#bytes += bytes
    const done = (): void => {
      raw.off('end', done)
      reply.raw.off('close', done)
      this.#bytes -= bytes
    }
    raw.once('end', done)
    reply.raw.once('close', done)
  }
}
