// What the hub says to a client of the voice SDK in more than one place: each message that its language has, made of
// what is known of the client and its calls.

import type { HubFrame } from '../../../protocol/index.js'
import type { Message } from '../../outlet.js'
import { callOver, type Fault, faultOf } from './codes.js'
import type { Conversation } from './conversation.js'
import { message } from './messages.js'
import { claimText } from './names.js'

export const ready = message('ready')

/** Twice: the first lets `unregister()` settle, the second has the SDK forget that it was registered before. */
export const offline: readonly Message[] = [message('offline'), message('offline')]

/** The SDK leaves, and comes back when its application says so. */
export const close = message('close')

export const failed = (error: Fault & { retryAfter?: number }, about: object = {}): Message =>
  message('error', { ...about, error })

export const hungUp = (callsid: string, error?: Fault): Message =>
  message('hangup', { callsid, ...(error && { error }) })

export const acknowledged = (about: object): Message => message('ack', { acktype: 'message', ...about })

/** With a description for its caller; what takes the call up again comes with it. */
export const answered = (talk: Conversation, callsid: string, sdp?: string): Message =>
  message('answer', { callsid, ...(sdp !== undefined && { sdp }), reconnect: claimText(talk) })

/**
 * The answer to a call that its client wants to take up. Of one that rings anew, its own having been canceled, the SDK
 * would take any word for one about the new one.
 */
export const takenUp = (talk: Conversation, callsid: string): readonly Message[] => {
  const { anew, state } = talk.calls.find(callsid) ?? {}
  if (anew && state === 'rung') return []
  return [state === 'up' ? answered(talk, callsid) : hungUp(callsid, callOver)]
}

/** Edge and region are where the SDK goes by itself, so that it comes back to where it was. */
const connected = ({ account, line }: Conversation, expires: string): Message =>
  message('connected', {
    token: {
      identity: account,
      ttl: Math.max(0, Math.round((Date.parse(expires) - line.clock.wall()) / 1000)),
    },
    edge: 'roaming',
    region: 'gll',
  })

/** What answers a hello. */
export const welcomed = (talk: Conversation, reply: HubFrame): readonly Message[] => {
  const { claimed } = talk
  talk.claimed = undefined
  // What the session tells of its calls comes right after this frame.
  if (claimed)
    queueMicrotask(() => {
      for (const message of claimed.flatMap(callsid => takenUp(talk, callsid))) talk.line.say(message)
    })
  if (reply.type !== 'welcome') return refreshed(talk, reply)
  talk.begin(reply)
  return claimed ? [] : [connected(talk, reply.expires)]
}

/** What answers a fresh token. */
export const refreshed = (talk: Conversation, reply: HubFrame): readonly Message[] => {
  if (reply.type === 'error') return [failed(faultOf(reply))]
  return [connected(talk, (reply as Extract<HubFrame, { type: 'ok' }>).expires as string)]
}
