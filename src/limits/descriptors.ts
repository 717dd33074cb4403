// How many files and sockets this process may have open, as the system says (`ulimit -n`), where it can be read.

import { readFileSync } from 'node:fs'

/** The soft limit; undefined where there is no /proc, or no limit. */
export const descriptorLimit = (path = '/proc/self/limits'): number | undefined => {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync(path, 'utf8')) ?? []
    return soft === undefined ? undefined : Number(soft)
  } catch {
    return undefined
  }
}

/**
 * How many connections fit: the rest is for files, for requests to servers outside, and for those who are only told
 * that there is no room.
 */
export const connectionsWithin = (descriptors: number): number =>
  Math.max(1, Math.floor((descriptors - 64) * 0.85))
