// B8: what one call costs, from being placed to its end, while 100,000 accounts are live, against 1,000. Everything in
// process: devices are attached through the port that live connections use, groups have ten people each, and
// whoever is rung answers and hangs up. Two processes, so that the smaller one bears no part of the larger one's heap.

import { alternate, type Benchmark, type Measured } from './benchmark.js'

const nowhere = { server: Number.NaN, driver: Number.NaN }

export const manyAccounts: Benchmark = {
  ids: ['B8'],
  async run(bench) {
    const [many, few] = bench.sized({ full: [100_000, 1_000], quick: [100_000, 1_000], tiny: [100, 20] })
    const times = bench.sized({ full: 20_000, quick: 5_000, tiny: 20 })
    const cost = async (accounts: number): Promise<() => Promise<Measured>> => {
      const server = await bench.start('router', { accounts })
      return async () => ({ value: await server.ask<number>('calls', { times }), cores: nowhere })
    }
    return [
      {
        id: 'B8',
        what: `a call, with ${many.toLocaleString('en')} live accounts`,
        unit: 'µs',
        denominator: `the same with ${few.toLocaleString('en')}`,
        reach: { at: 'most', ratio: 1.3 },
        ...(await alternate(bench.repetitions, await cost(many), await cost(few))),
      },
    ]
  },
}
