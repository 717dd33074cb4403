// The world outside the hub, in process: every connection that the hub opens (for instructions, for keys) leads to
// one HTTP server of the test's, whatever host it is for, over a link with the usual switches. Where there is none,
// nothing answers.

import { createServer, type RequestListener } from 'node:http'
import { Link } from './link.js'
import type { Air } from './wire.js'

/** An answer that really takes longer than this is late: virtual time goes on without it. */
const PATIENCE_MS = 1_000

/** The link from the hub to a server with this listener. */
export const openOutside = (
  air: Air,
  listener: RequestListener | undefined,
  patienceMs = PATIENCE_MS,
): Link => {
  const server = createServer((_request, response) => {
    const answered = new Promise<void>(resolve => {
      const late = setTimeout(resolve, patienceMs).unref()
      response.once('close', () => {
        clearTimeout(late)
        resolve()
      })
    })
    void air.sequence.hold(answered)
  })
  const link = new Link(air, '127.0.0.1', far => server.emit('connection', far))
  if (listener === undefined) link.down()
  else server.on('request', listener)
  return link
}
