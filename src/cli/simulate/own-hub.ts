// The configuration of a hub that is there for a simulation alone: a throw-away tenant, an open group that is called,
// and no bound for whoever brings all the callers and all the phones.

import type { ConfigInput, Strategy } from '../../config.js'
import { type Dev, devTenant } from '../dev.js'

export interface OwnOptions {
  readonly group: string
  /** What is called; default: the group. */
  readonly to?: string | undefined
  readonly strategy?: Strategy | undefined
  /** Milliseconds. */
  readonly wrapup?: number | undefined
  /** Calls wait in the group's queue. */
  readonly queue?: boolean | undefined
}

/** All callers are one gateway, all phones at one address: what would bound a peer bounds no simulation. */
const boundless = 1_000_000
/** Callers give up before the queue does. */
const aWeek = 7 * 86_400_000
const limits = {
  connectionsPerAddress: boundless,
  requestsPerSecond: boundless,
  streamsPerAccount: boundless,
  callsPerTenant: boundless,
  callsPerMinutePerAccount: boundless,
  callsPerMinutePerTenant: boundless,
  // Nobody reads them here, and a hundred thousand are a lot to keep.
  endedCallsPerTenant: 100,
}

export const ownConfig = (
  dev: Dev,
  { group, to = group, strategy, wrapup, queue }: OwnOptions,
): ConfigInput => {
  const tenant = devTenant(dev)
  const own = {
    open: true,
    queue: { maxLength: boundless, maxWaitMs: aWeek },
    ...(strategy && { strategy }),
    ...(wrapup !== undefined && { wrapupMs: wrapup }),
  }
  const waiting = { to, instructions: { steps: [{ enqueue: { group } }] } }
  const others = tenant.routes.filter(route => route.to !== to)
  return {
    listen: { port: 0 },
    drainMs: 0,
    limits,
    tenants: {
      [dev.tenant]: {
        ...tenant,
        groups: { ...tenant.groups, [group]: own },
        ...(queue === true && { routes: [...others, waiting] }),
      },
    },
  }
}
