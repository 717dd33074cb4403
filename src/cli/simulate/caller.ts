// The caller of one simulated call, as a system outside the platform is one: places it over HTTP, follows what it is
// told, gives up when the script says so, and after the talk hangs up or is hung up on. What it heard is for the
// tally to judge.

import { type HubApi, type StreamEvent, SwitchhookError } from '../../client/index.js'
import { codeOf, type Live, mark, type Play, pause } from './play.js'
import type { Arrival } from './scenario.js'
import { count } from './tally.js'

export interface CallerOptions {
  readonly api: Pick<HubApi, 'place' | 'events' | 'hangup'>
  readonly to: string
}

/** How long the hub has to say that a call is over which its caller has ended. */
const GRACE_MS = 20_000
/** Before a stream that broke is followed again. */
const RETRY_MS = 500

export class Caller {
  readonly #arrival: Arrival
  readonly #play: Play
  readonly #options: CallerOptions
  readonly #live: Live
  /** Nothing more is heard. */
  readonly #deaf = new AbortController()
  #timer: unknown
  #call: string | undefined
  #impatient = false

  constructor(arrival: Arrival, play: Play, options: CallerOptions) {
    this.#arrival = arrival
    this.#play = play
    this.#options = options
    this.#live = { placedAt: play.timers.now(), rungAt: undefined, callee: undefined }
  }

  /** Plays the call to its end: settles with its id when the caller knows that it is over, or has waited too long for that. */
  async call(): Promise<string | undefined> {
    const { live } = this.#play
    const { number } = this.#arrival
    live.set(number, this.#live)
    this.#call = await this.#place(number)
    if (this.#call !== undefined) await this.#follow(this.#call)
    live.delete(number)
    return this.#call
  }

  async #place(number: number): Promise<string | undefined> {
    const { tally } = this.#play
    const { to, api } = this.#options
    tally.placed += 1
    try {
      const from = `+1555${String(number % 10_000_000).padStart(7, '0')}`
      const { call } = await api.place({ to, from, params: mark(number) })
      return call
    } catch (error) {
      count(tally.refused, codeOf(error))
      return undefined
    }
  }

  /** Gives up waiting, or hangs up; at the latest when the hub has taken the call. */
  giveUp(): void {
    this.#impatient = true
    if (this.#call !== undefined) this.#end(this.#call, 'caller')
  }

  async #follow(call: string): Promise<void> {
    const { timers, tally } = this.#play
    const { patienceMs, talkMs, endedBy } = this.#arrival
    const { placedAt } = this.#live
    if (this.#impatient) this.giveUp()
    else this.#later(placedAt + patienceMs - timers.now(), () => this.giveUp())
    tally.open += 1
    let answers = 0
    const ends: string[] = []
    for await (const { type, data } of this.#news(call)) {
      if (type === 'ended') ends.push((data as { reason: string }).reason)
      if (type !== 'answered') continue
      answers += 1
      const now = timers.now()
      tally.answered += 1
      tally.wait.add(now - placedAt)
      tally.ring.add(now - (this.#live.rungAt ?? placedAt))
      this.#later(talkMs, () => this.#end(call, endedBy))
    }
    timers.clearTimeout(this.#timer)
    tally.over(call, answers, ends)
  }

  /** What the hub tells, over as many streams as it takes, until the call is over or nothing more is heard. */
  async *#news(call: string): AsyncGenerator<StreamEvent, void, undefined> {
    const { api } = this.#options
    const { signal } = this.#deaf
    let lastEventId: string | undefined
    for (;;) {
      try {
        let over = false
        for await (const event of api.events(call, { lastEventId, signal })) {
          lastEventId = event.id
          over ||= event.type === 'ended'
          yield event
        }
        if (over) return
      } catch (error) {
        if (!(error instanceof SwitchhookError && error.retry)) return
      }
      await pause(this.#play.timers, RETRY_MS, signal)
    }
  }

  #end(call: string, by: Arrival['endedBy']): void {
    this.#later(GRACE_MS, () => this.#deaf.abort())
    const { callee } = this.#live
    const ended = by === 'callee' && callee !== undefined ? callee.hangup() : this.#options.api.hangup(call)
    // That it is over by then is no fault.
    ended.catch(() => {})
  }

  #later(ms: number, task: () => void): void {
    const { timers } = this.#play
    timers.clearTimeout(this.#timer)
    this.#timer = timers.setTimeout(task, Math.max(0, ms))
  }
}
