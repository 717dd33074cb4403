// What a grant amounts to on a socket: as which device it may be present, what it may watch and how closely.
// Tenancy is not judged here: every name is looked up within the grant's own tenant.

import type { Query } from '../presence/index.js'
import type { ClientFrames, Destination, Party, ViewName } from '../protocol/index.js'
import { allows, type Grant } from './token/index.js'

/** Permissions that mean something to a registered device only. */
const ofDevices: ReadonlySet<string> = new Set(['presence:register', 'call:receive'])

/** The device that a hello registers, if it names one and its token lets it. */
export const partyOf = (grant: Grant, { device }: ClientFrames['hello']): Party | undefined =>
  device !== undefined && allows(grant, 'presence:register')
    ? { tenant: grant.tenant, account: grant.account, device }
    : undefined

/** Whether the token is of use to a session that is this device, or none. */
export const suffices = (grant: Grant, party: Party | undefined): boolean =>
  party === undefined
    ? [...grant.scopes].some(scope => !ofDevices.has(scope))
    : allows(grant, 'presence:register')

/** How a grant may read a destination in a view; undefined: not at all. */
export const queryOf = (grant: Grant, destination: Destination, view: ViewName): Query | undefined =>
  allows(grant, 'presence:read', destination) && (view !== 'routing' || allows(grant, 'presence:route'))
    ? { view, devices: allows(grant, 'presence:devices') || (destination as string) === grant.account }
    : undefined
