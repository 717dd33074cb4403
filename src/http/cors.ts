// Cross-origin requests from browsers, as the Fetch standard has them (https://fetch.spec.whatwg.org/#http-cors-protocol):
// origins that the configuration lists may call; any other is told nothing, and its browser refuses on its own.
// Tokens come in a header, never in a cookie, so no credentials are allowed.

import type { onRequestAsyncHookHandler } from 'fastify'

const preflight = {
  'access-control-allow-methods': 'GET, POST, PUT, DELETE',
  'access-control-allow-headers':
    'authorization, content-type, idempotency-key, if-match, if-none-match, last-event-id',
  'access-control-max-age': '600',
}

/** Marks the answers to `origins`, and answers their preflights; `*` is every origin. */
export const allowOrigins = (origins: readonly string[]): onRequestAsyncHookHandler => {
  const every = origins.includes('*')
  const listed = new Set(origins)
  return async ({ method, headers: { origin } }, reply) => {
    if (!every) reply.header('vary', 'Origin')
    if (origin === undefined || !(every || listed.has(origin))) return
    reply.headers({
      'access-control-allow-origin': every ? '*' : origin,
      'access-control-expose-headers': 'etag, location, retry-after, www-authenticate',
    })
    if (method === 'OPTIONS') return reply.code(204).headers(preflight).send()
  }
}
