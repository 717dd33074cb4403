// For those who run a hub: is it alive, does it want work, and what does it count. No token is asked for.

import { HubError, type Refusal } from '../errors.js'
import type { App } from './app.js'
import type { Metrics } from './metrics.js'

/** Adds `/healthz` and `/readyz`; `unready` says why the hub wants no work, if it does not. */
export const serveHealth = (app: App, unready: () => Refusal | undefined): void => {
  app.get('/healthz', async () => ({ status: 'ok' }))
  app.get('/readyz', async () => {
    const reason = unready()
    if (reason !== undefined) throw new HubError(reason.code, reason.message)
    return { status: 'ready' }
  })
}

/** Adds `/metrics`. */
export const serveMetrics = (app: App, metrics: Metrics): void => {
  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.read()))
}
