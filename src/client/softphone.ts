// The softphone: one device's presence and calls over one lasting session. This is the facade: it wires session,
// requests, feed and calls together, remembers what the device declared, and holds nothing else.

import { socketAddress } from './address.js'
import type { Call } from './call.js'
import { Calls } from './calls.js'
import type { Connection } from './connection.js'
import { Credentials } from './credentials.js'
import { type Deferred, deferred } from './deferred.js'
import { Emitter } from './emitter.js'
import { Feed } from './feed.js'
import type { CallFrame, CallFrameType, Fields, HubFrame, Resource, Self, View, Welcome } from './frames.js'
import { type Ask, Requests } from './requests.js'
import { Session } from './session.js'
import { type Page, pageSignals } from './signals.js'
import type { SoftphoneEvents, SoftphoneOptions } from './softphone-options.js'
import { platformTimers, type Timers } from './timers.js'
import type { Watch } from './watch.js'
import type { WebSocketConstructor } from './web-socket.js'

/** What the device says of itself; the hub forgets it with the session, so each hello says it again. */
type Declaration = Partial<Pick<Fields<'status'>, 'status'>> & Pick<Fields<'status'>, 'until' | 'note'>

/** As many of `T` as there are in `D`. */
type Each<D extends readonly string[], T> = { -readonly [K in keyof D]: T }

const callFrameTypes: ReadonlySet<string> = new Set<CallFrameType>([
  'invite',
  'connected',
  'cancel',
  'progress',
  'perform',
  'answered',
  'ended',
  'signal',
])

const isCallFrame = (frame: HubFrame): frame is CallFrame => callFrameTypes.has(frame.type)

const platformWebSocket = (): WebSocketConstructor => {
  const { WebSocket } = globalThis as { WebSocket?: WebSocketConstructor }
  if (WebSocket === undefined) {
    throw new TypeError('no WebSocket on this platform: give the one of ws as the option WebSocket')
  }
  return WebSocket
}

export class Softphone extends Emitter<SoftphoneEvents> {
  readonly #options: SoftphoneOptions
  readonly #timers: Timers
  readonly #session: Session
  readonly #requests: Requests
  readonly #feed: Feed
  readonly #calls: Calls
  #declared: Declaration
  #self: Self | undefined
  /** What the token of the last hello allowed. */
  #scopes = ''
  #opening: Deferred<Welcome> | undefined

