// B1: what one registered device that does nothing costs, in resident bytes of the hub's process: its socket, its
// session, its place in presence. Against a bare `ws` server with the same settings and as many idle sockets. Both
// processes are fresh each time, and have served (and forgotten) a first crowd, so that what is loaded or compiled
// once is in neither figure. What the kernel keeps for a connection is in no process, so in neither figure either.

import { alternate, type Bench, type Benchmark, type Measured } from './benchmark.js'
import { closeAll, connectMany, deaf, joinMany, pause } from './clients.js'
import type { RawSocket } from './raw-socket.js'
import type { Server, ServerName } from './server.js'
import { configOf, phoneScope, tokenOf } from './tokens.js'

type Crowd = (server: Server<{ port: number }>, count: number, named: string) => Promise<readonly RawSocket[]>

const devices: Crowd = async ({ info }, count, named) => {
  const hellos = Array.from({ length: count }, (_, index) => ({
    token: tokenOf(`${named}-${index}`, phoneScope),
    device: 'phone',
  }))
  const joined = await joinMany(info.port, hellos, () => deaf)
  return joined.map(({ socket }) => socket)
}

const sockets: Crowd = ({ info }, count) => connectMany(info.port, count, deaf)

const idle = async (bench: Bench, name: ServerName, settings: object, crowd: Crowd): Promise<Measured> => {
  const server = await bench.start<{ port: number }>(name, settings)
  const count = bench.sized({ full: 10_000, quick: 3_000, tiny: 20 })
  await closeAll(await crowd(server, Math.ceil(count / 5), 'first'))
  await pause(bench.sized({ full: 1000, quick: 500, tiny: 0 }))
  const before = await server.memory()
  const { result: held, cores } = await server.under(() => crowd(server, count, 'idle'))
  await pause(bench.sized({ full: 1000, quick: 500, tiny: 0 }))
  const after = await server.memory()
  for (const socket of held) socket.drop()
  await server.end()
  return { value: (after.resident - before.resident) / count, cores }
}

export const idleMemory: Benchmark = {
  ids: ['B1'],
  async run(bench) {
    const measured = await alternate(
      bench.repetitions,
      () => idle(bench, 'hub', configOf(), devices),
      () => idle(bench, 'bare', {}, sockets),
      { warm: false },
    )
    return [
      {
        id: 'B1',
        what: 'an idle registered device, resident',
        unit: 'bytes',
        denominator: 'ws, an idle socket',
        reach: { at: 'most', ratio: 1.25 },
        ...measured,
      },
    ]
  },
}
