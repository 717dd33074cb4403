// A span of time as people say it.

const units = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1000, 'second'],
] as const

/** `2 hours`, `1 minute`, `0 seconds`: the largest unit that fits, rounded down. */
export const span = (ms: number): string => {
  const [size, unit] = units.find(([size]) => ms >= size) ?? [1000, 'second']
  const count = Math.floor(ms / size)
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

/** `in 59 minutes`, `3 hours ago`, from a difference to now. */
export const inWords = (ms: number): string => (ms >= 0 ? `in ${span(ms)}` : `${span(-ms)} ago`)
