// What a back-to-back user agent has to see in session descriptions (RFC 8866, RFC 3264), which otherwise pass
// untouched: whether one holds the other side, whether one is the same as before, and how one that brings nothing but
// another direction is answered where the other side does not answer it.

import type { SipMessage } from './message.js'

/** The session description that a message carries. */
export const sdpOf = ({ body, headers }: SipMessage): string | undefined => {
  const type = headers.get('Content-Type') ?? 'application/sdp'
  return body !== '' && /^application\/sdp\b/i.test(type) ? body : undefined
}

const directionOf = (sdp: string): string =>
  /^a=(sendrecv|sendonly|recvonly|inactive)\r?$/m.exec(sdp)?.[1] ?? 'sendrecv'

/** Whether its sender wants to hear nothing (RFC 3264, section 8.4). */
export const holds = (sdp: string): boolean => ['sendonly', 'inactive'].includes(directionOf(sdp))

/** Lines that say no more than how often, or by which way, the same was said. */
const incidental = /^(?:o=|a=(?:setup:|candidate:|end-of-candidates|ssrc|msid)).*\r?\n/gm

/** Whether nothing has changed: a session is refreshed by saying it again (RFC 4028, section 7.4). */
export const unchanged = (one: string, other: string): boolean =>
  one.replace(incidental, '') === other.replace(incidental, '')

const transportOf = (sdp: string): string =>
  [...sdp.matchAll(/^(?:m=\S+|a=(?:ice-ufrag|ice-pwd|fingerprint):[^\r\n]*)/gm)].join('\n')

/** Whether one needs nothing of the other side's media that the other did not: the same lines over the same transports. */
export const sameTransport = (one: string, other: string): boolean => transportOf(one) === transportOf(other)

const mirrored: Readonly<Record<string, string>> = {
  sendonly: 'recvonly',
  recvonly: 'sendonly',
  inactive: 'inactive',
}

/** The answer to `offer`, an offer of another direction, made from what the other side said last; `theirs` is what it was said to. */
export const answerAgain = (ours: string, theirs: string, offer: string): string => {
  const direction = mirrored[directionOf(offer)]
  const role = /^a=setup:passive/m.test(theirs) ? 'active' : 'passive'
  const answer = ours.replace(/^a=setup:actpass/gm, `a=setup:${role}`)
  return direction === undefined ? answer : answer.replace(/^a=sendrecv/gm, `a=${direction}`)
}
