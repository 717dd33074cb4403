// How long things take: times as distributions, which draw from whatever chance they are given.

import type { Random } from './chance.js'

/** A time that is different each time, in milliseconds. */
export interface Distribution {
  readonly meanMs: number
  /** Whether how long it has taken says nothing of how long it will: what Erlang's formulas ask of a talk. */
  readonly memoryless: boolean
  draw(random: Random): number
}

const distribution = (meanMs: number, draw: Distribution['draw'], memoryless = false): Distribution => ({
  meanMs,
  memoryless,
  draw,
})

export const fixed = (ms: number): Distribution => distribution(ms, () => ms)

/** It does not come to an end. */
export const endless = fixed(Number.POSITIVE_INFINITY)

/** Any time from `leastMs` up to `mostMs`, each as likely. */
export const uniform = (leastMs: number, mostMs: number): Distribution =>
  distribution((leastMs + mostMs) / 2, random => leastMs + random() * (mostMs - leastMs))

/** Without memory: however long it has taken, it takes `meanMs` more on average. */
export const exponential = (meanMs: number): Distribution =>
  distribution(meanMs, random => -Math.log(1 - random()) * meanMs, true)

/** Mostly near the mean and never below 0, with a tail of long ones, as calls are: its logarithm is normal. */
export const lognormal = (meanMs: number, deviationMs: number): Distribution => {
  const variance = Math.log(1 + (deviationMs / meanMs) ** 2)
  const middle = Math.log(meanMs) - variance / 2
  return distribution(meanMs, random => {
    // Box and Muller's way from two uniform numbers to a normal one.
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    return Math.exp(middle + Math.sqrt(variance) * normal)
  })
}
