// A presence graph and a router on a virtual clock, with phones and callers that are only links: for specs of what
// happens between them, to the millisecond. Nothing is faked but the sockets.

import { type Config, readConfig } from '../../src/config.js'
import { Directory } from '../../src/directory/index.js'
import { Bounds } from '../../src/limits/index.js'
import { type Arrival, type Attachment, createPresence, type Presence } from '../../src/presence/index.js'
import type { CallFrame, CallId, HubFrame, Party, TenantId } from '../../src/protocol/index.js'
import {
  type CallRequest,
  createRouter,
  type Router,
  type RouterOptions,
  readRoutes,
} from '../../src/router/index.js'
import { createSource, type Source } from '../../src/router/source/index.js'
import { type Log, silentLog, VirtualClock } from '../../src/runtime/index.js'
import { type CallRecords, nothingKept, type Store } from '../../src/store/index.js'

export const acme = 'acme' as TenantId
export const aSecret = 'a secret of at least thirty-two bytes'

/** A configuration with one tenant, `acme`. */
export const configOf = (tenant: object = {}, rest: object = {}): Config => {
  const read = readConfig(
    { tenants: { acme: { keys: [{ alg: 'HS256', secret: aSecret }], ...tenant } }, ...rest },
    { dir: '.', env: {} },
  )
  if (!read.ok) throw new Error(JSON.stringify(read.faults))
  return read.value
}

export interface FakePhone {
  readonly party: Party
  readonly attachment: Attachment
  readonly frames: HubFrame[]
  /** How often it was asked for a sign of life. */
  probes: number
  /** Whether it confirms ringing at once. */
  confirms: boolean
  /** The frames about calls, each as its type and, where it has one, its reason. */
  readonly heard: string[]
  accept(call: CallId, sdp?: string): boolean
  reject(call: CallId, reason?: 'declined' | 'busy'): boolean
  /** The connection is lost; it may come back. */
  lose(): void
  comeBack(): void
  leave(): void
}

export interface FakeCaller {
  readonly request: CallRequest
  readonly frames: CallFrame[]
  readonly heard: string[]
}

export interface Room {
  readonly clock: VirtualClock
  readonly config: Config
  readonly presence: Presence
  readonly router: Router
  readonly directory: Directory
  phone(account: string, device?: string, options?: Partial<Arrival> & { silent?: boolean }): FakePhone
  /** Places a call and lets it get under way. */
  call(to: string, options?: Partial<CallRequest>): Promise<{ call: CallId; caller: FakeCaller }>
  close(): Promise<void>
}

const heardOf = (frames: readonly HubFrame[]): string[] =>
  frames
    .filter(frame => 'call' in frame)
    .map(frame =>
      [frame.type, 'reason' in frame ? frame.reason : '', 'state' in frame ? frame.state : '']
        .filter(part => part !== '')
        .join(' '),
    )

/** Rooms so far: each has calls of its own, though it may find the records of one before it. */
let lives = 0

export const newRoom = (
  tenant: object = {},
  rest: object = {},
  log: Log = silentLog,
  {
    records,
    clock = new VirtualClock(),
    random = () => 0.5,
    groups = nothingKept.groups,
    callbacks,
    source: given,
  }: {
    callbacks?: RouterOptions['callbacks']
    records?: CallRecords | undefined
    clock?: VirtualClock
    random?: () => number
    groups?: Store['groups']
    /** In place of what asks voice applications. */
    source?: Source
  } = {},
): Room => {
  const config = configOf(tenant, rest)
  const bounds = new Bounds(config.limits)
  const directory = new Directory({
    config,
    kept: groups,
    bounds,
    log,
    knows: (tenant, name) => presence.knows(tenant, name),
    changed(tenant, group, settings) {
      presence.configureGroup(tenant, group, settings)
      router.configure(directory.tenants, matching)
    },
  })
  const presence = createPresence(directory.tenants, clock)
  const routes = readRoutes(config)
  if (!routes.ok) throw new Error(JSON.stringify(routes.faults))
  const matching = routes.value
  const source = given ?? createSource({ fetch: config.fetch, clock })
  const life = ++lives
  let ids = 0
  const router = createRouter({
    config: { ...config, tenants: directory.tenants },
    presence,
    routes: matching,
    source,
    callbacks,
    clock,
    log,
    records,
    bounds,
    newId: () => (records ? `call-${life}-${++ids}` : `call-${++ids}`),
    random,
  })
  return {
    clock,
    config,
    presence,
    router,
    directory,
    phone(account, device = 'phone', { silent = false, ...options } = {}) {
      const party = { tenant: acme, account, device } as Party
      const frames: HubFrame[] = []
      const link = {
        send(frame: HubFrame) {
          frames.push(frame)
          if (frame.type === 'invite' && phone.confirms)
            queueMicrotask(() => router.ringing(party, frame.call))
        },
        probe() {
          phone.probes++
        },
      }
      const attached = presence.attach({
        ...party,
        link,
        groups: [],
        canReceive: true,
        confirms: true,
        ...options,
      })
      if (!attached.ok) throw new Error(attached.message)
      const attachment = attached.value
      const phone: FakePhone = {
        party,
        attachment,
        frames,
        probes: 0,
        confirms: !silent,
        get heard() {
          return heardOf(frames)
        },
        accept: (call, sdp) => router.accept(party, call, sdp).ok,
        reject: (call, reason = 'declined') => router.reject(party, call, reason).ok,
        lose() {
          attachment.linger()
          router.lost(party)
        },
        comeBack() {
          attachment.resume()
          router.back(party)
        },
        leave() {
          attachment.leave()
          router.gone(party)
        },
      }
      return phone
    },
    async call(to, options = {}) {
      const frames: CallFrame[] = []
      const request: CallRequest = {
        tenant: acme,
        to,
        from: '+15550199',
        direction: 'inbound',
        caller: { account: 'gateway' as Party['account'], send: frame => frames.push(frame) },
        ...options,
      }
      const placed = router.place(request)
      if (!placed.ok) throw new Error(`${placed.code}: ${placed.message}`)
      await clock.settle()
      return {
        call: placed.value,
        caller: {
          request,
          frames,
          get heard() {
            return heardOf(frames)
          },
        },
      }
    },
    close: () => source.close(),
  }
}
