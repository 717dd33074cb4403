// B6: everyone at once again, as after a network failed: every connection is cut, the hub notices, and all come
// back, with the tokens they had, to take up their sessions. Clients per second, from the first connect to the last
// welcome, all of them resumed. Against a bare `ws` server that takes the handshake and no more.

import { crowdOf, type Open, rush } from './b5-connect.js'
import { alternate, type Benchmark, type Line, type Measured, WrongResult } from './benchmark.js'
import { connectMany, deaf, joinMany, pause, type Welcomed } from './clients.js'
import { openMany } from './raw-socket.js'
import { joinSocketIo, type SocketIoSession } from './rooms.js'
import { configOf, phoneScope, tokenOf } from './tokens.js'

/** Settles once the hub knows that every connection is gone. */
const noticed = async ({ info }: Open): Promise<void> => {
  for (;;) {
    const metrics = await (await fetch(`http://127.0.0.1:${info.port}/metrics`)).text()
    if (/^switchhook_sockets 0$/m.test(metrics)) return
    await pause(20)
  }
}

export const reconnect: Benchmark = {
  ids: ['B6'],
  async run(bench) {
    const count = crowdOf(bench)
    // Longer than a storm on a slow machine.
    const hub: Open = await bench.start('hub', configOf({}, { presence: { lingerMs: 120_000 } }))
    const bare: Open = await bench.start('bare')
    const hellos = Array.from({ length: count }, (_, index) => ({
      token: tokenOf(`phone-${index}`, phoneScope),
      device: 'phone',
    }))
    let joined: readonly Welcomed[] = await joinMany(hub.info.port, hellos, () => deaf)

    const storm = async (): Promise<Measured> => {
      for (const { socket } of joined) socket.drop()
      await noticed(hub)
      const again = hellos.map((hello, index) => ({
        ...hello,
        resume: { session: joined[index]!.session, seq: 0 },
      }))
      const { result, ms, cores } = await hub.under(() => joinMany(hub.info.port, again, () => deaf))
      if (!result.every(({ resumed }) => resumed)) throw new WrongResult('a session was not resumed')
      joined = result
      return { value: (count / ms) * 1000, cores }
    }
    const measured = await alternate(bench.repetitions, storm, () =>
      rush(bare, count, () => connectMany(bare.info.port, count, deaf)),
    )
    const line: Line = {
      id: 'B6',
      what: 'reconnect, known tokens, sessions resumed',
      unit: 'clients/s',
      denominator: 'ws, handshake only',
      reach: { at: 'least', ratio: 0.85 },
      ...measured,
    }
    if (!bench.peers) return [line]

    const io: Open = await bench.start('socket-io')
    let known: readonly SocketIoSession[] = await openMany(count, () => joinSocketIo(io.info.port))
    const values: number[] = []
    for (let turn = 0; turn <= bench.repetitions; turn++) {
      for (const { socket } of known) socket.drop()
      await pause(500)
      const { result, ms } = await io.under(() =>
        openMany(count, index => joinSocketIo(io.info.port, known[index]?.pid)),
      )
      known = result
      if (turn > 0) values.push((count / ms) * 1000)
    }
    return [{ ...line, peers: [{ name: 'socket.io (new sessions)', values }] }]
  },
}
