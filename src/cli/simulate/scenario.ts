// What is simulated, as a script: when calls come, how long their callers wait and talk, what each phone does with
// each offer, when it loses its connection, and when its person signs in and out. Pure, and all of it decided by the seed: who plays it, over what, and
// by which clock, is no part of it.

import { chanceOf } from './chance.js'
import { type Distribution, exponential } from './distribution.js'

/** How long people are signed in, and then out. */
export interface Shift {
  readonly on: Distribution
  readonly off: Distribution
}

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
  readonly busy?: number
  /** How long a phone keeps its connection; absent: for good. */
  readonly connected?: Distribution | undefined
  /** Absent: people stay signed in. */
  readonly shift?: Shift | undefined
}

export interface ScenarioOptions extends Habits {
  readonly seed: number
  /** Calls a second, by a Poisson process. */
  readonly ratePerSecond: number
  /** The time from each call to the next; absent: as `ratePerSecond` says. */
  readonly interval?: Distribution | undefined
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
  readonly act: 'accept' | 'reject' | 'busy' | 'ignore'
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
  /** How long a person is signed in, and then out, one after the other; signed in at first, for what is left of it. */
  shifts(person: number): Generator<{ readonly onMs: number; readonly offMs: number }, void, undefined>
}

export const createScenario = (options: ScenarioOptions): Scenario => {
  const { seed, ratePerSecond, calls, durationMs, answer, talk, patience, rejected, ignored } = options
  const { connected, shift, busy = 0, interval = exponential(1000 / ratePerSecond) } = options
  return {
    seed,
    *arrivals() {
      const gaps = chanceOf(seed, 'gaps')
      let atMs = interval.draw(gaps)
      for (let number = 0; number < calls && atMs < durationMs; number++) {
        const random = chanceOf(seed, 'call', number)
        yield {
          number,
          atMs,
          patienceMs: patience.draw(random),
          talkMs: talk.draw(random),
          endedBy: random() < 0.5 ? 'caller' : 'callee',
        }
        atMs += interval.draw(gaps)
      }
    },
    reaction(phone, offer) {
      const random = chanceOf(seed, 'reaction', phone, offer)
      const mood = random()
      const shares = [
        ['reject', rejected],
        ['ignore', rejected + ignored],
        ['busy', rejected + ignored + busy],
      ] as const
      const [act] = shares.find(([, below]) => mood < below) ?? ['accept' as const]
      return { act, afterMs: answer.draw(random) }
    },
    *connections(phone) {
      if (connected === undefined) return
      const random = chanceOf(seed, 'connections', phone)
      for (;;) yield connected.draw(random)
    },
    *shifts(person) {
      if (shift === undefined) return
      const random = chanceOf(seed, 'shifts', person)
      let left = random()
      for (;;) {
        yield { onMs: left * shift.on.draw(random), offMs: shift.off.draw(random) }
        left = 1
      }
    },
  }
}
