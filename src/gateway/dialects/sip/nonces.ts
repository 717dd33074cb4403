// The nonces of digest authentication. Making one costs no memory: it carries when it was made, and a seal over that and
// its realm with a key of this process. Only those that proved a secret are remembered, by their count, so that no answer
// serves twice; where one had to be forgotten, those as old as it are over too.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Clock } from '../../../runtime/index.js'
import type { Verdict } from './digest.js'

/** How long a nonce is good for. */
export const NONCE_MS = 60_000
/** How many nonces with their counts are remembered. */
export const REMEMBERED_NONCES = 10_000

const HEAD_BYTES = 16
const TIME_BYTES = 6
const SEAL_BYTES = 16

interface Used {
  readonly madeAt: number
  readonly count: number
}

export class Nonces {
  readonly #clock: Pick<Clock, 'now'>
  readonly #key = randomBytes(32)
  readonly #used: LRUCache<string, Used>
  /** Nonces made then or before, and not remembered, are over. */
  #forgottenAt = -1

  constructor(clock: Pick<Clock, 'now'>, remembered = REMEMBERED_NONCES) {
    this.#clock = clock
    this.#used = new LRUCache<string, Used>({
      max: remembered,
      dispose: ({ madeAt }, _, reason) => {
        if (reason === 'evict') this.#forgottenAt = Math.max(this.#forgottenAt, madeAt)
      },
    })
  }

  mint(realm: string): string {
    const head = randomBytes(HEAD_BYTES)
    head.writeUIntBE(this.#now(), 0, TIME_BYTES)
    return Buffer.concat([head, this.#seal(head, realm)]).toString('base64url')
  }

  /** Takes a nonce for a request whose proof was right; the count must grow from one to the next. */
  use(nonce: string, realm: string, count: number): Verdict {
    const bytes = Buffer.from(nonce, 'base64url')
    if (bytes.length !== HEAD_BYTES + SEAL_BYTES) return 'stale'
    const head = bytes.subarray(0, HEAD_BYTES)
    if (!timingSafeEqual(this.#seal(head, realm), bytes.subarray(HEAD_BYTES))) return 'stale'
    const madeAt = head.readUIntBE(0, TIME_BYTES)
    if (this.#now() - madeAt > NONCE_MS) return 'stale'
    const name = bytes.toString('base64url')
    const used = this.#used.get(name)
    if (used === undefined && madeAt <= this.#forgottenAt) return 'stale'
    if (count <= (used?.count ?? 0)) return 'refused'
    this.#used.set(name, { madeAt, count })
    return 'proven'
  }

  #now(): number {
    return Math.floor(this.#clock.now())
  }

  #seal(head: Buffer, realm: string): Buffer {
    return createHmac('sha256', this.#key).update(head).update(realm).digest().subarray(0, SEAL_BYTES)
  }
}
