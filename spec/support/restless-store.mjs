// A process that changes what is kept as fast as it can: both overrides to the same number, one after the other in
// one turn, and on to the next number. It says how far it is after each write, and ends only when it is killed.
// argv: the folder of the built package, and the data folder.

import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [built, dir] = process.argv.slice(2)
const { openFileStore } = await import(pathToFileURL(join(built, 'store/index.js')).href)

// Nothing gathers: a write begins as soon as one can.
const after = (_delayMs, task) => {
  const due = setImmediate(task)
  return { cancel: () => clearImmediate(due) }
}
const clock = { now: () => 0, wall: () => 0, after }
const log = { info() {}, warn() {}, error: facts => process.stderr.write(`${JSON.stringify(facts)}\n`) }
const store = await openFileStore({ dir, clock, log })

const [[, last] = []] = store.overrides.load('acme')
let written = 0
for (let number = Number(last?.note ?? 0) + 1; ; number++) {
  const override = { status: 'dnd', note: String(number), by: 'carol' }
  store.overrides.save('acme', 'alice', override)
  store.overrides.save('acme', 'bob', override)
  if (store.counts.written > written) process.stdout.write(`${JSON.stringify({ number })}\n`)
  written = store.counts.written
  await new Promise(resolve => setImmediate(resolve))
}
