// Plays a scenario: brings its phones online, places its calls when their times come, and sees that all of it is over
// in the end. The driver: by whatever phones, carrier and time it is given.

import type { Timers } from '../../client/index.js'
import { Agent } from './agent.js'
import { Caller } from './caller.js'
import type { Carrier } from './carrier.js'
import type { OpenHandset, SignedIn } from './handset.js'
import { type Play, pause } from './play.js'
import type { Scenario } from './scenario.js'
import type { Tally } from './tally.js'

const liveStates = ['received', 'planning', 'queued', 'placing', 'ringing', 'connected'] as const

/** What the hub itself says of calls that are not over, a page at a time. */
export interface Register {
  calls(query: {
    readonly state: (typeof liveStates)[number]
    readonly limit: number
    readonly cursor?: string | undefined
  }): Promise<{ readonly calls: readonly { readonly call: string }[]; readonly cursor?: string | undefined }>
}

export interface SimulationOptions {
  readonly scenario: Scenario
  readonly tally: Tally
  readonly timers: Timers
  readonly carrier: Carrier
  readonly api: Register
  readonly open: OpenHandset
  /** Whose phones there are, one for each time that an account is named. */
  readonly accounts: readonly string[]
  /** How long someone is taken after each call that they answered, by the hub's configuration. Default 0. */
  readonly wrapupMs?: number | undefined
  /** What is called. */
  readonly to: string
  /** Ends it early: no further calls, and all callers give up. */
  readonly stop: AbortSignal
}

/** So many phones are connecting at a time. */
const CONNECTING = 32
/** How long phones have to hear the end of calls whose callers have. */
const GRACE_MS = 5_000

export class Simulation {
  readonly #options: SimulationOptions
  readonly #play: Play
  readonly #agents: readonly Agent[]
  readonly #callers = new Set<Caller>()
  readonly #placed = new Set<string>()

  constructor(options: SimulationOptions) {
    const { scenario, timers, tally, accounts, open, wrapupMs = 0 } = options
    this.#options = options
    this.#play = { scenario, timers, tally, live: new Map() }
    const people = new Map([...new Set(accounts)].map((account, person) => [account, person]))
    this.#agents = accounts.map((account, number) => {
      const device = `sim-${number + 1}`
      const person = Number(people.get(account))
      return new Agent(this.#play, { open, account, device, number, person, wrapupMs })
    })
  }

  /** Brings carrier and phones online, and says what the hub makes of each phone. Rejects with SwitchhookError if it refuses one. */
  async connect(): Promise<readonly SignedIn[]> {
    await this.#options.carrier.open()
    const welcomes: SignedIn[] = []
    const left = this.#agents.values()
    await Promise.all(
      Array.from({ length: CONNECTING }, async () => {
        for (const agent of left) welcomes.push(await agent.connect())
      }),
    )
    return welcomes
  }

  /** Plays all calls of the scenario to their ends, and looks for what was left open. */
  async play(): Promise<void> {
    const { scenario, tally, timers, carrier, to, stop } = this.#options
    const startedAt = timers.now()
    for (const agent of this.#agents) agent.begin()
    const calls: Promise<void>[] = []
    const giveUp = (): void => {
      for (const caller of this.#callers) caller.giveUp()
    }
    stop.addEventListener('abort', giveUp)
    for (const arrival of scenario.arrivals()) {
      const waitMs = startedAt + arrival.atMs - timers.now()
      if (waitMs > 0) await pause(timers, waitMs, stop)
      if (stop.aborted) break
      tally.lag.add(timers.now() - startedAt - arrival.atMs)
      calls.push(this.#place(new Caller(arrival, this.#play, { carrier, to })))
    }
    await Promise.all(calls)
    stop.removeEventListener('abort', giveUp)
    for (const agent of this.#agents) agent.end()
    await this.#settle()
    await this.#audit()
  }

  /** All leave. */
  async close(): Promise<void> {
    await Promise.all([this.#options.carrier, ...this.#agents].map(each => each.close()))
  }

  async #place(caller: Caller): Promise<void> {
    this.#callers.add(caller)
    const call = await caller.call()
    this.#callers.delete(caller)
    if (call !== undefined) this.#placed.add(call)
  }

  /** Whoever was offered a call is told that it is over, also those who are away for a moment. */
  async #settle(): Promise<void> {
    const { timers, tally } = this.#options
    const late = new AbortController()
    const told = Promise.all(this.#agents.flatMap(({ calls }) => calls.map(({ over }) => over)))
    await Promise.race([told, pause(timers, GRACE_MS, late.signal)])
    late.abort()
    for (const { name, calls } of this.#agents) {
      for (const { id } of calls) tally.fault(`${name} was not told that call ${id} is over`)
    }
  }

  /** What the hub itself believes to be open. */
  async #audit(): Promise<void> {
    const { api, tally } = this.#options
    for (const state of liveStates) {
      let cursor: string | undefined
      do {
        const page = await api.calls({ state, limit: 200, cursor })
        for (const { call } of page.calls) {
          if (this.#placed.has(call)) tally.fault(`call ${call} is left ${state} at the hub`)
        }
        cursor = page.cursor
      } while (cursor !== undefined)
    }
  }
}
