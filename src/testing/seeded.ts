// Chance that can be had again: a small seeded generator (mulberry32). One of them serves a whole test hub, so that
// the same seed and the same script give the same run.

/** Uniform in [0, 1): the same numbers for the same `seed`, a whole number. */
export const seeded = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
