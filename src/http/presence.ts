// Presence over HTTP: the presence status resource of one destination or of many in one answer, its changes as they
// happen, and a supervisor's word for an account. Devices are shown by right, not by view.

import { type Grant, queryOf, type Revocations } from '../gateway/token/index.js'
import { type Page, type Presence, severalOf } from '../presence/index.js'
import type { Destination, Resource, ViewName } from '../protocol/index.js'
import type { Clock } from '../runtime/index.js'
import type { App } from './app.js'
import { grantOf, whileGood } from './authorization.js'
import { EventStream, eventHeaders } from './event-stream.js'
import { PresenceEvents } from './presence-events.js'
import { presenceRoutes } from './presence-routes.js'
import { accepted } from './refusal.js'
import type { Streams } from './streams.js'

/** Adds `/presence` and what is under it. */
export const servePresence = (
  app: App,
  {
    presence,
    revocations,
    streams,
    clock,
  }: {
    readonly presence: Presence
    readonly revocations: Revocations
    readonly streams: Streams
    readonly clock: Clock
  },
): void => {
  const read = (grant: Grant, destination: Destination, view: ViewName = 'full', page?: Page): Resource =>
    presence.resource(grant.tenant, destination, accepted(queryOf(grant, destination, view)), page)
  const readSeveral = (grant: Grant, destinations: readonly Destination[], view: ViewName = 'full') => ({
    resources: accepted(
      severalOf(presence, grant.tenant, destinations, destination => queryOf(grant, destination, view)),
    ),
  })

  app.get('/presence/:destination', presenceRoutes.read, async request => {
    const { view, ...page } = request.query
    return read(grantOf(request), request.params.destination, view, page)
  })

  app.get('/presence/:destination/events', presenceRoutes.follow, async (request, reply) => {
    const grant = grantOf(request)
    const { destination } = request.params
    const query = accepted(queryOf(grant, destination, request.query.view ?? 'full'))
    streams.hold(grant, request, reply)
    const events = new PresenceEvents(presence, grant, destination, query, clock)
    const stream = new EventStream(events, clock, streams.unread(request))
    return reply.headers(eventHeaders).send(whileGood(stream, request, revocations))
  })

  app.get('/presence', presenceRoutes.readSome, async request => {
    const { destination, view } = request.query
    return readSeveral(grantOf(request), destination, view)
  })

  app.post('/presence', presenceRoutes.readMany, async request => {
    const { destinations, view } = request.body
    return readSeveral(grantOf(request), destinations, view)
  })

  app.put('/presence/:account/status', presenceRoutes.override, async request => {
    const { tenant, account: by } = grantOf(request)
    accepted(presence.override(tenant, request.params.account, request.body, by))
    return {}
  })
}
