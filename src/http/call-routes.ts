// The routes about calls: what each is for, who may, what its requests must look like and what it answers. What they
// do is in calls.ts.

import type { Readable } from 'node:stream'
import Type from 'typebox'
import {
  AccountName,
  about,
  CallRef,
  CallResource,
  CallStateWord,
  EndReasonWord,
  Explanation,
  maybe,
  Params,
  PerformedStep,
  Performs,
  Sdp,
  Time,
} from '../protocol/index.js'
import { guarded } from './authorization.js'
import { nothing, sentAs } from './openapi.js'

/** A number, a name, an address: whatever the outside calls its parties. */
const line = (least: 0 | 1, description: string) =>
  Type.String({
    pattern: `^[^\\u0000-\\u001f\\u007f]{${least},128}$`,
    expected: `text of ${least} to 128 characters, none of them a control character`,
    description,
  })

const object = (description: string) => ({ expected: 'a JSON object', description })

const OneCall = Type.Object({ call: about(CallRef, 'The call.') })

/** A call, as whoever asks may see it. */
const Call = (description: string) => about(Type.Unsafe<CallResource>(CallResource), description)

const NewCall = Type.Object(
  {
    to: line(1, 'What is called: 1 to 128 characters.'),
    from: line(0, 'Who calls: up to 128 characters, empty if unknown.'),
    params: Type.Optional(Params),
    sdp: Type.Optional(Sdp),
    instructions: Type.Optional(
      Type.Unknown({
        description:
          'The instructions, in place of those of the route: a URL, or an object (docs/routing.md).',
      }),
    ),
    performs: Type.Optional(Performs),
    statusCallback: Type.Optional(
      Type.Unknown({
        description: 'Where to report what becomes of the call: a URL, or an object (docs/webhooks.md).',
      }),
    ),
  },
  object('An inbound call.'),
)

const Waiting = Type.Object({
  waitMs: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 60_000,
      expected: 'a whole number of milliseconds up to 60000',
      description: 'Answer once the call is answered or over, after so many milliseconds at the latest.',
    }),
  ),
})

const Keyed = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      pattern: '^[\\x21-\\x7e]{1,255}$',
      expected: '1 to 255 visible ASCII characters',
      description:
        'Makes a retry safe: for a day the same key names the same call; after a restart, if that is on record.',
    }),
  ),
})

const placed = (description: string) =>
  Type.Union([Type.Object({ call: CallRef, state: CallStateWord }), Call('With `waitMs`: the call.')], {
    description,
  })

export const callRoutes = {
  place: guarded(
    {
      name: 'placeCall',
      summary: 'Submits an inbound call.',
      scope: 'call:inbound',
      refusals: ['idempotency-mismatch', 'not-supported', 'draining'],
    },
    {
      body: NewCall,
      querystring: Waiting,
      headers: Keyed,
      response: {
        201: placed('The new call: `Location` has its address.'),
        200: placed('The call that this key placed before.'),
      },
    },
  ),

  list: guarded(
    {
      name: 'listCalls',
      summary:
        "One's own calls, or with `admin` all of the tenant's: those that go on, the latest first, then those on record, the last to end first.",
      scope: 'call:inbound',
    },
    {
      querystring: Type.Object({
        state: Type.Optional(CallStateWord),
        since: maybe(Time, 'Only those received at this time or later.'),
        until: maybe(Time, 'Only those received before this time.'),
        to: Type.Optional(line(1, 'Only those to this number or name.')),
        from: Type.Optional(line(0, 'Only those from this number.')),
        reason: Type.Optional(EndReasonWord),
        by: maybe(AccountName, 'Only those that this account answered.'),
        limit: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: 200,
            expected: 'a whole number from 1 to 200',
            description: 'How many at most, 1 to 200; 50 by default.',
          }),
        ),
        cursor: Type.Optional(
          Type.String({ maxLength: 128, description: 'The `cursor` of the page before this one.' }),
        ),
      }),
      response: {
        200: Type.Unsafe<{ readonly calls: readonly CallResource[]; readonly cursor?: string }>(
          Type.Object(
            {
              calls: Type.Array(CallResource, { description: 'The calls.' }),
              cursor: Type.Optional(
                Type.String({
                  description:
                    'Where the next page begins; absent on the last. A page with one may have few calls, or none, where many had to be looked at.',
                }),
              ),
            },
            { description: 'A page of calls.' },
          ),
        ),
      },
    },
  ),

  read: guarded(
    {
      name: 'getCall',
      summary:
        'A call. One that has ended stays readable for a while, and for as long as its record is kept.',
      scope: 'call:inbound',
      refusals: ['not-found'],
    },
    { params: OneCall, response: { 200: Call('The call.') } },
  ),

  follow: guarded(
    {
      name: 'followCall',
      summary: 'What the caller is told, as it happens.',
      scope: 'call:inbound',
      refusals: ['not-found', 'conflict', 'call-gone'],
    },
    {
      params: OneCall,
      headers: Type.Object({
        'last-event-id': Type.Optional(
          Type.String({ description: 'The `id` of the last event that arrived; absent: from the start.' }),
        ),
      }),
      response: {
        200: sentAs<Readable>(
          'text/event-stream',
          'Server-sent events until the call is over: `event` is the type of a frame of the socket, `data` the frame, `id` its number.',
        ),
      },
    },
  ),

  change: guarded(
    {
      name: 'changeCall',
      summary:
        'Changes a live call: sends it to other instructions, signals to its other side, or reports a step of `perform` done.',
      scope: 'call:inbound',
      refusals: ['not-found', 'conflict', 'call-gone'],
    },
    {
      params: OneCall,
      body: Type.Object(
        {
          signal: Type.Optional(Type.Unknown({ description: 'Any JSON, at most 16 KiB; relayed in order.' })),
          instructions: Type.Optional(
            Type.Unknown({
              description:
                'What the call follows from now on, an inline document or a URL: whoever rings stops, whoever answered is out of it.',
            }),
          ),
          performed: Type.Optional(
            Type.Object(PerformedStep, {
              expected: 'an object with step and outcome',
              description: 'What became of the step that the last `perform` named.',
            }),
          ),
        },
        object('What to do, one of these.'),
      ),
      response: { 200: Type.Object({}, { description: 'Done.' }) },
    },
  ),

  end: guarded(
    {
      name: 'endCall',
      summary: 'The caller gives up, or hangs up.',
      scope: 'call:inbound',
      refusals: ['not-found', 'call-gone'],
    },
    { params: OneCall, response: { 204: nothing('The call is over.') } },
  ),

  explain: guarded(
    {
      name: 'explainCall',
      summary:
        'Who would be rung if a call came now, in order, and why each other would not. Reserves nothing.',
      scope: 'call:explain',
      refusals: ['not-found', 'conflict'],
    },
    {
      body: Type.Object(
        {
          to: line(1, 'What would be called.'),
          from: Type.Optional(line(0, 'Who would call.')),
          fetch: Type.Optional(
            Type.Boolean({
              description: 'Whether to ask the URL of the instructions, too, which may take it for a call.',
            }),
          ),
        },
        object('The call to explain.'),
      ),
      response: { 200: about(Explanation, 'What would become of it.') },
    },
  ),
}
