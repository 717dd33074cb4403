// Every spec, each in a process of its own, so many at a time as tap was told: this is what `npm test` runs. Those
// processes have JavaScript from `.built`, and none of the loaders that tap puts before a spec: what a spec costs that
// imports the whole hub, with coverage, is 10 s of processor time with tap's own way, 5 s where tap runs what is built,
// 4 s with its plugins for TypeScript and mocks off (which takes a build of tap in node_modules, and `npx tap
// spec/PATH.spec.ts` with it), and 2 s so. What tap makes of it is tap's: the report and its thresholds. It relies on two
// things of tap 21 that are not promised: `_TAPJS_PROCESSINFO_COVERAGE_` says whether to count, and `.tap/coverage` is
// where counts are. `ONLY` is a pattern for the paths of some specs.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { root } from '../support/root.js'
import { built } from './built.js'
import { compile } from './compile.js'

/** The long ones begin first, so that none of them is left to run alone. */
const long = ['races', 'voice-crowd', 'bench', 'processes', 'crossing', 'process', 'softphone', 'file-store']
const rank = (path: string): number => {
  const index = long.findIndex(name => path.endsWith(`/${name}.spec.js`))
  return index < 0 ? long.length : index
}

const under = (folder: string): string[] =>
  readdirSync(join(built, folder), { recursive: true }).map(name => join(built, folder, String(name)))

/** How what runs stands to the sources, for the report: a file beside the counts. */
const tellSources = (folder: string): void => {
  const maps: Record<string, object> = {}
  for (const path of under('src').filter(path => path.endsWith('.js'))) {
    const lines = readFileSync(path, 'utf8').split('\n')
    const data = JSON.parse(readFileSync(`${path}.map`, 'utf8')) as { sources: string[] }
    const sources = data.sources.map(source => pathToFileURL(source).href)
    maps[pathToFileURL(path).href] = {
      lineLengths: lines.map(({ length }) => length),
      data: { ...data, sources },
    }
  }
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'sources.json'), JSON.stringify({ result: [], 'source-map-cache': maps }))
}

t.setTimeout(0)
t.jobs = Number(process.env.TAP_JOBS ?? 1)
compile()

const args = ['-u', 'NODE_OPTIONS', process.execPath]
const env = { ...process.env, _TAPJS_PROCESSINFO_COVERAGE_: '0' }
if (process.env._TAPJS_PROCESSINFO_COVERAGE_ === '1') {
  const folder = join(root, '.tap/coverage')
  tellSources(folder)
  Object.assign(env, { SPEC_COVERAGE: folder })
  args.push(`--import=${pathToFileURL(join(built, 'spec/suite/covered.js'))}`)
}

const only = new RegExp(process.env.ONLY ?? '')
const specs = under('spec').filter(path => path.endsWith('.spec.js') && only.test(path))
for (const path of specs.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))) {
  const name = relative(built, path).replace(/\.js$/, '.ts')
  t.spawn('env', [...args, path], {
    name,
    env,
    cwd: root,
    timeout: 300_000,
    buffered: true,
    at: null,
    stack: '',
  })
}
