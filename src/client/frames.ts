// The protocol's types as users of the SDK see them: names and ids are plain strings, and an optional field may
// be given as undefined. Types only: the schemas they come from stay on the hub's side.

import type * as protocol from '../protocol/index.js'

/** `T` with every branded name as a plain string. */
export type Plain<T> = T extends string
  ? keyof T extends keyof string
    ? T
    : string
  : T extends readonly (infer Item)[]
    ? Plain<Item>[]
    : T extends object
      ? { [K in keyof T]: Plain<T[K]> }
      : T

type OptionalKeys<T> = { [K in keyof T]-?: Record<never, never> extends Pick<T, K> ? K : never }[keyof T]
type Loose<T> = Omit<T, OptionalKeys<T>> & { [K in OptionalKeys<T>]?: T[K] | undefined }

export type HubFrames = Plain<protocol.HubFrames>
export type HubFrame = HubFrames[keyof HubFrames]
export type CallFrame = Plain<protocol.CallFrame>
export type CallFrameType = CallFrame['type']
export type ClientFrames = Plain<protocol.ClientFrames>
export type ClientFrame = { [T in keyof ClientFrames]: Loose<ClientFrames[T]> }[keyof ClientFrames]

/** Frames that are requests: each is answered by its `ref`. */
export type RequestType = Exclude<keyof ClientFrames, 'hello' | 'ack' | 'leave'>
/** What a request of type `T` says. */
export type Fields<T extends RequestType> = Loose<Omit<ClientFrames[T], 'type' | 'ref'>>
/** What answers it. */
export type Reply<T extends RequestType> = (typeof protocol.replies)[T] extends infer R extends
  keyof HubFrames
  ? HubFrames[R]
  : HubFrames['ok']

export type Welcome = HubFrames['welcome']
/** One's own account, as the hub sees it. */
export type Self = HubFrames['self']
export type PresenceFrame = HubFrames['presence']
export type Resource = Plain<protocol.Resource>
export type AccountEntry = Plain<protocol.AccountEntry>
export type DeviceEntry = Plain<protocol.DeviceEntry>
export type Counts = protocol.Counts
/** A call as the API shows it. */
export type CallView = Plain<protocol.CallResource>
/** What would become of a call that came now. */
export type Explanation = Plain<protocol.Explanation>
export type Party = Plain<protocol.PartyName>
export type Params = protocol.Params
export type View = protocol.ViewName
export type Status = protocol.Status
export type Declared = protocol.Declared
export type DeviceDeclared = protocol.DeviceDeclared
export type StatusChange = Loose<protocol.StatusChange>
export type RejectReason = protocol.RejectReason
export type CancelReason = protocol.CancelReason
export type EndReason = protocol.EndReason
