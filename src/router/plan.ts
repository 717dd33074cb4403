// From a call to what is done about it: finds its instructions, and follows them verb by verb until someone has
// answered, the call is over, or nothing is left to do. What an ending means is said by the verbs.

import type { TenantConfig } from '../config.js'
import type { Destination, TenantId } from '../protocol/index.js'
import type { Call } from './call.js'
import type { Errand } from './errand.js'
import { type InstructionSource, nameOf, type Step, type UrlSource } from './instructions/index.js'
import type { Parts } from './parts.js'
import type { Routes } from './routes.js'
import type { Retrieved } from './source/index.js'
import { dial } from './verbs/dial.js'
import { enqueue } from './verbs/enqueue.js'
import { hangup } from './verbs/hangup.js'
import { pause } from './verbs/pause.js'
import { perform } from './verbs/perform.js'
import { redirect } from './verbs/redirect.js'
import { reject } from './verbs/reject.js'

/** How many documents one call may go through: a loop of redirects or actions ends here. */
export const hopLimit = 20

/** What comes after a verb: the next one, another document in place of this one, or nothing, since the call is settled. */
export type Next =
  | { readonly next: 'verb' }
  | {
      readonly next: 'document'
      readonly source: InstructionSource
      /** Beside the fields that every document is asked with. */
      readonly fields?: Readonly<Record<string, string>>
    }
  | { readonly next: 'nothing' }

export interface Course {
  /** The address of the document that is followed; relative ones are resolved against it. */
  readonly base: string | undefined
  /** How that document was asked for, if it was. */
  readonly own: UrlSource | undefined
  readonly errand: Errand
}

const carryOut = (call: Call, step: Step, course: Course): Promise<Next> | Next => {
  switch (step.verb) {
    case 'dial':
      return dial(call, step, course)
    case 'enqueue':
      return enqueue(call, step, course)
    case 'redirect':
      return redirect(call, step, course)
    case 'reject':
      return reject(call, step)
    case 'hangup':
      return hangup(call)
    case 'pause':
      return pause(call, step, course)
    case 'perform':
      return perform(call, step, course)
  }
}

/** What a tenant's calls go by. */
export interface Standing extends Routes {
  readonly tenant: TenantId
  readonly settings: TenantConfig
}

/** Where the instructions for a number or name are: its route's, or to dial the destination of that name. */
export const find = (
  { presence }: Pick<Parts, 'presence'>,
  { tenant, route: match }: Pick<Standing, 'tenant' | 'route'>,
  to: string,
): { source: InstructionSource; route?: string } | undefined => {
  const route = match(to)
  if (route !== undefined) return { source: route.source, route: route.to }
  if (!presence.knows(tenant, to as Destination)) return undefined
  const steps: Step[] = [{ verb: 'dial', to: [{ name: to, params: {} }], sequential: false, method: 'POST' }]
  return {
    source: { kind: 'inline', from: 'the destination of that name', instructions: { steps, warnings: [] } },
  }
}

/** Where a call's instructions are: its own, else those for what it calls. */
const sourceOf = (call: Call): InstructionSource | undefined => {
  const { application, to } = call.request
  if (application !== undefined) call.timeline.add('application', { application })
  if (call.source !== undefined) return call.source
  const found = find(call.parts, call, to)
  if (found?.route !== undefined) call.timeline.add('route', { route: found.route })
  return found?.source
}

/** Asks for the document; what comes back is written into the timeline by `note`, if the call still lives. */
const retrieve = (
  { id, request, parts, settings, tenant }: Call,
  source: InstructionSource,
  fields: Readonly<Record<string, string>>,
): Promise<Retrieved> => {
  const { authToken } = settings
  return parts.source.retrieve(source, {
    call: id,
    tenant,
    from: request.from,
    to: request.to,
    direction: request.direction,
    params: { ...request.params, ...fields },
    ...(authToken !== undefined && { authToken }),
  })
}

const note = ({ timeline }: Call, found: Retrieved): void => {
  for (const attempt of found.attempts) timeline.add('instructions-refused', { ...attempt })
  if (!found.ok) return
  // Without the query: it may hold secrets.
  const from = found.from.replace(/[?#].*/s, '')
  const cached = found.cached ? { cached: true } : {}
  timeline.add('instructions', { from, verbs: found.value.steps.map(nameOf), ...cached })
  for (const warning of found.value.warnings) timeline.add('warning', { warning })
}

/**
 * Follows a call to where it needs no more instructions: those that it came with, or that are `given` now. It may end, or be sent elsewhere, at any `await`, and is left
 * alone then.
 */
export const follow = async (call: Call, given?: InstructionSource): Promise<void> => {
  const errand = call.plan()
  let source = given ?? sourceOf(call)
  if (source === undefined) {
    call.end('unavailable', { message: `no route and no destination for ${JSON.stringify(call.request.to)}` })
    return
  }
  let fields = {}
  for (let hop = 0; source !== undefined; hop++) {
    if (hop === hopLimit) {
      call.end('failed', { message: `the instructions redirect more than ${hopLimit} times` })
      return
    }
    const found: Retrieved = await retrieve(call, source, fields)
    if (errand.over) return
    note(call, found)
    if (!found.ok) {
      call.end('failed', { message: found.message })
      return
    }
    const own = source.kind === 'url' ? source : undefined
    const course: Course = { base: own && found.from, own, errand }
    source = undefined
    for (const step of found.value.steps) {
      const after: Next = await carryOut(call, step, course)
      if (after.next === 'nothing' || errand.over) return
      if (after.next === 'document') {
        source = after.source
        fields = after.fields ?? {}
        break
      }
    }
  }
  hangup(call)
}
