// What a spec needs of the machine, and may not find there: programs on the PATH. Where one is missing the test is
// skipped and says why, except where nothing may be skipped: with REQUIRE_ALL=1 in the environment it is a failure.

import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where a program is; undefined if it is not on the PATH. */
export const pathOf = (program: string): string | undefined =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .map(dir => join(dir, program))
    .find(path => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })

/** Options for a test that needs these programs. Throws if one is missing that must not be. */
export const requires = (...programs: readonly string[]): { skip: false | string } => {
  const missing = programs.filter(program => pathOf(program) === undefined)
  if (missing.length === 0) return { skip: false }
  const why = `needs ${missing.join(' and ')}, not on the PATH`
  if (process.env.REQUIRE_ALL === '1') throw new Error(`${why}; REQUIRE_ALL=1 lets nothing be skipped`)
  return { skip: why }
}
