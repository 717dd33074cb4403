// What needs media or a trunk: told to the gateway that placed the call, if it said that it can. What it gives goes to
// the verb's `action`. A gateway that can not say or play is no reason to stop; for anything else there is no substitute.

import { locate } from '../../egress/index.js'
import { ok, type Result } from '../../errors.js'
import type { EndReason } from '../../protocol/index.js'
import type { Call } from '../call.js'
import { endings } from '../endings.js'
import type { PerformStep } from '../instructions/index.js'
import type { Course, Next } from '../plan.js'
import type { Report } from '../routing.js'
import { actionOf, toAction } from './action.js'
import { fail } from './fail.js'

type Told = Readonly<Record<string, unknown>>

/** The same with each address to play whole, since a gateway does not know where the document is. */
const whole = (told: Told, base: string | undefined): Result<Told> => {
  const { url, prompts } = told
  if (typeof url === 'string') {
    const located = locate(url, base)
    return located.ok ? ok({ ...told, url: located.value.href }) : located
  }
  if (!Array.isArray(prompts)) return ok(told)
  const all: Told[] = []
  for (const prompt of prompts as Told[]) {
    const played = prompt.play === undefined ? ok({}) : whole(prompt.play as Told, base)
    if (!played.ok) return played
    all.push(prompt.play === undefined ? prompt : { play: played.value })
  }
  return ok({ ...told, prompts: all })
}

/** What a gateway gave, as the fields of a form: `digits` and `Digits` are `Digits`. */
const fieldsOf = ({ data }: Report): Record<string, string> =>
  typeof data !== 'object' || data === null
    ? {}
    : Object.fromEntries(
        Object.entries(data)
          .filter(([name, value]) => /^[A-Za-z]\w{0,63}$/.test(name) && /^(str|num|boo)/.test(typeof value))
          .map(([name, value]) => [`${name.charAt(0).toUpperCase()}${name.slice(1)}`, String(value)]),
      )

/** How a call that a gateway forwarded ended, by its word for it. */
const outcomes: ReadonlyMap<string, EndReason> = new Map<string, EndReason>([
  ['done', 'completed'],
  ['answered', 'completed'],
  ['completed', 'completed'],
  ['no-answer', 'no-answer'],
  ['canceled', 'no-answer'],
  ['busy', 'busy'],
  ['rejected', 'rejected'],
])

/** A Dial to somewhere outside is over. */
const dialled = (
  call: Call,
  { what }: PerformStep,
  { outcome, step }: Report,
  given: Record<string, string>,
): Record<string, string> => {
  const reason = outcomes.get(outcome) ?? 'failed'
  call.dialledAs(reason, { by: 'gateway' })
  return {
    ...(what === 'forward' && { DialCallSid: `${call.id}.g${step}` }),
    DialCallDuration: '0',
    ...given,
    DialCallStatus: endings[reason].dialCallStatus,
  }
}

export const perform = async (call: Call, step: PerformStep, course: Course): Promise<Next> => {
  const { what } = step
  if (!call.caller.performs.includes(what)) {
    const cannot = `whoever placed the call has not said that it performs ${what}`
    if (what !== 'say' && what !== 'play') return fail(call, `${what} is not to be had: ${cannot}`)
    call.timeline.add('warning', { warning: `${what} is passed over: ${cannot}` })
    return { next: 'verb' }
  }
  const told = whole(step.with, course.base)
  if (!told.ok) return fail(call, `${what}: ${told.message}`)
  const action = actionOf(step, course)
  if (!action.ok) return fail(call, `${what} action: ${action.message}`)
  const report = await call.perform(what, told.value)
  if (report === undefined || course.errand.over) return { next: 'nothing' }
  const given = fieldsOf(report)
  if (what === 'forward' || what === 'conference') {
    const fields = dialled(call, step, report, given)
    if (action.value !== undefined) return toAction(call, action.value, fields)
    if (what === 'conference' || call.dialled !== 'completed') return { next: 'verb' }
    call.end('completed', { by: 'gateway' })
    return { next: 'nothing' }
  }
  if (what === 'say' || what === 'play') return { next: 'verb' }
  const after = action.value ?? course.own
  const entered = step.evenEmpty === true || Object.values(given).some(value => value !== '')
  return after !== undefined && entered ? toAction(call, after, given) : { next: 'verb' }
}
