// One reader's view of one destination: the resource as of the last frame, kept up by the feed it came from.

import { deferred } from './deferred.js'
import { Emitter } from './emitter.js'
import type { Resource, View } from './frames.js'
import type { SwitchhookError } from './switchhook-error.js'

export interface WatchEvents {
  /** The destination changed; each state it was in while seen, in order. */
  change: Resource
  /** The hub does not let this destination be watched, in this view: nothing more comes. */
  refused: SwitchhookError
}

/** What a watch needs of its feed. */
export interface WatchSource {
  stop(watch: Watch): void
  report(error: unknown): void
}

export class Watch extends Emitter<WatchEvents> {
  readonly destination: string
  readonly view: View
  readonly #source: WatchSource
  readonly #first = deferred<Resource>()
  #resource: Resource | undefined

  /** Made by `Softphone.subscribe`. */
  constructor(destination: string, view: View, source: WatchSource) {
    super()
    this.destination = destination
    this.view = view
    this.#source = source
  }

  /** As last seen: undefined until the first snapshot, kept as it was while the connection is lost. Never changed in place. */
  get resource(): Resource | undefined {
    return this.#resource
  }

  /** The first resource. Rejects with SwitchhookError if the hub refuses, or this or the softphone closes before. */
  get ready(): Promise<Resource> {
    return this.#first.promise
  }

  /** Stops watching. */
  close(): void {
    this.#source.stop(this)
  }

  /** The feed's: what is seen now. */
  show(resource: Resource): void {
    this.#resource = resource
    this.#first.resolve(resource)
    this.emit('change', resource)
  }

  /** The feed's: nothing will be seen before the softphone connects anew. */
  fail(error: SwitchhookError): void {
    this.#first.reject(error)
  }

  /** The feed's: not allowed. */
  refuse(error: SwitchhookError): void {
    this.fail(error)
    this.emit('refused', error)
  }

  protected override report(error: unknown): void {
    this.#source.report(error)
  }
}
