// How simulated callers reach the hub, as systems outside the platform do: all of them over one socket, as a gateway
// brings its calls, or each over HTTP. A caller is told the same by both.

import { WebSocket } from 'ws'
import {
  type Call,
  type HubApi,
  type InboundCall,
  SwitchhookError,
  type Timers,
  type WebSocketConstructor,
} from '../../client/index.js'
import { connect, createLine } from '../line.js'
import { pause } from './play.js'
import { promised } from './promised.js'

/** A call that is listened to. */
export interface Followed {
  /** Settles when nothing more will come, or the listener has left. */
  readonly over: Promise<void>
  /** Nothing more is heard. */
  leave(): void
}

export interface Carrier {
  /** Rejects with SwitchhookError if the hub does not let calls come this way. */
  open(): Promise<unknown>
  /** Rejects with what the hub refuses. */
  place(call: InboundCall): Promise<{ readonly call: string }>
  /** Tells what the caller is told, in order, from the beginning. */
  follow(call: string, hear: (type: string, data: unknown) => void): Followed
  /** That the call is over by then may be an error. */
  hangup(call: string): Promise<void>
  close(): Promise<void>
}

export interface GatewayOptions {
  readonly url: string
  readonly token: () => Promise<string>
  readonly timers: Timers
}

/**
 * Sockets for many calls. As the SDK opens them, those of `ws` deliver one message a turn: a gateway that is told a
 * hundred things a turn would never be done.
 */
const BusySocket = class extends WebSocket {
  constructor(url: string, protocols: string[]) {
    super(url, protocols)
  }
} as WebSocketConstructor

/** What is heard until `over`, unless its listener leaves first; `forget` is done then. */
export const followed = (over: Promise<void>, forget: () => void): Followed => {
  const left = promised<void>()
  return { over: Promise.race([over, left.promise]).then(forget), leave: () => left.resolve() }
}

/** Calls over the socket of a softphone without a device. */
export const socketCarrier = (options: GatewayOptions): Carrier => {
  const gateway = createLine({ ...options, WebSocket: BusySocket })
  const calls = new Map<string, Call>()
  return {
    open: () => connect(gateway),
    async place({ to, from, params }) {
      const call = await gateway.place({ to, from, params })
      calls.set(call.id, call)
      return { call: call.id }
    },
    follow(id, hear) {
      const call = calls.get(id) as Call
      for (const type of ['progress', 'answered', 'ended'] as const) call.on(type, data => hear(type, data))
      return followed(
        call.over.then(() => {}),
        () => calls.delete(id),
      )
    },
    hangup: id => (calls.get(id) as Call).hangup(),
    close: () => gateway.close(),
  }
}

/** Before a stream that broke is followed again. */
const RETRY_MS = 500

/** Follows a call over as many streams as it takes, until it is over, it is known to nobody, or `signal` is aborted. */
const listen = async (
  api: Pick<HubApi, 'events'>,
  timers: Timers,
  call: string,
  hear: (type: string, data: unknown) => void,
  signal: AbortSignal,
): Promise<void> => {
  let lastEventId: string | undefined
  for (;;) {
    try {
      let over = false
      for await (const { id, type, data } of api.events(call, { lastEventId, signal })) {
        lastEventId = id
        over ||= type === 'ended'
        hear(type, data)
      }
      if (over) return
    } catch (error) {
      if (!(error instanceof SwitchhookError && error.retry)) return
    }
    await pause(timers, RETRY_MS, signal)
  }
}

/** Calls over HTTP, each followed over as many streams as it takes. */
export const httpCarrier = (api: Pick<HubApi, 'place' | 'events' | 'hangup'>, timers: Timers): Carrier => ({
  open: async () => {},
  place: call => api.place(call),
  follow(call, hear) {
    const deaf = new AbortController()
    return { over: listen(api, timers, call, hear, deaf.signal), leave: () => deaf.abort() }
  },
  hangup: call => api.hangup(call),
  close: async () => {},
})
