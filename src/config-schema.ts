// What a configuration file may say: its shape, what each option means, in which unit, and what holds where it is
// absent. The one source of all three; `config-options.ts` reads it. Every object is strict, so that a misspelt key is
// a fault and not a silence. `config.ts` judges what a shape cannot.

import Type, { type Static } from 'typebox'
import { byName, count, defaultsTo, flag, ms, portNumber, section, text } from './config-forms.js'
import { Limits } from './config-limits.js'

/** The signature algorithms of RFC 7518 and RFC 8037 that a key may have. */
export const algorithms = ['HS256', 'HS384', 'HS512', 'RS256', 'PS256', 'ES256', 'EdDSA'] as const
export type Algorithm = (typeof algorithms)[number]

/** In which order the people of a destination are rung. */
export const strategies = [
  'all',
  'longest-idle',
  'round-robin',
  'fewest-calls',
  'least-talk-time',
  'random',
  'weighted',
  'order',
  'sticky',
] as const
export type Strategy = (typeof strategies)[number]

/** How the secret of a SIP account is proven (RFC 7616, section 6.1). */
export const digestAlgorithms = ['MD5', 'SHA-256'] as const
export type DigestAlgorithm = (typeof digestAlgorithms)[number]

/** Text that stands in the file, in a variable of the environment, or in another file. */
const reference = (description: string, options = {}) =>
  Type.Union(
    [
      Type.String(),
      section('A variable of the environment.', { env: text('Its name.') }),
      section('A file.', { file: text('Its path; a relative one begins at the folder of this file.') }),
    ],
    { expected: 'text, { "env": NAME } or { "file": PATH }', description, ...options },
  )

/** What is never shown again. */
const secret = { writeOnly: true }

export type Reference = ReturnType<typeof reference>

export const Key = section('A key that tokens are signed with, or a set of keys at an address.', {
  kid: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 128,
      description: "The key's id, which tokens name in their header; needed where a tenant has several keys.",
    }),
  ),
  alg: Type.Optional(
    Type.Enum([...algorithms], { description: 'The algorithm, the only one the key is good for.' }),
  ),
  secret: Type.Optional(
    reference(
      'The secret of an HS algorithm: at least 32, 48 or 64 bytes of UTF-8 text, as its hash.',
      secret,
    ),
  ),
  publicKey: Type.Optional(reference('The public key of any other algorithm, in PEM.')),
  jwksUrl: Type.Optional(
    text('The https address of a JSON Web Key Set, in place of all else; asked under the rules of fetch.'),
  ),
})

export const Member = section('An account, and its place in the group.', {
  account: text("The account's name."),
  tier: defaultsTo(
    1,
    Type.Integer({
      minimum: 1,
      maximum: 100,
      description:
        'Lower tiers are rung first; the next joins once nobody of them is left, or after tierDelayMs.',
    }),
  ),
  weight: defaultsTo(
    1,
    Type.Integer({
      minimum: 1,
      maximum: 1000,
      description: 'How many calls the strategy weighted gives the person, beside what it gives others.',
    }),
  ),
  skills: defaultsTo(
    [],
    Type.Array(Type.String(), {
      description: 'What the person can do: calls that need more than that are not offered to them.',
    }),
  ),
  paused: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 256,
      description: 'Why the person is not rung as one of this group for now; absent: they are.',
    }),
  ),
})

export const Group = section('Several accounts under one name.', {
  members: defaultsTo(
    [],
    Type.Array(
      Type.Union([Type.String(), Member], {
        expected: 'an account name, or { account, tier?, weight?, skills?, paused? }',
      }),
      { description: 'Its accounts: names, or objects with a tier, a weight, skills, or a reason to pause.' },
    ),
  ),
  strategy: defaultsTo(
    'longest-idle',
    Type.Enum([...strategies], {
      description: 'Whom to ring: all at once, or one after the other, in which order (docs/routing.md).',
    }),
  ),
  ringTimeoutMs: Type.Optional(
    ms('How long each person is rung, in milliseconds; absent: calls.ringTimeoutMs.', 1),
  ),
  tierDelayMs: defaultsTo(
    15_000,
    ms('After so many milliseconds the next tier is rung, too, beside those before it.'),
  ),
  wrapupMs: defaultsTo(0, ms('How long a person stays busy after a call of this group, in milliseconds.')),
  coolDownMs: defaultsTo(
    {},
    section(
      "How long a person is offered no group's call after one that they did not take, in milliseconds.",
      {
        rejected: defaultsTo(0, ms('After they declined it, in milliseconds.')),
        busy: defaultsTo(0, ms('After they said that they are busy, in milliseconds.')),
        missed: defaultsTo(10_000, ms('After they let it ring, in milliseconds.')),
      },
    ),
  ),
  awayAfterMisses: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 1000,
      description:
        'After so many misses in a row the hub says of a person that they are away; absent: never.',
    }),
  ),
  open: defaultsTo(false, flag("Whether a token's groups claim may join it.")),
  queue: defaultsTo(
    {},
    section('How calls wait for its people, where their instructions say so (Enqueue).', {
      maxWaitMs: defaultsTo(
        3_600_000,
        ms('How long a call waits at most, in milliseconds; less where its instructions say less.', 1),
      ),
      maxLength: defaultsTo(100, count('How many calls may wait; the next one is busy.')),
      serviceLevelMs: defaultsTo(
        20_000,
        ms('Who is answered within so many milliseconds counts for the service level.'),
      ),
      leaveWhenEmpty: defaultsTo(
        true,
        flag('Whether nobody waits while none of its people is even signed in, on whatever device.'),
      ),
    }),
  ),
})

