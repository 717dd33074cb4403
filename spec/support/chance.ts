// Chance that can be had again: a small seeded generator (mulberry32), and the offsets that it decides by turns of
// the event loop. A spec prints its seed; `SEED=… npx tap …` runs the same decisions again.

import type { Test } from 'tap'

export interface Chance {
  /** A whole number from 0 up to `end`, which is not included. */
  below(end: number): number
  pick<T>(items: readonly T[]): T
  /** True as often as `share` says, from 0 to 1. */
  odds(share: number): boolean
  shuffle<T>(items: readonly T[]): T[]
}

const mulberry32 = (seed: number) => {
  let state = seed >>> 0
  return (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The chance of one round: that of another round of the same seed has nothing to do with it. */
export const chanceOf = (seed: number, round = 0): Chance => {
  const next = mulberry32(seed ^ Math.imul(round + 1, 0x9e3779b1))
  const below = (end: number): number => Math.floor(next() * end)
  return {
    below,
    pick: items => items[below(items.length)]!,
    odds: share => next() < share,
    shuffle(items) {
      const shuffled = [...items]
      for (let last = shuffled.length - 1; last > 0; last--) {
        const at = below(last + 1)
        const kept = shuffled[last]!
        shuffled[last] = shuffled[at]!
        shuffled[at] = kept
      }
      return shuffled
    },
  }
}

/** The seed that SEED names, else `usual`, else one of its own for each run. It is printed with the results. */
export const seedOf = (t: Test, usual = Math.floor(Math.random() * 2 ** 31)): number => {
  const seed = Number(process.env.SEED ?? usual)
  t.comment(`SEED=${seed}`)
  return seed
}

/** Lets the event loop turn so often. */
export const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise(resolve => setImmediate(resolve))
}
