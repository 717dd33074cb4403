// How long things take: times as distributions, which draw from whatever chance they are given.

import type { Random } from './chance.js'

/** A time that is different each time, in milliseconds. */
export interface Distribution {
  readonly meanMs: number
  draw(random: Random): number
}

export const fixed = (ms: number): Distribution => ({ meanMs: ms, draw: () => ms })

/** Any time from `leastMs` up to `mostMs`, each as likely. */
export const uniform = (leastMs: number, mostMs: number): Distribution => ({
  meanMs: (leastMs + mostMs) / 2,
  draw: random => leastMs + random() * (mostMs - leastMs),
})

/** Without memory: however long it has taken, it takes `meanMs` more on average. */
export const exponential = (meanMs: number): Distribution => ({
  meanMs,
  draw: random => -Math.log(1 - random()) * meanMs,
})
