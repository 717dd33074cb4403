// The caller of one simulated call: places it, follows what it is told, gives up when the script says so, and after
// the talk hangs up or is hung up on. What it heard is for the tally to judge.

import type { Carrier, Followed } from './carrier.js'
import { codeOf, type Live, mark, type Play } from './play.js'
import type { Arrival } from './scenario.js'
import { count } from './tally.js'

export interface CallerOptions {
  readonly carrier: Carrier
  readonly to: string
}

/** How long the hub has to say that a call is over which its caller has ended. */
const GRACE_MS = 20_000

export class Caller {
  readonly #arrival: Arrival
  readonly #play: Play
  readonly #options: CallerOptions
  readonly #live: Live
  #timer: unknown
  #followed: Followed | undefined
  #call: string | undefined
  #answeredAt: number | undefined
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
    const { to, carrier } = this.#options
    tally.placed += 1
    try {
      const from = `+1555${String(number % 10_000_000).padStart(7, '0')}`
      const { call } = await carrier.place({ to, from, params: mark(number) })
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
    else if (patienceMs < Number.POSITIVE_INFINITY) {
      this.#later(placedAt + patienceMs - timers.now(), () => this.giveUp())
    }
    tally.open += 1
    let answers = 0
    const ends: string[] = []
    const hear = (type: string, data: unknown): void => {
      if (type === 'ended') ends.push((data as { reason: string }).reason)
      if (type !== 'answered') return
      answers += 1
      const now = timers.now()
      this.#answeredAt = now
      tally.answered += 1
      tally.wait.add(now - placedAt)
      tally.ring.add(now - (this.#live.rungAt ?? placedAt))
      this.#later(talkMs, () => this.#end(call, endedBy))
    }
    this.#followed = this.#options.carrier.follow(call, hear)
    await this.#followed.over
    timers.clearTimeout(this.#timer)
    if (this.#answeredAt !== undefined) tally.talk.add(timers.now() - this.#answeredAt)
    tally.over(call, answers, ends)
  }

  #end(call: string, by: Arrival['endedBy']): void {
    this.#later(GRACE_MS, () => (this.#followed as Followed).leave())
    const { callee } = this.#live
    const ended =
      by === 'callee' && callee !== undefined ? callee.hangup() : this.#options.carrier.hangup(call)
    // That it is over by then is no fault.
    ended.catch(() => {})
  }

  #later(ms: number, task: () => void): void {
    const { timers } = this.#play
    timers.clearTimeout(this.#timer)
    this.#timer = timers.setTimeout(task, Math.max(0, ms))
  }
}
