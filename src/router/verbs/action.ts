// `action`: the document that is asked once a verb is over, in place of the rest of the one that named it. It is asked
// like any other, with fields that say what became of the verb.

import { locate, shown } from '../../egress/index.js'
import { ok, type Result } from '../../errors.js'
import type { Call } from '../call.js'
import { endings } from '../endings.js'
import type { Method, UrlSource } from '../instructions/index.js'
import type { Course, Next } from '../plan.js'
import type { Parting } from '../search.js'

/** Where to ask; undefined: nowhere. An empty one is the document's own address, as everywhere on the web. */
export const actionOf = (
  { action, method = 'POST' }: { readonly action?: string; readonly method?: Method },
  { base, own }: Course,
): Result<UrlSource | undefined> => {
  if (action === undefined) return ok(undefined)
  if (action === '' && own !== undefined) return ok({ kind: 'url', url: own.url, method })
  const target = locate(action, base)
  return target.ok ? ok({ kind: 'url', url: target.value.href, method }) : target
}

/** On to that document. */
export const toAction = (
  { timeline }: Call,
  source: UrlSource,
  fields: Readonly<Record<string, string>>,
): Next => {
  timeline.add('action', { url: shown(source.url) })
  return { next: 'document', source, fields }
}

/** What a dial's action is told of it. */
export const dialFields = (
  { id, dials }: Call,
  { reason, talkMs }: Parting,
): Readonly<Record<string, string>> => ({
  DialCallStatus: endings[reason].dialCallStatus,
  DialCallSid: `${id}.${dials}`,
  DialCallDuration: String(Math.round(talkMs / 1000)),
})
