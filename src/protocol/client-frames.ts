// What a client may say on the socket: one schema a frame type, and the type that follows from it.
// Frames of a later version are known by name, and get `not-supported`.

import Type, { type Static, type TSchema } from 'typebox'
import { AccountName, CallRef, DestinationName, DeviceName, SessionRef } from './names.js'
import { ViewName } from './resource.js'
import { DeclaredWord, Note, StatusChange } from './statuses.js'

const Ref = Type.Optional(Type.String({ maxLength: 64, expected: 'text of at most 64 characters' }))

const frame = <N extends string, P extends Record<string, TSchema>>(type: N, properties: P) =>
  Type.Object({ type: Type.Literal(type), ref: Ref, ...properties })

/** Session Description Protocol text (RFC 8866), relayed untouched. */
export const Sdp = Type.String({ maxLength: 48 * 1024 })

/** A call's own parameters: a flat map of strings, 4 KiB in all (checked by `paramsFit`). */
export const Params = Type.Record(Type.String(), Type.String(), {
  expected: 'a map of strings',
})
export type Params = Static<typeof Params>

export const paramsLimit = 4096

/** Whether a call's parameters keep within 4 KiB: names and values, as UTF-8. */
export const paramsFit = (params: Params): boolean => {
  let bytes = 0
  for (const [name, value] of Object.entries(params))
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value)
  return bytes <= paramsLimit
}

export const rejectReasons = ['declined', 'busy'] as const
export type RejectReason = (typeof rejectReasons)[number]

/** At most so many destinations in one subscribe or unsubscribe, and in one presence request. */
export const subscribeLimit = 100
export const presenceLimit = 500

const HangupReason = Type.Optional(Type.String({ maxLength: 64 }))

export const clientFrames = {
  hello: frame('hello', {
    token: Type.Optional(Type.String()),
    device: Type.Optional(DeviceName),
    status: Type.Optional(DeclaredWord),
    note: Type.Optional(Note),
    client: Type.Optional(Type.String({ maxLength: 128 })),
    capacity: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
    heartbeatMs: Type.Optional(Type.Integer({ minimum: 5000, maximum: 60_000 })),
    performs: Type.Optional(Type.Array(Type.String({ maxLength: 32 }), { maxItems: 32 })),
    resume: Type.Optional(
      Type.Object({
        session: SessionRef,
        seq: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
      }),
    ),
  }),
  status: frame('status', {
    ...StatusChange.properties,
    for: Type.Optional(Type.Enum(['device', 'account'])),
  }),
  wrapup: frame('wrapup', {
    endMs: Type.Integer({ minimum: 0, maximum: 86_400_000 }),
  }),
  subscribe: frame('subscribe', {
    destinations: Type.Array(DestinationName, {
      minItems: 1,
      maxItems: subscribeLimit,
    }),
    view: Type.Optional(ViewName),
  }),
  unsubscribe: frame('unsubscribe', {
    destinations: Type.Array(DestinationName, {
      minItems: 1,
      maxItems: subscribeLimit,
    }),
    view: Type.Optional(ViewName),
  }),
  presence: frame('presence', {
    destinations: Type.Array(DestinationName, {
      minItems: 1,
      maxItems: presenceLimit,
    }),
    view: Type.Optional(ViewName),
  }),
  token: frame('token', { token: Type.String() }),
  place: frame('place', {
    to: DestinationName,
    from: Type.Optional(AccountName),
    sdp: Type.Optional(Sdp),
    params: Type.Optional(Params),
  }),
  ringing: frame('ringing', { call: CallRef }),
  accept: frame('accept', { call: CallRef, sdp: Type.Optional(Sdp) }),
  reject: frame('reject', {
    call: CallRef,
    reason: Type.Optional(Type.Enum([...rejectReasons])),
  }),
  hangup: frame('hangup', { call: CallRef, reason: HangupReason }),
  transfer: frame('transfer', {
    call: CallRef,
    to: DestinationName,
    attended: Type.Optional(CallRef),
  }),
  signal: frame('signal', { call: CallRef, data: Type.Unknown() }),
  performed: frame('performed', {
    call: CallRef,
    step: Type.Integer({ minimum: 0 }),
    outcome: Type.String({ maxLength: 64 }),
    data: Type.Optional(Type.Unknown()),
  }),
  ack: frame('ack', {
    seq: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  }),
  ping: frame('ping', {}),
  leave: frame('leave', {}),
}

export type ClientFrames = {
  [K in keyof typeof clientFrames]: Static<(typeof clientFrames)[K]>
}
export type ClientFrameType = keyof ClientFrames
export type ClientFrame = ClientFrames[ClientFrameType]

/** Known by name, and answered `not-supported` by this version. */
export const laterFrames: ReadonlySet<string> = new Set(['wrapup', 'transfer', 'performed'])

/** How many bytes a `signal`'s data may have as JSON. */
export const signalLimit = 16 * 1024
