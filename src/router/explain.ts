// What would become of a call if it came now: its route, its instructions, and for each destination they dial who
// would be rung, in which order, and why each other member would not. Nobody is rung or reserved. A URL is named, and
// asked only on request, since the application behind it may take the question for a call.

import { ok, type Result, refuse } from '../errors.js'
import type { CallId, Destination, DestinationExplained, Explanation } from '../protocol/index.js'
import {
  type DialStep,
  type EnqueueStep,
  type InstructionSource,
  type Instructions,
  nameOf,
} from './instructions/index.js'
import type { Parts } from './parts.js'
import type { Candidate } from './pick/index.js'
import type { Standing } from './plan.js'
import { survey } from './survey.js'

export interface ExplainRequest {
  readonly to: string
  readonly from: string
  /** Ask the URL of the instructions, too. */
  readonly fetch: boolean
}

const seat = ({ account, tier, devices }: Candidate) => ({
  account,
  tier,
  devices: devices.map(({ device }) => device),
})

type Asked = Pick<DialStep, 'strategy' | 'timeoutMs' | 'skills'>

const destinationExplained = async (
  parts: Parts,
  { tenant, settings }: Standing,
  from: string,
  destination: Destination,
  { strategy: asked, timeoutMs: askedMs, skills }: Asked,
): Promise<DestinationExplained> => {
  const { resource, strategy, timeoutMs, candidates, skipped } = await survey(parts, {
    tenant,
    settings,
    destination,
    strategy: asked,
    timeoutMs: askedMs,
    skills,
    from,
    rung: new Set(),
  })
  return {
    destination,
    kind: resource.kind,
    status: resource.status,
    strategy,
    timeoutMs,
    order: candidates.map(seat),
    skipped: [...skipped],
  }
}

const dialExplained = async (
  parts: Parts,
  standing: Standing,
  from: string,
  { to, sequential, ...step }: DialStep,
) => {
  const destinations: DestinationExplained[] = []
  for (const { name } of to) {
    destinations.push(await destinationExplained(parts, standing, from, name as Destination, step))
  }
  return { sequential, destinations }
}

const queueExplained = async (
  parts: Parts,
  standing: Standing,
  from: string,
  { group, priority, skills }: EnqueueStep,
) => {
  const queue = group as Destination
  return {
    queue,
    ...parts.queues.placeFor(standing.tenant, queue, priority),
    destination: await destinationExplained(parts, standing, from, queue, { skills }),
  }
}

/** `found` is where the call's instructions are, as `plan.ts` finds them. */
export const explain = async (
  parts: Parts,
  standing: Standing,
  { to, from, fetch }: ExplainRequest,
  found: { readonly source: InstructionSource; readonly route?: string } | undefined,
): Promise<Result<Explanation>> => {
  if (found === undefined) return refuse('not-found', `no route and no destination for ${JSON.stringify(to)}`)
  const { source, route } = found
  const head = { to, ...(route !== undefined && { route }) }
  if (source.kind === 'url' && !fetch) {
    const instructions = source.url.replace(/[?#].*/s, '')
    return ok({ ...head, instructions, asked: false, verbs: [], dials: [], queues: [], warnings: [] })
  }
  const { authToken } = standing.settings
  const retrieved = await parts.source.retrieve(source, {
    call: `explain-${parts.newId()}` as CallId,
    tenant: standing.tenant,
    from,
    to,
    direction: 'inbound',
    params: {},
    ...(authToken !== undefined && { authToken }),
  })
  if (!retrieved.ok) return refuse('conflict', retrieved.message)
  const { steps, warnings }: Instructions = retrieved.value
  const dials = []
  const queues = []
  for (const step of steps) {
    if (step.verb === 'dial') dials.push(await dialExplained(parts, standing, from, step))
    if (step.verb === 'enqueue') queues.push(await queueExplained(parts, standing, from, step))
  }
  const verbs = steps.map(nameOf)
  return ok({
    ...head,
    instructions: retrieved.from.replace(/[?#].*/s, ''),
    asked: true,
    verbs,
    dials,
    queues,
    warnings: [...warnings],
  })
}
