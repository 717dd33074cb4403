// For those who run a hub: is it alive, does it want work, and what does it count. No token is asked for.

import Type from 'typebox'
import { HubError, type Refusal } from '../errors.js'
import type { App } from './app.js'
import type { Metrics } from './metrics.js'
import { described, sentAs } from './openapi.js'

const stands = (status: 'ok' | 'ready', description: string) =>
  Type.Object({ status: Type.Literal(status) }, { description })

/** Adds `/healthz` and `/readyz`; `unready` says why the hub wants no work, if it does not. */
export const serveHealth = (app: App, unready: () => Refusal | undefined): void => {
  app.get(
    '/healthz',
    described(
      { name: 'getHealth', summary: 'Whether the process answers.' },
      { response: { 200: stands('ok', 'It does.') } },
    ),
    async () => ({ status: 'ok' as const }),
  )
  app.get(
    '/readyz',
    described(
      {
        name: 'getReadiness',
        summary: 'Whether the hub wants new work.',
        refusals: ['draining', 'overloaded'],
      },
      { response: { 200: stands('ready', 'It does.') } },
    ),
    async () => {
      const reason = unready()
      if (reason !== undefined) throw new HubError(reason.code, reason.message)
      return { status: 'ready' as const }
    },
  )
}

/** Adds `/metrics`. */
export const serveMetrics = (app: App, metrics: Metrics): void => {
  app.get(
    '/metrics',
    described(
      { name: 'getMetrics', summary: 'What the hub counts, for Prometheus.' },
      { response: { 200: sentAs<string>('text/plain', 'The text of all metrics.') } },
    ),
    async (_request, reply) => {
      reply.type(metrics.contentType)
      return metrics.read()
    },
  )
}