/** A value that is only read. */
type Told<T> = T extends readonly (infer Item)[]
  ? readonly Told<Item>[]
  : T extends object
    ? { readonly [K in keyof T]: Told<T[K]> }
    : T

/** What may be said of a group, and of a member in it. */
export type GroupInput = Told<Static<typeof Group>>
export type MemberInput = Told<Static<typeof Member>>

const Account = section('An account, where more is to be said of it than its token does.', {
  capacity: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 1000,
      description: "How many calls it takes at once; absent: the token's word, else 1.",
    }),
  ),
  wrapupMs: Type.Optional(
    ms("How long it is busy after a call, in milliseconds; absent: the group's or the tenant's wrapupMs."),
  ),
  sip: Type.Optional(
    section('How it signs in from a SIP phone, by a secret in place of a token; absent: it does not.', {
      secret: reference('What it proves to know: at least 12 characters.', secret),
      algorithm: defaultsTo(
        'MD5',
        Type.Enum([...digestAlgorithms], {
          description: 'How it proves that; MD5 is what most SIP phones know.',
        }),
      ),
      scope: defaultsTo(
        'presence:register presence:read call:receive call:place',
        text('Its permissions, as in the scope claim of a token.'),
      ),
    }),
  ),
})

const Instructions = Type.Unknown({
  description: 'A URL, { url, method, fallbackUrl }, { steps }, { twiml } or { file }.',
})

const Route = section('Where calls to a number or name find their instructions.', {
  to: Type.Union(
    [
      Type.String({ minLength: 1 }),
      section('Numbers by their form.', { pattern: text('A regular expression.', 1) }),
    ],
    {
      expected: 'a number or name, a prefix that ends in *, or { "pattern": REGEXP }',
      description: 'A number or name, a prefix that ends in *, or { "pattern": REGEXP }.',
    },
  ),
  instructions: Instructions,
})

const Webhook = section('An address that is told of presence (docs/webhooks.md).', {
  url: text('The http or https address; asked under the rules of fetch.', 1),
  destinations: Type.Array(Type.String(), {
    minItems: 1,
    description: 'The groups and accounts whose changes it is told.',
  }),
  events: defaultsTo(
    ['presence.changed'],
    Type.Array(Type.Enum(['presence.changed']), { minItems: 1, description: 'What it is told.' }),
  ),
  view: defaultsTo(
    'full',
    Type.Enum(['full', 'summary'], {
      description: 'How much of a destination it is told: with the accounts that changed, or without.',
    }),
  ),
})

export const Tenant = section('One tenant: its keys, its people, and what becomes of its calls.', {
  keys: Type.Array(Key, { minItems: 1, description: 'The keys that its tokens are signed with.' }),
  authToken: Type.Optional(
    reference(
      'Signs requests for instructions and callbacks, and, with at least 32 bytes, capability tokens (docs/tokens.md); absent: they are unsigned.',
      secret,
    ),
  ),
  busyWhen: defaultsTo(
    'any',
    Type.Enum(['any', 'all'], {
      description: 'When a person is busy: with any call, or once all their devices are.',
    }),
  ),
  wrapupMs: defaultsTo(
    0,
    ms('How long a person stays busy after a call that came by their own name, in milliseconds.'),
  ),
  accounts: defaultsTo({}, byName('Accounts by their names; all others are as their tokens say.', Account)),
  groups: defaultsTo({}, byName('Groups by their names, which no account has too.', Group)),
  routes: defaultsTo(
    [],
    Type.Array(Route, {
      description: 'Numbers and their instructions; a number without one rings the destination of that name.',
    }),
  ),
  applications: defaultsTo(
    {},
    byName(
      'Instructions by the names of applications: a token may name one for all calls that it places.',
      Instructions,
    ),
  ),
  sipDomain: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9.\\-]{1,253}$',
      expected: 'a domain',
      description: "The domain of its SIP accounts, no other tenant's; absent: the tenant's name.",
    }),
  ),
  webhooks: defaultsTo([], Type.Array(Webhook, { description: 'Addresses that are told of presence.' })),
})

