// The directory over HTTP: an administrator of a tenant reads and changes its groups. A change holds at once, is told in
// a line of the log, and is answered when it is sure to outlast the hub. What was read and what is changed are compared
// in the turn of the change, so that no change is lost to another.

import type { FastifyRequest } from 'fastify'
import type { Read } from '../config.js'
import { readMember } from '../config.js'
import type { Directory, GroupFacts } from '../directory/index.js'
import { HubError, type Result } from '../errors.js'
import type { AccountId, Destination, TenantId } from '../protocol/index.js'
import { faultText } from '../runtime/index.js'
import type { App } from './app.js'
import type { Audit } from './audit.js'
import { grantOf } from './authorization.js'
import { type GroupSummary, type GroupView, groupRoutes } from './group-routes.js'
import { guard, tagOf } from './preconditions.js'
import { accepted } from './refusal.js'

/** So many groups are on a page that does not say how many. */
const pageSize = 100

const viewOf = ({ group, settings, changed }: GroupFacts): GroupView => ({ group, ...settings, changed })

const summaryOf = ({ group, settings, changed }: GroupFacts): GroupSummary => {
  const { strategy, open, members } = settings
  const paused = members.filter(({ paused }) => paused !== undefined).length
  return { group, strategy, open, members: members.length, paused, changed }
}

const byName = (a: GroupFacts, b: GroupFacts): number => (a.group < b.group ? -1 : 1)

const judged = <T>(read: Read<T>): T => {
  if (read.ok) return read.value
  throw new HubError('invalid', read.faults.map(faultText).join('; '), { faults: read.faults })
}

/** The tag of what may not be there. */
const tagIn = <T>(result: Result<T>, content: (value: T) => object): string | undefined =>
  result.ok ? tagOf(content(result.value)) : undefined

/** Adds `/groups` and what is under it. */
export const serveGroups = (
  app: App,
  { directory, audit }: { readonly directory: Directory; readonly audit: Audit },
): void => {
  /** Notes who has changed what, and waits until that is kept. */
  const made = async (
    request: FastifyRequest,
    what: { readonly group: Destination; readonly account?: AccountId },
  ): Promise<void> => {
    const { account: member, group } = what
    audit.changed({ ...audit.whom(request), group, ...(member && { member }) })
    accepted(await directory.written())
  }
  const groupTag = (tenant: TenantId, group: Destination) => tagIn(directory.read(tenant, group), viewOf)
  const memberTag = (tenant: TenantId, group: Destination, account: AccountId) =>
    tagIn(directory.member(tenant, group, account), ({ member }) => member)

  app.get('/groups', groupRoutes.list, async request => {
    const { cursor = '', limit = pageSize } = request.query
    const after = directory.list(grantOf(request).tenant).filter(({ group }) => group > cursor)
    const page = after.sort(byName).slice(0, limit)
    const last = page.at(-1)
    return {
      groups: page.map(summaryOf),
      ...(last !== undefined && after.length > limit && { cursor: last.group }),
    }
  })

  app.get('/groups/:group', groupRoutes.read, async (request, reply) => {
    const view = viewOf(accepted(directory.read(grantOf(request).tenant, request.params.group)))
    reply.header('etag', tagOf(view))
    return view
  })

  app.put('/groups/:group', groupRoutes.put, async (request, reply) => {
    const { tenant } = grantOf(request)
    const { group } = request.params
    const { group: _group, changed: _changed, ...input } = request.body
    const settings = judged(directory.judge(input))
    guard(request.headers, groupTag(tenant, group))
    const { created, ...facts } = accepted(directory.put(tenant, group, settings))
    await made(request, { group })
    const view = viewOf(facts)
    return reply
      .code(created ? 201 : 200)
      .header('etag', tagOf(view))
      .send(view)
  })

  app.delete('/groups/:group', groupRoutes.remove, async (request, reply) => {
    const { tenant } = grantOf(request)
    const { group } = request.params
    accepted(directory.read(tenant, group))
    guard(request.headers, groupTag(tenant, group))
    accepted(directory.remove(tenant, group))
    await made(request, { group })
    return reply.code(204).send()
  })

  app.delete('/groups/:group/changes', groupRoutes.reset, async (request, reply) => {
    const { tenant } = grantOf(request)
    const { group } = request.params
    guard(request.headers, groupTag(tenant, group))
    const view = viewOf(accepted(directory.reset(tenant, group)))
    await made(request, { group })
    reply.header('etag', tagOf(view))
    return view
  })

  app.get('/groups/:group/members/:account', groupRoutes.readMember, async (request, reply) => {
    const { group, account } = request.params
    const { member } = accepted(directory.member(grantOf(request).tenant, group, account))
    reply.header('etag', tagOf(member))
    return member
  })

  app.put('/groups/:group/members/:account', groupRoutes.putMember, async (request, reply) => {
    const { tenant } = grantOf(request)
    const { group, account } = request.params
    accepted(directory.read(tenant, group))
    guard(request.headers, memberTag(tenant, group, account))
    const member = readMember({ ...request.body, account })
    const { created } = accepted(directory.putMember(tenant, group, member))
    await made(request, { group, account })
    return reply
      .code(created ? 201 : 200)
      .header('etag', tagOf(member))
      .send(member)
  })

  app.delete('/groups/:group/members/:account', groupRoutes.removeMember, async (request, reply) => {
    const { tenant } = grantOf(request)
    const { group, account } = request.params
    accepted(directory.member(tenant, group, account))
    guard(request.headers, memberTag(tenant, group, account))
    accepted(directory.removeMember(tenant, group, account))
    await made(request, { group, account })
    return reply.code(204).send()
  })
}
