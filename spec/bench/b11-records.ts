// B11: records of calls that are on the disk, per second, with 16 and with 256 under way at once, the next one handed
// over as each is kept; against a bare loop that appends as many lines and syncs.

import { alternate, type Bench, type Benchmark, type Line, type Measured } from './benchmark.js'

const nowhere = { server: Number.NaN, driver: Number.NaN }

const lineOf = async (bench: Bench, id: string, atOnce: number): Promise<Line> => {
  const total = atOnce * bench.sized({ full: 2_000, quick: 500, tiny: 2 })
  const server = await bench.start('records')
  const rate = (what: string) => async (): Promise<Measured> => ({
    value: await server.ask<number>(what, { atOnce, total }),
    cores: nowhere,
  })
  return {
    id,
    what: `records on the disk, ${atOnce} at once`,
    unit: 'records/s',
    denominator: 'append and fsync, in a loop',
    reach: { at: 'least', ratio: 0.5 },
    ...(await alternate(bench.repetitions, rate('log'), rate('bare'))),
  }
}

export const callRecords: Benchmark = {
  ids: ['B11', 'B11b'],
  run: async bench => [await lineOf(bench, 'B11', 16), await lineOf(bench, 'B11b', 256)],
}
