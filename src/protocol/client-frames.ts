// What a client may say on the socket: one schema a frame type, and the type that follows from it.

import Type, { type Static, type TSchema } from 'typebox'
import { about, maybe } from './annotate.js'
import { AccountName, CallRef, DestinationName, DeviceName, SessionRef } from './names.js'
import { ViewName } from './resource.js'
import { DeviceDeclaredWord, deviceDeclarable, Note, StatusChange } from './statuses.js'

const Ref = Type.Optional(
  Type.String({
    maxLength: 64,
    expected: 'text of at most 64 characters',
    description: 'Comes back in the answer; at most 64 characters.',
  }),
)

const frame = <N extends string, P extends Record<string, TSchema>>(
  type: N,
  description: string,
  properties: P,
) => Type.Object({ type: Type.Literal(type), ref: Ref, ...properties }, { description })

/** Session Description Protocol text (RFC 8866), relayed untouched. */
export const Sdp = Type.String({
  maxLength: 48 * 1024,
  description: 'A session description (RFC 8866), relayed untouched; at most 48 KiB.',
})

/** A call's own parameters: a flat map of strings, 4 KiB in all (checked by `paramsFit`). */
export const Params = Type.Record(Type.String(), Type.String(), {
  expected: 'a map of strings',
  description: "The call's own parameters: texts by name, at most 4 KiB in all.",
})
export type Params = Static<typeof Params>

export const paramsLimit = 4096

/** The size of parameters: names and values, as UTF-8. */
export const paramsBytes = (params: Params): number => {
  let bytes = 0
  for (const [name, value] of Object.entries(params))
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value)
  return bytes
}

/** Whether the parameters in a document keep within 4 KiB. */
export const paramsFit = (params: Params): boolean => paramsBytes(params) <= paramsLimit

export const rejectReasons = ['declined', 'busy'] as const
export type RejectReason = (typeof rejectReasons)[number]

/** At most so many destinations in one subscribe or unsubscribe, and in one presence request. */
export const subscribeLimit = 100
export const presenceLimit = 500

/** The verbs that a gateway can carry out. */
export const Performs = Type.Array(Type.String({ maxLength: 32 }), {
  maxItems: 32,
  description:
    'Gateways: the verbs that it can carry out: `say`, `play`, `gather`, `record`, `conference`, `forward`.',
})

/** What became of a step of `perform`. */
export const PerformedStep = {
  step: Type.Integer({ minimum: 0, description: 'Which step.' }),
  outcome: Type.String({
    maxLength: 64,
    description:
      'What became of it: `done` or `failed`; of `forward` also `completed`, `no-answer`, `busy`, `rejected`.',
  }),
  data: Type.Optional(
    Type.Unknown({
      description:
        'What it gave, at most 16 KiB: an object whose texts and numbers become fields of the request to its `action`, as `digits` of a `gather`.',
    }),
  ),
}

const destinations = (most: number) =>
  Type.Array(DestinationName, {
    minItems: 1,
    maxItems: most,
    description: `Groups and accounts by name, 1 to ${most}.`,
  })

const Numbered = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
const OneCall = about(CallRef, 'The call.')

