// What the hub says on the socket: one schema a frame type, and the type that follows from it.
// Frames about calls are numbered (`seq`) within a session and replayed on resume; presence heals by versions.

import Type, { type Static, type TSchema } from 'typebox'
import { Params, Sdp } from './client-frames.js'
import {
  AccountName,
  CallRef,
  DestinationName,
  DeviceName,
  PartyName,
  SessionRef,
  TenantName,
} from './names.js'
import { AccountEntry, Counts, Resource } from './resource.js'
import { accountActivities, deviceActivities, Note, StatusWord, Time } from './statuses.js'

const Ref = Type.Optional(Type.String())
const Ms = Type.Integer({ minimum: 0 })
const OrNull = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()])

/** Why a device stops being rung. */
export const cancelReasons = [
  'answered-elsewhere',
  'rejected-elsewhere',
  'caller-canceled',
  'timeout',
  'failed',
] as const
export type CancelReason = (typeof cancelReasons)[number]

/** How a call ends; the table in docs/routing.md says when, and what each is called elsewhere. */
export const endReasons = [
  'completed',
  'canceled',
  'no-answer',
  'rejected',
  'busy',
  'unavailable',
  'failed',
] as const
export type EndReason = (typeof endReasons)[number]

const plain = <N extends string, P extends Record<string, TSchema>>(type: N, properties: P) =>
  Type.Object({ type: Type.Literal(type), ...properties })

/** About a call: numbered within the session, from 1 up by one. */
const numbered = <N extends string, P extends Record<string, TSchema>>(type: N, properties: P) =>
  Type.Object({
    type: Type.Literal(type),
    seq: Type.Optional(Type.Integer({ minimum: 1 })),
    call: CallRef,
    ...properties,
  })

export const callFrames = {
  invite: numbered('invite', {
    from: Type.String(),
    to: Type.String(),
    destination: DestinationName,
    params: Params,
    sdp: Type.Optional(Sdp),
    expiresMs: Ms,
  }),
  connected: numbered('connected', { sdp: Type.Optional(Sdp) }),
  cancel: numbered('cancel', {
    reason: Type.Enum([...cancelReasons]),
    by: Type.Optional(PartyName),
  }),
  progress: numbered('progress', {
    state: Type.Enum(['trying', 'queued', 'ringing']),
    position: Type.Optional(Ms),
    expectedWaitMs: Type.Optional(Ms),
  }),
  perform: numbered('perform', {
    step: Ms,
    verb: Type.String(),
    with: Type.Record(Type.String(), Type.Unknown()),
  }),
  answered: numbered('answered', { sdp: Type.Optional(Sdp), by: PartyName }),
  ended: numbered('ended', {
    reason: Type.Enum([...endReasons]),
    message: Type.Optional(Type.String()),
  }),
  signal: numbered('signal', {
    data: Type.Unknown(),
    from: Type.Optional(PartyName),
  }),
}

export const sessionFrames = {
  welcome: plain('welcome', {
    ref: Ref,
    session: SessionRef,
    resumed: Type.Boolean(),
    tenant: TenantName,
    account: AccountName,
    device: OrNull(DeviceName),
    scopes: Type.Array(Type.String()),
    groups: Type.Array(DestinationName),
    canReceive: Type.Boolean(),
    expires: Time,
    heartbeatMs: Ms,
    lingerMs: Ms,
    iceServers: Type.Optional(Type.Array(Type.Unknown())),
  }),
  ok: plain('ok', {
    ref: Ref,
    refused: Type.Optional(Type.Array(Type.Object({ destination: DestinationName, code: Type.String() }))),
    expires: Type.Optional(Time),
  }),
  placed: plain('placed', { ref: Ref, call: CallRef }),
  pong: plain('pong', { ref: Ref }),
  error: plain('error', {
    ref: Ref,
    code: Type.String(),
    message: Type.String(),
    retry: Type.Boolean(),
    retryAfterMs: Type.Optional(Ms),
  }),
  resources: plain('resources', { ref: Ref, resources: Type.Array(Resource) }),
  self: plain('self', {
    status: StatusWord,
    override: Type.Enum(['none', 'available', 'away', 'busy', 'dnd']),
    until: OrNull(Time),
    by: OrNull(Type.String()),
    note: Note,
    activity: Type.Enum([...accountActivities]),
    devices: Type.Array(
      Type.Object({
        device: DeviceName,
        status: StatusWord,
        activity: Type.Enum([...deviceActivities]),
        canReceive: Type.Boolean(),
        client: Type.String(),
      }),
    ),
  }),
  presence: plain('presence', {
    destination: DestinationName,
    kind: Type.Enum(['group', 'account']),
    version: Ms,
    snapshot: Type.Boolean(),
    prev: Type.Optional(Ms),
    status: StatusWord,
    since: Time,
    counts: Counts,
    accounts: Type.Optional(Type.Array(AccountEntry)),
    removed: Type.Optional(Type.Array(AccountName)),
  }),
  'token-expiring': plain('token-expiring', { inMs: Ms }),
  drain: plain('drain', { reconnectAfterMs: Ms }),
}

export const hubFrames = { ...sessionFrames, ...callFrames }

type Frames<T extends Record<string, TSchema>> = {
  [K in keyof T]: Static<T[K]>
}
export type CallFrames = Frames<typeof callFrames>
export type HubFrames = Frames<typeof hubFrames>
/** A frame about a call, numbered by the session that carries it. */
export type CallFrame = CallFrames[keyof CallFrames]
export type HubFrame = HubFrames[keyof HubFrames]
export type SelfFrame = HubFrames['self']
export type PresenceFrame = HubFrames['presence']

const callFrameTypes: ReadonlySet<string> = new Set(Object.keys(callFrames))

export const isCallFrame = (frame: HubFrame): frame is CallFrame => callFrameTypes.has(frame.type)
