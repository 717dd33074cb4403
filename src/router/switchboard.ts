// The router of one process: takes calls, sends each on its way, and hands what the sides say to the call it is about.

import type { Config, Read } from '../config.js'
import { type Fault, ok, type Refusal, type Result, refuse } from '../errors.js'
import { Bounds, Buckets, perMinute, Quota } from '../limits/index.js'
import type { Presence } from '../presence/index.js'
import {
  type CallId,
  type EndReason,
  endReasons,
  type Params,
  type Party,
  paramsBytes,
  type TenantId,
} from '../protocol/index.js'
import type { Clock, Log } from '../runtime/index.js'
import type { CallRecord, CallRecords } from '../store/index.js'
import { Call, callGone } from './call.js'
import { Calls } from './calls.js'
import { explain } from './explain.js'
import {
  checkCallback,
  checkInline,
  type InstructionSource,
  type StatusCallback,
} from './instructions/index.js'
import { Memory } from './memory.js'
import type { Parts } from './parts.js'
import { find, follow, type Standing } from './plan.js'
import { Queues } from './queue/index.js'
import { compileApplications, compileRoutes, type Routes } from './routes.js'
import type { CallRequest, Router, Side } from './routing.js'
import { Sides } from './sides.js'
import type { Source } from './source/index.js'
import { type Callbacks, tellNobody } from './status-callbacks.js'
import { connect, passTo } from './transfer.js'

export interface RouterOptions {
  readonly config: Config
  readonly presence: Presence
  readonly routes: ReadonlyMap<TenantId, Routes>
  readonly source: Source
  /** Where what applications are told of calls goes; absent: nowhere. */
  readonly callbacks?: Callbacks | undefined
  /** Default: the documented limits. */
  readonly bounds?: Bounds
  readonly clock: Clock
  readonly log: Log
  newId(): string
  /** Uniform in [0, 1): for the strategies that leave it to chance. */
  readonly random: () => number
  /** Why no call is taken for now, if so; those that are under way go on. */
  readonly overloaded?: () => Refusal | undefined
  /** Where calls go that are over; absent: nowhere. */
  readonly records?: CallRecords | undefined
  /** Hears of each call that is over and goes on record: `told` settles once its caller knows. */
  readonly keeping?: ((told: Promise<void>) => void) | undefined
  /** Reads presence from another machine; absent: from `presence`. */
  readonly read?: Parts['read']
}

/** Compiles the routes and applications of every tenant; all faults come at once. */
export const readRoutes = (config: Config): Read<ReadonlyMap<TenantId, Routes>> => {
  const routes = new Map<TenantId, Routes>()
  const faults: Fault[] = []
  for (const [tenant, settings] of config.tenants) {
    const route = compileRoutes(settings.routes, `tenants.${tenant}.routes`, config.dir)
    const applications = compileApplications(
      settings.applications,
      `tenants.${tenant}.applications`,
      config.dir,
    )
    if (route.ok && applications.ok)
      routes.set(tenant, { route: route.value, applications: applications.value })
    faults.push(...(route.ok ? [] : route.faults), ...(applications.ok ? [] : applications.faults))
  }
  return faults.length > 0 ? { ok: false, faults } : { ok: true, value: routes }
}

/** Why there are too many parameters, if so. */
const excessOf = (bounds: Bounds, params: Params): Refusal | undefined => {
  if (Object.keys(params).length > bounds.of.params) return bounds.refuse('params')
  return paramsBytes(params) > bounds.of.paramsBytes ? bounds.refuse('paramsBytes') : undefined
}

const judged = <T>(read: Read<T>): Result<T> =>
  read.ok
    ? ok(read.value)
    : refuse('invalid', read.faults.map(({ path, message }) => `${path} ${message}`).join('; '))

/** Instructions that come with a call, or for one. */
const readOwn = (instructions: unknown): Result<InstructionSource> =>
  judged(checkInline(instructions, 'instructions'))

const readCallback = (callback: unknown): Result<StatusCallback | undefined> =>
  callback === undefined ? ok(undefined) : judged(checkCallback(callback, 'statusCallback'))

