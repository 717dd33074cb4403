// Several destinations in one answer. A destination alone is answered whatever its size, or page by page; of several
// the accounts in all are bounded, since the one answer is made in one turn, during which nobody else is served.

import { ok, type Result, refuse } from '../errors.js'
import type { Destination, Resource, TenantId } from '../protocol/index.js'
import type { Presence, Query } from './presence.js'

/** So many accounts, in all, one answer about several destinations may hold. */
export const accountLimit = 50_000

/**
 * The resources of several destinations, in the order asked. Refused as the first of them is by `queryOf`, and
 * `too-large` where it would be too much at once.
 */
export const severalOf = (
  presence: Pick<Presence, 'resource'>,
  tenant: TenantId,
  destinations: readonly Destination[],
  queryOf: (destination: Destination) => Result<Query>,
): Result<Resource[]> => {
  const resources: Resource[] = []
  let accounts = 0
  for (const destination of destinations) {
    const query = queryOf(destination)
    if (!query.ok) return query
    const resource = presence.resource(tenant, destination, query.value)
    resources.push(resource)
    accounts += resource.accounts?.length ?? 0
    if (accounts > accountLimit && destinations.length > 1) {
      return refuse(
        'too-large',
        `destinations must name at most ${accountLimit} accounts in all, or ask for view summary`,
      )
    }
  }
  return ok(resources)
}
