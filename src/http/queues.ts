// Queues over HTTP: how many calls wait for the people of a group, for how long, and what became of those before. Who may
// read the presence of a group may read its queue.

import Type from 'typebox'
import { HubError } from '../errors.js'
import { allows, queryOf } from '../gateway/token/index.js'
import { about, DestinationName, QueueResource } from '../protocol/index.js'
import type { Router } from '../router/index.js'
import type { App } from './app.js'
import { grantOf } from './authorization.js'
import { described } from './openapi.js'
import { accepted } from './refusal.js'

/** Which queues a grant may read is judged by each one's name. */
const scope = 'presence:read'

const routes = {
  read: described(
    { name: 'getQueue', summary: 'The queue of a group.', scope, refusals: ['not-found'] },
    {
      params: Type.Object({ group: about(DestinationName, 'The group.') }),
      response: { 200: about(QueueResource, 'How it stands.') },
    },
  ),
  list: described(
    {
      name: 'listQueues',
      summary:
        'The queues in which calls wait, or have waited within the last hour, of those the token may read.',
      scope,
    },
    {
      response: {
        200: Type.Object(
          { queues: Type.Array(QueueResource, { description: 'One each, by their names.' }) },
          { description: 'How each stands.' },
        ),
      },
    },
  ),
}

/** Adds `/queues` and what is under it. */
export const serveQueues = (app: App, { queues }: Pick<Router, 'queues'>): void => {
  app.get('/queues/:group', routes.read, async request => {
    const grant = grantOf(request)
    const { group } = request.params
    accepted(queryOf(grant, group, 'summary'))
    const view = await queues.view(grant.tenant, group)
    if (view === undefined) throw new HubError('not-found', `no group ${group}`)
    return view
  })

  app.get('/queues', routes.list, async request => {
    const grant = grantOf(request)
    if (!allows(grant, scope) && ![...grant.scopes].some(one => one.startsWith(`${scope}:`))) {
      throw new HubError('forbidden', `the token lacks ${scope}`)
    }
    const names = queues.named(grant.tenant).filter(group => allows(grant, scope, group))
    const views = await Promise.all(names.sort().map(group => queues.view(grant.tenant, group)))
    return { queues: views.filter(view => view !== undefined) }
  })
}
