// Access tokens, as a widely used voice SDK has them: `cty` in the header tells them from others, `iss` is one of the
// tenant's keys by its id, `sub` the tenant, and `grants` says who comes, and what they may do with calls. What it says
// of other products is ignored.

import Type from 'typebox'
import { AccountName, DestinationName, DeviceName, Params, TenantName } from '../../protocol/index.js'
import { check } from '../../runtime/index.js'
import { Audience, type Form, registered } from './claims.js'
import { voiceRights } from './voice-rights.js'

/** What `cty` is in the header of an access token. */
export const accessTokenType = 'twilio-fpa;v=1'

const object = { expected: 'a JSON object' }

const Incoming = Type.Object({ allow: Type.Optional(Type.Boolean({ expected: 'true or false' })) }, object)

const Outgoing = Type.Object({ application_sid: DestinationName, params: Type.Optional(Params) }, object)

const Voice = Type.Object(
  {
    incoming: Type.Optional(Incoming),
    outgoing: Type.Optional(Outgoing),
    endpoint_id: Type.Optional(DeviceName),
  },
  object,
)

const checkClaims = check(
  Type.Object(
    {
      iss: Type.String({ minLength: 1, maxLength: 128, expected: 'the id of a key: 1 to 128 characters' }),
      sub: TenantName,
      aud: Type.Optional(Audience),
      ...registered,
      grants: Type.Object({ identity: AccountName, voice: Type.Optional(Voice) }, object),
    },
    object,
  ),
)

export const accessToken: Form = {
  meant: ({ cty }) => cty === accessTokenType,
  read(_, claims) {
    const checked = checkClaims(claims)
    if (!checked.ok) return checked
    const { iss, sub, grants, ...terms } = checked.value
    const { incoming, outgoing, endpoint_id: device } = grants.voice ?? {}
    const allows = voiceRights({
      account: grants.identity,
      device,
      receives: incoming?.allow === true,
      application: outgoing && { name: outgoing.application_sid, params: outgoing.params ?? {} },
    })
    return { ok: true, value: { tenant: sub, kid: iss, terms, allows } }
  },
}
