// Calls over HTTP: an outside system places them, follows them, signals and ends them. Who placed a call may see it,
// and the tenant's administrators; to anyone else it is as unknown as one that never was. What becomes of calls is the
// router's; what their callers are told is kept in inboxes.

import type { FastifyReply, FastifyRequest } from 'fastify'
import { HubError } from '../errors.js'
import { allows, type Grant, type Revocations } from '../gateway/token/index.js'
import type { Bounds } from '../limits/index.js'
import { type CallId, type CallResource, signalLimit } from '../protocol/index.js'
import type { Caller, CallView, Router } from '../router/index.js'
import type { Clock } from '../runtime/index.js'
import type { CallRecords } from '../store/index.js'
import type { App } from './app.js'
import { grantOf, stillGood, whileGood } from './authorization.js'
import { callRoutes } from './call-routes.js'
import { EventStream, eventHeaders } from './event-stream.js'
import { Idempotency } from './idempotency.js'
import { Inbox } from './inbox.js'
import { whenOver } from './over.js'
import { accepted } from './refusal.js'
import type { Streams } from './streams.js'

export interface CallsOptions {
  readonly router: Router
  readonly records?: Pick<CallRecords, 'keys'> | undefined
  readonly revocations: Revocations
  readonly bounds: Bounds
  readonly streams: Streams
  readonly clock: Clock
}

/** A call as this grant may see it. */
const shown = (grant: Grant, { owner: _, timeline, ...call }: CallView): CallResource =>
  allows(grant, 'call:explain') ? { ...call, timeline } : call

const timeOf = (name: string, text: string): number => {
  const time = Date.parse(text)
  if (!Number.isNaN(time)) return time
  throw new HubError('invalid', `${name} must be a time that exists`)
}

