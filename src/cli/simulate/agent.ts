// One simulated phone, and the person at it, who does with each offer what the script says, loses the connection when
// it says so, and signs in and out by their shifts: out when the call that they are in is over, in again on a new
// session. How the phone reaches the hub is its handset's.

import type { Handset, OpenHandset, PhoneCall, SignedIn, Who } from './handset.js'
import { codeOf, numberOf, type Play } from './play.js'
import type { Reaction } from './scenario.js'
import { count, type PhoneTally } from './tally.js'

export interface AgentOptions extends Who {
  readonly open: OpenHandset
  /** Which phone of the script it is, and which person's. */
  readonly number: number
  readonly person: number
  /** How long they are taken after each call that they answered. */
  readonly wrapupMs: number
}

export class Agent {
  readonly name: string
  readonly #play: Play
  readonly #options: AgentOptions
  readonly #tally: PhoneTally
  readonly #connections: Iterator<number, void>
  readonly #shifts: ReturnType<Play['scenario']['shifts']>
  #handset: Handset
  #lossTimer: unknown
  #shiftTimer: unknown
  #known = false
  #isOnline = false
  /** Since when they are signed in, and count as such. */
  #since: number | undefined
  #begun = false

  constructor(play: Play, options: AgentOptions) {
    const { account, device, number, person } = options
    this.name = `${account}/${device}`
    this.#play = play
    this.#options = options
    this.#tally = play.tally.phone(this.name)
    this.#connections = play.scenario.connections(number)
    this.#shifts = play.scenario.shifts(person)
    this.#handset = this.#open()
  }

  /** Comes online. Rejects with SwitchhookError if the first attempt fails. */
  connect(): Promise<SignedIn> {
    return this.#handset.connect()
  }

  /** The calls that it has not heard the end of. */
  get calls(): readonly PhoneCall[] {
    return this.#handset.calls
  }

  /** From now on they are paid: what they do is measured, and the first shift runs. */
  begin(): void {
    this.#begun = true
    this.#clockIn()
    this.#nextShift()
  }

  /** Until now. Whoever is signed out stays so. */
  end(): void {
    this.#play.timers.clearTimeout(this.#shiftTimer)
    this.#clockOut()
    this.#begun = false
  }

  close(): Promise<void> {
    return this.#handset.close()
  }

  #open(): Handset {
    const { open, account, device } = this.#options
    return open(
      { account, device },
      {
        online: session => this.#online(session),
        offline: () => this.#offline(),
        failed: error => this.#failed(error),
        invite: call => this.#ring(call),
      },
    )
  }

  #online(session: 'resumed' | 'new'): void {
    const { tally, timers } = this.#play
    const { connections } = tally
    connections.online += 1
    this.#isOnline = true
    if (this.#known) connections[session === 'resumed' ? 'resumed' : 'renewed'] += 1
    this.#known = true
    this.#clockIn()
    const { value: forMs } = this.#connections.next()
    if (forMs !== undefined) this.#lossTimer = timers.setTimeout(() => this.#lose(), forMs)
  }

  #offline(): void {
    if (!this.#isOnline) return
    this.#isOnline = false
    this.#play.timers.clearTimeout(this.#lossTimer)
    this.#play.tally.connections.online -= 1
    this.#clockOut()
  }

  #lose(): void {
    this.#play.tally.connections.lost += 1
    this.#handset.cut()
  }

  #clockIn(): void {
    if (this.#begun) this.#since = this.#play.timers.now()
  }

  #clockOut(): void {
    if (this.#since !== undefined) this.#tally.signedInMs += this.#play.timers.now() - this.#since
    this.#since = undefined
  }

  #nextShift(): void {
    const { value: shift } = this.#shifts.next()
    if (shift === undefined) return
    this.#later(shift.onMs, async () => {
      await this.#signOut()
      this.#later(shift.offMs, async () => {
        this.#handset = this.#open()
        await this.#handset.connect()
        this.#nextShift()
      })
    })
  }

  /** Unless all is over by now. */
  #later(ms: number, work: () => Promise<void>): void {
    if (!this.#begun) return
    this.#shiftTimer = this.#play.timers.setTimeout(() => {
      work().catch(error => this.#failed(error))
    }, ms)
  }

  /** Takes no further calls, and leaves when there is none. */
  async #signOut(): Promise<void> {
    const { tally } = this.#play
    await this.#handset.rest()
    await Promise.all(this.calls.map(({ over }) => over))
    await this.#handset.close()
    this.#known = false
    tally.connections.signedOut += 1
    this.#offline()
  }

  #ring(call: PhoneCall): void {
    const { scenario, timers, tally, live } = this.#play
    const { act, afterMs } = scenario.reaction(this.#options.number, this.#tally.offered)
    const rungAt = timers.now()
    this.#tally.offered += 1
    if (this.calls.length > 1) tally.fault(`${this.name} was offered call ${call.id} beside another`)
    const known = live.get(numberOf(call))
    if (known !== undefined && known.rungAt === undefined) {
      known.rungAt = rungAt
      tally.rang(rungAt - known.placedAt)
    }
    let wrapupMs = 0
    call.connected.then(answered => {
      if (!answered) return
      this.#tally.answered += 1
      wrapupMs = this.#options.wrapupMs
      if (known !== undefined) known.callee = call
    })
    call.over.then(() => {
      this.#tally.takenMs += timers.now() - rungAt + wrapupMs
    })
    if (act === 'ignore') return
    const timer = timers.setTimeout(() => {
      this.#react(call, act).catch(error => this.#failed(error))
    }, afterMs)
    call.over.then(() => timers.clearTimeout(timer))
  }

  async #react(call: PhoneCall, act: Exclude<Reaction['act'], 'ignore'>): Promise<void> {
    if (act === 'accept') return call.accept()
    await call.reject(act === 'busy' ? 'busy' : 'declined')
    this.#tally.rejected += 1
  }

  #failed(error: unknown): void {
    const code = codeOf(error)
    if (code === 'call-gone') this.#tally.late += 1
    else count(this.#play.tally.errors, code)
  }
}
