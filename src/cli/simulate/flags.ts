// The values of flags that only a simulation has: times that are different each time, shares, rates, names.

import { InvalidArgumentError } from 'commander'
import { duration } from '../flags.js'
import { type Distribution, exponential, fixed, uniform } from './distribution.js'

const shapes = 'It must be a time (2s), a range of them (1s..4s) or a mean (exp:2s).'

const read = (text: string): Distribution => {
  if (text.startsWith('exp:')) return exponential(duration(text.slice(4)))
  const [least = 0, most = least] = text.split('..').map(duration)
  if (least > most) throw new InvalidArgumentError(shapes)
  return least === most ? fixed(least) : uniform(least, most)
}

/** `2s` always, `1s..4s` any time between, `exp:2s` without memory. */
export const times = (text: string): Distribution => {
  try {
    return read(text)
  } catch {
    throw new InvalidArgumentError(shapes)
  }
}

/** `5%` or `0.05`. */
export const share = (text: string): number => {
  const [, digits, percent] = /^(\d{1,3}(?:\.\d{1,6})?)(%?)$/.exec(text) ?? []
  const value = Number(digits) / (percent === '%' ? 100 : 1)
  if (value <= 1) return value
  throw new InvalidArgumentError('It must be a share, such as 5% or 0.05.')
}

/** So many a second, and not so many that they are one. */
export const rate = (text: string): number => {
  const value = /^\d{1,5}(\.\d{1,6})?$/.test(text) ? Number(text) : 0
  if (value > 0) return value
  throw new InvalidArgumentError('It must be a number above 0.')
}

/** Names with commas between them. */
export const names = (text: string): readonly string[] => {
  const found = text.split(',').filter(name => name !== '')
  if (found.length > 0) return found
  throw new InvalidArgumentError('It must be names with commas between them.')
}
