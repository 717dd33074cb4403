// A softphone as React reads it: immutable values that stay the same until something changes, and listeners. What is
// connected and watched follows from who uses the store, at the end of the turn in which that changed: components
// that come and go within one commit, as StrictMode makes them, cause nothing, and a screen full of new ones causes
// one frame. A softphone that the store made is its own to connect and close; one that it was given is not.

import {
  type Call,
  type Connection,
  type Resource,
  type Self,
  Softphone,
  type SoftphoneOptions,
  type SwitchhookError,
  type View,
  type Watch,
} from '../client/index.js'

/** How a softphone stands, and what can be done with it. Replaced when something changes; the functions never are. */
export interface SoftphoneValue {
  readonly connection: Connection
  /** The account's own state, as last told. */
  readonly self: Self | undefined
  /** Calls that ring, wait or are talked on; `useCall` reads one. */
  readonly calls: readonly Call[]
  /** As `Softphone.status`. */
  readonly status: Softphone['status']
  /** As `Softphone.place`. */
  readonly place: Softphone['place']
  /** The softphone itself, for all else. */
  readonly softphone: Softphone
}

type Listener = () => void

interface Watched {
  readonly destination: string
  readonly view: View
  readonly listeners: Set<Listener>
  watch?: Watch
  refused?: SwitchhookError
}

/** Tells the listeners what comes of a watch, and what is there already. */
const attend = (watched: Watched, watch: Watch): void => {
  const tell = () => {
    for (const listener of watched.listeners) listener()
  }
  watched.watch = watch
  watch.on('change', tell)
  watch.on('refused', error => {
    watched.refused = error
    tell()
  })
  tell()
}

const keyOf = (destination: string, view: View): string => `${view} ${destination}`

export class PhoneStore {
  /** Those of the latest render; undefined where the softphone was given. */
  options: SoftphoneOptions | undefined
  /** Made when it is needed: rendering on a server makes none. */
  #softphone: Softphone | undefined
  readonly #initial: SoftphoneValue
  #value: SoftphoneValue
  readonly #watched = new Map<string, Watched>()
  #holders = 0
  #connected = false
  #reconciling = false

  constructor(given: Softphone | SoftphoneOptions) {
    if (given instanceof Softphone) this.#softphone = given
    else this.options = given
    this.#initial = this.#valueOf({ connection: { state: 'idle' }, self: undefined, calls: [] })
    this.#value = this.#initial
  }

  get softphone(): Softphone {
    this.#softphone ??= this.#make(this.options as SoftphoneOptions)
    return this.#softphone
  }

  /** How it stands now. */
  readonly read = (): SoftphoneValue => {
    const now = this.#softphone ?? this.#initial
    const { connection, self, calls } = this.#value
    if (now.connection !== connection || now.self !== self || now.calls !== calls)
      this.#value = this.#valueOf(now)
    return this.#value
  }

  /** How it stands before a page has it. */
  readonly readInitial = (): SoftphoneValue => this.#initial

  readonly subscribe = (listener: Listener): Listener => {
    const events = ['connection', 'self', 'calls'] as const
    const stops = events.map(event => this.softphone.on(event, listener))
    return () => {
      for (const stop of stops) stop()
    }
  }

  /** Stays connected until the function it returns is called. */
  readonly hold = (): Listener => {
    // Made by now, so that options which make none are an error of the component that gave them.
    this.#softphone = this.softphone
    this.#holders++
    this.#reconcileSoon()
    return () => {
      this.#holders--
      this.#reconcileSoon()
    }
  }

  /** What is seen of a destination, or why it may not be seen; undefined while nothing is. */
  presence(destination: string, view: View): Resource | SwitchhookError | undefined {
    const watched = this.#watched.get(keyOf(destination, view))
    return watched?.refused ?? watched?.watch?.resource
  }

  /** Watches a destination, together with all who do. */
  watch(destination: string, view: View, listener: Listener): Listener {
    const key = keyOf(destination, view)
    const watched = this.#watched.get(key) ?? { destination, view, listeners: new Set() }
    this.#watched.set(key, watched)
    watched.listeners.add(listener)
    this.#reconcileSoon()
    return () => {
      watched.listeners.delete(listener)
      this.#reconcileSoon()
    }
  }

  #make({ token, ...options }: SoftphoneOptions): Softphone {
    const latest = () => {
      const { token } = this.options as SoftphoneOptions
      return typeof token === 'function' ? token() : token
    }
    return new Softphone({ ...options, token: typeof token === 'function' ? latest : token })
  }

  #valueOf({
    connection,
    self,
    calls,
  }: Pick<SoftphoneValue, 'connection' | 'self' | 'calls'>): SoftphoneValue {
    const store = this
    return {
      connection,
      self,
      calls,
      status: this.#status,
      place: this.#place,
      get softphone() {
        return store.softphone
      },
    }
  }

  readonly #status: Softphone['status'] = change => this.softphone.status(change)
  readonly #place: Softphone['place'] = request => this.softphone.place(request)

  #reconcileSoon(): void {
    if (this.#reconciling) return
    this.#reconciling = true
    queueMicrotask(() => {
      this.#reconciling = false
      this.#reconcile()
    })
  }

  #reconcile(): void {
    const wanted = this.options !== undefined && this.#holders > 0
    if (wanted && !this.#connected) {
      // Should it fail, `connection` says so.
      this.softphone.connect().catch(() => {})
    }
    this.#reconcileWatches()
    if (!wanted && this.#connected) void this.softphone.close()
    this.#connected = wanted
  }

  #reconcileWatches(): void {
    const due = new Map<View, Watched[]>()
    for (const [key, watched] of this.#watched) {
      if (watched.listeners.size === 0) {
        this.#watched.delete(key)
        watched.watch?.close()
      } else if (watched.watch === undefined) {
        due.set(watched.view, [...(due.get(watched.view) ?? []), watched])
      }
    }
    for (const [view, group] of due) {
      const watches = this.softphone.subscribe(
        group.map(({ destination }) => destination),
        { view },
      )
      for (const [index, watched] of group.entries()) attend(watched, watches[index] as Watch)
    }
  }
}
