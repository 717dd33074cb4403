// What a grant amounts to on a socket: as which device it may be present, and whether it is of any use there.
// Tenancy is not judged here: every name is looked up within the grant's own tenant.

import type { ClientFrames, Party } from '../protocol/index.js'
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
