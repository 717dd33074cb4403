// Clients of the hub on raw sockets: they say hello, wait for their welcome, and hand on everything that comes
// later. What they say goodbye to is forgotten by the hub at once.

import { type Listener, openMany, RawSocket } from './raw-socket.js'

export interface Hello {
  readonly token: string
  /** Absent: nobody who could be called, such as a wallboard. */
  readonly device?: string
  readonly resume?: { readonly session: string; readonly seq: number }
}

const welcomeOf = (bytes: Buffer) => {
  const frame = JSON.parse(bytes.toString()) as { type: string; session: string; resumed: boolean }
  if (frame.type !== 'welcome') throw new Error(`not welcome: ${bytes}`)
  return frame
}

export interface Welcomed {
  readonly socket: RawSocket
  readonly session: string
  readonly resumed: boolean
}

/** Connects and says hello; settles once welcomed. `listener` hears what comes after. */
export const join = async (port: number, hello: Hello, listener: Listener): Promise<Welcomed> => {
  let welcomed: (frame: ReturnType<typeof welcomeOf>) => void = () => {}
  let refused: (error: unknown) => void = () => {}
  const welcome = new Promise<ReturnType<typeof welcomeOf>>((resolve, reject) => {
    welcomed = resolve
    refused = reject
  })
  const greeting: Listener = {
    message(bytes, socket) {
      try {
        const frame = welcomeOf(bytes)
        socket.listener = listener
        welcomed(frame)
      } catch (error) {
        refused(error)
      }
    },
    closed: code => refused(new Error(`closed with ${code} before welcome`)),
  }
  const socket = await RawSocket.open(port, greeting)
  socket.send(JSON.stringify({ type: 'hello', ...hello }))
  const { session, resumed } = await welcome
  return { socket, session, resumed }
}

export const joinMany = (
  port: number,
  hellos: readonly Hello[],
  listener: (index: number) => Listener,
): Promise<Welcomed[]> =>
  openMany(hellos.length, index => join(port, hellos[index] as Hello, listener(index)))

/** Opens plain sockets. */
export const connectMany = (port: number, count: number, listener: Listener): Promise<RawSocket[]> =>
  openMany(count, () => RawSocket.open(port, listener))

/** Says goodbye to all; settles once every connection is over. */
export const closeAll = async (sockets: readonly RawSocket[]): Promise<void> => {
  await openMany(sockets.length, index => {
    const socket = sockets[index] as RawSocket
    return new Promise<void>(resolve => {
      socket.listener = { message() {}, closed: () => resolve() }
      socket.close()
    })
  })
}

export const deaf: Listener = { message() {} }

/** Waits for the event loop to have done what is there. */
export const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

export const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
