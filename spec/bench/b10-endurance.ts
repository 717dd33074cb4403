// B10: what the hub's memory comes to after a million devices have come and gone and a million calls have been placed,
// against what it was after ten thousand of each. The same hub throughout, so there is nothing to take turns with.
// Half the accounts come again and again, half are new each time.

import { busy } from './b3-calls.js'
import type { Benchmark, Measured } from './benchmark.js'
import { hubFloor } from './call-floor.js'
import { closeAll, deaf, joinMany } from './clients.js'
import { phoneScope, tokenOf } from './tokens.js'

const atOnce = 500

export const endurance: Benchmark = {
  ids: ['B10'],
  long: true,
  async run(bench) {
    const [first, all] = bench.sized({ full: [10_000, 1_000_000], quick: [10_000, 100_000], tiny: [20, 40] })
    const floor = await hubFloor(bench)
    let come = 0
    const cycle = async (upTo: number): Promise<void> => {
      while (come < upTo) {
        const hellos = Array.from({ length: Math.min(atOnce, upTo - come) }, () => {
          const account = ++come % 2 === 0 ? `new-${come}` : `old-${come % 5000}`
          return { token: tokenOf(account, phoneScope), device: 'phone' }
        })
        const joined = await joinMany(floor.port, hellos, () => deaf)
        await closeAll(joined.map(({ socket }) => socket))
      }
    }
    let placed = 0
    const after = async (count: number): Promise<Measured> => {
      const { cores } = await floor.server.under(() => cycle(count))
      await busy(floor, count - placed)
      placed = count
      return { value: (await floor.server.memory()).resident / 1024 / 1024, cores }
    }
    const against = [await after(first)]
    bench.say(`  ${first} of each`)
    return [
      {
        id: 'B10',
        what: `memory after ${all.toLocaleString('en')} devices and as many calls`,
        unit: 'MiB',
        denominator: `after ${first.toLocaleString('en')} of each`,
        reach: { at: 'most', ratio: 1.05 },
        hub: [await after(all)],
        against,
      },
    ]
  },
}
