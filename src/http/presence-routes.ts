// The routes about presence: what each is for, who may, what its requests must look like and what it answers. What
// they do is in presence.ts.

import type { Readable } from 'node:stream'
import Type from 'typebox'
import {
  AccountName,
  about,
  DestinationName,
  presenceLimit,
  Resource,
  StatusChange,
  subscribeLimit,
  ViewName,
} from '../protocol/index.js'
import { guarded } from './authorization.js'
import { described, sentAs } from './openapi.js'

const View = { view: Type.Optional(ViewName) }

const OneDestination = Type.Object({ destination: about(DestinationName, 'A group, or an account.') })

const several = (least: number, most: number) =>
  Type.Array(DestinationName, {
    minItems: least,
    maxItems: most,
    description: `Groups and accounts, at most ${most}.`,
  })

const Resources = Type.Object(
  { resources: Type.Array(Resource, { description: 'One each.' }) },
  { description: 'How things stand with each, in the order asked.' },
)

/** Which destinations a grant may read is judged by each one's name. */
const scope = 'presence:read'

export const presenceRoutes = {
  read: described(
    {
      name: 'getPresence',
      summary: 'The presence status resource of a destination. A name that nobody has used is offline.',
      scope,
    },
    {
      params: OneDestination,
      querystring: Type.Object({
        ...View,
        limit: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: 10_000,
            expected: 'a whole number from 1 to 10000',
            description: 'How many accounts at most, 1 to 10000; all by default.',
          }),
        ),
        cursor: Type.Optional(
          Type.String({
            pattern: '^\\d{1,15}$',
            expected: 'a cursor from an earlier answer',
            description: 'The `cursor` of the page before this one.',
          }),
        ),
      }),
      response: { 200: about(Resource, 'How things stand with it.') },
    },
  ),

  follow: described(
    { name: 'followPresence', summary: 'The changes of a destination, as they happen.', scope },
    {
      params: OneDestination,
      querystring: Type.Object(View),
      response: {
        200: sentAs<Readable>(
          'text/event-stream',
          'Server-sent events until the token ends: `presence` frames as on the socket, a snapshot first.',
        ),
      },
    },
  ),

  readSome: described(
    { name: 'getSeveralPresences', summary: 'Several destinations in one answer, by query.', scope },
    {
      querystring: Type.Object({ ...View, destination: several(1, subscribeLimit) }),
      response: { 200: Resources },
    },
  ),

  readMany: described(
    { name: 'readPresences', summary: 'Many destinations in one answer, by body.', scope },
    {
      body: Type.Object(
        { ...View, destinations: several(0, presenceLimit) },
        { expected: 'a JSON object', description: 'Which ones.' },
      ),
      response: { 200: Resources },
    },
  ),

  override: guarded(
    {
      name: 'setStatus',
      summary: "Sets or clears an account's override, as a supervisor does.",
      scope: 'presence:write',
      refusals: ['name-taken'],
    },
    {
      params: Type.Object({ account: about(AccountName, 'Whose.') }),
      body: StatusChange,
      response: { 200: Type.Object({}, { description: 'Done.' }) },
    },
  ),
}
