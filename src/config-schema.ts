// What a configuration file may say: its shape, and nothing of its meaning. Every object is strict, so that a
// misspelt key is a fault and not a silence. `config.ts` fills in the defaults and judges what a shape cannot.

import Type, { type Static } from 'typebox'

const strict = { additionalProperties: false }
const Ms = (minimum = 0) => Type.Optional(Type.Integer({ minimum, maximum: 7 * 86_400_000 }))
const record = <S extends Parameters<typeof Type.Record>[1]>(value: S) => Type.Record(Type.String(), value)

/** The signature algorithms of RFC 7518 and RFC 8037 that a key may have. */
export const algorithms = ['HS256', 'HS384', 'HS512', 'RS256', 'PS256', 'ES256', 'EdDSA'] as const
export type Algorithm = (typeof algorithms)[number]

/** In which order the people of a destination are rung. */
export const strategies = ['all', 'longest-idle'] as const
export type Strategy = (typeof strategies)[number]

export const Secret = Type.Union(
  [Type.String(), Type.Object({ env: Type.String() }, strict), Type.Object({ file: Type.String() }, strict)],
  { expected: 'text, { "env": NAME } or { "file": PATH }' },
)

export const Key = Type.Object(
  {
    kid: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    alg: Type.Optional(Type.Enum([...algorithms])),
    secret: Type.Optional(Secret),
    publicKey: Type.Optional(Secret),
    jwksUrl: Type.Optional(Type.String()),
  },
  strict,
)

const Member = Type.Union(
  [
    Type.String(),
    Type.Object(
      {
        account: Type.String(),
        tier: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
        skills: Type.Optional(Type.Array(Type.String())),
      },
      strict,
    ),
  ],
  { expected: 'an account name, or { account, tier?, skills? }' },
)

const Group = Type.Object(
  {
    members: Type.Optional(Type.Array(Member)),
    strategy: Type.Optional(Type.Enum([...strategies])),
    ringTimeoutMs: Ms(1),
    open: Type.Optional(Type.Boolean()),
  },
  strict,
)

const Route = Type.Object(
  {
    to: Type.Union(
      [Type.String({ minLength: 1 }), Type.Object({ pattern: Type.String({ minLength: 1 }) }, strict)],
      {
        expected: 'a number or name, a prefix that ends in *, or { "pattern": REGEXP }',
      },
    ),
    instructions: Type.Unknown(),
  },
  strict,
)

const Tenant = Type.Object(
  {
    keys: Type.Array(Key, { minItems: 1 }),
    authToken: Type.Optional(Secret),
    busyWhen: Type.Optional(Type.Enum(['any', 'all'])),
    wrapupMs: Ms(),
    accounts: Type.Optional(
      record(
        Type.Object(
          {
            capacity: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
            wrapupMs: Ms(),
          },
          strict,
        ),
      ),
    ),
    groups: Type.Optional(record(Group)),
    routes: Type.Optional(Type.Array(Route)),
  },
  strict,
)

export const File = Type.Object(
  {
    listen: Type.Optional(
      Type.Object(
        {
          host: Type.Optional(Type.String({ minLength: 1 })),
          port: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_535 })),
          tls: Type.Optional(Type.Object({ cert: Type.String(), key: Type.String() }, strict)),
        },
        strict,
      ),
    ),
    metrics: Type.Optional(
      Type.Object(
        {
          host: Type.Optional(Type.String()),
          port: Type.Integer({ minimum: 0, maximum: 65_535 }),
        },
        strict,
      ),
    ),
    dataDir: Type.Optional(Type.String({ minLength: 1 })),
    audience: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    cors: Type.Optional(Type.Array(Type.String())),
    drainMs: Ms(),
    presence: Type.Optional(
      Type.Object({ heartbeatMs: Ms(100), lingerMs: Ms(), reloadLingerMs: Ms() }, strict),
    ),
    calls: Type.Optional(
      Type.Object(
        {
          lingerMs: Ms(),
          ringTimeoutMs: Ms(1),
          totalTimeoutMs: Ms(1),
          confirmMs: Ms(1),
        },
        strict,
      ),
    ),
    fetch: Type.Optional(
      Type.Object(
        {
          allowPrivate: Type.Optional(Type.Boolean()),
          allowHosts: Type.Optional(Type.Array(Type.String({ minLength: 1 }))),
          timeoutMs: Ms(1),
        },
        strict,
      ),
    ),
    tenants: Type.Optional(record(Tenant)),
  },
  strict,
)

/** What a configuration file, or the caller of `createHub`, may say. */
export type ConfigInput = Static<typeof File>
