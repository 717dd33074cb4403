// Loaded before a spec: counts what the process runs of `src`, and puts the counts where tap makes its report of them.
// How they stand to the sources is told once, by the suite.

import { randomUUID } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { Session } from 'node:inspector'
import { join } from 'node:path'

const folder = String(process.env.SPEC_COVERAGE)
const sources = new URL('../../src/', import.meta.url).href

const session = new Session()
session.connect()
session.post('Profiler.enable')
session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })

process.on('exit', () => {
  session.post('Profiler.takePreciseCoverage', (_fault, coverage) => {
    const result = coverage.result.filter(({ url }) => url.startsWith(sources))
    if (result.length === 0) return
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, `${randomUUID()}.json`), JSON.stringify({ result }))
  })
})

// Node with a session, once it had thousands of sockets, may never be done with taking itself apart: it need not try.
process.once('beforeExit', () => process.on('exit', () => process.exit()))
