// A peer: socket.io as its documentation uses it. Everyone is in one room; what one client sends as `change` goes to
// the room; a client that comes back finds the session it had (connection state recovery).

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server } from 'socket.io'
import { serve } from './serve.js'

serve(async () => {
  const http = createServer()
  const io = new Server(http, { transports: ['websocket'], serveClient: false, connectionStateRecovery: {} })
  io.on('connection', socket => {
    socket.join('support')
    socket.on('change', change => io.to('support').emit('change', change))
  })
  await new Promise<void>(resolve => http.listen(0, '127.0.0.1', resolve))
  return { info: { port: (http.address() as AddressInfo).port } }
})
