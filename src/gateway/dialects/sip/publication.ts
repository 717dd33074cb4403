// What the client says of its own presence (RFC 3903): one publication, which is the status of its device, for as long as
// it lasts. A newer one takes its place; the client goes on with it, changes it or takes it back by its entity tag.

import type { DeviceDeclared } from '../../../protocol/index.js'
import { accountOf } from './address.js'
import type { Agent, Request } from './agent.js'
import { refusedBy } from './answers.js'
import { lifetimeOf } from './lifetimes.js'
import { readPidf, type Told } from './pidf.js'
import { newToken, type ServerTransaction } from './transactions.js'

interface Published {
  readonly tag: string
  readonly status: DeviceDeclared
  readonly note: string
  /** Milliseconds since 1970. */
  readonly until: number
}

export class Publication {
  readonly #agent: Agent
  #published: Published | undefined

  constructor(agent: Agent) {
    this.#agent = agent
  }

  /** What it amounts to now, as a frame; undefined where nothing is published. */
  get frame(): Request | undefined {
    const published = this.#published
    return published === undefined || published.until <= this.#agent.wall() ? undefined : frameOf(published)
  }

  receive(transaction: ServerTransaction): void {
    const agent = this.#agent
    const { body, headers, uri } = transaction.request
    if (!/^presence\b/.test(headers.get('Event') ?? '')) {
      agent.answer(transaction, 489, { headers: [['Allow-Events', 'presence']] })
      return
    }
    if (accountOf(uri) !== agent.account) {
      agent.answer(transaction, 403)
      return
    }
    const match = headers.get('SIP-If-Match')
    if (match !== undefined && (match !== this.#published?.tag || this.frame === undefined)) {
      agent.answer(transaction, 412)
      return
    }
    const stated = body === '' && match !== undefined ? this.#published : statedIn(body)
    if (stated === undefined) {
      agent.answer(transaction, 400)
      return
    }
    const seconds = lifetimeOf(headers.get('Expires'))
    const published: Published = {
      tag: newToken(),
      status: stated.status,
      note: stated.note ?? '',
      until: agent.wall() + seconds * 1000,
    }
    const change = seconds === 0 ? { type: 'status', status: 'available' } : frameOf(published)
    agent.ask(change, reply => {
      const refused = refusedBy(reply)
      if (refused !== undefined) return agent.answer(transaction, refused)
      this.#published = published
      agent.answer(transaction, 200, {
        headers: [
          ['SIP-ETag', published.tag],
          ['Expires', String(seconds)],
        ],
      })
    })
  }
}

const statedIn = (body: string): Told | undefined => {
  const read = readPidf(body)
  return read.ok ? read.value : undefined
}

const frameOf = ({ status, note, until }: Published): Request => ({
  type: 'status',
  status,
  note,
  until: new Date(until).toISOString(),
})
