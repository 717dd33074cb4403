// Where B3 and B4 take place: 2,000 devices, ten people in each of 200 groups, one device each, and lines over which
// calls come in. A device that hears `invite` answers and hangs up at once, so that its person is free again; that
// is the hub's work too. The denominator rings someone and knows no more of it.

import { type Bench, WrongResult } from './benchmark.js'
import { connectMany, joinMany } from './clients.js'
import { HttpLine, postOf } from './http-line.js'
import { frameOf, type Listener } from './raw-socket.js'
import type { Server } from './server.js'
import { configOf, phoneScope, tokenOf } from './tokens.js'

const peopleOfGroup = 10

export interface Floor {
  readonly server: Server
  readonly port: number
  readonly lines: readonly HttpLine[]
  /** A call over this line; settles with the milliseconds until some device heard of it. */
  call(line: HttpLine): Promise<number>
}

const sizes = { full: 2000, quick: 2000, tiny: 40 }
const lineCount = { full: 64, quick: 64, tiny: 2 }

const newFloor = async (
  server: Server<{ port: number }>,
  { lines: count, groups, answers }: { lines: number; groups: number; answers: boolean },
  fill: (listener: Listener) => Promise<unknown>,
): Promise<Floor> => {
  const waiting = new Map<string, (at: number) => void>()
  await fill({
    message(bytes, socket) {
      const text = bytes.toString()
      if (!text.startsWith('{"type":"invite"')) return
      const { call, from } = JSON.parse(text) as { call: string; from: string }
      waiting.get(from)?.(performance.now())
      if (!answers) return
      const said = ['accept', 'hangup'].map(type => frameOf(JSON.stringify({ type, call })))
      socket.sendFrame(Buffer.concat(said))
    },
  })
  const lines = Array.from({ length: count }, () => new HttpLine(server.info.port))
  const token = tokenOf('outside', 'call:inbound')
  let calls = 0
  return {
    server,
    port: server.info.port,
    lines,
    async call(line) {
      const from = `n${++calls}`
      const to = `group-${calls % groups}`
      const instructions = { steps: [{ dial: { to: [to] } }] }
      const request = postOf('/v1/calls', token, JSON.stringify({ to, from, instructions }))
      const heard = new Promise<number>(resolve => waiting.set(from, resolve))
      const begun = performance.now()
      const placed = line.ask(request).then(status => {
        if (status !== 201) throw new WrongResult(`a call was answered ${status}`)
      })
      const [at] = await Promise.all([heard, placed])
      waiting.delete(from)
      return at - begun
    },
  }
}

export const hubFloor = async (bench: Bench): Promise<Floor> => {
  const people = bench.sized(sizes)
  const names = Array.from({ length: people }, (_, index) => `agent-${index}`)
  const count = people / peopleOfGroup
  const groups = Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `group-${index}`,
      { members: names.slice(index * peopleOfGroup, (index + 1) * peopleOfGroup), strategy: 'longest-idle' },
    ]),
  )
  const server = await bench.start<{ port: number }>('hub', configOf({ groups }))
  const hellos = names.map(account => ({ token: tokenOf(account, phoneScope), device: 'phone' }))
  return newFloor(server, { lines: bench.sized(lineCount), groups: count, answers: true }, listener =>
    joinMany(server.info.port, hellos, () => listener),
  )
}

export const plainFloor = async (bench: Bench): Promise<Floor> => {
  const people = bench.sized(sizes)
  const server = await bench.start<{ port: number }>('plain-http')
  const facts = { lines: bench.sized(lineCount), groups: people / peopleOfGroup, answers: false }
  return newFloor(server, facts, listener => connectMany(server.info.port, people, listener))
}
