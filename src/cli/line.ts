// A softphone on the command line: the SDK's, over the sockets of `ws`, with one rule of its own. Whoever types a
// command wants to know at once that the hub is not there: the first connection has one attempt. Later ones are
// made again for as long as it takes.

import { WebSocket } from 'ws'
import { Softphone, type SoftphoneOptions, type Welcome } from '../client/index.js'
import type { Output } from './output.js'
import { green, type Line, line, yellow } from './text.js'
import { clientName } from './version.js'

export const createLine = (options: SoftphoneOptions): Softphone =>
  new Softphone({ client: clientName, WebSocket, ...options })

/** Comes online. Rejects with SwitchhookError, and closes the softphone, if the first attempt fails. */
export const connect = async (phone: Softphone): Promise<Welcome> => {
  const failed = new Promise<never>((_, reject) => {
    phone.on('connection', connection => {
      if (connection.state === 'reconnecting') reject(connection.error)
    })
  })
  try {
    return await Promise.race([phone.connect(), failed])
  } catch (error) {
    await phone.close()
    throw error
  }
}

/** Tells of each loss of the connection, and of its end; the first `online` is the command's to tell. */
export const tellConnection = (phone: Softphone, out: Output): void => {
  let known = false
  phone.on('connection', connection => {
    if (connection.state === 'reconnecting' && known) {
      const { attempt, inMs, error } = connection
      out.tell(
        { event: 'reconnecting', attempt, inMs, message: error.message },
        line(yellow('connection lost'), `: ${error.message}; trying again in ${inMs} ms`),
      )
    }
    if (connection.state === 'online') {
      const { resumed } = connection.welcome
      if (known) out.tell({ event: 'reconnected', resumed }, line(green('connected again')))
      known = true
    }
  })
}

/** At the head of a picture, while the rest of it is only what was so when the connection was lost. */
export const stateLines = ({ connection: { state } }: Softphone): Line[] =>
  state === 'online' ? [] : [line(yellow(`not connected (${state})`))]
