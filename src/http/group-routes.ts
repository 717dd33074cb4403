// The routes about groups: what each is for, what its requests must look like and what it answers. A group and a member
// look as they do in a configuration; what an answer has beside that may be sent back, and is passed over. What the
// routes do is in groups.ts.

import Type from 'typebox'
import { type GroupConfig, GroupSchema, type MemberConfig, MemberSchema } from '../config.js'
import { AccountName, about, type Destination, DestinationName } from '../protocol/index.js'
import { guarded } from './authorization.js'
import { nothing } from './openapi.js'
import { Guards } from './preconditions.js'

/** A group as it is answered. */
export type GroupView = GroupConfig & { readonly group: Destination; readonly changed: boolean }

const named = { group: Type.String({ description: 'Its name, as the path has it.' }) }
const changed = {
  changed: Type.Boolean({
    description: 'Whether it is so since that was said at run time, rather than in the configuration.',
  }),
}
const { account, ...place } = MemberSchema.properties

const strict = { additionalProperties: false, expected: 'a JSON object' } as const

const GroupBody = Type.Object(
  { ...Type.Partial(Type.Object({ ...named, ...changed })).properties, ...GroupSchema.properties },
  { ...strict, description: 'All of the group, as a configuration has it; what is absent has its default.' },
)
const MemberBody = Type.Object(
  { account: Type.Optional(account), ...place },
  { ...strict, description: 'All that is said of them in this group; what is absent has its default.' },
)

const Group = (description: string) =>
  Type.Unsafe<GroupView>(
    Type.Object(
      { ...named, ...GroupSchema.properties, ...changed },
      { description: `${description} With an ETag.` },
    ),
  )
const Member = (description: string) =>
  Type.Unsafe<MemberConfig>(
    Type.Object({ ...MemberSchema.properties }, { description: `${description} With an ETag.` }),
  )

const Summary = Type.Object({
  ...named,
  strategy: GroupSchema.properties.strategy,
  open: GroupSchema.properties.open,
  members: Type.Integer({ description: 'How many accounts it lists.' }),
  paused: Type.Integer({ description: 'How many of those are paused.' }),
  ...changed,
})
/** A group as it is listed. */
export type GroupSummary = Pick<GroupView, 'group' | 'strategy' | 'open' | 'changed'> & {
  readonly members: number
  readonly paused: number
}

const Listed = Type.Unsafe<{ readonly groups: readonly GroupSummary[]; readonly cursor?: string }>(
  Type.Object(
    {
      groups: Type.Array(Summary, { description: 'By name.' }),
      cursor: Type.Optional(
        Type.String({ description: 'Where the next page begins; absent: this is the last.' }),
      ),
    },
    { description: 'The groups of the tenant, a page of them.' },
  ),
)

const OneGroup = Type.Object({ group: about(DestinationName, 'The group.') })
const OneMember = Type.Object({
  group: about(DestinationName, 'The group.'),
  account: about(AccountName, 'The account.'),
})

/** `conflict`: the guards, or names; `overloaded`: changed, and not yet kept. */
const refusals = ['not-found', 'conflict', 'overloaded'] as const
const scope = 'admin'

export const groupRoutes = {
  list: guarded(
    { name: 'listGroups', summary: 'The groups of the tenant.', scope },
    {
      querystring: Type.Object({
        limit: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: 1000,
            expected: 'a whole number from 1 to 1000',
            description: 'How many at most, 1 to 1000; 100 by default.',
          }),
        ),
        cursor: Type.Optional(about(DestinationName, 'The `cursor` of the page before this one.')),
      }),
      response: { 200: Listed },
    },
  ),
  read: guarded(
    { name: 'getGroup', summary: 'A group, and all whom it lists.', scope, refusals: ['not-found'] },
    { params: OneGroup, response: { 200: Group('The group.') } },
  ),
  put: guarded(
    { name: 'putGroup', summary: 'Makes a group, or all of it anew.', scope, refusals },
    {
      params: OneGroup,
      headers: Guards,
      body: GroupBody,
      response: { 200: Group('It is so now.'), 201: Group('There is such a group now.') },
    },
  ),
  remove: guarded(
    { name: 'removeGroup', summary: 'Removes a group, one of the configuration too.', scope, refusals },
    { params: OneGroup, headers: Guards, response: { 204: nothing('There is no such group any more.') } },
  ),
  reset: guarded(
    {
      name: 'resetGroup',
      summary: 'Takes back what was said of a group at run time: it is as the configuration has it.',
      scope,
      refusals,
    },
    { params: OneGroup, headers: Guards, response: { 200: Group('As the configuration has it.') } },
  ),
  readMember: guarded(
    { name: 'getMember', summary: 'What is said of an account in a group.', scope, refusals: ['not-found'] },
    { params: OneMember, response: { 200: Member('Their place in the group.') } },
  ),
  putMember: guarded(
    {
      name: 'putMember',
      summary: 'Puts an account into a group, pauses it there, or lets it go on.',
      scope,
      refusals,
    },
    {
      params: OneMember,
      headers: Guards,
      body: MemberBody,
      response: { 200: Member('It is so now.'), 201: Member('They are in the group now.') },
    },
  ),
  removeMember: guarded(
    { name: 'removeMember', summary: 'Takes an account out of a group.', scope, refusals },
    {
      params: OneMember,
      headers: Guards,
      response: { 204: nothing('The group does not list them any more.') },
    },
  ),
}
