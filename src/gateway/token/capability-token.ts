// Capability tokens, the older form of the same: `iss` is the tenant, whose `authToken` has signed it, there is no `sub`,
// and `scope` has words such as `scope:client:incoming?clientName=alice`: a service, and what it is told as the query of
// a URL. Words of services that are not known here are passed over, the tenant's events among them.

import Type, { type Static } from 'typebox'
import { type AccountId, AccountName, DestinationName, Params, TenantName } from '../../protocol/index.js'
import { type Check, check } from '../../runtime/index.js'
import { Audience, type Form, registered } from './claims.js'
import { authTokenKid } from './keys.js'
import { voiceRights } from './voice-rights.js'

const checkClaims = check(
  Type.Object({ iss: TenantName, aud: Type.Optional(Audience), ...registered, scope: Type.String() }),
)

const Services = Type.Object({
  incoming: Type.Optional(Type.Object({ clientName: AccountName })),
  outgoing: Type.Optional(
    Type.Object({
      appSid: DestinationName,
      clientName: Type.Optional(AccountName),
      appParams: Params,
    }),
  ),
})
type Services = Static<typeof Services>

const checkServices = check(Services)

type Fields = Readonly<Record<string, string>>

/** What a query says, or undefined where it says something twice. Spelt out or percent-encoded is the same. */
const fieldsOf = (query: string): Fields | undefined => {
  const pairs = [...new URLSearchParams(query)]
  return new Set(pairs.map(([name]) => name)).size === pairs.length ? Object.fromEntries(pairs) : undefined
}

const service = /^scope:client:(incoming|outgoing)(?:\?(.*))?$/s

const refused = (message: string, path = 'scope') => ({ ok: false as const, faults: [{ path, message }] })

/** The services that a scope names. */
const readServices = (scope: string): ReturnType<Check<Services>> => {
  const said = new Map<string, object>()
  for (const word of scope.split(' ')) {
    const [, name, query = ''] = service.exec(word) ?? []
    if (name === undefined) continue
    if (said.has(name)) return refused(`must have client:${name} once`)
    const fields = fieldsOf(query)
    const appParams = fieldsOf(fields?.appParams ?? fields?.params ?? '')
    if (fields === undefined || appParams === undefined) return refused('must say each thing once')
    said.set(name, { ...fields, appParams })
  }
  const checked = checkServices(Object.fromEntries(said))
  if (checked.ok) return checked
  return {
    ok: false,
    faults: checked.faults.map(({ path, ...fault }) => ({ path: `scope.${path}`, ...fault })),
  }
}

/** The account that all services are for. */
const clientOf = ({ incoming, outgoing }: Services): ReturnType<Check<AccountId>> => {
  const names = new Set([incoming, outgoing].flatMap(each => each?.clientName ?? []))
  const [account, ...others] = names
  if (account === undefined) return refused('must name a client (clientName)')
  return others.length > 0 ? refused('must name one client (clientName)') : { ok: true, value: account }
}

export const capabilityToken: Form = {
  meant: (_, { sub, scope }) => sub === undefined && typeof scope === 'string' && scope.startsWith('scope:'),
  read(_, claims) {
    const checked = checkClaims(claims)
    if (!checked.ok) return checked
    const { iss, scope, ...terms } = checked.value
    const services = readServices(scope)
    if (!services.ok) return services
    const account = clientOf(services.value)
    if (!account.ok) return account
    const { incoming, outgoing } = services.value
    const allows = voiceRights({
      account: account.value,
      receives: incoming !== undefined,
      application: outgoing && { name: outgoing.appSid, params: outgoing.appParams },
    })
    return { ok: true, value: { tenant: iss, kid: authTokenKid, terms, allows } }
  },
}
