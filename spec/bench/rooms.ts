// Where the audience of B2 sits: in a group of the hub, in a bare `ws` server, in a room of socket.io. Each takes a
// change over one of its sockets, and says what its messages mean.

import type { Resource } from '../../src/client/index.js'
import { Audience, accounts, type PresenceFrame, type Said } from './audience.js'
import { type Bench, WrongResult } from './benchmark.js'
import { deaf, joinMany } from './clients.js'
import { openMany, RawSocket } from './raw-socket.js'
import type { Server } from './server.js'
import { configOf, phoneScope, tokenOf } from './tokens.js'

export interface Room {
  readonly server: Server
  readonly audience: Audience
  /** Change number `id` happens. */
  change(id: number): void
  /** Throws where what the readers hold is not what the server holds. */
  check(): Promise<void>
}

const names = Array.from({ length: accounts }, (_, index) => `agent-${index}`)

/** A status that is another one each time. */
const statusOf = (id: number): string => (Math.floor(id / accounts) % 2 === 0 ? 'away' : 'available')

/** What the hub would say of one change, for those that only pass it on. */
const changeText = (id: number): string =>
  JSON.stringify({
    type: 'presence',
    snapshot: false,
    prev: id,
    destination: 'support',
    kind: 'group',
    version: id + 1,
    status: 'available',
    since: '2026-01-01T00:00:00.000Z',
    counts: { available: 500, ringing: 0, busy: 0, away: 500, dnd: 0, offline: 0 },
    accounts: [
      {
        account: names[id % accounts],
        status: statusOf(id),
        since: '2026-01-01T00:00:00.000Z',
        activity: 'free',
        note: String(id),
        until: null,
      },
    ],
  })

const changesIn = ({ accounts = [] }: PresenceFrame): number[] =>
  accounts.map(({ note }) => Number(note)).filter(id => id > 0)

const readHub = (bytes: Buffer): Said | undefined => {
  const frame = JSON.parse(bytes.toString()) as { type: string }
  if (frame.type !== 'presence') return undefined
  return { changes: changesIn(frame as PresenceFrame), frame: frame as PresenceFrame }
}

export const hubRoom = async (bench: Bench, size: number): Promise<Room> => {
  const server = await bench.start<{ port: number }>(
    'hub',
    configOf({ groups: { support: { members: names } } }),
  )
  const { port } = server.info
  const agents = await joinMany(
    port,
    names.map(account => ({ token: tokenOf(account, phoneScope), device: 'phone' })),
    () => deaf,
  )
  const audience = new Audience(size, readHub)
  const readers = await joinMany(
    port,
    Array.from({ length: size }, (_, index) => ({ token: tokenOf(`reader-${index}`, 'presence:read') })),
    () => deaf,
  )
  const reader = tokenOf('checker', 'presence:read')
  const graph = async (): Promise<Resource> => {
    const headers = { authorization: `Bearer ${reader}` }
    return (await (
      await fetch(`http://127.0.0.1:${port}/v1/presence/support`, { headers })
    ).json()) as Resource
  }
  const subscribe = JSON.stringify({ type: 'subscribe', destinations: ['support'] })
  const snapshots = await openMany(size, async index => {
    const { socket } = readers[index]!
    return new Promise<PresenceFrame>(resolve => {
      socket.listener = {
        message(bytes) {
          const frame = JSON.parse(bytes.toString()) as PresenceFrame
          if (frame.type !== 'presence') return
          socket.listener = audience.listener(index)
          resolve(frame)
        },
      }
      socket.send(subscribe)
    })
  })
  const [{ type: _, snapshot: __, ...held }] = snapshots as [PresenceFrame, ...PresenceFrame[]]
  if (snapshots.some(({ version }) => version !== held.version)) throw new WrongResult('unlike snapshots')
  audience.start(held)
  return {
    server,
    audience,
    change(id) {
      const text = `{"type":"status","status":"${statusOf(id)}","note":"${id}"}`
      agents[id % accounts]?.socket.send(text)
    },
    async check() {
      const { accounts: members = [], ...head } = await graph()
      // Facts of the moment are read, and never part of the fold.
      const shown = { ...head, accounts: members.map(({ lastSeen: _, ...entry }) => entry) }
      if (JSON.stringify(shown) !== JSON.stringify({ ...audience.held })) {
        throw new WrongResult('what the readers hold is not the graph')
      }
    },
  }
}

/** Nothing to check where nothing is held. */
const unchecked = async (): Promise<void> => {}

export const bareRoom = async (bench: Bench, size: number): Promise<Room> => {
  const server = await bench.start<{ port: number }>('bare')
  const audience = new Audience(size, bytes => ({ changes: changesIn(JSON.parse(bytes.toString())) }))
  const sockets = await openMany(size, index =>
    RawSocket.open(server.info.port, {
      message: bytes => audience.listener(index).message(bytes, sockets[index]!),
    }),
  )
  return {
    server,
    audience,
    change: id => sockets[id % size]?.send(changeText(id)),
    check: unchecked,
  }
}

export const socketIoRoom = async (bench: Bench, size: number): Promise<Room> => {
  const server = await bench.start<{ port: number }>('socket-io')
  const audience = new Audience(size, bytes => {
    const [, frame] = JSON.parse(bytes.toString('utf8', 2)) as [string, PresenceFrame]
    return { changes: changesIn(frame) }
  })
  const sockets = await openMany(size, async index => {
    const { socket } = await joinSocketIo(server.info.port)
    const heard = audience.listener(index)
    socket.listener = {
      message(bytes, from) {
        if (bytes.length > 1) heard.message(bytes, from)
        else from.send('3')
      },
    }
    return socket
  })
  return {
    server,
    audience,
    change: id => sockets[id % size]?.send(`42["change",${changeText(id)}]`),
    check: unchecked,
  }
}

export interface SocketIoSession {
  readonly socket: RawSocket
  readonly pid: string | undefined
}

/** Engine.IO 4 over a plain WebSocket, and the default namespace of Socket.IO 5; `pid`: a session to take up. */
export const joinSocketIo = async (port: number, pid?: string): Promise<SocketIoSession> => {
  let joined: (session: { pid?: string }) => void = () => {}
  const welcome = new Promise<{ pid?: string }>(resolve => {
    joined = resolve
  })
  const socket = await RawSocket.open(
    port,
    {
      message(bytes, from) {
        const text = bytes.toString()
        if (text.startsWith('0')) from.send(pid === undefined ? '40' : `40{"pid":"${pid}","offset":""}`)
        else if (text.startsWith('40')) joined(JSON.parse(text.slice(2)))
      },
    },
    '/socket.io/?EIO=4&transport=websocket',
  )
  const session = await welcome
  return { socket, pid: session.pid }
}
