// The denominator of calls: fastify as it comes, a POST whose JSON body it parses, and one `ws` send to one of the
// sockets in turn, which is the least that ringing someone's device takes.

import { randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import fastify from 'fastify'
import { type WebSocket, WebSocketServer } from 'ws'
import { serve } from './serve.js'

serve(async () => {
  const app = fastify()
  const sockets: WebSocket[] = []
  const server = new WebSocketServer({ server: app.server, path: '/v1/socket', perMessageDeflate: false })
  server.on('connection', socket => {
    sockets.push(socket)
    socket.on('error', () => {})
    socket.on('message', () => {})
  })
  let turn = 0
  app.post<{ Body: { to: string; from: string } }>('/v1/calls', async (request, reply) => {
    const { to, from } = request.body
    const call = randomUUID()
    const invite = { type: 'invite', call, from, to, destination: to, params: {}, expiresMs: 12_000, seq: 1 }
    sockets[turn++ % sockets.length]?.send(JSON.stringify(invite))
    reply.code(201)
    return { call, state: 'received' }
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  return { info: { port: (app.server.address() as AddressInfo).port } }
})
