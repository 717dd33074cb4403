// A queue as the HTTP API shows it: one schema, for the router that makes it and the API that describes it.

import Type, { type Static } from 'typebox'
import { about } from './annotate.js'
import { DestinationName } from './names.js'

const count = (description: string) => Type.Integer({ minimum: 0, description })

export const QueueResource = Type.Object(
  {
    queue: about(DestinationName, 'The group whose people take its calls.'),
    waiting: count('Calls that wait now, those that ring meanwhile among them.'),
    longestWaitMs: count('How long the one that came first has waited, in milliseconds; 0 where none waits.'),
    expectedWaitMs: Type.Optional(
      count(
        'How long one that came now would probably wait, in milliseconds. Absent where none waits, or nothing is known of it.',
      ),
    ),
    serviceLevel: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1,
        description:
          'Of the calls that left it within the last hour, the share that was answered within `serviceLevelMs`. Absent where none left.',
      }),
    ),
    serviceLevelMs: count("The group's `queue.serviceLevelMs`, in milliseconds."),
    answered: count('Calls of the last hour that were answered.'),
    abandoned: count('Calls of the last hour whose caller gave up.'),
    unanswered: count(
      'Calls of the last hour that left it otherwise: they waited too long, nobody was signed in, or it was full.',
    ),
    averageWaitMs: Type.Optional(
      count('How long those that were answered had waited on average, in milliseconds. Absent without any.'),
    ),
    freeAgents: count('People who would be offered a call now, if it asked for no skills.'),
    signedIn: count('People of the group who are not offline.'),
  },
  {
    title: 'Queue',
    description: 'The calls that wait for the people of one group, and what became of others.',
  },
)
export type QueueResource = Static<typeof QueueResource>
