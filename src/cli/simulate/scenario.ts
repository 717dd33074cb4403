// What is simulated, as a script: when calls come, how long their callers wait and talk, what each phone does with
// each offer, and when it loses its connection. Pure, and all of it decided by the seed: who plays it, over what, and
// by which clock, is no part of it.

import { chanceOf } from './chance.js'
import { type Distribution, exponential } from './distribution.js'

export interface Habits {
  /** How long a phone rings before its person does something. */
  readonly answer: Distribution
  /** How long an answered call is talked on. */
  readonly talk: Distribution
  /** How long a caller waits for an answer. */
  readonly patience: Distribution
  /** Shares of the offers, from 0 to 1; all others are accepted. */
  readonly rejected: number
  readonly ignored: number
  /** How long a phone keeps its connection; absent: for good. */
  readonly connected?: Distribution | undefined
}

export interface ScenarioOptions extends Habits {
  readonly seed: number
  readonly ratePerSecond: number
  /** The script ends after so many calls, or with the last before this time, whichever comes first. */
  readonly calls: number
  readonly durationMs: number
}

/** One inbound call as the script has it. */
export interface Arrival {
  /** From 0. */
  readonly number: number
  /** Since the start. */
  readonly atMs: number
  readonly patienceMs: number
  readonly talkMs: number
  /** Who hangs up, if it is answered. */
  readonly endedBy: 'caller' | 'callee'
}

/** What a person does when their phone rings. */
export interface Reaction {
  readonly act: 'accept' | 'reject' | 'ignore'
  readonly afterMs: number
}

export interface Scenario {
  readonly seed: number
  /** In the order of their times. */
  arrivals(): Generator<Arrival, void, undefined>
  /** What a phone does with its offer number `offer` (from 0). */
  reaction(phone: number, offer: number): Reaction
  /** How long a phone keeps each of its connections, one after the other. */
  connections(phone: number): Generator<number, void, undefined>
}

export const createScenario = (options: ScenarioOptions): Scenario => {
  const { seed, ratePerSecond, calls, durationMs, answer, talk, patience, rejected, ignored } = options
  const { connected } = options
  return {
    seed,
    *arrivals() {
      const gap = exponential(1000 / ratePerSecond)
      const gaps = chanceOf(seed, 'gaps')
      let atMs = gap.draw(gaps)
      for (let number = 0; number < calls && atMs < durationMs; number++) {
        const random = chanceOf(seed, 'call', number)
        yield {
          number,
          atMs,
          patienceMs: patience.draw(random),
          talkMs: talk.draw(random),
          endedBy: random() < 0.5 ? 'caller' : 'callee',
        }
        atMs += gap.draw(gaps)
      }
    },
    reaction(phone, offer) {
      const random = chanceOf(seed, 'reaction', phone, offer)
      const mood = random()
      const act = mood < rejected ? 'reject' : mood < rejected + ignored ? 'ignore' : 'accept'
      return { act, afterMs: answer.draw(random) }
    },
    *connections(phone) {
      if (connected === undefined) return
      const random = chanceOf(seed, 'connections', phone)
      for (;;) yield connected.draw(random)
    },
  }
}
