// What the platform knows of a page's life and of the network, told as one of three signals: a small port, since Node
// has none of it and a spec wants to play it. What a session makes of each is its own.
//
//   away     the page is put away or frozen: nothing runs until it is back
//   offline  there is no network
//   back     something may be as it was before, or may not: the page is back or is looked at again, there is a network

export type Signal = 'away' | 'back' | 'offline'

export interface Signals {
  /** Whether the platform says that there is no network. */
  readonly offline: boolean
  /** Calls `listener` at each signal, until the function it returns is called. */
  watch(listener: (signal: Signal) => void): () => void
}

interface PageEvent {
  /** Of `pagehide` and `pageshow`: whether the page goes to, or comes from, the back-forward cache. */
  readonly persisted?: boolean
}

/** The little of a browser's global object that is needed; in Node all of it is missing. */
export interface Page {
  addEventListener?(type: string, listener: (event: never) => void, options: { capture: true }): void
  removeEventListener?(type: string, listener: (event: never) => void, options: { capture: true }): void
  readonly document?: { readonly visibilityState: string }
  readonly navigator?: { readonly onLine?: boolean }
}

/** Event -> signal. A page that is left for good closes its sockets itself, and is asked nothing. */
const signals: Readonly<Record<string, (event: PageEvent, page: Page) => Signal | false>> = {
  pagehide: ({ persisted }) => persisted === true && 'away',
  pageshow: ({ persisted }) => persisted === true && 'back',
  freeze: () => 'away',
  resume: () => 'back',
  visibilitychange: (_, { document }) => document?.visibilityState === 'visible' && 'back',
  online: () => 'back',
  offline: () => 'offline',
}

/** Those of `page`, a browser's global object. Events of the document are heard on their way down to it. */
export const pageSignals = (page: Page): Signals => ({
  get offline() {
    return page.navigator?.onLine === false
  },
  watch(listener) {
    const stops = Object.entries(signals).map(([type, read]) => {
      const hear = (event: PageEvent) => {
        const signal = read(event, page)
        if (signal) listener(signal)
      }
      page.addEventListener?.(type, hear, { capture: true })
      return () => page.removeEventListener?.(type, hear, { capture: true })
    })
    return () => {
      for (const stop of stops) stop()
    }
  },
})