export const File = section('The configuration of a hub.', {
  listen: defaultsTo(
    {},
    section('Where the hub listens, for sockets and HTTP alike.', {
      host: defaultsTo('127.0.0.1', text('The address to listen on; 0.0.0.0 is every one.', 1)),
      port: defaultsTo(8080, portNumber('The port to listen on; 0 picks a free one.')),
      tls: Type.Optional(
        section('Makes it https and wss; absent: neither.', {
          cert: text('The file of the certificate chain, in PEM.'),
          key: text('The file of its private key, in PEM.'),
        }),
      ),
      trustProxy: defaultsTo(
        [],
        Type.Array(Type.String(), {
          description:
            'The addresses or blocks (10.0.0.0/8) of reverse proxies whose X-Forwarded-For is believed.',
        }),
      ),
    }),
  ),
  metrics: Type.Optional(
    section('A listener of its own for /metrics; absent: it is served beside the API.', {
      host: defaultsTo('127.0.0.1', text('The address to listen on.')),
      port: portNumber('The port to listen on; 0 picks a free one.'),
    }),
  ),
  dataDir: Type.Optional(
    text('The folder of what outlasts a restart, for this process alone; absent: nothing does.', 1),
  ),
  audience: defaultsTo(
    'switchhook',
    Type.String({ minLength: 1, maxLength: 256, description: 'What the aud claim of a token must name.' }),
  ),
  cors: defaultsTo(
    [],
    Type.Array(Type.String(), {
      description: 'The origins whose pages may call the HTTP API; * is every one.',
    }),
  ),
  drainMs: defaultsTo(
    30_000,
    ms('How long the end of the process waits for calls that go on, in milliseconds.'),
  ),
  presence: defaultsTo(
    {},
    section('When a client counts as gone.', {
      heartbeatMs: defaultsTo(
        10_000,
        ms('How often each connection is asked for a sign of life, in milliseconds.', 100),
      ),
      lingerMs: defaultsTo(
        15_000,
        ms('How long a device stays present after its connection was lost, in milliseconds.'),
      ),
      reloadLingerMs: defaultsTo(
        5_000,
        ms('The same after a page was closed or loaded anew, in milliseconds.'),
      ),
    }),
  ),
  calls: defaultsTo(
    {},
    section('How long things last in a call.', {
      lingerMs: defaultsTo(
        120_000,
        ms('How long a call waits for a side whose connection was lost, in milliseconds.'),
      ),
      ringTimeoutMs: defaultsTo(12_000, ms('How long each person is rung, in milliseconds.', 1)),
      totalTimeoutMs: defaultsTo(60_000, ms('How long a dial rings people in all, in milliseconds.', 1)),
      confirmMs: defaultsTo(
        3_000,
        ms('How soon a device must confirm that it rings, else it is suspect, in milliseconds.', 1),
      ),
    }),
  ),
  records: defaultsTo(
    {},
    section('How the records of ended calls are kept, where there is a dataDir.', {
      fileBytes: defaultsTo(
        32 * 1024 * 1024,
        count('A file that has so many bytes, or is a day old, gets no more records.'),
      ),
      keptBytes: defaultsTo(
        512 * 1024 * 1024,
        count('How many bytes all of those files may have; the oldest file goes first.'),
      ),
      keptDays: defaultsTo(
        90,
        Type.Integer({
          minimum: 1,
          maximum: 36_500,
          description: 'A file goes once all of its calls ended so many days ago.',
        }),
      ),
      patienceMs: defaultsTo(
        10_000,
        ms('How long the end of a call waits for a disk that is slow, in milliseconds.', 1),
      ),
    }),
  ),
  fetch: defaultsTo(
    {},
    section('What the hub may ask of servers outside: instructions, key sets, callbacks and webhooks.', {
      allowPrivate: defaultsTo(false, flag('Whether addresses may be asked that are not public.')),
      allowHosts: Type.Optional(
        Type.Array(Type.String({ minLength: 1 }), {
          description: 'The only hosts that may be asked; absent: every host.',
        }),
      ),
      timeoutMs: defaultsTo(5_000, ms('How long instructions may take to arrive, in milliseconds.', 1)),
    }),
  ),
  webhooks: defaultsTo(
    {},
    section('How callbacks and webhooks are delivered.', {
      retryForMs: defaultsTo(
        3_600_000,
        ms('How long a delivery is tried again, from when it was handed over, in milliseconds.'),
      ),
      timeoutMs: defaultsTo(10_000, ms('How long a receiver may take to answer, in milliseconds.', 1)),
      atOnce: defaultsTo(
        4,
        Type.Integer({
          minimum: 1,
          maximum: 100,
          description: 'How many deliveries to one receiver are on their way at a time.',
        }),
      ),
      gatherMs: defaultsTo(
        1_000,
        ms('How long changes of a destination gather between two webhooks about it, in milliseconds.'),
      ),
    }),
  ),
  limits: defaultsTo({}, Limits),
  tenants: defaultsTo({}, byName('Tenants by their names, which are the iss claim of their tokens.', Tenant)),
})

/** What a configuration file, or the caller of `createHub`, may say. */
export type ConfigInput = Static<typeof File>
