// Chance that can be had again: a stream of numbers for each thing that draws some, made of the seed and the thing's
// name. What one call or phone draws has nothing to do with what any other draws, nor with when they do.

/** Uniform in [0, 1). */
export type Random = () => number

/** FNV-1a, 32 bits. */
const hash = (text: string): number => {
  let state = 0x811c9dc5
  for (let at = 0; at < text.length; at++) state = Math.imul(state ^ text.charCodeAt(at), 0x01000193)
  return state >>> 0
}

/** The numbers of the thing that `names` name: the same at each start with the same seed (mulberry32). */
export const chanceOf = (seed: number, ...names: readonly (string | number)[]): Random => {
  let state = hash(`${seed}/${names.join('/')}`)
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
