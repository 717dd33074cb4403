// The core of a hub, presence and router on one clock, for whoever runs it in the same process and has no use for
// sockets, tokens, HTTP or a disk: simulations of days that are to take seconds. Phones and callers are functions that
// hear frames. Nothing in it is another than in a hub; what a gateway adds (sessions, who may do what) it has not.

import { type Config, type ConfigInput, readConfig } from './config.js'
import { HubError, type Result, refuse } from './errors.js'
import { Bounds } from './limits/index.js'
import { createPresence } from './presence/index.js'
import {
  type AccountId,
  type CallFrame,
  type CallId,
  type CallState,
  type Destination,
  type DeviceId,
  type HubFrame,
  isName,
  nameRule,
  type Params,
  type RejectReason,
  type TenantId,
} from './protocol/index.js'
import { createRouter, createSource, type Router, readRoutes } from './router/index.js'
import { type Clock, faultText, type Log, silentLog } from './runtime/index.js'

export interface CoreOptions {
  /** Whose directory and routes of the configuration are used. */
  readonly tenant: string
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly log?: Log
}

/** A device that is signed in. */
export interface CorePhone {
  /** The open and listed groups of its account. */
  readonly groups: readonly Destination[]
  ringing(call: CallId): void
  accept(call: CallId): Result<undefined>
  reject(call: CallId, reason: RejectReason): Result<undefined>
  hangup(call: CallId): Result<undefined>
  /** It takes no calls until it leaves; one that it is in goes on. */
  rest(): void
  /** Signs out. */
  leave(): void
}

/** A call from outside. */
export interface CoreCall {
  readonly id: CallId
  hangup(): Result<undefined>
}

export interface Core {
  /** Signs a device in: `hear` gets each frame that it is sent. Refused as a hub refuses a device. */
  phone(
    who: { readonly account: string; readonly device: string; readonly groups: readonly string[] },
    hear: (frame: HubFrame) => void,
  ): Result<CorePhone>
  /** Places a call: `hear` gets each frame that its caller is sent, none before this returns. */
  place(
    request: { readonly to: string; readonly from: string; readonly params?: Params | undefined },
    hear: (frame: CallFrame) => void,
  ): Result<CoreCall>
  /** A page of its calls, the latest first. */
  calls(query: {
    readonly state: CallState
    readonly limit: number
    readonly cursor?: string | undefined
  }): ReturnType<Router['list']>
  /** Ends all calls. */
  close(): Promise<void>
}

const refused = (faults: Parameters<typeof faultText>[0][]): HubError =>
  new HubError('invalid', faults.map(faultText).join('\n'), { faults })

const readAll = (
  input: ConfigInput,
): { config: Config; routes: Parameters<typeof createRouter>[0]['routes'] } => {
  const read = readConfig(input, { dir: '.', env: {} })
  if (!read.ok) throw refused([...read.faults])
  const routes = readRoutes(read.value)
  if (!routes.ok) throw refused([...routes.faults])
  return { config: read.value, routes: routes.value }
}

/** Throws `HubError` `invalid` with every fault of the configuration. */
export const createCore = (
  input: ConfigInput,
  { tenant: name, clock, random, log = silentLog }: CoreOptions,
): Core => {
  const { config, routes } = readAll(input)
  const tenant = name as TenantId
  const bounds = new Bounds(config.limits)
  const presence = createPresence(config.tenants, clock, undefined, bounds)
  const source = createSource({ fetch: config.fetch, clock, bounds })
  let calls = 0
  const newId = (): string => `call-${++calls}`
  const router = createRouter({ config, presence, routes, source, bounds, clock, log, newId, random })

  return {
    phone({ account, device, groups }, hear) {
      if (!isName(account)) return refuse('invalid', `account must be ${nameRule}`)
      const party = { tenant, account: account as AccountId, device: device as DeviceId }
      const link = { send: hear, probe() {} }
      const attached = presence.attach({
        ...party,
        link,
        groups,
        canReceive: true,
        confirms: true,
        capacity: 1,
      })
      if (!attached.ok) return attached
      const attachment = attached.value
      return {
        ok: true,
        value: {
          groups: attachment.groups,
          ringing: call => router.ringing(party, call),
          accept: call => router.accept(party, call),
          reject: (call, reason) => router.reject(party, call, reason),
          hangup: call => router.hangup(party, call),
          rest: () => void attachment.declare({ status: 'away' }),
          leave() {
            attachment.leave()
            router.gone(party)
          },
        },
      }
    },
    place({ to, from, params }, send) {
      const caller = { account: 'simulator' as AccountId, send }
      const placed = router.place({
        tenant,
        to,
        from,
        direction: 'inbound',
        caller,
        ...(params && { params }),
      })
      if (!placed.ok) return placed
      const id = placed.value
      return { ok: true, value: { id, hangup: () => router.hangup(caller, id) } }
    },
    calls: ({ state, limit, cursor }) =>
      router.list(tenant, { state, limit, ...(cursor !== undefined && { cursor }) }),
    async close() {
      await router.close()
      await source.close()
    },
  }
}
