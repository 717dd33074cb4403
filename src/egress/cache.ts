// Documents that were given to GET and may be given again, for as long as they say themselves: a private cache
// (RFC 9111) for each owner, all of them within one bound of number and size. It answers only what is asked in the very
// same words, so a document that was given to a signed request is never found by one that is signed otherwise, or not.
// What is kept here is never shown once it is stale: then it is asked about.

import { LRUCache } from 'lru-cache'
import type { Bounds } from '../limits/index.js'
import type { Clock } from '../runtime/index.js'
import { type AnswerHeaders, type Freshness, freshnessOf } from './freshness.js'

export interface Document {
  readonly bytes: Uint8Array
  readonly type: string
}

/** What a request says of itself. */
export type Said = Readonly<Record<string, string>>

interface Kept extends Document {
  readonly said: string
  readonly headers: AnswerHeaders
  readonly freshness: Freshness
}

export interface Found {
  readonly document: Document
  /** Whether it holds without a question. */
  readonly fresh: boolean
  /** What to ask with whether it still holds. */
  readonly condition: Said
  readonly headers: AnswerHeaders
}

/** The documents of one owner. */
export interface Shelf {
  /** What was kept of this address, if it was asked for in the same words. */
  find(url: string, said: Said): Found | undefined
  /** Keeps a document that came now, asked for at `askedAt`; or forgets the address, if this is not to be kept. */
  keep(url: string, said: Said, document: Document, headers: AnswerHeaders, askedAt: number): void
  /** The other side says that what was found still holds: keeps it under its new headers. */
  renew(url: string, said: Said, found: Found, headers: AnswerHeaders, askedAt: number): void
  forget(url: string): void
}

/** What a document takes beside its own bytes and its texts, about. */
const overheadBytes = 512

/** What an answer that says that the document still holds leaves as it was (RFC 9111, section 4.3.4). */
const lasting = ['cache-control', 'expires', 'etag', 'last-modified', 'vary'] as const

const lastingOf = (headers: AnswerHeaders): AnswerHeaders =>
  Object.fromEntries(lasting.flatMap(name => (headers[name] === undefined ? [] : [[name, headers[name]]])))

export class DocumentCache {
  readonly #clock: Pick<Clock, 'now' | 'wall'>
  readonly #bounds: Bounds
  readonly #kept: LRUCache<string, Kept>

  constructor(clock: Pick<Clock, 'now' | 'wall'>, bounds: Bounds) {
    this.#clock = clock
    this.#bounds = bounds
    this.#kept = new LRUCache({ max: bounds.of.cachedDocuments, maxSize: bounds.of.cachedDocumentBytes })
  }

  /** What is kept for this owner: no other ever finds any of it. */
  of(owner: string): Shelf {
    const keyOf = (url: string): string => `${owner}\n${url}`
    const shelf: Shelf = {
      find: (url, said) => {
        const kept = this.#kept.get(keyOf(url))
        if (kept === undefined || kept.said !== JSON.stringify(said)) return undefined
        const { bytes, type, headers, freshness } = kept
        const fresh = this.#clock.now() < freshness.freshUntil
        return { document: { bytes, type }, fresh, condition: freshness.condition, headers }
      },
      keep: (url, said, { bytes, type }, headers, askedAt) => {
        shelf.forget(url)
        const arrival = { askedAt, cameAt: this.#clock.now(), wall: this.#clock.wall() }
        const freshness = freshnessOf(headers, arrival)
        if (freshness === undefined) return
        // A copy: small buffers are parts of larger ones, which would be held on to.
        const document = { bytes: new Uint8Array(bytes), type }
        this.#keep(keyOf(url), {
          ...document,
          said: JSON.stringify(said),
          headers: lastingOf(headers),
          freshness,
        })
      },
      renew: (url, said, { document, headers: before }, headers, askedAt) => {
        shelf.keep(url, said, document, { ...before, ...headers }, askedAt)
      },
      forget: url => {
        this.#kept.delete(keyOf(url))
      },
    }
    return shelf
  }

  #keep(key: string, kept: Kept): void {
    const { cachedDocuments, cachedDocumentBytes } = this.#bounds.of
    const texts = key.length + kept.said.length + JSON.stringify(kept.headers).length
    const size = overheadBytes + kept.bytes.length + 2 * texts
    if (this.#kept.size >= cachedDocuments) this.#bounds.note('cachedDocuments')
    if (this.#kept.calculatedSize + size > cachedDocumentBytes) this.#bounds.note('cachedDocumentBytes')
    this.#kept.set(key, kept, { size })
  }
}
