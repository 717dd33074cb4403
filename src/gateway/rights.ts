// What a grant amounts to on a socket: as which device it may be present, and whether it is of any use there.
// Tenancy is not judged here: every name is looked up within the grant's own tenant.

import type { ClientFrames, Party } from '../protocol/index.js'
import { allows, type Grant } from './token/index.js'

/** Permissions that mean something to a registered device only. */
const ofDevices: ReadonlySet<string> = new Set(['presence:register', 'call:receive'])

/** The device that a hello registers, if its token lets it: the one that the token names, else the hello's. */
export const partyOf = (grant: Grant, hello: ClientFrames['hello']): Party | undefined => {
  const { tenant, account, device = hello.device } = grant
  return device !== undefined && allows(grant, 'presence:register') ? { tenant, account, device } : undefined
}

/** Whether the token is of use to a session that is this device, or none. */
export const suffices = (grant: Grant, party: Party | undefined): boolean =>
  party === undefined
    ? [...grant.scopes].some(scope => !ofDevices.has(scope))
    : allows(grant, 'presence:register') && (grant.device ?? party.device) === party.device

/** Whether the session may have a call go to `to` by its own word: with an application, it is that one's to say. */
export const mayPassTo = (grant: Grant, to: string): boolean =>
  grant.application === undefined && allows(grant, 'call:place', to)
