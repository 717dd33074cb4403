// What a verified token allows: who it speaks for, until when, and its permissions.

import type { AccountId, Destination, TenantId } from '../../protocol/index.js'

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
}

/** Whether the grant has a permission; for `presence:read` and `call:place`, also for the one destination named. */
export const allows = (grant: Grant, scope: Scope, destination?: Destination | string): boolean =>
  grant.scopes.has('admin') ||
  grant.scopes.has(scope) ||
  (destination !== undefined && grant.scopes.has(`${scope}:${destination}`))
