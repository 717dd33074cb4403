// A hundred thousand calls in turmoil, on virtual time, and what must be true of all of them: `support/line.ts` says what,
// `support/turmoil.ts` what happens. `SEED=… npx tap …` is the same run, `CALLS=…` another size.

import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { seedOf } from '../support/chance.js'
import type { Report } from '../support/turmoil-run.js'

const total = Number(process.env.CALLS ?? 100_000)

t.setTimeout(300_000)

t.test('whatever meets whatever, every call ends once, and all who had a part in it saw it so', async t => {
  // The same in every run of the suite; others by hand.
  const seed = seedOf(t, 424_242)
  const file = new URL(`../support/turmoil-run${extname(import.meta.url)}`, import.meta.url)
  const worker = new Worker(file, {
    workerData: { seed, total },
    resourceLimits: { maxYoungGenerationSizeMb: 64 },
  })
  const reports: Report[] = []
  worker.on('message', (report: Report) => reports.push(report))
  await new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject))
  const all: Record<string, number> = {}
  let calls = 0
  for (const report of reports) {
    calls += report.calls
    for (const [what, count] of Object.entries(report.done)) all[what] = (all[what] ?? 0) + count
    const { faults, least } = report
    if (faults.length > 0) t.fail(`SEED=${report.seed}: ${faults[0]}`, { faults: faults.slice(0, 20), least })
  }
  t.comment(`${calls} calls: ${JSON.stringify(all)}`)
  t.ok(calls >= total, 'all of them')
  const often = (share: number, ...names: string[]) => {
    for (const name of names) t.ok((all[name] ?? 0) >= total / share, `${name}, often enough`)
  }
  often(
    100,
    'completed',
    'canceled',
    'no-answer',
    'busy',
    'unavailable',
    'failed',
    'accepts',
    'rejects',
    'harm',
  )
  often(500, 'rejected', 'passes on', 'redirected', 'performs', 'queued')
  often(2_000, 'connects')
})
