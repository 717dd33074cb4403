// What a client of the voice SDK says, as the frames that it stands for: one entry for each type of message. The
// SDK names a call that it places by a name of its own until it hears the hub's, so both are understood.

import { type CallId, frameOf, type HubFrame } from '../../../protocol/index.js'
import type { Message } from '../../outlet.js'
import type { Heard } from '../dialect.js'
import type { VoiceCall } from './calls.js'
import { callOver, faultOf, notCallable } from './codes.js'
import { type Conversation, unsaid } from './conversation.js'
import { type MessageType, type Payloads, readMessage } from './messages.js'
import { meant, paramsIn, readClaim } from './names.js'
import { acknowledged, failed, hungUp, offline, ready, refreshed, takenUp, welcomed } from './phrases.js'

/** The echo of what asks for a sign of life, and the one message that is no JSON. */
export const echo = '\n'

/** How often that is asked: the SDK gives up a connection of which it hears nothing for 15 s. */
const HEARTBEAT_MS = 5000

type Hearing = {
  readonly [T in MessageType]: (talk: Conversation, said: Payloads[T], text: string) => readonly Heard[]
}

const idOf = (call: VoiceCall | undefined, callsid: string): CallId => call?.call ?? (callsid as CallId)

/** What to say to the reply of a frame about a call that its client takes for its own. */
const orOver =
  (callsid: string) =>
  (reply: HubFrame): readonly Message[] =>
    reply.type === 'error' ? [hungUp(callsid, faultOf(reply))] : []

/** Takes up a call of an earlier connection: with all else that it had, where this is not known here yet. */
const claim = (
  talk: Conversation,
  { callsid, reconnect = '' }: Payloads['invite'],
  text: string,
): Heard[] => {
  const { session, device } = readClaim(reconnect) ?? {}
  if (session === undefined) {
    talk.line.say(hungUp(callsid, callOver))
    return []
  }
  if (talk.claimed !== undefined) {
    talk.claimed.push(callsid)
    return []
  }
  if (device === talk.device) {
    for (const message of takenUp(talk, callsid)) talk.line.say(message)
    return []
  }
  talk.claimed = [callsid]
  const { client, registered, token } = talk
  const status = registered ? { status: 'available' } : {}
  const hello = { type: 'hello', token, device, client, ...status, resume: { session } }
  return [talk.ask({ ...hello, heartbeatMs: HEARTBEAT_MS }, text, reply => welcomed(talk, reply))]
}

const place = (talk: Conversation, { callsid, sdp, twilio }: Payloads['invite'], text: string): Heard[] => {
  const { To, ...params } = paramsIn(twilio?.params ?? '')
  talk.calls.ignored()
  const call = talk.calls.add({ name: callsid, offer: sdp, state: 'placed' })
  const frame = { type: 'place', ...(To !== undefined && { to: meant(To) }), params, sdp }
  return [
    talk.ask(frame, text, reply => {
      if (reply.type !== 'placed') {
        talk.calls.drop(call)
        return orOver(callsid)(reply)
      }
      call.call = reply.call
      talk.calls.add(call)
      if (call.left) talk.line.hear(leave(talk, call, text))
      return []
    }),
  ]
}

const leave = (talk: Conversation, call: VoiceCall, text: string): Heard => {
  talk.calls.drop(call)
  return talk.ask({ type: 'hangup', call: call.call }, text, unsaid)
}

const hearing: Hearing = {
  listen(talk, { token, browserinfo }, text) {
    const first = talk.token === undefined
    talk.token = token
    if (!first) return [talk.ask({ type: 'token', token }, text, reply => refreshed(talk, reply))]
    if (browserinfo?.v !== undefined) talk.client += `/${browserinfo.v}`
    const { client, device } = talk
    const hello = { type: 'hello', token, device, client, heartbeatMs: HEARTBEAT_MS }
    return [talk.ask(hello, text, reply => welcomed(talk, reply))]
  },

  register(talk, { media }, text) {
    if (!media.audio || !talk.canReceive) {
      talk.registered = false
      const words = media.audio ? [failed(notCallable), ...offline] : offline
      return [talk.ask({ type: 'status', status: 'offline' }, text, () => words)]
    }
    if (talk.registered) {
      talk.line.say(ready)
      return []
    }
    return [
      talk.ask({ type: 'status', status: 'available' }, text, reply => {
        talk.registered = reply.type === 'ok'
        return reply.type === 'error' ? [failed(faultOf(reply)), ...offline] : [ready]
      }),
    ]
  },

  invite: (talk, said, text) =>
    said.reconnect === undefined ? place(talk, said, text) : claim(talk, said, text),

  answer(talk, { callsid, sdp }, text) {
    const call = talk.calls.find(callsid)
    if (call !== undefined) call.state = 'taken'
    // To an offer that was made here nobody awaits an answer.
    const media = call?.silent ? {} : { sdp }
    return [talk.ask({ type: 'accept', call: callsid, ...media }, text, orOver(callsid))]
  },

  reject(talk, { callsid }, text) {
    const call = talk.calls.find(callsid)
    if (call !== undefined) talk.calls.drop(call)
    return [talk.ask({ type: 'reject', call: callsid }, text, unsaid)]
  },

  hangup(talk, { callsid }, text) {
    const call = talk.calls.find(callsid) ?? { call: callsid as CallId, state: 'up' }
    call.left = true
    return call.call === undefined ? [] : [leave(talk, call, text)]
  },

  reinvite(talk, { callsid, sdp }, text) {
    const call = talk.calls.find(callsid)
    if (call !== undefined) call.reoffered = true
    return [talk.ask({ type: 'signal', call: idOf(call, callsid), data: { offer: sdp } }, text, unsaid)]
  },

  dtmf(talk, { callsid, dtmf }, text) {
    const call = idOf(talk.calls.find(callsid), callsid)
    return [talk.ask({ type: 'signal', call, data: { dtmf } }, text, unsaid)]
  },

  message(talk, { callsid, content, contenttype, messagetype, voiceeventsid }, text) {
    const call = idOf(talk.calls.find(callsid), callsid)
    const type = messagetype === undefined ? {} : { type: messagetype }
    const data = { message: { content, contentType: contenttype ?? 'application/json', ...type } }
    const about = { callsid, voiceeventsid }
    return [
      talk.ask({ type: 'signal', call, data }, text, reply =>
        reply.type === 'error' ? [failed(faultOf(reply), about)] : [acknowledged(about)],
      ),
    ]
  },
}

/** One text message as the frames it stands for. */
export const hear = (talk: Conversation, text: string): readonly Heard[] => {
  if (text === echo) {
    const seq = talk.echoed()
    return seq === 0 ? [] : [frameOf({ type: 'ack', seq }, text)]
  }
  const read = readMessage(text)
  if (!read.ok) return [read]
  const said = hearing[read.type] as (talk: Conversation, said: object, text: string) => readonly Heard[]
  return said(talk, read.payload, text)
}
