// B3: calls that come in, per second: `POST /v1/calls` with inline instructions to dial a group, until `invite` is on
// a device's socket; as many are under way as there are lines, the next one on each as soon as the last one is
// through. Whoever is rung answers and hangs up, which is in the hub's time. Against fastify with a POST, its JSON
// parsed, and one `ws` send.

import { alternate, type Bench, type Benchmark, type Measured } from './benchmark.js'
import { type Floor, hubFloor, plainFloor } from './call-floor.js'

export const callsOf = (bench: Bench): number => bench.sized({ full: 15_000, quick: 5_000, tiny: 20 })

/** Calls on every line, one after the other. */
export const busy = async ({ server, lines, call }: Floor, total: number): Promise<Measured> => {
  let left = total
  const { ms, cores } = await server.under(() =>
    Promise.all(
      lines.map(async line => {
        while (left-- > 0) await call(line)
      }),
    ),
  )
  return { value: (total / ms) * 1000, cores }
}

export const calls: Benchmark = {
  ids: ['B3'],
  async run(bench) {
    const hub = await hubFloor(bench)
    const plain = await plainFloor(bench)
    const measured = await alternate(
      bench.repetitions,
      () => busy(hub, callsOf(bench)),
      () => busy(plain, callsOf(bench)),
    )
    return [
      {
        id: 'B3',
        what: 'inbound calls, to invite',
        unit: 'calls/s',
        denominator: 'fastify POST, one ws send',
        reach: { at: 'least', ratio: 0.5 },
        ...measured,
      },
    ]
  },
}