/** Settles when the call is answered or over, after `waitMs`, or when the client is gone, or its token revoked. */
const settled = (
  inbox: Inbox,
  waitMs: number,
  { clock, revocations }: Pick<CallsOptions, 'clock' | 'revocations'>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> =>
  new Promise(resolve => {
    const unwatch = inbox.watch(() => wake())
    const unwatchRevocations = revocations.watch(() => wake())
    const timer = clock.after(waitMs, () => over())
    const over = whenOver(request, reply, () => {
      unwatch()
      unwatchRevocations()
      timer.cancel()
      resolve()
    })
    const wake = (): void => {
      if (inbox.settled || revocations.covers(grantOf(request))) over()
    }
    wake()
  })

/** Adds `/calls` and what is under it, and the explanation of calls that have not come. */
export const serveCalls = (
  app: App,
  { router, records, revocations, bounds, streams, clock }: CallsOptions,
): void => {
  const keys = new Idempotency(clock, bounds, records)

  const find = async (grant: Grant, call: CallId): Promise<CallView> => {
    const view = await router.read(grant.tenant, call)
    if (view !== undefined && (view.owner === grant.account || allows(grant, 'admin'))) return view
    throw new HubError('not-found', 'no such call')
  }

  /** The caller's side of a call that the grant may change; of one that is but on record there is none. */
  const callerOf = async (grant: Grant, call: CallId): Promise<Caller> => {
    await find(grant, call)
    const caller = router.callerOf(grant.tenant, call)
    if (caller !== undefined) return caller
    throw new HubError('call-gone', 'the call is over, and no more than its record is left')
  }

  /** What the caller is told, where that is kept for HTTP. */
  const inboxOf = (caller: Caller): Inbox => {
    if (caller instanceof Inbox) return caller
    throw new HubError('conflict', 'this call was placed on a socket, and is followed there')
  }

  /** The inbox, if one more may wait for what comes next. */
  const roomIn = (inbox: Inbox): Inbox => {
    if (inbox.crowded) throw new HubError('too-many', 'too many wait for this call already')
    return inbox
  }

  app.post('/calls', callRoutes.place, async (request, reply) => {
    const grant = grantOf(request)
    const { to, from, params, sdp, instructions, performs, statusCallback } = request.body
    const { waitMs = 0 } = request.query
    // Who may not wait has placed nothing.
    if (waitMs > 0) streams.hold(grant, request, reply)
    const { call, first } = accepted(
      keys.once(grant, request.headers['idempotency-key'], request.body, idempotency => {
        return router.place({
          tenant: grant.tenant,
          to,
          from,
          direction: 'inbound',
          caller: new Inbox(grant.account, bounds, performs),
          ...(idempotency && { idempotency }),
          ...(params !== undefined && { params }),
          ...(sdp !== undefined && { sdp }),
          ...(instructions !== undefined && { instructions }),
          ...(statusCallback !== undefined && { statusCallback }),
        })
      }),
    )
    const caller = router.callerOf(grant.tenant, call)
    if (waitMs > 0 && caller !== undefined) {
      await settled(roomIn(inboxOf(caller)), waitMs, { clock, revocations }, request, reply)
      stillGood(revocations, grant)
    }
    reply.code(first ? 201 : 200).header('location', `/v1/calls/${call}`)
    const view = first ? router.get(grant.tenant, call) : await router.read(grant.tenant, call)
    // A call that its key still names and the router has forgotten is long over.
    if (view === undefined) return { call, state: 'ended' as const }
    return waitMs > 0 ? shown(grant, view) : { call, state: view.state }
  })

  app.get('/calls', callRoutes.list, async request => {
    const grant = grantOf(request)
    const { since, until, limit = 50, ...query } = request.query
    const { calls, ...rest } = accepted(
      await router.list(grant.tenant, {
        ...query,
        limit,
        ...(since !== undefined && { since: timeOf('since', since) }),
        ...(until !== undefined && { until: timeOf('until', until) }),
        ...(!allows(grant, 'admin') && { owner: grant.account }),
      }),
    )
    return { calls: calls.map(view => shown(grant, view)), ...rest }
  })

  app.post('/explain', callRoutes.explain, async request => {
    const grant = grantOf(request)
    const { to, from = '', fetch = false } = request.body
    const explained = await router.explain(grant.tenant, { to, from, fetch })
    stillGood(revocations, grant)
    return accepted(explained)
  })

  app.get('/calls/:call', callRoutes.read, async request => {
    const grant = grantOf(request)
    return shown(grant, await find(grant, request.params.call))
  })

  app.get('/calls/:call/events', callRoutes.follow, async (request, reply) => {
    const grant = grantOf(request)
    const inbox = roomIn(inboxOf(await callerOf(grant, request.params.call)))
    streams.hold(grant, request, reply)
    const events = new EventStream(
      inbox.after(request.headers['last-event-id']),
      clock,
      streams.unread(request),
    )
    return reply.headers(eventHeaders).send(whileGood(events, request, revocations))
  })

  app.post('/calls/:call', callRoutes.change, async request => {
    const grant = grantOf(request)
    const { call } = request.params
    const caller = await callerOf(grant, call)
    const { signal, instructions, performed } = request.body
    if ([signal, instructions, performed].filter(change => change !== undefined).length !== 1) {
      throw new HubError('invalid', 'one of signal, performed and instructions must be there')
    }
    if (instructions !== undefined) {
      accepted(router.redirect(grant.tenant, call, instructions, grant.account))
    } else if (performed !== undefined) {
      accepted(router.performed(caller, call, performed))
    } else {
      if (Buffer.byteLength(JSON.stringify(signal)) > signalLimit) {
        throw new HubError('invalid', `signal must keep within ${signalLimit} bytes of JSON`)
      }
      accepted(router.signal(caller, call, signal))
    }
    return {}
  })

  app.delete('/calls/:call', callRoutes.end, async (request, reply) => {
    const { call } = request.params
    accepted(router.hangup(await callerOf(grantOf(request), call), call))
    return reply.code(204).send()
  })
}
