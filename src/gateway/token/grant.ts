// What a verified token allows: who it speaks for, until when, and its permissions.

import { LRUCache } from 'lru-cache'
import { ok, type Result, refuse } from '../../errors.js'
import type { Query } from '../../presence/index.js'
import {
  type AccountId,
  type Destination,
  type DeviceId,
  isName,
  type Params,
  type TenantId,
  type ViewName,
} from '../../protocol/index.js'

/** Permissions that stand alone. `presence:read` and `call:place` may also name one destination: `presence:read:support`. */
export const scopes = [
  'presence:register',
  'presence:read',
  'presence:devices',
  'presence:route',
  'presence:write',
  'call:receive',
  'call:place',
  'call:inbound',
  'call:explain',
  'admin',
] as const
export type Scope = (typeof scopes)[number]

export interface Grant {
  readonly tenant: TenantId
  readonly account: AccountId
  /** The permissions known to the hub, in the token's order, once each; `presence:read:NAME` and `call:place:NAME` whole. */
  readonly scopes: ReadonlySet<string>
  /** When the token ends, milliseconds since 1970. */
  readonly expires: number
  /** The open groups it asks to join, as written. */
  readonly groups: readonly string[]
  readonly capacity?: number
  readonly jti?: string
  /** When it was issued, milliseconds since 1970, if it says so; never later than it was first seen here. */
  readonly issued?: number
  /** The one device that it speaks for; absent: whichever the client says. */
  readonly device?: DeviceId
  /** Whose instructions all calls follow that it places, whatever they call; absent: what they call decides. */
  readonly application?: Application
}

/** One of the tenant's applications, by its name, and parameters for each of its calls. */
export interface Application {
  readonly name: string
  readonly params: Params
}

const known: ReadonlySet<string> = new Set(scopes)

const narrowed = /^(?:presence:read|call:place):(.*)$/

/** Most tokens of a tenant say the same: one set for all of them. */
const told = new LRUCache<string, ReadonlySet<string>>({ max: 1_000 })

/** The permissions of a `scope` claim (RFC 8693, section 4.2) that the hub knows; others are left out. */
export const scopesOf = (scope: string): ReadonlySet<string> => {
  let permissions = told.get(scope)
  if (permissions === undefined) {
    permissions = new Set(
      scope.split(' ').filter(word => known.has(word) || isName(narrowed.exec(word)?.[1])),
    )
    told.set(scope, permissions)
  }
  return permissions
}

/** Being a phone is not administration: an administrator's token rings nowhere unless it says so itself. */
const beyondAdmin: ReadonlySet<Scope> = new Set<Scope>(['presence:register', 'call:receive'])

/** Whether the grant has a permission; for `presence:read` and `call:place`, also for the one destination named. */
export const allows = (grant: Grant, scope: Scope, destination?: Destination | string): boolean =>
  grant.scopes.has(scope) ||
  (grant.scopes.has('admin') && !beyondAdmin.has(scope)) ||
  (destination !== undefined && grant.scopes.has(`${scope}:${destination}`))

/** How much of a destination a grant may read, at the view asked for. */
export const queryOf = (grant: Grant, destination: Destination, view: ViewName): Result<Query> => {
  if (!allows(grant, 'presence:read', destination)) {
    return refuse('forbidden', `the token lacks presence:read for ${destination}`)
  }
  if (view === 'routing' && !allows(grant, 'presence:route')) {
    return refuse('forbidden', `the token lacks presence:route for the routing view of ${destination}`)
  }
  const own = (destination as string) === grant.account
  return ok({ view, devices: own || allows(grant, 'presence:devices') })
}
