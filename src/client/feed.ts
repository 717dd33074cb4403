// The feed: what is watched, by destination. Several watches of one destination share one subscription, with the
// widest view that any of them asks for. A gap asks for a fresh snapshot, once; so does a session that does not
// know its predecessor. What the hub refuses is refused to those who asked for that much, and to no others.

import { fold } from './fold.js'
import type { PresenceFrame, Resource, View } from './frames.js'
import type { Ask } from './requests.js'
import { SwitchhookError, type SwitchhookErrorCode } from './switchhook-error.js'
import { Watch, type WatchSource } from './watch.js'

interface Topic {
  readonly destination: string
  view: View
  resource: Resource | undefined
  /** A snapshot is due; what does not build on what is held is no news. */
  awaiting: boolean
  readonly watches: Set<Watch>
}

export interface FeedOptions {
  readonly ask: Ask
  readonly online: () => boolean
  readonly report: (error: unknown) => void
}

/** Narrowest first. */
const views: readonly View[] = ['summary', 'full', 'routing']
/** At most so many destinations in one frame. */
const FRAME_LIMIT = 100

const widest = (watches: Iterable<Watch>): View =>
  views[Math.max(...Array.from(watches, watch => views.indexOf(watch.view)))] as View

const slices = <T>(items: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(items.length / FRAME_LIMIT) }, (_, index) =>
    items.slice(index * FRAME_LIMIT, (index + 1) * FRAME_LIMIT),
  )

export class Feed {
  readonly #options: FeedOptions
  readonly #topics = new Map<string, Topic>()
  readonly #source: WatchSource

  constructor(options: FeedOptions) {
    this.#options = options
    this.#source = { stop: watch => this.#stop(watch), report: options.report }
  }

  /** One watch for each destination, in the order asked. */
  watch(destinations: readonly string[], view: View): Watch[] {
    const due = new Set<Topic>()
    const watches = destinations.map(destination => {
      const watch = new Watch(destination, view, this.#source)
      const topic = this.#topic(destination, view)
      topic.watches.add(watch)
      if (topic.resource !== undefined) watch.show(topic.resource)
      const wanted = widest(topic.watches)
      if (topic.watches.size === 1 || wanted !== topic.view) due.add(topic)
      topic.view = wanted
      return watch
    })
    this.#subscribe([...due])
    return watches
  }

  receive(frame: PresenceFrame): void {
    const topic = this.#topics.get(frame.destination)
    if (topic === undefined) return
    const folded = fold(topic.resource, frame)
    if (folded === 'gap') {
      if (!topic.awaiting) this.#subscribe([topic])
      return
    }
    if (frame.snapshot) topic.awaiting = false
    if (folded === topic.resource) return
    topic.resource = folded
    for (const watch of topic.watches) watch.show(folded)
  }

  /** There is a connection again. A session that was resumed sends a snapshot of what it knows to be watched. */
  resume(resumed: boolean): void {
    this.#subscribe([...this.#topics.values()].filter(topic => !resumed || topic.awaiting))
  }

  /** The connection will not come back by itself. Should it be made anew, all is watched on. */
  end(error: SwitchhookError): void {
    for (const { watches } of this.#topics.values()) for (const watch of watches) watch.fail(error)
  }

  #topic(destination: string, view: View): Topic {
    const known = this.#topics.get(destination)
    if (known !== undefined) return known
    const topic: Topic = { destination, view, resource: undefined, awaiting: true, watches: new Set() }
    this.#topics.set(destination, topic)
    return topic
  }

  #stop(watch: Watch): void {
    const topic = this.#topics.get(watch.destination)
    if (!topic?.watches.delete(watch) || topic.watches.size > 0) return
    this.#topics.delete(topic.destination)
    this.#options.ask('unsubscribe', { destinations: [topic.destination] }).catch(() => {})
  }

  #subscribe(topics: readonly Topic[]): void {
    for (const topic of topics) topic.awaiting = true
    if (!this.#options.online()) return
    for (const view of views) {
      for (const slice of slices(topics.filter(topic => topic.view === view))) this.#askFor(slice, view)
    }
  }

  #askFor(topics: readonly Topic[], view: View): void {
    const destinations = topics.map(topic => topic.destination)
    this.#options.ask('subscribe', { destinations, view }).then(
      ({ refused = [] }) => {
        for (const { destination, code } of refused) {
          const message = `may not watch ${destination} in view ${view}`
          this.#refuse(destination, view, new SwitchhookError(code as SwitchhookErrorCode, message))
        }
      },
      (error: SwitchhookError) => {
        // Else it is asked again with the next welcome.
        if (!this.#options.online()) return
        for (const destination of destinations) this.#refuse(destination, view, error)
      },
    )
  }

  /** Refuses the watches that want no less than was asked, and asks again for the others. */
  #refuse(destination: string, view: View, error: SwitchhookError): void {
    const topic = this.#topics.get(destination)
    if (topic === undefined || topic.view !== view) return
    for (const watch of topic.watches) {
      if (watch.view !== view) continue
      topic.watches.delete(watch)
      watch.refuse(error)
    }
    if (topic.watches.size === 0) {
      this.#topics.delete(destination)
      return
    }
    topic.view = widest(topic.watches)
    this.#subscribe([topic])
  }
}
