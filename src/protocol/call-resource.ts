// A call as the HTTP API shows it, and what would become of one that came now: one schema each, for the router that
// makes it, the API that describes it, and the SDK that reads it.

import Type, { type Static } from 'typebox'
import { about, maybe } from './annotate.js'
import { Sdp } from './client-frames.js'
import { EndReasonWord } from './hub-frames.js'
import { AccountName, CallRef, DestinationName, DeviceName, PartyName } from './names.js'
import { StatusWord, Time } from './statuses.js'

/** Where a call is, in this order; `queued` and `placing` may alternate. */
export const callStates = [
  'received',
  'planning',
  'queued',
  'placing',
  'ringing',
  'connected',
  'ended',
] as const
export type CallState = (typeof callStates)[number]
export const CallStateWord = Type.Enum([...callStates], { description: 'Where the call is.' })

/** One line of what happened to a call: when, what, to whom, and why. */
export const TimelineEntry = Type.Object(
  {
    at: about(Time, 'When.'),
    event: Type.String({
      description: 'What: `received`, `not-rung`, `offered`, `ringing`, `answered`, `ended` …',
    }),
  },
  {
    title: 'TimelineEntry',
    description: 'One line of what happened to a call; beside these, the facts of the event by name.',
  },
)
export interface TimelineEntry extends Readonly<Static<typeof TimelineEntry>> {
  readonly [fact: string]: unknown
}

/** A call. */
export const CallResource = Type.Object(
  {
    call: about(CallRef, 'Its id.'),
    to: Type.String({ description: 'What was called.' }),
    from: Type.String({ description: 'Who calls; empty if unknown.' }),
    state: CallStateWord,
    createdAt: about(Time, 'When it was received.'),
    endedAt: maybe(Time, 'When it ended.'),
    reason: Type.Optional(EndReasonWord),
    message: Type.Optional(Type.String({ description: 'More about the end, for people.' })),
    by: maybe(PartyName, 'Who answered.'),
    answeredAt: maybe(Time, 'When they did.'),
    talkMs: Type.Optional(
      Type.Integer({ minimum: 0, description: 'How long the two sides were connected, in milliseconds.' }),
    ),
    recorded: Type.Optional(
      Type.Boolean({
        description:
          'Of a call that has ended: whether that is on record, and so outlasts the hub. Absent where none are kept.',
      }),
    ),
    sdp: maybe(Sdp, 'With what they answered; it is not part of a record.'),
    timeline: Type.Optional(
      Type.Array(TimelineEntry, {
        description: 'What happened, to whom, and why; with `call:explain` only.',
      }),
    ),
  },
  { title: 'Call', description: 'A call.' },
)
export interface CallResource extends Readonly<Omit<Static<typeof CallResource>, 'timeline'>> {
  readonly timeline?: readonly TimelineEntry[]
}

const Candidate = Type.Object({
  account: about(AccountName, 'Who.'),
  tier: Type.Integer({ description: 'Their tier in the group; lower is rung first.' }),
  devices: Type.Array(DeviceName, { description: 'Their devices, which ring together.' }),
})

const Skipped = Type.Object({
  account: about(AccountName, 'Who.'),
  reason: Type.String({ description: 'Why not: a word of docs/errors.md.' }),
  note: Type.Optional(Type.String({ description: 'Of `paused`: why.' })),
})

/** One destination as it stands now. */
export const DestinationExplained = Type.Object(
  {
    destination: Type.String({ description: 'What the instructions name.' }),
    kind: Type.Enum(['group', 'account'], { description: 'What that is.' }),
    status: about(StatusWord, 'Its status.'),
    strategy: Type.String({ description: 'In which order its people are rung.' }),
    timeoutMs: Type.Integer({ minimum: 0, description: 'How long each is rung, in milliseconds.' }),
    order: Type.Array(Candidate, { description: 'Who would be rung, in this order.' }),
    skipped: Type.Array(Skipped, { description: 'Who would not, and why.' }),
  },
  { title: 'DestinationExplained', description: 'One destination, as it would be rung now.' },
)
export type DestinationExplained = Static<typeof DestinationExplained>

const Dial = Type.Object({
  sequential: Type.Boolean({ description: 'One destination after the other, or side by side.' }),
  destinations: Type.Array(DestinationExplained, { description: 'What it dials.' }),
})

const QueueExplained = Type.Object({
  queue: about(DestinationName, 'The group for whose people it waits.'),
  position: Type.Integer({ minimum: 1, description: 'The place that it would have, from 1.' }),
  expectedWaitMs: Type.Optional(
    Type.Integer({
      minimum: 0,
      description: 'How long it would probably wait, in milliseconds; absent while nothing is known of that.',
    }),
  ),
  destination: about(DestinationExplained, 'Who would be offered it, once it is the first.'),
})

/** What would become of a call that came now. */
export const Explanation = Type.Object(
  {
    to: Type.String({ description: 'As asked.' }),
    route: Type.Optional(
      Type.String({ description: 'The route that it takes; absent: the destination of that name.' }),
    ),
    instructions: Type.String({
      description: 'Where they are: `inline`, a file, or a URL without its query.',
    }),
    asked: Type.Boolean({
      description: 'False for a URL that was not asked: nothing is known of what it would answer.',
    }),
    verbs: Type.Array(Type.String(), { description: 'What they do, in order.' }),
    dials: Type.Array(Dial, { description: 'Each dial, in the order of the document.' }),
    queues: Type.Array(QueueExplained, {
      description: 'Each queue in which it would wait, in the order of the document.',
    }),
    warnings: Type.Array(Type.String(), { description: 'What is passed over in them.' }),
  },
  { title: 'Explanation', description: 'What would become of a call that came now.' },
)
export type Explanation = Static<typeof Explanation>

/** How every refusal over HTTP looks. */
export const Refused = Type.Object(
  {
    error: Type.Object({
      code: Type.String({ description: 'A code of docs/errors.md.' }),
      message: Type.String({ description: 'For people; names the field at fault.' }),
      details: Type.Optional(
        Type.Array(
          Type.Object({
            path: Type.String({ description: 'Where.' }),
            message: Type.String({ description: 'What is wrong there.' }),
          }),
          { description: 'Every fault, where there are several things to be wrong.' },
        ),
      ),
    }),
  },
  { title: 'Refused', description: 'A refusal.' },
)
