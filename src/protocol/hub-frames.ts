// What the hub says on the socket: one schema a frame type, and the type that follows from it.
// Frames about calls are numbered (`seq`) within a session and replayed on resume; presence heals by versions.

import Type, { type Static, type TSchema } from 'typebox'
import { about, maybe } from './annotate.js'
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
import { AccountEntry, Resource, resourceHead } from './resource.js'
import { accountActivities, deviceActivities, Note, StatusWord, Time } from './statuses.js'

const Ref = Type.Optional(Type.String({ description: 'That of the frame it answers.' }))
const whole = (description: string) => Type.Integer({ minimum: 0, description })
const flag = (description: string) => Type.Boolean({ description })
const text = (description: string) => Type.String({ description })
const orNull = <S extends TSchema>(schema: S, description: string) =>
  Type.Union([schema, Type.Null()], { description })

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
export const EndReasonWord = Type.Enum([...endReasons], { description: 'How the call ended.' })

const plain = <N extends string, P extends Record<string, TSchema>>(
  type: N,
  description: string,
  properties: P,
) => Type.Object({ type: Type.Literal(type), ...properties }, { description })

/** About a call: numbered within the session, from 1 up by one. */
const numbered = <N extends string, P extends Record<string, TSchema>>(
  type: N,
  description: string,
  properties: P,
) =>
  plain(type, description, {
    seq: Type.Optional(
      Type.Integer({ minimum: 1, description: 'Its number within the session, from 1 up by one.' }),
    ),
    call: about(CallRef, 'The call.'),
    ...properties,
  })

export const callFrames = {
  invite: numbered('invite', 'A call is offered to this device.', {
    from: text('Who calls.'),
    to: text('What they called.'),
    destination: about(DestinationName, 'The destination that led here: a group, or the account.'),
    params: about(
      Params,
      "The call's own parameters, overlaid by those that its instructions give for this destination.",
    ),
    sdp: Type.Optional(Sdp),
    replaces: maybe(
      CallRef,
      "Another call of this device's, over now, that this one comes in place of: someone has passed it on.",
    ),
    expiresMs: whole('How long it will ring here, in milliseconds from now.'),
  }),
  connected: numbered('connected', 'This device has the call: its `accept` won.', {
    sdp: Type.Optional(Sdp),
  }),
  cancel: numbered('cancel', 'The last word about a call to a device that was rung and does not have it.', {
    reason: Type.Enum([...cancelReasons], { description: 'Why it stops ringing.' }),
    by: maybe(PartyName, 'Who answered or refused it.'),
  }),
  progress: numbered('progress', 'How the call gets on, to its caller.', {
    state: Type.Enum(['trying', 'queued', 'ringing'], { description: 'Where it is.' }),
    position: Type.Optional(whole('Its place in the queue, from 1.')),
    expectedWaitMs: Type.Optional(whole('How long it will probably wait, in milliseconds.')),
  }),
  perform: numbered(
    'perform',
    'Gateways: a step that needs media or a trunk, of those that `performs` names. The next one waits for `performed`.',
    {
      step: whole('Which step, from 0.'),
      verb: text('What to do: `say`, `play`, `gather`, `record`, `conference` or `forward`.'),
      with: Type.Record(Type.String(), Type.Unknown(), {
        description: "The verb's attributes, as in JSON instructions (docs/routing.md).",
      }),
    },
  ),
  answered: numbered('answered', 'Someone has answered, to the caller.', {
    sdp: Type.Optional(Sdp),
    by: about(PartyName, 'Who.'),
  }),
  ended: numbered('ended', 'The call is over, to its caller and to the device that had it.', {
    reason: EndReasonWord,
    message: Type.Optional(text('More about it, for people.')),
  }),
  signal: numbered('signal', 'What the other side relayed.', {
    data: Type.Unknown({ description: 'As it was sent.' }),
    from: maybe(PartyName, 'The device that sent it; absent: the caller.'),
  }),
}

