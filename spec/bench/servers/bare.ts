// The denominator of everything on sockets: `ws` alone, as its own documentation uses it, with the same bounds on
// a peer as the hub sets. Whatever one client sends goes to everyone, one send for each.

import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { serve } from './serve.js'

serve(async () => {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    path: '/v1/socket',
    clientTracking: false,
    maxPayload: 64 * 1024,
    maxFragments: 64,
    maxBufferedChunks: 1024,
    perMessageDeflate: false,
    skipUTF8Validation: false,
  })
  const clients = new Set<WebSocket>()
  server.on('connection', client => {
    clients.add(client)
    client.on('error', () => {})
    client.on('close', () => clients.delete(client))
    client.on('message', data => {
      const text = data.toString()
      for (const each of clients) each.send(text)
    })
  })
  await new Promise(resolve => server.once('listening', resolve))
  return {
    info: { port: (server.address() as AddressInfo).port },
    answers: { clients: () => clients.size },
  }
})
