// What every request meets before it has a route, and every answer on its way out: JSON only, in bounds; errors in
// one form; nothing believed that a proxy could have said. It knows no routes.

import type { IncomingMessage, Server } from 'node:http'
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import type { TSchema } from 'typebox'
import { factsOf, HubError } from '../errors.js'
import type { Answers } from './answers.js'
import type { Audit, Refused } from './audit.js'
import { type Bodies, bodyLimit } from './bodies.js'
import { excess, requireHeaders, requireJson, tooManyHeaders } from './form.js'
import { cutStuck, type Listener, refuseClient } from './listener.js'
import { errorBody, refusalHeaders, refusalOf } from './refusal.js'
import { checkRequest, type Shapes } from './shapes.js'

/** A parameter of a path is judged by its schema, which says what is wrong with it; no URL is longer than this. */
const maxParamLength = 16 * 1024

/** Whether a request broke off before all of it was there: who sent it has left, or has been told why already. */
const broken = ({ raw }: FastifyRequest): boolean => raw.socket.destroyed && !raw.complete

/** The application behind a listener. Routes and hooks are added before it is ready. */
export const createApp = (listener: Listener, audit: Audit, bodies: Bodies, answers: Answers) => {
  const requests = new WeakMap<IncomingMessage, FastifyRequest>()
  const whom = (raw: IncomingMessage): Refused | undefined => {
    const request = requests.get(raw)
    return request && audit.whom(request)
  }
  const outright = refuseClient(audit, whom)
  const answer = (error: unknown, whom: Refused, reply: FastifyReply): FastifyReply => {
    const refusal = refusalOf(error)
    audit.refused(refusal, whom, error)
    return reply
      .code(refusal === tooManyHeaders ? 431 : factsOf(refusal.code).http)
      .headers(refusalHeaders(refusal))
      .type('application/json; charset=utf-8')
      .send(errorBody(refusal))
  }

  const app = fastify<Server>({
    serverFactory: handler =>
      listener.server
        .on('request', handler)
        // Expectations that nobody knows are passed over (RFC 9110, section 10.1.1).
        .on('checkExpectation', handler)
        .on('connect', (_request, socket) => outright({ code: 'CONNECT' }, socket))
        .on('timeout', cutStuck(audit, whom)),
    clientErrorHandler: outright,
    bodyLimit,
    trustProxy: false,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength },
    // A path that is no text comes to no route, and to no hook.
    frameworkErrors: (error, { method, raw }, reply) => {
      answer(error, { method, peer: audit.peerOf(raw) }, reply)
      audit.answered(reply.statusCode)
    },
  }).withTypeProvider<Shapes>()

  app.decorateRequest('grant', null)
  app.setErrorHandler((error, request, reply) =>
    broken(request) ? reply.hijack() : answer(error, audit.whom(request), reply),
  )
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

  app.addHook('onRequest', async (request, reply) => {
    requests.set(request.raw, request)
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
  })
  app.addHook('onRequest', requireHeaders)
  // After whoever asks is known, and before a byte of the body is looked at.
  app.addHook('preParsing', async (request, reply) => {
    if (requireJson(request)) bodies.expect(request, reply)
  })
  app.addHook('onSend', async (request, reply, answer) => answers.send(request, reply, answer))
  app.addHook('onResponse', async (request, reply) => {
    if (!broken(request)) audit.answered(reply.statusCode)
    listener.answered()
  })
  return app
}

export type App = ReturnType<typeof createApp>
