// The messages of the voice SDK's signalling, version 1.6, which its maker does not document: one JSON object each,
// with a type and a payload. What a client says is held to a form before anyone looks at it; what is not used here is
// not asked for. A fault in the form of a message ends the connection, one in its payload is answered.

import Type, { type Static } from 'typebox'
import { type Refusal, refuse } from '../../../errors.js'
import { check, faultText } from '../../../runtime/index.js'
import { type Message, messageOf } from '../../outlet.js'

/** What names a call: by the hub's id, or by the one that its caller made for the time being. */
const CallSid = Type.String({ minLength: 1, maxLength: 128 })
const described = { callsid: CallSid, sdp: Type.String() }
const text = Type.Optional(Type.String())

const payloads = {
  listen: Type.Object({
    token: Type.String(),
    browserinfo: Type.Optional(Type.Object({ v: Type.Optional(Type.String({ maxLength: 64 })) })),
  }),
  register: Type.Object({ media: Type.Object({ audio: Type.Boolean() }) }),
  invite: Type.Object({
    ...described,
    reconnect: text,
    twilio: Type.Optional(Type.Object({ params: text })),
  }),
  answer: Type.Object(described),
  reject: Type.Object({ callsid: CallSid }),
  hangup: Type.Object({ callsid: CallSid }),
  reinvite: Type.Object(described),
  dtmf: Type.Object({ callsid: CallSid, dtmf: Type.String() }),
  message: Type.Object({
    callsid: CallSid,
    content: Type.Unknown(),
    contenttype: text,
    messagetype: text,
    voiceeventsid: Type.String(),
  }),
}

export type Payloads = { readonly [T in keyof typeof payloads]: Static<(typeof payloads)[T]> }
export type MessageType = keyof Payloads

/** A message as it was read. */
export interface Said {
  readonly ok: true
  readonly type: MessageType
  readonly payload: Payloads[MessageType]
}

const checks = new Map(
  Object.entries(payloads).map(([type, schema]) => [type, check(Type.Object({ payload: schema }))]),
)

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Reads one text message. */
export const readMessage = (text: string): Said | Refusal => {
  const value = parse(text)
  const type = (value as { type?: unknown } | null | undefined)?.type
  if (typeof type !== 'string') return refuse('malformed', 'a message is one JSON object, and has a type')
  const known = checks.get(type)
  if (known === undefined) return refuse('unknown-type', `no message type "${type.slice(0, 64)}"`)
  const checked = known(value)
  return checked.ok
    ? { ok: true, type: type as MessageType, payload: checked.value.payload }
    : refuse('invalid', `${type}: ${checked.faults.map(faultText).join('; ')}`)
}

/** A message of the hub. */
export const message = (type: string, payload: object = {}): Message =>
  messageOf(JSON.stringify({ type, version: '1.6', payload }))