  /** Does nothing before `connect`. Throws TypeError for an address that is none, and without a WebSocket. */
  constructor(options: SoftphoneOptions) {
    super()
    this.#options = options
    this.#timers = options.timers ?? platformTimers
    this.#declared = { ...(options.status && { status: options.status }), note: options.note }
    const { token, device, random = Math.random } = options
    const timers = this.#timers
    const report = (error: unknown) => this.report(error)
    const online = () => this.connection.state === 'online'
    const present = async (token: string) => {
      await this.request('token', { token })
      // What a fresh token allows is not told: the answer to asking again is.
      this.#feed.resume(true, false)
    }
    this.#session = new Session(
      {
        hello: () => this.#hello(),
        changed: connection => this.#changed(connection),
        frame: frame => this.#receive(frame),
        busy: () => this.calls.length > 0,
        report,
      },
      {
        url: socketAddress(options.url),
        credentials: new Credentials({ token, device, timers, random, present, report }),
        resume: options.resume ?? true,
        heartbeatMs: options.heartbeatMs ?? 10_000,
        attempts: options.attempts ?? Number.POSITIVE_INFINITY,
        random,
        timers,
        signals: options.signals ?? pageSignals(globalThis as Page),
        WebSocket: options.WebSocket ?? platformWebSocket(),
      },
    )
    const session = this.#session
    this.#requests = new Requests(
      {
        send: frame => session.send(frame),
        get closed() {
          return session.connection.state === 'closed' ? session.connection.error : undefined
        },
      },
      timers,
    )
    const { ask } = this.#requests
    this.#feed = new Feed({ ask, online, report, timers })
    this.#calls = new Calls({
      ask,
      report,
      changed: live => {
        session.move()
        this.emit('calls', live)
      },
      confirmRinging: options.confirmRinging ?? true,
      invited: call => this.emit('invite', call),
      restored: call => this.emit('restored', call),
    })
  }

  /** A value that says how it stands; the event of the same name tells each change. */
  get connection(): Connection {
    return this.#session.connection
  }

  /** The account's own state, as last told. */
  get self(): Self | undefined {
    return this.#self
  }

  /** Calls that ring, wait or are talked on; the event of the same name tells when one comes, goes or changes. */
  get calls(): readonly Call[] {
    return this.#calls.live
  }

  /**
   * Comes online, and stays so until `close` or a refusal that no reconnect can mend. While it waits to reconnect
   * this tries at once. Rejects with SwitchhookError once the softphone is closed.
   */
  connect(): Promise<Welcome> {
    const { connection } = this
    if (connection.state === 'online') return Promise.resolve(connection.welcome)
    this.#opening ??= deferred()
    const { promise } = this.#opening
    this.#session.connect()
    return promise
  }

  /** Leaves presence at once, and closes. Calls that are live here end. Settles when the socket is closed. */
  close(): Promise<void> {
    return this.#session.leave()
  }

  /** Says how it is with this device, or with `for: 'account'` for all of one's devices (`null` clears that). */
  async status(change: Fields<'status'>): Promise<void> {
    await this.request('status', change)
    if (change.for === 'account') return
    const { status, note, until } = change
    this.#declared = { status, note, until }
  }

  /** Watches destinations, one or many: one Watch each, in the order asked, that keeps its resource up to date. */
  subscribe(destination: string, options?: { view?: View | undefined }): Watch
  subscribe<const D extends readonly string[]>(
    destinations: D,
    options?: { view?: View | undefined },
  ): Each<D, Watch>
  subscribe(destinations: string | readonly string[], { view = 'full' }: { view?: View | undefined } = {}) {
    const watches = this.#feed.watch([destinations].flat(), view)
    return typeof destinations === 'string' ? watches[0] : watches
  }

  /** Reads the presence of at most 500 destinations in one message, in the order asked. */
  async presence(
    destinations: readonly string[],
    { view }: { view?: View | undefined } = {},
  ): Promise<Resource[]> {
    const { resources } = await this.request('presence', { destinations: [...destinations], view })
    return resources
  }

  /**
   * Places a call. Rejects with `busy` if the account has no place left, and with `disconnected` if the connection
   * was lost before the answer: should the call exist, the event `restored` tells of it.
   */
  place(request: Fields<'place'>): Promise<Call> {
    return this.#calls.place(request)
  }

  /** Any other request of the protocol, by its type. Rejects with SwitchhookError. */
  get request(): Ask {
    return this.#requests.ask
  }

  protected override report(error: unknown): void {
    const again = (fault: unknown) => super.report(fault)
    if (!this.emit('error', error, again)) super.report(error)
  }

  #hello() {
    const { client = 'switchhook-js', capacity, heartbeatMs, performs } = this.#options
    if (this.#isPast(this.#declared.until)) this.#declared = { status: 'available' }
    const { status, note } = this.#declared
    return {
      client,
      capacity,
      heartbeatMs,
      performs: performs && [...performs],
      status: status ?? undefined,
      note,
    }
  }

  #isPast(until: string | undefined): boolean {
    return until !== undefined && Date.parse(until) <= this.#timers.now()
  }

  #changed(connection: Connection): void {
    switch (connection.state) {
      case 'online':
        this.#online(connection.welcome)
        break
      case 'reconnecting':
      case 'paused':
        this.#requests.suspend()
        break
      case 'closed':
        this.#requests.end(connection.error)
        this.#feed.end(connection.error)
        this.#opening?.reject(connection.error)
        this.#opening = undefined
    }
    this.emit('connection', connection)
    // Last, for who hears the end of a call may connect anew.
    if (connection.state === 'closed') this.#calls.end(connection.error.message)
  }

  #online(welcome: Welcome): void {
    this.#requests.resume()
    const scopes = String(welcome.scopes)
    this.#feed.resume(welcome.resumed, scopes === this.#scopes)
    this.#scopes = scopes
    this.#calls.resume(welcome.resumed)
    // Hello knows no `until`. Should this fail, `self` says what holds.
    const { status, note, until } = this.#declared
    if (status !== undefined && until !== undefined) this.status({ status, note, until }).catch(() => {})
    this.#opening?.resolve(welcome)
    this.#opening = undefined
  }

  #receive(frame: HubFrame): void {
    if (isCallFrame(frame)) this.#calls.receive(frame)
    else if (frame.type === 'presence') this.#feed.receive(frame)
    else if (frame.type === 'self') {
      this.#self = frame
      this.emit('self', frame)
    } else this.#requests.settle(frame)
  }
}
