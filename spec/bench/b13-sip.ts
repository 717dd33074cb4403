// B13: SIP messages that are read and written, a second: a REGISTER (B13) and an INVITE with its description (B13b), as
// JsSIP sends them; against the npm package `sip` with the same texts, which checks less of what it reads.

import { alternate, type Bench, type Benchmark, type Line, type Measured } from './benchmark.js'

const nowhere = { server: Number.NaN, driver: Number.NaN }

const lineOf = async (
  bench: Bench,
  id: string,
  message: 'register' | 'invite',
  what: string,
): Promise<Line> => {
  const total = bench.sized({ full: 300_000, quick: 50_000, tiny: 10 })
  const server = await bench.start('sip')
  const rate = (parser: string) => async (): Promise<Measured> => ({
    value: await server.ask<number>(parser, { message, total }),
    cores: nowhere,
  })
  return {
    id,
    what: `${what} of SIP, read and written`,
    unit: 'messages/s',
    denominator: 'sip 0.0.6',
    reach: { at: 'least', ratio: 0.5 },
    ...(await alternate(bench.repetitions, rate('ours'), rate('theirs'))),
  }
}

export const sipMessages: Benchmark = {
  ids: ['B13', 'B13b'],
  run: async bench => [
    await lineOf(bench, 'B13', 'register', 'a REGISTER'),
    await lineOf(bench, 'B13b', 'invite', 'an INVITE'),
  ],
}
