// The gateway: takes a server's upgrade requests, and holds every socket and session of this hub. It verifies who
// comes, registers devices with presence, and carries calls between clients and the router. It decides nothing
// about presence or calls; the hub attaches `upgrade` to its server, and drains and closes the gateway.

import type { Config } from '../config.js'
import { type ErrorCode, type Refusal, refuse } from '../errors.js'
import { Bounds, Connections } from '../limits/index.js'
import type { Presence } from '../presence/index.js'
import type { Router } from '../router/index.js'
import { type Clock, type Log, TurnEnd } from '../runtime/index.js'
import type { Dialect } from './dialects/dialect.js'
import { native } from './dialects/native.js'
import { sip } from './dialects/sip/sip.js'
import { voice } from './dialects/voice/voice.js'
import { Greeting, type Reception } from './greeting.js'
import { Heartbeat } from './heartbeat.js'
import type { Outlet } from './outlet.js'
import { Sessions } from './sessions.js'
import { Socket, type Tally } from './socket.js'
import { type Revocations, SipAccounts, type Verifier } from './token/index.js'
import { createUpgrade, type Upgrade } from './upgrade.js'

export interface GatewayOptions {
  readonly config: Pick<Config, 'calls' | 'cors' | 'drainMs' | 'presence'>
  readonly verifier: Pick<Verifier, 'verify'>
  readonly revocations: Pick<Revocations, 'covers' | 'watch'>
  /** Who signs in without a token; default: nobody. */
  readonly sipAccounts?: Pick<SipAccounts, 'find'>
  readonly presence: Presence
  readonly router: Router
  readonly clock: Clock
  readonly log: Log
  /** From 0 up to 1: spreads reconnects. Session ids do not come from it. */
  readonly random: () => number
  /** The languages spoken; default: all of them. */
  readonly dialects?: readonly Dialect[]
  /** Why nobody new is taken in for now, if so. */
  readonly overloaded?: () => Refusal | undefined
  /** Default: the documented limits. */
  readonly bounds?: Bounds
  /** Who may connect to the server whose upgrades these are; default: nobody is counted. */
  readonly connections?: Connections
}

export interface GatewayCounts {
  /** Open connections, welcomed or not. */
  readonly sockets: number
  /** Sessions, and those of them whose client is away. */
  readonly sessions: number
  readonly lingering: number
  /** Since the start: connections, frames in and out. */
  readonly accepted: number
  readonly framesIn: number
  readonly framesOut: number
  /** Since the start: connections closed and upgrades refused by the hub, by code. */
  readonly faults: Readonly<Partial<Record<ErrorCode, number>>>
  /** Since the start: frames that were answered with an error, by code. */
  readonly refusals: Readonly<Partial<Record<ErrorCode, number>>>
}

export interface Gateway {
  /** For the server's `upgrade` event. */
  readonly upgrade: Upgrade
  /** Takes nobody new, and asks every client to come back elsewhere, spread over half the drain time. */
  drain(): void
  /** Ends all sessions and closes every connection (1012). Settles when the last one is gone. */
  close(): Promise<void>
  readonly counts: GatewayCounts
}

const nobody = new SipAccounts(new Map())

const goingDown = refuse('draining', 'the hub is going down')

/** A gateway that serves nobody yet. */
export const createGateway = (options: GatewayOptions): Gateway => {
  const { clock, config, log, random } = options
  const { bounds = new Bounds() } = options
  const { connections = new Connections({ bounds, listen: { trustProxy: [] }, log }) } = options
  const tally: Tally = { sockets: 0, accepted: 0, framesIn: 0, framesOut: 0, faults: {}, refusals: {} }
  const heartbeat = new Heartbeat(clock, config.presence.heartbeatMs, error =>
    log.error({ error }, 'heartbeat threw'),
  )
  const sessions = new Sessions({ ...options, bounds })
  const unwatch = options.revocations.watch(() => sessions.revoke())
  const sockets = new Set<Socket>()
  let draining = false
  let emptied = (): void => {}
  const reception: Reception = {
    ...options,
    bounds,
    heartbeat,
    tally,
    turnEnd: new TurnEnd<Outlet>(outlet => outlet.release()),
    sessions,
    closed: () => (draining ? goingDown : options.overloaded?.()),
    greet: (socket, token) => new Greeting(socket, reception, token),
    left(socket) {
      sockets.delete(socket)
      if (sockets.size === 0) emptied()
    },
  }

  const upgrade = createUpgrade(
    {
      ...reception,
      config,
      connections,
      enter(ws, stream, dialect, peer, token) {
        sockets.add(new Socket(ws, stream, dialect, peer, reception, token))
      },
    },
    options.dialects ?? [native(), voice(), sip(options.sipAccounts ?? nobody, clock)],
  )

  return {
    upgrade,
    drain() {
      draining = true
      const spreadMs = config.drainMs / 2
      for (const session of sessions) {
        session.send({ type: 'drain', reconnectAfterMs: Math.floor(random() * spreadMs) })
      }
    },
    async close() {
      draining = true
      const empty = new Promise<void>(resolve => {
        emptied = resolve
      })
      for (const socket of sockets) socket.close(1012, 'restart')
      for (const session of sessions) session.end()
      const cut = clock.after(bounds.of.closeMs, () => {
        for (const socket of sockets) socket.dead()
      })
      if (sockets.size > 0) await empty
      unwatch()
      cut.cancel()
    },
    get counts() {
      return { ...tally, sessions: sessions.size, lingering: sessions.lingering }
    },
  }
}
