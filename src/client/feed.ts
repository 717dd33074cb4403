// The feed: what is watched, by destination. Several watches of one destination share one subscription, with the
// widest view that any of them asks for. A gap asks for a fresh snapshot, once; so does a session that does not
// know its predecessor. What the hub refuses is refused to those who asked for that much, and to no others; what it
// can not do just now is asked again.

import { fold } from './fold.js'
import type { PresenceFrame, Reply, Resource, View } from './frames.js'
import type { Ask } from './requests.js'
import { SwitchhookError, type SwitchhookErrorCode } from './switchhook-error.js'
import { duration, type Timers } from './timers.js'
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
  readonly timers: Timers
}

/** Narrowest first. */
const views: readonly View[] = ['summary', 'full', 'routing']
/** At most so many destinations in one frame. */
const FRAME_LIMIT = 100
/** Before asking again, at least. */
const AGAIN_MS = 5000

const widest = (watches: Iterable<Watch>): View =>
  views[Math.max(...Array.from(watches, watch => views.indexOf(watch.view)))] as View

const slices = <T>(items: readonly T[], size = FRAME_LIMIT): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  )

/** Refused for now: a hub under load, or a token that a fresh one will soon replace. */
const passes = ({ code, retry }: SwitchhookError): boolean => retry || code === 'unauthorized'

export class Feed {
  readonly #options: FeedOptions
  readonly #topics = new Map<string, Topic>()
  readonly #source: WatchSource
  /** Given up while there was no connection: a session that is resumed still sends it. */
  #stale: string[] = []
  #againTimer: unknown

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
    // A copy: who hears it may begin and end watches.
    for (const watch of [...topic.watches]) watch.show(folded)
  }

  /**
   * There is a connection again. A session that was resumed sends a snapshot of what it knows to be watched; with
   * other rights than before it may have ended some of that without a word, and is asked for all.
   */
  resume(resumed: boolean, sameRights = true): void {
    if (resumed) this.#unsubscribe(this.#stale)
    this.#stale = []
    const known = resumed && sameRights
    this.#subscribe([...this.#topics.values()].filter(topic => !known || topic.awaiting))
  }

  /** The connection will not come back by itself. Should it be made anew, all is watched on. */
  end(error: SwitchhookError): void {
    this.#options.timers.clearTimeout(this.#againTimer)
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
    if (!topic?.watches.delete(watch)) return
    watch.fail(new SwitchhookError('closed', 'the watch was closed'))
    if (topic.watches.size > 0) this.#narrow(topic)
    else {
      this.#topics.delete(topic.destination)
      if (this.#options.online()) this.#unsubscribe([topic.destination])
      else this.#stale.push(topic.destination)
    }
  }

  /** Those that are left may ask for less. */
  #narrow(topic: Topic): void {
    const view = widest(topic.watches)
    if (view === topic.view) return
    topic.view = view
    this.#subscribe([topic])
  }

  #unsubscribe(given: readonly string[]): void {
    // Should it not arrive, what comes is passed over.
    for (const destinations of slices(given))
      this.#options.ask('unsubscribe', { destinations }).catch(() => {})
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
    const known = (topic: Topic) => this.#topics.get(topic.destination) === topic
    const { ask, online, report } = this.#options
    const told = ({ refused = [] }: Reply<'subscribe'>) => {
      for (const { destination, code } of refused) {
        const message = `may not watch ${destination} in view ${view}`
        this.#refuse(destination, view, new SwitchhookError(code as SwitchhookErrorCode, message))
      }
    }
    const failed = (error: SwitchhookError) => {
      // Else it is asked again with the next welcome.
      if (!online()) return
      if (passes(error)) this.#askLater(error.retryAfterMs)
      else if (topics.length === 1) this.#refuse(destinations.join(), view, error)
      // One of them is at fault.
      else
        for (const half of slices(topics, Math.ceil(topics.length / 2))) this.#subscribe(half.filter(known))
    }
    ask('subscribe', { destinations, view }).then(told, failed).catch(report)
  }

  #askLater(retryAfterMs: number | undefined): void {
    const { timers } = this.#options
    timers.clearTimeout(this.#againTimer)
    const inMs = Math.max(AGAIN_MS, duration(retryAfterMs))
    this.#againTimer = timers.setTimeout(() => this.resume(true), inMs)
  }

  /** Refuses the watches that want no less than was asked, and asks again for the others. */
  #refuse(destination: string, view: View, error: SwitchhookError): void {
    const topic = this.#topics.get(destination)
    if (topic === undefined || topic.view !== view) return
    const refused = [...topic.watches].filter(watch => watch.view === view)
    for (const watch of refused) topic.watches.delete(watch)
    if (topic.watches.size === 0) this.#topics.delete(destination)
    else this.#narrow(topic)
    // Last, for who is refused may ask for less.
    for (const watch of refused) watch.refuse(error)
  }
}
