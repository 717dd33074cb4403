// B4: how long it takes from `POST /v1/calls` to `invite` on a socket, for 99 of 100 calls, when calls come at half
// the rate that the hub reached in B3, whether earlier ones are through or not. Against the server of B3's
// denominator at the same rate.

import { busy, callsOf } from './b3-calls.js'
import {
  alternate,
  type Bench,
  type Benchmark,
  type Measured,
  median,
  quantile,
  summary,
} from './benchmark.js'
import { type Floor, hubFloor, plainFloor } from './call-floor.js'
import { pause } from './clients.js'

/** Calls at a steady rate; whichever line is free takes the next one, and where none is, it waits for one. */
const steady = async ({ server, lines, call }: Floor, rate: number, forMs: number): Promise<Measured> => {
  const late: number[] = []
  const free = [...lines]
  const queue: number[] = []
  const begin = async (due: number): Promise<void> => {
    const line = free.pop()
    if (line === undefined) {
      queue.push(due)
      return
    }
    const waited = performance.now() - due
    late.push(waited + (await call(line)))
    free.push(line)
    const next = queue.shift()
    if (next !== undefined) await begin(next)
  }
  const { cores } = await server.under(async () => {
    const begun = performance.now()
    const under: Promise<void>[] = []
    let due = 0
    for (let now = 0; now < forMs; now = performance.now() - begun) {
      for (; due < (now * rate) / 1000; due++) under.push(begin(performance.now()))
      await pause(1)
    }
    await Promise.all(under)
  })
  return { value: quantile(late, 0.99), cores }
}

const rateOf = async (bench: Bench, hub: Floor): Promise<number> => {
  const b3 = bench.lines.find(({ id }) => id === 'B3')
  if (b3 !== undefined) return summary(b3).hub / 2
  const rates: number[] = []
  for (let turn = 0; turn < 3; turn++) rates.push((await busy(hub, callsOf(bench))).value)
  return median(rates) / 2
}

export const ringingTime: Benchmark = {
  ids: ['B4'],
  async run(bench) {
    const hub = await hubFloor(bench)
    const plain = await plainFloor(bench)
    const rate = await rateOf(bench, hub)
    const forMs = bench.sized({ full: 5000, quick: 2000, tiny: 100 })
    const measured = await alternate(
      bench.repetitions,
      () => steady(hub, rate, forMs),
      () => steady(plain, rate, forMs),
    )
    return [
      {
        id: 'B4',
        what: 'from POST to invite, p99',
        unit: 'ms',
        denominator: 'the same with the server of B3',
        reach: { at: 'most', ratio: 2 },
        ...measured,
        notes: [`at ${Math.round(rate)} calls/s, half of what the hub took in B3`],
      },
    ]
  },
}
