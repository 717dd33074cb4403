// Every request that is refused, and every answer: counted in plain fields, and each refusal told in one line of the
// log, as is each change of the directory. The line says who, from where, and what they asked for as the API names it;
// never a token, a URL, or a body.

import type { IncomingMessage } from 'node:http'
import type { FastifyRequest } from 'fastify'
import type { ErrorCode, Refusal } from '../errors.js'
import type { Grant } from '../gateway/token/index.js'
import type { Connections } from '../limits/index.js'
import { type Log, plain } from '../runtime/index.js'

const increment = <K>(counts: Map<K, number>, key: K): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

/** What is known of whoever is refused. */
export interface Refused {
  readonly peer: string | undefined
  readonly method?: string
  /** As the API names it, `/v1/calls/:call`; absent: there is none. */
  readonly route?: string | undefined
  readonly tenant?: string
  readonly account?: string
}

export class Audit {
  /** So far: answers by status, refusals by code. */
  readonly answers = new Map<number, number>()
  readonly refusals = new Map<ErrorCode, number>()
  readonly #log: Log
  readonly #connections: Pick<Connections, 'peerOf'>

  constructor(log: Log, connections: Pick<Connections, 'peerOf'>) {
    this.#log = log
    this.#connections = connections
  }

  /** The address that a request comes from. */
  peerOf(request: IncomingMessage): string {
    return this.#connections.peerOf(request)
  }

  /** Whose share of what each account may take a request takes: its account's, or its address's while it has none. */
  shareOf(request: FastifyRequest): string {
    const grant = request.getDecorator<Grant | null>('grant')
    return grant === null ? this.peerOf(request.raw) : `${grant.tenant}\n${grant.account}`
  }

  /** What the line says of a request: whose it is only once its token is verified. */
  whom(request: FastifyRequest): Refused {
    const grant = request.getDecorator<Grant | null>('grant')
    return {
      method: request.method,
      route: request.routeOptions.url,
      ...(grant && { tenant: grant.tenant, account: grant.account }),
      peer: this.peerOf(request.raw),
    }
  }

  answered(status: number): void {
    increment(this.answers, status)
  }

  /** Somebody has changed what others go by: who, and which route says what. */
  changed(whom: Refused & Readonly<Record<string, unknown>>): void {
    this.#log.info(whom, 'the directory was changed')
  }

  /** `fault`: what went wrong here, where that is why. */
  refused({ code, message }: Pick<Refusal, 'code' | 'message'>, whom: Refused, fault?: unknown): void {
    increment(this.refusals, code)
    if (code === 'internal') this.#log.error({ code, ...whom, error: fault }, 'a request failed')
    else this.#log.info({ code, reason: plain(message), ...whom }, 'a request was refused')
  }
}
