// B5: clients that come for the first time, per second: connect, shake hands, say hello with a token that was never
// seen before (HS256), be registered and welcomed. Against a bare `ws` server that takes the handshake and no more.
// Everyone stays until all are there, then says goodbye, which is not measured.

import { alternate, type Bench, type Benchmark, type Line, type Measured } from './benchmark.js'
import { closeAll, connectMany, deaf, joinMany } from './clients.js'
import { openMany, type RawSocket } from './raw-socket.js'
import { joinSocketIo } from './rooms.js'
import type { Server } from './server.js'
import { configOf, phoneScope, tokenOf } from './tokens.js'

export type Open = Server<{ port: number }>

export const crowdOf = (bench: Bench): number => bench.sized({ full: 6000, quick: 3000, tiny: 20 })

/** How fast `open` brings so many in. */
export const rush = async (
  server: Open,
  count: number,
  open: () => Promise<readonly RawSocket[]>,
): Promise<Measured> => {
  const { result, ms, cores } = await server.under(open)
  await closeAll(result)
  return { value: (count / ms) * 1000, cores }
}

export const connect: Benchmark = {
  ids: ['B5'],
  async run(bench) {
    const count = crowdOf(bench)
    const hub: Open = await bench.start('hub', configOf())
    const bare: Open = await bench.start('bare')
    const newcomers = (): Promise<Measured> => {
      const hellos = Array.from({ length: count }, (_, index) => ({
        token: tokenOf(`phone-${index}`, phoneScope),
        device: 'phone',
      }))
      return rush(hub, count, async () =>
        (await joinMany(hub.info.port, hellos, () => deaf)).map(({ socket }) => socket),
      )
    }
    const measured = await alternate(bench.repetitions, newcomers, () =>
      rush(bare, count, () => connectMany(bare.info.port, count, deaf)),
    )
    const line: Line = {
      id: 'B5',
      what: 'connect, verify, register',
      unit: 'clients/s',
      denominator: 'ws, handshake only',
      reach: { at: 'least', ratio: 0.5 },
      ...measured,
    }
    if (!bench.peers) return [line]
    const io: Open = await bench.start('socket-io')
    const values: number[] = []
    for (let turn = 0; turn <= bench.repetitions; turn++) {
      const { value } = await rush(io, count, async () =>
        (await openMany(count, () => joinSocketIo(io.info.port))).map(({ socket }) => socket),
      )
      if (turn > 0) values.push(value)
    }
    return [{ ...line, peers: [{ name: 'socket.io', values }] }]
  },
}
