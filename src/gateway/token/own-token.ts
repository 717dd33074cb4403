// The project's own form of token: `iss` is the tenant, `sub` the account, and `scope` has the permissions by the names
// that they have here (docs/tokens.md).

import Type from 'typebox'
import { AccountName, TenantName } from '../../protocol/index.js'
import { check } from '../../runtime/index.js'
import { Audience, type Form, registered } from './claims.js'
import { scopesOf } from './grant.js'

/** The claims the hub reads; others are ignored (RFC 7519, section 4). */
export const checkClaims = check(
  Type.Object(
    {
      iss: TenantName,
      sub: AccountName,
      aud: Audience,
      ...registered,
      scope: Type.Optional(Type.String()),
      groups: Type.Optional(Type.Array(Type.String({ maxLength: 128 }), { maxItems: 100 })),
      capacity: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
    },
    { expected: 'a JSON object' },
  ),
)

export const ownToken: Pick<Form, 'read'> = {
  read({ kid }, claims) {
    const checked = checkClaims(claims)
    if (!checked.ok) return checked
    const { iss, sub, scope = '', groups = [], capacity, ...terms } = checked.value
    const allows = {
      account: sub,
      scopes: scopesOf(scope),
      groups,
      ...(capacity !== undefined && { capacity }),
    }
    return { ok: true, value: { tenant: iss, kid, terms, allows } }
  },
}
