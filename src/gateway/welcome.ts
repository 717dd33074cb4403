// The first frame of every connection: what the hub believes of this client. Whoever wonders why no call comes
// finds the answer here: registered or not, able to receive or not, and in which groups.

import type { HubFrame } from '../protocol/index.js'
import type { Session } from './session.js'

/** Tells a client which session it is in, and what that session is and may do. */
export const welcomeFrame = (
  { attachment, canReceive, grant, ground, id, party }: Session,
  resumed: boolean,
  heartbeatMs: number,
  ref: string | undefined,
): HubFrame => ({
  type: 'welcome',
  ...(ref !== undefined && { ref }),
  session: id,
  resumed,
  tenant: grant.tenant,
  account: grant.account,
  device: party?.device ?? null,
  scopes: [...grant.scopes],
  groups: [...(attachment?.groups ?? [])],
  canReceive,
  expires: new Date(grant.expires).toISOString(),
  heartbeatMs,
  lingerMs: ground.config.presence.lingerMs,
})
