// Redirect: the rest of the document is left, and another one is followed.

import { locate } from '../../egress/index.js'
import type { Call } from '../call.js'
import type { RedirectStep } from '../instructions/index.js'
import type { Course, Next } from '../plan.js'

export const redirect = (call: Call, { url, method }: RedirectStep, { base }: Course): Next => {
  const target = locate(url, base)
  if (!target.ok) {
    call.end('failed', { message: `Redirect: ${target.message}` })
    return { next: 'nothing' }
  }
  call.timeline.add('redirect', { url: target.value.origin + target.value.pathname })
  return { next: 'document', source: { kind: 'url', url: target.value.href, method } }
}
