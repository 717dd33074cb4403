// What answers that wait to be read take. An answer is made at once and may be large; who asks for many and reads none
// would have all of them kept. Each account has so much at a time, and each address of those who need no token.

import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Bounds, Quota } from '../limits/index.js'
import type { Audit } from './audit.js'
import { whenOver } from './over.js'
import { accepted } from './refusal.js'

/** What is no larger the system takes, whoever reads. */
const small = 16 * 1024

export class Answers {
  readonly #bounds: Bounds
  readonly #audit: Pick<Audit, 'shareOf'>
  readonly #unread = new Quota()

  constructor(bounds: Bounds, audit: Pick<Audit, 'shareOf'>) {
    this.#bounds = bounds
    this.#audit = audit
  }

  /** Counts an answer until it was taken, or its connection is over. Throws `too-many`. */
  send(request: FastifyRequest, reply: FastifyReply, answer: unknown): void {
    // Who has left reads nothing, and their connection ends no more.
    if (typeof answer !== 'string' || answer.length <= small || request.raw.socket.destroyed) return
    const key = this.#audit.shareOf(request)
    const bytes = answer.length
    // Whoever has nothing else to read may have one of any size.
    const most = Math.max(bytes, this.#bounds.of.unreadBytesPerAccount)
    if (!this.#unread.take(key, most, bytes)) accepted(this.#bounds.refuse('unreadBytesPerAccount'))
    whenOver(request, reply, () => this.#unread.give(key, bytes))
  }
}
