// For those who run a hub: is it alive, does it want work, and what does it count. No token is asked for.

import Type from 'typebox'
import { type ErrorCode, HubError } from '../errors.js'
import type { App } from './app.js'
import type { Metrics } from './metrics.js'
import { described, sentAs } from './openapi.js'

const stands = (status: 'ok' | 'ready', description: string) =>
  Type.Object({ status: Type.Literal(status) }, { description })

/** What a hub may be short of, by name: each says why, or undefined. */
export type Reasons = Readonly<Record<string, () => string | undefined>>

/** Adds `/healthz` and `/readyz`; `reasons` say why the hub wants no work, if it does not. */
export const serveHealth = (app: App, reasons: Reasons): void => {
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
        summary: 'Whether the hub wants new work; if not, the details name what it is short of.',
        refusals: ['draining', 'overloaded'],
      },
      { response: { 200: stands('ready', 'It does.') } },
    ),
    async () => {
      const faults = Object.entries(reasons).flatMap(([path, reason]) => {
        const message = reason()
        return message === undefined ? [] : [{ path, message }]
      })
      if (faults.length === 0) return { status: 'ready' as const }
      const code: ErrorCode = faults.some(({ path }) => path === 'drain') ? 'draining' : 'overloaded'
      throw new HubError(code, faults.map(({ path, message }) => `${path}: ${message}`).join('; '), {
        faults,
      })
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
