// The HTTP API in OpenAPI 3.1, made from the routes themselves as they are added: what their requests must look like
// is what is checked, what they answer is what their handlers' types promise, and who may is what is asked for. It
// describes and decides nothing. docs/reference/openapi.json is the same document.

import type { FastifySchema, RouteOptions } from 'fastify'
import Type, { type TSchema } from 'typebox'
import { type ErrorCode, factsOf } from '../errors.js'
import type { Scope } from '../gateway/token/index.js'
import { createPublisher, type Publisher, Refused } from '../protocol/index.js'
import type { App } from './app.js'

/** What there is to say of a route beside its schemas. */
export interface Told {
  /** What clients made from the description call it. */
  readonly name: string
  readonly summary: string
  /** The permission that it takes; absent: no token is asked for. */
  readonly scope?: Scope
  /** What it may be refused with, besides what any request may be. */
  readonly refusals?: readonly ErrorCode[]
}

declare module 'fastify' {
  interface FastifyContextConfig extends Partial<Told> {}
}

/** The options of a route. `schema.response` has its answers by status: they are described, and typed, not enforced. */
export const described = <S extends FastifySchema>(told: Told, schema: S) => ({ config: told, schema })

/** An answer without a body. */
export const nothing = (description: string) => Type.Unsafe<undefined>({ description })

/** An answer that is no JSON, but what `T` is sent as. */
export const sentAs = <T>(type: string, description: string) => ({
  content: { [type]: { schema: Type.Unsafe<T>(Type.String({ description })) } },
})

type Part = TSchema & { readonly properties: Readonly<Record<string, TSchema>>; readonly required?: string[] }
type Meaning = { readonly description?: string }
type Answer =
  | (TSchema & Meaning)
  | { readonly content: Readonly<Record<string, { readonly schema: TSchema & Meaning }>> }

const parameters = ({ publish }: Publisher, place: string, part: Part | undefined): object[] =>
  Object.entries(part?.properties ?? {}).map(([name, schema]) => {
    const { description, ...rest } = publish(schema) as Meaning
    return {
      name,
      in: place,
      ...(part?.required?.includes(name) && { required: true }),
      ...(description !== undefined && { description }),
      schema: rest,
    }
  })

const answer = ({ publish }: Publisher, told: Answer): object => {
  if (!('content' in told)) {
    const { description } = told
    const body = publish(told)
    const empty = Object.keys(body).every(key => key === 'description')
    return { description, ...(!empty && { content: { 'application/json': { schema: body } } }) }
  }
  const forms = Object.entries(told.content)
  return {
    description: forms.map(([, { schema }]) => schema.description).join(' '),
    content: Object.fromEntries(forms.map(([type, { schema }]) => [type, { schema: publish(schema) }])),
  }
}

/** The refusals that a route's own shape makes possible. */
const implied = (scope: Scope | undefined, schema: FastifySchema): ErrorCode[] => [
  ...(scope === undefined ? [] : (['unauthorized', 'revoked', 'forbidden', 'too-many'] as const)),
  ...(['body', 'querystring', 'params', 'headers'].some(part => part in schema)
    ? (['invalid'] as const)
    : []),
  ...('body' in schema ? (['too-large', 'unsupported-media-type'] as const) : []),
]

const refusals = (publisher: Publisher, codes: readonly ErrorCode[]): Record<string, object> => {
  const content = { 'application/json': { schema: publisher.publish(Refused) } }
  const statuses = new Set(codes.map(code => factsOf(code).http))
  const of = (status: number) =>
    [...new Set(codes)].filter(code => factsOf(code).http === status).map(code => `\`${code}\``)
  return Object.fromEntries([
    ...[...statuses].map(status => [status, { description: of(status).join(', '), content }]),
    ['default', { description: 'Any other refusal, as `internal` (500) or `overloaded` (503).', content }],
  ])
}

const operation = (publisher: Publisher, { url, config, schema }: RouteOptions): object => {
  const { name, summary, scope, refusals: own = [] } = config as Told
  const { body, querystring, params, headers } = schema as Record<string, Part | undefined>
  const { response } = schema as { readonly response: Readonly<Record<string, Answer>> }
  const given = [
    ...parameters(publisher, 'path', params),
    ...parameters(publisher, 'query', querystring),
    ...parameters(publisher, 'header', headers),
  ]
  return {
    operationId: name,
    summary,
    tags: [url.split('/')[2] ?? 'operations'],
    ...(given.length > 0 && { parameters: given }),
    ...(body && {
      requestBody: { required: true, content: { 'application/json': { schema: publisher.publish(body) } } },
    }),
    responses: {
      ...Object.fromEntries(
        Object.entries(response).map(([status, told]) => [status, answer(publisher, told)]),
      ),
      ...refusals(publisher, [...implied(scope, schema as FastifySchema), ...own]),
    },
    security: scope === undefined ? [] : [{ token: [scope] }],
  }
}

const info = {
  title: 'Switchhook',
  version: '1',
  summary: 'Calls, presence and operations of a hub, for systems outside.',
  description:
    "JSON in UTF-8; names are kebab-case, durations whole milliseconds, times ISO 8601 in UTC. A permission in `security` is one of the words of the token's `scope` claim; `admin` has all of them, and `presence:read:NAME` is `presence:read` for one destination. Softphones use the socket: see asyncapi.json.",
  license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
}

const token = {
  type: 'http',
  scheme: 'bearer',
  bearerFormat: 'JWT',
  description: 'A JWT that a key of the tenant has signed: docs/tokens.md.',
}

const document = (routes: readonly RouteOptions[]): object => {
  const publisher = createPublisher('#/components/schemas/')
  const paths: Record<string, Record<string, object>> = {}
  for (const route of routes) {
    const path = route.url.replace(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [String(route.method).toLowerCase()]: operation(publisher, route) }
  }
  return {
    openapi: '3.1.0',
    info,
    servers: [{ url: 'http://127.0.0.1:8080', description: 'A hub on this machine.' }],
    paths,
    components: { schemas: publisher.named, securitySchemes: { token } },
  }
}

/** Adds `/openapi.json`, which describes it and every route that is added after it. */
export const serveDescription = (app: App): void => {
  const routes: RouteOptions[] = []
  app.addHook('onRoute', route => {
    routes.push(route)
  })
  let text: string | undefined
  app.get(
    '/openapi.json',
    described(
      { name: 'getDescription', summary: 'This description.' },
      {
        response: {
          200: Type.Unsafe<string>({ type: 'object', description: 'The HTTP API in OpenAPI 3.1.' }),
        },
      },
    ),
    async (_request, reply) => {
      text ??= JSON.stringify(document(routes))
      reply.type('application/json; charset=utf-8')
      return text
    },
  )
}