export const sessionFrames = {
  welcome: plain('welcome', 'Answers `hello`: what the hub believes of this client.', {
    ref: Ref,
    session: about(SessionRef, 'The session, to resume it later.'),
    resumed: flag('Whether this is the session that `resume` named.'),
    tenant: about(TenantName, "The token's tenant."),
    account: about(AccountName, "The token's account."),
    device: orNull(DeviceName, 'As which device it is registered; `null`: as none.'),
    scopes: Type.Array(Type.String(), { description: 'The permissions of the token that are known here.' }),
    groups: Type.Array(DestinationName, {
      description: 'The groups that the account is in, listed or joined by token.',
    }),
    canReceive: flag('Whether this device is offered calls.'),
    expires: about(Time, 'When the token ends.'),
    heartbeatMs: whole('How often the hub asks for a sign of life, in milliseconds.'),
    lingerMs: whole('How long the session outlives a lost connection, in milliseconds.'),
    iceServers: Type.Optional(
      Type.Array(Type.Unknown(), { description: 'Servers for WebRTC, as RTCConfiguration has them.' }),
    ),
  }),
  ok: plain('ok', 'Done: reads show the effect already.', {
    ref: Ref,
    refused: Type.Optional(
      Type.Array(
        Type.Object({
          destination: about(DestinationName, 'Which one.'),
          code: text('Why: a code of the table of errors.'),
        }),
        { description: 'To `subscribe`: the destinations that are not watched.' },
      ),
    ),
    expires: maybe(Time, 'To `token`: when the fresh one ends.'),
  }),
  placed: plain('placed', 'Answers `place`.', { ref: Ref, call: about(CallRef, 'The new call.') }),
  pong: plain('pong', 'Answers `ping`.', { ref: Ref }),
  error: plain('error', 'A refusal. The session goes on, unless the socket closes right after it.', {
    ref: Ref,
    code: text('A code of the table of errors.'),
    message: text('For people; names the field at fault.'),
    retry: flag('Whether trying again can help.'),
    retryAfterMs: Type.Optional(whole('Not before so many milliseconds.')),
  }),
  resources: plain('resources', 'Answers `presence`.', {
    ref: Ref,
    resources: Type.Array(Resource, { description: 'In the order asked.' }),
  }),
  self: plain('self', "One's own account, to each of its devices: at the start and on each change.", {
    status: about(StatusWord, "The account's status."),
    override: Type.Enum(['none', 'available', 'away', 'busy', 'dnd'], {
      description: 'What was said for all devices at once.',
    }),
    until: orNull(Time, 'When the override or status passes; `null`: not by itself.'),
    by: orNull(
      Type.String(),
      'The account that set the override, or `*system` where the hub did; `null` without one.',
    ),
    note: about(Note, 'The text beside the status.'),
    activity: Type.Enum([...accountActivities], { description: 'What the account is doing.' }),
    groups: Type.Array(DestinationName, {
      description: 'The groups that the account is in, listed or joined by token.',
    }),
    devices: Type.Array(
      Type.Object({
        device: about(DeviceName, 'Its name.'),
        status: about(StatusWord, 'Its status.'),
        activity: Type.Enum([...deviceActivities], { description: 'What it is doing.' }),
        canReceive: flag('Whether it is offered calls.'),
        client: text('What its hello said it is.'),
      }),
      { description: "All of the account's devices, this one too." },
    ),
  }),
  presence: plain('presence', 'How a watched destination stands (snapshot), or what has changed (diff).', {
    ...resourceHead,
    snapshot: flag('Whether it is the whole, to take in place of what one had.'),
    prev: Type.Optional(whole('Of a diff: the version that it builds on.')),
    accounts: Type.Optional(
      Type.Array(AccountEntry, {
        description: 'All accounts, or those that changed; an entry replaces the former one whole.',
      }),
    ),
    removed: Type.Optional(Type.Array(AccountName, { description: 'Of a diff: accounts no longer in it.' })),
  }),
  'token-expiring': plain('token-expiring', 'The token ends soon: send `token` with a fresh one.', {
    inMs: whole('In so many milliseconds.'),
  }),
  drain: plain(
    'drain',
    'The hub is about to stop: leave and come back. It closes 1012 after its drain time.',
    {
      reconnectAfterMs: whole('Come back after so many milliseconds; spread at random over the clients.'),
    },
  ),
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
