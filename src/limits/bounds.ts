// The limits of one hub, and how often each was reached: every room asks it for a value, and has it say no. It
// promises that a refusal names its limit and the value, and is counted in plain fields, whoever refused; it keeps
// nothing of whom.

import { defaultLimits, type Limits } from '../config.js'
import { type Refusal, refuse } from '../errors.js'
import { type LimitName, limitNames, limitTable, type RefusingLimit } from './table.js'

export class Bounds {
  /** The values. */
  readonly of: Limits
  /** How often each was reached so far. */
  readonly reached: Readonly<Record<LimitName, number>>
  readonly #reached: Record<LimitName, number>

  /** `limits`: others than the documented defaults. */
  constructor(limits: Partial<Limits> = {}) {
    this.of = { ...defaultLimits, ...limits }
    this.#reached = Object.fromEntries(limitNames.map(name => [name, 0])) as Record<LimitName, number>
    this.reached = this.#reached
  }

  /** Counts that a limit was reached. */
  note(name: LimitName): void {
    this.#reached[name]++
  }

  /** Refuses what goes beyond a limit. `retryAfterMs`: when there may be room again, where that is known. */
  refuse(name: RefusingLimit, { value = this.of[name], retryAfterMs }: Excess = {}): Refusal {
    this.note(name)
    const { code, what } = limitTable[name]
    const refusal = refuse(code, `at most ${value} ${what} (limits.${name})`)
    return retryAfterMs === undefined ? refusal : { ...refusal, retryAfterMs }
  }
}

interface Excess {
  /** The value that holds here, where that is another than the configured one. */
  readonly value?: number
  readonly retryAfterMs?: number
}
