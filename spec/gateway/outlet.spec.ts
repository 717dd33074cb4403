// What goes out: framed as the RFC has it, once for all who get it, and in one write for all that a turn sends.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Duplex } from 'node:stream'
import t from 'tap'
import { WebSocket, WebSocketServer } from 'ws'
import { messageOf, Outlet } from '../../src/gateway/outlet.js'
import { TurnEnd } from '../../src/runtime/index.js'

const newTurnEnd = () => new TurnEnd<Outlet>(outlet => outlet.release())

t.test('a message of any length is one that a WebSocket client reads', async t => {
  const texts = ['', 'a', 'x'.repeat(125), 'x'.repeat(126), 'é'.repeat(40_000), 'x'.repeat(65_535)]
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const sockets = new WebSocketServer({ noServer: true })
  const turnEnd = newTurnEnd()
  server.on('upgrade', (request, socket, head) =>
    sockets.handleUpgrade(request, socket, head, ws => {
      const outlet = new Outlet(ws, socket, turnEnd)
      for (const text of texts) outlet.send(messageOf(text))
      ws.close(1000)
      outlet.send(messageOf('too late'))
    }),
  )
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const read: string[] = []
  client.on('message', (data, isBinary) => read.push(isBinary ? 'binary' : data.toString()))
  const [code] = await once(client, 'close')
  t.equal(code, 1000)
  t.same(read, texts, 'in order, and nothing after the close')
})

t.test('all that a turn sends to one peer is one write, and the bytes of a message are shared', async t => {
  const writes: Buffer[][] = []
  const stream = new Duplex({
    read() {},
    write(chunk, _encoding, done) {
      writes.push([chunk])
      done()
    },
    writev(chunks, done) {
      writes.push(chunks.map(({ chunk }) => chunk))
      done()
    },
  })
  const ws = { readyState: 1, OPEN: 1, bufferedAmount: 7 } as WebSocket
  const outlet = new Outlet(ws, stream, newTurnEnd())
  const [first, second, third] = ['first', 'second', 'third'].map(messageOf) as [never, never, never]
  outlet.send(first)
  outlet.send(second)
  t.same(writes, [], 'the turn is not over')
  await Promise.resolve()
  outlet.send(third)
  await Promise.resolve()
  t.equal(writes.length, 2)
  t.equal(writes[0]?.[0], first, 'not a copy')
  t.same(writes, [[first, second], [third]])
  t.equal(outlet.unsent, 7)
})
