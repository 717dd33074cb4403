// B7: what one status change (B7) and one claim with its release (B7b) cost in a group of 10,000, against a group of
// ten; both groups in one process, with one reader each, over the port that live connections use. Which member is
// next is as good as chance, so what a larger group costs the processor's caches is in the figure.

import { alternate, type Bench, type Benchmark, type Line, type Measured } from './benchmark.js'

const nowhere = { server: Number.NaN, driver: Number.NaN }

export const largeGroups: Benchmark = {
  ids: ['B7', 'B7b'],
  async run(bench: Bench) {
    const size = bench.sized({ full: 10_000, quick: 10_000, tiny: 100 })
    // As often as there are members: each is another one's change, even in the large group.
    const times = bench.sized({ full: 40_000, quick: 10_000, tiny: 100 })
    const server = await bench.start('presence', { groups: { small: 10, large: size } })
    const cost = (what: string, group: string) => async (): Promise<Measured> => ({
      value: await server.ask<number>(what, { group, times }),
      cores: nowhere,
    })
    const lines: Line[] = []
    for (const [id, what, named] of [
      ['B7', 'change', 'a status change'],
      ['B7b', 'claim', 'a claim and its release'],
    ] as const) {
      lines.push({
        id,
        what: `${named}, in a group of ${size.toLocaleString('en')}`,
        unit: 'µs',
        denominator: 'the same in a group of 10',
        reach: { at: 'most', ratio: 1.5 },
        ...(await alternate(bench.repetitions, cost(what, 'large'), cost(what, 'small'))),
      })
    }
    return lines
  },
}
