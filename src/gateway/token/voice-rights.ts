// What the tokens of a voice SDK may say of a phone, in whichever form, as the permissions that it has here: to be rung,
// and to place calls that one application of the tenant sees to.

import type { AccountId, DeviceId } from '../../protocol/index.js'
import type { Statement } from './claims.js'
import { type Application, scopesOf } from './grant.js'

interface VoicePhone {
  readonly account: AccountId
  readonly device?: DeviceId | undefined
  /** Whether it may be offered calls. */
  readonly receives: boolean
  /** What sees to the calls that it places; undefined: it places none. */
  readonly application: Application | undefined
}

export const voiceRights = ({ account, device, receives, application }: VoicePhone): Statement['allows'] => ({
  account,
  scopes: scopesOf(
    [
      ...(receives ? ['presence:register', 'call:receive'] : []),
      ...(application ? ['presence:register', 'call:place'] : []),
    ].join(' '),
  ),
  groups: [],
  ...(device !== undefined && { device }),
  ...(application && { application }),
})
