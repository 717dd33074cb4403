// Passing a connected call on (REFER, RFC 3515, and its attended form, RFC 5589): whoever is in it leaves, and the other
// side is connected with someone else. Blind: with whatever answers for a name. Attended: with the other side of a
// second call, which is offered the first in exchange for it.

import { ok, type Result, refuse } from '../errors.js'
import type { Party } from '../protocol/index.js'
import type { Call } from './call.js'
import { find, follow } from './plan.js'
import { Replacement } from './replacement.js'
import { entryOf } from './sides.js'
import { hangup } from './verbs/hangup.js'

/** On to whatever a call to `to` would be dealt with by. */
export const passTo = (call: Call, party: Party, to: string): Result<undefined> => {
  const found = find(call.parts, call, to)
  if (found === undefined) return refuse('not-found', `no route and no destination for ${JSON.stringify(to)}`)
  call.passOn(party, to)
  call.parts.guard(follow(call, found.source), call)
  return ok(undefined)
}

/** The call that goes on, the one that is over for it, and the device at the other end of that. */
const exchangeOf = (call: Call, other: Call, party: Party) => {
  const here = call.opposite(party)
  const there = other.opposite(party)
  if (call === other || here?.account === there?.account) return undefined
  return there === undefined
    ? { stays: other, goes: call, there: here as Party }
    : { stays: call, goes: other, there }
}

/** Connects the other sides of two calls that a device is in. */
export const connect = (call: Call, other: Call, party: Party): Result<undefined> => {
  const exchange = exchangeOf(call, other, party)
  if (exchange === undefined) {
    return refuse(
      'conflict',
      'attended must be a call with someone else, and a device at the other end of either',
    )
  }
  const { stays, goes, there } = exchange
  const { parts } = call
  const destination = there.account as never
  const entry = entryOf(parts, there)
  if (!entry.canReceive) {
    return refuse('conflict', `${there.account} calls from a device that may not be offered calls`)
  }
  const replacement = new Replacement(stays, entry, { party: there, replaces: goes.id, destination })
  stays.passOn(party, there.account)
  const errand = stays.plan()
  stays.dial(replacement, { to: [{ name: there.account, params: {} }], sequential: false })
  const rung = replacement.run()
  goes.end('completed', { by: stays.nameOf(party), message: 'the call was passed on' })
  parts.guard(
    rung.then(result => {
      if (result === 'answered' || errand.over) return
      stays.dialledAs(result)
      hangup(stays)
    }),
    stays,
  )
  return ok(undefined)
}