/** The router of this process. */
export const createRouter = (options: RouterOptions): Router => {
  const { presence, clock, log, records, bounds = new Bounds() } = options
  let { tenants } = options.config
  let { routes } = options
  const calls = new Calls(clock, bounds, records)
  const live = new Quota()
  const rates = { account: new Buckets(), tenant: new Buckets() }
  const sides = new Sides()
  const memory = new Memory(clock, bounds)
  const ended = Object.fromEntries(endReasons.map(reason => [reason, 0])) as Record<EndReason, number>
  let emptied: (() => void) | undefined
  const empty = new Promise<void>(resolve => {
    emptied = resolve
  })
  let draining = false
  /** How many callers do not know yet that their call is over. */
  let untold = 0

  /** All is over, once nothing new can come. */
  const settle = (): void => {
    if (draining && calls.live.size === 0 && untold === 0) emptied?.()
  }

  /** The disk is slower than calls come and go. */
  const isBehind = (): boolean => records !== undefined && records.waiting >= bounds.of.waitingRecords

  const keepIn =
    (records: CallRecords) =>
    (record: CallRecord, tell: (told: () => void) => void): void => {
      let told = false
      let known: (() => void) | undefined
      options.keeping?.(
        new Promise(resolve => {
          known = resolve
        }),
      )
      untold++
      records.append(record, position => {
        if (position !== undefined) calls.recorded(record.tenant, record.call, position)
        if (told) return
        told = true
        tell(() => {
          untold--
          known?.()
          settle()
        })
      })
    }

  const read: Parts['read'] =
    options.read ??
    (async (tenant, destination) =>
      presence.resource(tenant, destination, { view: 'routing', devices: true }))
  const queues = new Queues(tenants, { ...options, memory, read })

  const parts: Parts = {
    ...options,
    callbacks: options.callbacks ?? tellNobody,
    bounds,
    sides,
    memory,
    queues,
    read,
    newId: () => options.newId() as CallId,
    keep: records && keepIn(records),
    guard(work, call) {
      work.catch((error: unknown) => {
        log.error({ call: call.id, error }, 'a call failed')
        call.end('failed', { message: 'an internal error' })
      })
    },
    ended(call) {
      ended[call.reason as EndReason]++
      calls.end(call)
      live.give(call.tenant)
      settle()
    },
  }

  const withCall = (
    tenant: TenantId,
    id: CallId,
    act: (call: Call) => Result<undefined>,
  ): Result<undefined> => {
    const call = calls.find(tenant, id)
    return call === undefined ? callGone : act(call)
  }

  /** With a call that this device is connected in. */
  const withTalk = (party: Party, id: CallId, act: (call: Call) => Result<undefined>): Result<undefined> =>
    withCall(party.tenant, id, call => (call.talks(party) ? act(call) : callGone))

  const standingOf = (tenant: TenantId): Result<Standing> => {
    const settings = tenants.get(tenant)
    const routing = routes.get(tenant)
    return settings === undefined || routing === undefined
      ? refuse('not-found', `no tenant ${tenant}`)
      : ok({ tenant, settings, ...routing })
  }

  /** The instructions that a call comes with, or names; of most calls undefined: what they call decides. */
  const ownOf = (
    { application, instructions }: CallRequest,
    { applications }: Standing,
  ): Result<InstructionSource | undefined> => {
    if (application === undefined) return instructions === undefined ? ok(undefined) : readOwn(instructions)
    const source = applications.get(application)
    return source === undefined ? refuse('not-found', `no application ${application}`) : ok(source)
  }

  /** Why no more calls are taken at this pace, if so: of one account, then of its whole tenant. */
  const tooFast = ({ tenant, caller, direction }: CallRequest): Refusal | undefined => {
    const { callsPerMinutePerAccount, callsPerMinutePerTenant, gatewayFactor } = bounds.of
    const factor = direction === 'inbound' ? gatewayFactor : 1
    for (const [name, buckets, key, value] of [
      [
        'callsPerMinutePerAccount',
        rates.account,
        `${tenant}\n${caller.account}`,
        callsPerMinutePerAccount * factor,
      ],
      ['callsPerMinutePerTenant', rates.tenant, tenant, callsPerMinutePerTenant],
    ] as const) {
      const retryAfterMs = buckets.take(key, perMinute(value), clock.now())
      if (retryAfterMs > 0) return bounds.refuse(name, { value, retryAfterMs })
    }
    return undefined
  }

  const place = (request: CallRequest): Result<CallId> => {
    if (draining) return refuse('draining', 'the hub takes no new calls: it is about to stop')
    const overloaded = options.overloaded?.()
    if (overloaded !== undefined) return overloaded
    if (isBehind()) return bounds.refuse('waitingRecords')
    const { tenant, caller } = request
    const standing = standingOf(tenant)
    if (!standing.ok) return standing
    const own = ownOf(request, standing.value)
    if (!own.ok) return own
    const callback = readCallback(request.statusCallback)
    if (!callback.ok) return callback
    const excess = (request.params && excessOf(bounds, request.params)) ?? tooFast(request)
    if (excess !== undefined) return excess
    if (!live.take(tenant, bounds.of.callsPerTenant)) return bounds.refuse('callsPerTenant')
    const id = parts.newId()
    if (caller.party) {
      const seized = presence.seize({ tenant, account: caller.party.account, call: id }, caller.party.device)
      if (!seized.ok) {
        live.give(tenant)
        return seized
      }
    }
    const call = new Call(id, request, own.value, standing.value, parts, callback.value)
    calls.add(call)
    // The one who places it learns its id before anything else of it.
    queueMicrotask(() => parts.guard(follow(call), call))
    return ok(id)
  }

  const tenantOf = (side: Side, call: CallId): TenantId | undefined =>
    'tenant' in side ? side.tenant : calls.live.get(call)?.tenant

  return {
    place,
    ringing: (party, id) => calls.find(party.tenant, id)?.ringing(party),
    accept: (party, id, sdp) => withCall(party.tenant, id, call => call.accept(party, sdp)),
    reject: (party, id, reason) => withCall(party.tenant, id, call => call.reject(party, reason)),
    hangup: (side, id, reason) => {
      const tenant = tenantOf(side, id)
      return tenant === undefined ? callGone : withCall(tenant, id, call => call.hangup(side, reason))
    },
    transfer: (party, id, to, attended) =>
      withTalk(party, id, call =>
        attended === undefined
          ? passTo(call, party, to)
          : withTalk(party, attended, other => connect(call, other, party)),
      ),
    redirect(tenant, id, instructions, by) {
      const source = readOwn(instructions)
      if (!source.ok) return source
      return withCall(tenant, id, call => {
        call.divert({ by, to: 'instructions' })
        parts.guard(follow(call, source.value), call)
        return ok(undefined)
      })
    },
    signal: (side, id, data) => {
      const tenant = tenantOf(side, id)
      return tenant === undefined ? callGone : withCall(tenant, id, call => call.signal(side, data))
    },
    performed: (side, id, report) => {
      const tenant = tenantOf(side, id)
      return tenant === undefined ? callGone : withCall(tenant, id, call => call.performed(side, report))
    },
    lost(side) {
      for (const call of sides.of(side)) call.lost(side)
    },
    back(side) {
      for (const call of sides.of(side)) call.back(side)
    },
    gone(side) {
      for (const call of sides.of(side)) call.gone(side)
    },
    talking: side => sides.of(side).some(call => call.talks(side)),
    retell: (party: Party) =>
      sides.of(party).flatMap(call => {
        call.back(party)
        return call.retell(party)
      }),
    get: (tenant, id) => calls.view(tenant, id),
    read: (tenant, id) => calls.read(tenant, id),
    list: (tenant, query) => calls.list(tenant, query),
    async explain(tenant, request) {
      const standing = standingOf(tenant)
      if (!standing.ok) return standing
      return explain(parts, standing.value, request, find(parts, standing.value, request.to))
    },
    callerOf: (tenant, id) => calls.callerOf(tenant, id),
    queues,
    configure(tenantsNow, routesNow) {
      tenants = tenantsNow
      routes = routesNow
      memory.configure(tenantsNow)
      queues.configure(tenantsNow)
    },
    drain() {
      draining = true
      settle()
      return empty
    },
    close() {
      draining = true
      for (const call of calls.live.values()) call.end('failed', { message: 'the hub stopped' })
      settle()
      return empty
    },
    get trouble() {
      return isBehind() ? `records of ${records?.waiting} calls wait for the disk` : undefined
    },
    get counts() {
      return { live: calls.live.size, placed: calls.placed, ended }
    },
  }
}
