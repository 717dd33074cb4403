// The values of flags that only a simulation has: times that are different each time, shares, rates, shifts, names.

import { InvalidArgumentError } from 'commander'
import { duration } from '../flags.js'
import { type Distribution, endless, exponential, fixed, lognormal, uniform } from './distribution.js'
import type { Shift } from './scenario.js'

const shapes =
  'It must be a time (2s), a range (1s..4s), a mean (exp:2s), or a mean and a spread (lognormal:2s/1s).'

const wrong = (): never => {
  throw new InvalidArgumentError(shapes)
}

const read = (text: string): Distribution => {
  const [, shape, rest = text] = /^(exp|lognormal):(.*)$/.exec(text) ?? []
  if (shape === 'exp') return exponential(duration(rest))
  const [first = 0, second, ...more] = rest.split(shape === undefined ? '..' : '/').map(duration)
  if (more.length > 0) return wrong()
  if (shape !== undefined) return first > 0 && second !== undefined ? lognormal(first, second) : wrong()
  const most = second ?? first
  if (first > most) return wrong()
  return first === most ? fixed(first) : uniform(first, most)
}

/** `2s` always, `1s..4s` any time between, `exp:2s` without memory, `lognormal:2s/1s` as calls are. */
export const times = (text: string): Distribution => {
  try {
    return read(text)
  } catch {
    return wrong()
  }
}

/** The same, or `never`: it does not come. */
export const timesOrNever = (text: string): Distribution => (text === 'never' ? endless : times(text))

/** `exp:8m,2m`: signed in for such a time, then out for such a one. */
export const shift = (text: string): Shift => {
  const [on, off, ...more] = text.split(',')
  if (on !== undefined && off !== undefined && more.length === 0) return { on: times(on), off: times(off) }
  throw new InvalidArgumentError('It must be a time signed in and a time signed out, such as 2h,10m.')
}

/** `5%` or `0.05`. */
export const share = (text: string): number => {
  const [, digits, percent] = /^(\d{1,3}(?:\.\d{1,6})?)(%?)$/.exec(text) ?? []
  const value = Number(digits) / (percent === '%' ? 100 : 1)
  if (value <= 1) return value
  throw new InvalidArgumentError('It must be a share, such as 5% or 0.05.')
}

const perSecond: Readonly<Record<string, number>> = { s: 1, m: 1 / 60, h: 1 / 3600 }

/** So many a second, `90/m` a minute or `400/h` an hour, and not so many that they are one. */
export const rate = (text: string): number => {
  const [, count, unit = 's'] = /^(\d{1,5}(?:\.\d{1,6})?)(?:\/([smh]))?$/.exec(text) ?? []
  const value = Number(count) * Number(perSecond[unit])
  if (value > 0) return value
  throw new InvalidArgumentError('It must be a number above 0, a second, or with /m or /h a minute or hour.')
}

/** Names with commas between them. */
export const names = (text: string): readonly string[] => {
  const found = text.split(',').filter(name => name !== '')
  if (found.length > 0) return found
  throw new InvalidArgumentError('It must be names with commas between them.')
}