export const clientFrames = {
  hello: frame(
    'hello',
    'The first frame of every connection: who connects, as which device, and whether to take up an earlier session. Other frames wait for its answer, in order.',
    {
      token: Type.Optional(
        Type.String({
          description: 'A JWT; absent where the upgrade request brought one in `Authorization`.',
        }),
      ),
      device: maybe(
        DeviceName,
        'The name of this device within the account, kept over reconnects; absent: no device (a wallboard, a gateway).',
      ),
      status: maybe(
        DeviceDeclaredWord,
        'The status that it declares; `available` by default. `offline`: connected, and not there for others, as an application that only calls.',
      ),
      note: maybe(Note, 'A text beside the status.'),
      client: Type.Optional(
        Type.String({ maxLength: 128, description: 'What it is, as name/version; shown beside the device.' }),
      ),
      capacity: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: 1000,
          description: "How many calls at once, if fewer than the account's capacity; 1 to 1000.",
        }),
      ),
      heartbeatMs: Type.Optional(
        Type.Integer({
          minimum: 5000,
          maximum: 60_000,
          description: 'How often it wants to be asked for a sign of life, in milliseconds, 5000 to 60000.',
        }),
      ),
      performs: Type.Optional(Performs),
      resume: Type.Optional(
        Type.Object(
          {
            session: about(SessionRef, 'The `session` of an earlier `welcome`.'),
            seq: maybe(
              Numbered,
              'The last `seq` that arrived; 0 for none. Absent: what was not acknowledged comes again.',
            ),
          },
          { description: 'The session to take up where it was, calls included.' },
        ),
      ),
    },
  ),
  status: frame('status', 'Sets the status of this device, or the override of the account.', {
    ...StatusChange.properties,
    status: Type.Union([DeviceDeclaredWord, Type.Null()], {
      expected: `one of ${deviceDeclarable.join(', ')}, or null`,
      description:
        'The new status; `offline` is for a device only, `null` clears the override of an account.',
    }),
    for: Type.Optional(
      Type.Enum(['device', 'account'], {
        description: 'For this device (the default), or for all of the account.',
      }),
    ),
  }),
  wrapup: frame(
    'wrapup',
    "Ends or extends the wrap-up of one's own account. Refused with `conflict` where there is none to extend.",
    {
      endMs: Type.Integer({
        minimum: 0,
        maximum: 86_400_000,
        description: 'When it ends from now, in milliseconds; 0 ends it, if there is one.',
      }),
    },
  ),
  subscribe: frame(
    'subscribe',
    'Watches destinations: a snapshot of each follows, then a diff for each change. Subscribing again changes the view and sends a new snapshot.',
    { destinations: destinations(subscribeLimit), view: Type.Optional(ViewName) },
  ),
  unsubscribe: frame('unsubscribe', 'Watches these destinations no longer.', {
    destinations: destinations(subscribeLimit),
    view: Type.Optional(ViewName),
  }),
  presence: frame('presence', 'Asks how things stand with many destinations, once.', {
    destinations: destinations(presenceLimit),
    view: Type.Optional(ViewName),
  }),
  token: frame(
    'token',
    'Goes on with a fresh token of the same account. Lesser rights take effect at once; a token of another account ends the session (4502).',
    { token: Type.String({ description: 'A JWT.' }) },
  ),
  place: frame('place', 'Places a call. From a registered device it takes one place of the account.', {
    to: maybe(
      DestinationName,
      'A number, a group or an account; absent: the application that the token names.',
    ),
    from: maybe(AccountName, 'Gateways (`call:inbound`): who calls; absent: the account itself.'),
    sdp: Type.Optional(Sdp),
    params: Type.Optional(Params),
  }),
  ringing: frame('ringing', 'Confirms that this device rings.', { call: OneCall }),
  accept: frame('accept', 'Answers the call. The first to come wins; others get `call-gone`.', {
    call: OneCall,
    sdp: Type.Optional(Sdp),
  }),
  reject: frame('reject', 'Does not take the call on this device.', {
    call: OneCall,
    reason: Type.Optional(
      Type.Enum([...rejectReasons], { description: '`declined` by default; `busy`: try again later.' }),
    ),
  }),
  hangup: frame('hangup', 'Ends the call, or gives up placing it.', {
    call: OneCall,
    reason: Type.Optional(
      Type.String({ maxLength: 64, description: 'A note for the timeline, at most 64 characters.' }),
    ),
  }),
  transfer: frame(
    'transfer',
    'Passes a connected call on: this device leaves it, and the other side is connected with someone else.',
    {
      call: OneCall,
      to: about(DestinationName, 'To whom: a number, a group or an account.'),
      attended: maybe(
        CallRef,
        'Attended: another connected call of this device; its other side is offered this one in exchange (`replaces`).',
      ),
    },
  ),
  signal: frame(
    'signal',
    'Relays anything to the other side, in order: ICE candidates, DTMF, hold. Before the answer from the caller to every device that rings, and from those to the caller.',
    { call: OneCall, data: Type.Unknown({ description: 'Any JSON, at most 16 KiB.' }) },
  ),
  performed: frame('performed', 'Gateways: a step of `perform` is done.', {
    call: OneCall,
    ...PerformedStep,
  }),
  ack: frame('ack', 'All numbered frames up to this one have arrived: they are not kept for a resume.', {
    seq: about(Numbered, 'The last that arrived.'),
  }),
  ping: frame('ping', 'Asks for a sign of life; browsers can not see those of the transport.', {}),
  leave: frame('leave', 'Says goodbye: the device is gone at once, and the hub closes with 1000.', {}),
}

export type ClientFrames = {
  [K in keyof typeof clientFrames]: Static<(typeof clientFrames)[K]>
}
export type ClientFrameType = keyof ClientFrames
export type ClientFrame = ClientFrames[ClientFrameType]

/** How many bytes a `signal`'s data may have as JSON. */
export const signalLimit = 16 * 1024
