// Where the sources and the specs are as JavaScript.

import { join } from 'node:path'
import { root } from '../support/root.js'

export const built = join(root, '.built')

/** The folder, up to date. What runs from there itself has been brought up to date by the suite. */
export const compiled = async (): Promise<string> => {
  if (import.meta.url.endsWith('.ts')) (await import('./compile.js')).compile()
  return built
}
