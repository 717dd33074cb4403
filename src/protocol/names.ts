// Names and the ids made of them. Every name that a peer may choose (tenant, account, device, group) obeys one
// rule; ids are branded, so that one kind is never taken for another.

import Type, { type Static } from 'typebox'
import { about } from './annotate.js'

declare const kind: unique symbol
type Branded<K extends string> = string & { readonly [kind]: K }

export type TenantId = Branded<'tenant'>
export type AccountId = Branded<'account'>
export type DeviceId = Branded<'device'>
/** What can be dialled or watched: a group, or an account by its own name. */
export type Destination = Branded<'destination'>
export type CallId = Branded<'call'>
export type SessionId = Branded<'session'>

const pattern = '^(?!\\.)(?!.*\\.\\.)(?!.*\\.$)[A-Za-z0-9._\\-+@:]{1,128}$'
const expected = 'a name: 1 to 128 ASCII letters, digits and ._-+@:, with no dot first, last or doubled'
const rule = new RegExp(pattern)

const name = <T extends string>() => Type.Unsafe<T>(Type.String({ pattern, expected }))

export const TenantName = name<TenantId>()
export const AccountName = name<AccountId>()
export const DeviceName = name<DeviceId>()
export const DestinationName = name<Destination>()

/** The ids that the hub makes, as they come back from a peer: any short text; one that names nothing is refused as gone. */
export const CallRef = Type.Unsafe<CallId>(Type.String({ minLength: 1, maxLength: 128 }))
export const SessionRef = Type.Unsafe<SessionId>(Type.String({ minLength: 1, maxLength: 128 }))

/** Whether `text` obeys the rule for names. */
export const isName = (text: unknown): text is string => typeof text === 'string' && rule.test(text)

/** Who speaks where the hub itself does, as in `by` of an override: no name that an account can have. */
export const systemName = '*system' as AccountId

/** What the rule for names says, to complete "must be …". */
export const nameRule = expected

/** One device of one account of one tenant: the party that rings, answers or places a call. */
export interface Party {
  readonly tenant: TenantId
  readonly account: AccountId
  readonly device: DeviceId
}

/** A device as the other side of a call is told of it. */
export const PartyName = Type.Object(
  {
    account: about(AccountName, 'Whose device it is.'),
    device: about(DeviceName, 'The device.'),
  },
  { title: 'Party', description: 'A device, as the other side of a call is told of it.' },
)
export type PartyName = Static<typeof PartyName>
