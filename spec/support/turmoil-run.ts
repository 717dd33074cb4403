// Turmoil in a thread of its own, where nothing looks on: tap follows every promise of the thread that specs are in, which
// costs more than the calls. A run that goes wrong is run again without one part of its steps after another, for as long
// as it still goes wrong; what is left of it is told.

import { parentPort, workerData } from 'node:worker_threads'
import { Turmoil } from './turmoil.js'

/** What became of a share of the calls. */
export interface Report {
  readonly seed: number
  readonly calls: number
  readonly done: Readonly<Record<string, number>>
  readonly faults: readonly string[]
  /** What is done in the least that still goes wrong. */
  readonly least: readonly string[]
}

/** So many calls on one hub, before a new one. */
const share = 2_500
/** How long a run that went wrong is tried again with less of it, in milliseconds. */
const patienceMs = 60_000

type Until = (calls: number, steps: number) => boolean

const run = async (seed: number, until: Until, still: ReadonlySet<number> = new Set(), log?: string[]) => {
  const turmoil = new Turmoil(seed, log)
  const { line, done } = turmoil
  let steps = 0
  while (line.faults.length === 0 && !until(line.calls.length, steps)) {
    await turmoil.step(steps, still.has(steps))
    steps++
  }
  if (line.faults.length === 0) await turmoil.end()
  return { calls: line.calls.length, steps, faults: line.faults, done }
}

const leastOf = async (seed: number, steps: number): Promise<string[]> => {
  const still = new Set<number>()
  const until: Until = (_, done) => done === steps
  const begun = performance.now()
  for (let size = Math.ceil(steps / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < steps && performance.now() - begun < patienceMs; from += size) {
      const part = Array.from({ length: Math.min(size, steps - from) }, (_, index) => from + index)
      const more = part.filter(step => !still.has(step))
      if (more.length === 0) continue
      const { faults } = await run(seed, until, new Set([...still, ...more]))
      if (faults.length > 0) for (const step of more) still.add(step)
    }
  }
  const log: string[] = []
  await run(seed, until, still, log)
  return log
}

const { seed: first, total } = workerData as { seed: number; total: number }
for (let calls = 0, seed = first; calls < total; seed++) {
  const wanted = Math.min(share, total - calls)
  const { steps, ...ran } = await run(seed, placed => placed >= wanted)
  const least = ran.faults.length > 0 ? await leastOf(seed, steps) : []
  parentPort?.postMessage({ seed, ...ran, least } satisfies Report)
  if (least.length > 0) break
  calls += ran.calls
}
