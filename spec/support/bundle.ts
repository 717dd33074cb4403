// The sources as they are now, in one piece, within a second: the SDK as a browser loads it, and the command line as
// a process runs it. What is built before may be older than the sources, and is not used.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { build, type Rolldown } from 'vite'
import { root } from './root.js'

const fileOf = (path: string): string => join(root, path)

/** A module and what it imports as one minified module for browsers. */
export const bundleModule = async (path: string): Promise<string> => {
  const { output } = (await build({
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      target: 'es2022',
      modulePreload: false,
      rolldownOptions: {
        input: path,
        preserveEntrySignatures: 'strict',
        output: { format: 'es' },
      },
    },
  })) as Rolldown.RolldownOutput
  return output[0].code
}

/** `switchhook/client` as one module. */
export const bundleClient = (): Promise<string> => bundleModule(fileOf('src/client/index.ts'))

/** The command line in the test's folder, for Node to run; the path of its entry. */
export const bundleCommands = async (t: Test): Promise<string> => {
  const dir = t.testdir({ 'package.json': readFileSync(fileOf('package.json'), 'utf8') })
  const outDir = join(dir, 'dist/cli')
  await build({
    configFile: false,
    logLevel: 'error',
    build: { ssr: fileOf('src/cli/main.ts'), outDir, target: 'node20' },
  })
  return join(outDir, 'main.js')
}
