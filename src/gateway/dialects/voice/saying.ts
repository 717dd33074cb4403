// What the hub says, in the voice SDK's words: one entry for each type of frame that it has words for. The SDK takes
// `ringing` and `answer` for words about whichever call it is setting up, so they are said of none but a call that it
// placed: who answered a call needs no word, since what takes that call up again came with its invite.

import { hash } from 'node:crypto'
import Type from 'typebox'
import type { HubFrame, HubFrames } from '../../../protocol/index.js'
import { check } from '../../../runtime/index.js'
import type { Message } from '../../outlet.js'
import { silentAnswer, silentOffer } from '../silence.js'
import { faultOf, faultOfEnd } from './codes.js'
import { type Conversation, unsaid } from './conversation.js'
import { message } from './messages.js'
import { claimText, queryOf, shownAs } from './names.js'
import { answered, failed, hungUp } from './phrases.js'

type Saying = {
  readonly [T in HubFrame['type']]?: (talk: Conversation, frame: HubFrames[T]) => readonly Message[]
}

/** What the other side may say that there are words for. */
const relayed = {
  offer: check(Type.Object({ offer: Type.String() })),
  answer: check(Type.Object({ answer: Type.String() })),
  message: check(
    Type.Object({
      message: Type.Object({
        content: Type.Unknown(),
        contentType: Type.Optional(Type.String()),
        type: Type.Optional(Type.String()),
      }),
    }),
  ),
}

/** Has the client say what it has no words for. */
const inItsName = (talk: Conversation, frame: object): void =>
  talk.line.hear(talk.ask(frame, JSON.stringify(frame), unsaid))

const saying: Saying = {
  // Of a frame that was not asked for by a name; a refusal that ends the connection is followed by a goodbye.
  error: (_, { retryAfterMs, ...refusal }) => [
    failed({ ...faultOf(refusal), ...(retryAfterMs !== undefined && { retryAfter: retryAfterMs / 1000 }) }),
  ],

  self(talk, { devices }) {
    talk.canReceive = devices.some(({ device, canReceive }) => device === talk.device && canReceive)
    return []
  },

  invite(talk, { call, from, to, params, sdp, seq = 0 }) {
    const known = talk.calls.find(call) ?? talk.earlier?.calls.find(call)
    // Said again, since nobody has said that it arrived; but the client has dealt with it meanwhile.
    if (seq <= talk.before && known?.state !== 'rung') return []
    talk.calls.add({ call, silent: sdp === undefined, anew: known !== undefined, state: 'rung' })
    const parameters = {
      CallSid: call,
      AccountSid: talk.tenant,
      From: shownAs(from),
      To: shownAs(to),
      Params: queryOf(params),
    }
    const invite = { callsid: call, sdp: sdp ?? silentOffer(), parameters, reconnect: claimText(talk) }
    // A call that rang on a lost connection can not be answered any more: it is offered anew.
    return [...(known ? [message('cancel', { callsid: call })] : []), message('invite', invite)]
  },

  connected(talk, { call }) {
    talk.calls.add({ ...talk.calls.find(call), call, state: 'up' })
    return []
  },

  cancel(talk, { call }) {
    talk.calls.drop({ call, state: 'rung' })
    return [message('cancel', { callsid: call })]
  },

  progress(talk, { call: id, state }) {
    const call = talk.calls.find(id)
    // The client lost the call that it placed with its connection.
    if (call === undefined) inItsName(talk, { type: 'hangup', call: id })
    if (call?.state !== 'placed' || state !== 'ringing' || talk.calls.offered) return []
    call.state = 'ringing'
    return [message('ringing', { callsid: id })]
  },

  answered(talk, { call: id, sdp }) {
    const { offer, ...call } = talk.calls.find(id) ?? {}
    talk.calls.add({ ...call, call: id, state: 'up' })
    return offer === undefined ? [] : [answered(talk, id, sdp ?? silentAnswer(offer))]
  },

  ended(talk, frame) {
    const call = talk.calls.find(frame.call)
    if (call === undefined) return []
    talk.calls.drop(call)
    // Its caller knows it by the hub's id only once that was said.
    return [hungUp(call.state === 'placed' ? (call.name as string) : frame.call, faultOfEnd(frame))]
  },

  signal(talk, { call: id, data, seq }) {
    if (relayed.offer(data).ok) inItsName(talk, { type: 'signal', call: id, data: { refused: true } })
    const call = talk.calls.find(id)
    const answer = relayed.answer(data)
    if (answer.ok && call?.reoffered) {
      call.reoffered = false
      return [message('answer', { callsid: id, sdp: answer.value.answer })]
    }
    const said = relayed.message(data)
    if (!said.ok) return []
    const { content, contentType = 'text/plain', type = 'user-defined-message' } = said.value.message
    // The same if it is said again, so that an application can tell.
    const voiceeventsid = `KX${hash('sha256', `${talk.session} ${seq}`).slice(0, 32)}`
    return [
      message('message', {
        callsid: id,
        content,
        contenttype: contentType,
        messagetype: type,
        voiceeventsid,
      }),
    ]
  },
}

/** A frame as the messages that say it. */
export const say = (talk: Conversation, frame: HubFrame): readonly Message[] => {
  if ('seq' in frame) talk.written = frame.seq as number
  const answer = 'ref' in frame ? talk.answerTo(frame.ref as string) : undefined
  if (answer !== undefined) return answer(frame)
  const said = saying[frame.type] as ((talk: Conversation, frame: HubFrame) => readonly Message[]) | undefined
  return said?.(talk, frame) ?? []
}
