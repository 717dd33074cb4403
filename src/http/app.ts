// What every request meets before it has a route, and every answer on its way out: JSON only, in bounds; errors in
// one form; nothing believed that a proxy could have said. It knows no routes.

import type { Server } from 'node:http'
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import type { TSchema } from 'typebox'
import { type ErrorCode, factsOf, HubError } from '../errors.js'
import type { Grant } from '../gateway/token/index.js'
import type { Connections } from '../limits/index.js'
import { deeperThan, depthLimit, holdsLoneSurrogate } from '../protocol/index.js'
import type { Log } from '../runtime/index.js'
import { type Listener, refuseClient, withFewHeaders } from './listener.js'
import { errorBody, refusalHeaders, refusalOf } from './refusal.js'
import { checkRequest, type Shapes } from './shapes.js'

/** The largest body, in bytes. */
const bodyLimit = 256 * 1024

/** A parameter of a path is judged by its schema, which says what is wrong with it; no URL is longer than this. */
const maxParamLength = 16 * 1024

export interface AppOptions {
  readonly log: Log
  /** Hears the status of every answer. */
  readonly count: (status: number) => void
  /** Hears the code of every refusal. */
  readonly refused: (code: ErrorCode) => void
  readonly connections: Pick<Connections, 'peerOf' | 'refusalOf'>
}

// Exactly this, told once: frameworks have been talked past their checks by tabs, stray semicolons and repeats.
const json = /^application\/json(?: *; *charset="?utf-8"?)?$/i

const carriesBody = ({ method, headers }: FastifyRequest): boolean =>
  method === 'POST' ||
  method === 'PUT' ||
  headers['transfer-encoding'] !== undefined ||
  Number(headers['content-length']) > 0

const requireJson = async (request: FastifyRequest): Promise<void> => {
  if (request.is404 || !carriesBody(request)) return
  const types = request.raw.headersDistinct['content-type'] ?? []
  if (types.length !== 1 || !json.test(types.join()) || request.headers['content-encoding'] !== undefined) {
    throw new HubError(
      'unsupported-media-type',
      'body must come as Content-Type: application/json, not compressed',
    )
  }
}

/** What no body may hold, whatever its schema says; undefined if there is nothing of it. */
const excess = (text: string, body: unknown): string | undefined => {
  if (deeperThan(body, depthLimit)) return `nests deeper than ${depthLimit} levels`
  return text.includes('\\u') && holdsLoneSurrogate(body)
    ? 'holds text that is not well-formed Unicode'
    : undefined
}

/** The application behind a listener. Routes and hooks are added before it is ready. */
export const createApp = (listener: Listener, { log, count, refused, connections }: AppOptions) => {
  const answer = (
    error: unknown,
    request: FastifyRequest,
    reply: FastifyReply,
    grant?: Grant,
  ): FastifyReply => {
    const refusal = refusalOf(error)
    const facts = {
      code: refusal.code,
      reason: refusal.message,
      method: request.method,
      route: request.routeOptions.url,
      tenant: grant?.tenant,
      account: grant?.account,
      peer: connections.peerOf(request.raw),
    }
    refused(refusal.code)
    if (refusal.code === 'internal') log.error({ ...facts, error }, 'a request failed')
    else log.info(facts, 'a request was refused')
    return reply
      .code(factsOf(refusal.code).http)
      .headers(refusalHeaders(refusal))
      .type('application/json; charset=utf-8')
      .send(errorBody(refusal))
  }

  const outright = refuseClient(count)
  const app = fastify<Server>({
    serverFactory: handler => listener.server.on('request', withFewHeaders(handler, outright)),
    clientErrorHandler: outright,
    bodyLimit,
    trustProxy: false,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength },
    frameworkErrors: (error, request, reply) => {
      answer(error, request, reply)
    },
  }).withTypeProvider<Shapes>()

  app.decorateRequest('grant')
  app.setErrorHandler((error, request, reply) => answer(error, request, reply, request.getDecorator('grant')))
  app.setNotFoundHandler(async () => {
    throw new HubError('not-found', 'no such resource')
  })
  app.setValidatorCompiler<TSchema>(checkRequest)
  // Answers are held to their schemas by the handlers' types; checked again here they would only cost time.
  app.setSerializerCompiler(() => answer => JSON.stringify(answer))

  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, text, done) => {
    // An empty body is none: what needs one says so by its schema.
    if (text === '') return done(null)
    parse(request, text, (error, body) => {
      const fault = error ? 'must be JSON, without __proto__ in it' : excess(text, body)
      if (fault === undefined) done(null, body)
      else done(new HubError('invalid', `body ${fault}`))
    })
  })

  app.addHook('onRequest', async (_request, reply) => {
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
  })
  // After whoever asks is known, and before a byte of the body is looked at.
  app.addHook('preParsing', requireJson)
  app.addHook('onResponse', async (_request, reply) => {
    count(reply.statusCode)
    listener.answered()
  })
  return app
}

export type App = ReturnType<typeof createApp>
