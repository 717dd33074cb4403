// The form of a request, looked at before anything else of it: headers in bounds, and said once where two could be
// understood in two ways; a body declared as JSON in exactly those words, and nothing in it that could not be passed
// on. Frameworks and proxies have been talked past their checks by tabs, stray semicolons and repeats.

import type { FastifyRequest } from 'fastify'
import { HubError } from '../errors.js'
import { deeperThan, depthLimit, holdsLoneSurrogate } from '../protocol/index.js'

/** More headers than any client has reason to send. */
const headerLimit = 100

/** The whole of a request's headers that are too many is refused by its own status (RFC 6585, section 5). */
export const tooManyHeaders = new HubError('too-large', `at most ${headerLimit} headers`)

/** Refuses headers that are too many, or ambiguous (RFC 9112, section 3.2; RFC 9110, section 5.3). */
export const requireHeaders = async ({ raw }: FastifyRequest): Promise<void> => {
  if (raw.rawHeaders.length > 2 * headerLimit) throw tooManyHeaders
  const { host = [], authorization = [] } = raw.headersDistinct
  if (host.length > 1 || (host.length === 0 && raw.httpVersion !== '1.0')) {
    throw new HubError('invalid', 'Host must be there once')
  }
  if (authorization.length > 1) throw new HubError('invalid', 'Authorization must not be there twice')
}

const json = /^application\/json(?: *; *charset="?utf-8"?)?$/i

const carriesBody = ({ method, headers }: FastifyRequest): boolean =>
  method === 'POST' ||
  method === 'PUT' ||
  headers['transfer-encoding'] !== undefined ||
  Number(headers['content-length']) > 0

/** Whether a body of the request is read. It is refused unless it is JSON, not packed in any way. */
export const requireJson = (request: FastifyRequest): boolean => {
  if (request.is404 || !carriesBody(request)) return false
  const { 'content-encoding': packed, 'transfer-encoding': transfer = 'chunked' } = request.headers
  const types = request.raw.headersDistinct['content-type'] ?? []
  const plain = packed === undefined && transfer.toLowerCase() === 'chunked'
  if (types.length !== 1 || !json.test(types.join()) || !plain) {
    throw new HubError(
      'unsupported-media-type',
      'body must come as Content-Type: application/json, not compressed',
    )
  }
  return true
}

/** What no body may hold, whatever its schema says; undefined if there is nothing of it. */
export const excess = (text: string, body: unknown): string | undefined => {
  if (deeperThan(body, depthLimit)) return `nests deeper than ${depthLimit} levels`
  return text.includes('\\u') && holdsLoneSurrogate(body)
    ? 'holds text that is not well-formed Unicode'
    : undefined
}
