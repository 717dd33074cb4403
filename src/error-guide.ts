// What to do about what goes wrong: for every code of errors.ts, every close code a peer can see, every way a call
// ends, every reason why a device stops ringing or a person is not rung, and the SDK's own errors: why it happens and
// what helps. What one sees (status, close code, frame) is not written here but read from the tables that decide it.
// The types ask for exactly one entry each. docs/errors.md is written from it, and the command line reads it.

import type { SwitchhookErrorCode } from './client/index.js'
import { type ErrorCode, errorTable, factsOf } from './errors.js'
import type { CancelReason, EndReason } from './protocol/index.js'
import { endings, type SkipReason } from './router/index.js'

/** Why something happens, and what helps. */
export interface Advice {
  readonly why: string
  readonly remedy: string
}

export const codeAdvice = {
  invalid: {
    why: 'A field, a header or the request as a whole has a wrong form. The message names it, and over HTTP `details` lists every fault with its path. A token in a URL is refused with this code, too.',
    remedy: 'Correct what the message names. The same request is refused again.',
  },
  'unknown-type': {
    why: 'The frame has a `type` that the hub does not know: a misspelling, or a frame of a later version. The session goes on.',
    remedy: 'Look the type up in docs/protocol.md; update the hub if a newer client needs it.',
  },
  malformed: {
    why: 'A text message was not one JSON object with a `type`. The two sides no longer speak the same language, so the session ends.',
    remedy: 'Send one JSON object a message. Do not reconnect with the same code: it would be closed again.',
  },
  unauthorized: {
    why: 'There is no token, it has expired, or it is not one of this hub: signed by no key known here, for another audience, or with a claim that the message names.',
    remedy:
      'Get a fresh token from your backend, then connect or ask again. `switchhook token --check` says claim by claim what is wrong with one.',
  },
  revoked: {
    why: 'An administrator took this token back, or all that the account had (`POST /v1/revocations`).',
    remedy: 'Sign in anew; a token issued after the revocation is good. The old one never is again.',
  },
  forbidden: {
    why: 'The token is good and does not allow this: the message names the scope that is missing. On connecting: none of its scopes allows what the hello asks for, the fresh token was of another account, or the page has an origin that `cors` does not list.',
    remedy: 'Have your backend put the scope into the token (docs/tokens.md), or list the origin.',
  },
  'name-taken': {
    why: 'The account of the token has the name of a group. Nobody takes the calls of a group by being called like it.',
    remedy: 'Give the account, or the group, another name.',
  },
  'not-found': {
    why: 'There is nothing of that name here, or it is not yours: the two are answered alike. Calls are forgotten some time after they ended. To `place`: the token names an application that the configuration has not.',
    remedy:
      'Check the path and the id, and that the token is of the tenant and account that made it; have the application among the `applications` of its tenant.',
  },
  'no-hello': {
    why: 'No valid `hello` came in time (five seconds) after the socket was opened. Other traffic does not extend it.',
    remedy:
      'Have the token ready before the socket is opened, and send `hello` first. Reconnecting is welcome.',
  },
  conflict: {
    why: 'What is asked does not go with how things are: a call placed on a socket is not followed over HTTP; a step that a gateway reports done is not the one under way; the instructions to be explained could not be had or read; a wrap-up is over that was to be extended; a group or member is not what was read any more (`If-Match`), or is there already (`If-None-Match`); a name would be that of a group and of an account; a data folder is in use by another process.',
    remedy: 'The message says with what it conflicts. Change that first, then ask again.',
  },
  'call-gone': {
    why: 'The call is over, was answered by someone else a moment earlier, stopped ringing here, or was never offered to this device.',
    remedy: 'Take it off the screen. The `cancel` or `ended` frame says how it went.',
  },
  busy: {
    why: 'The account is in as many calls as it may have at once (`capacity`), so it can not place one more.',
    remedy: 'End a call first, or raise `capacity` in the directory or the token.',
  },
  replaced: {
    why: 'The same device (account and device name) connected again and took over the place, the status and the calls of this connection.',
    remedy:
      'Nothing, if it was a reload. If two tabs or phones share a device name they take turns for ever: give each its own. Do not reconnect by yourself.',
  },
  'too-large': {
    why: 'A message of a client is larger than 64 KiB (`limits.messageBytes`), a body larger than 256 KiB, or the headers are. A message that is too large closes the socket without an `error` frame before it.',
    remedy: 'Send less at once. Session descriptions have room for 48 KiB, `params` 4 KiB, `signal` 16 KiB.',
  },
  'unsupported-media-type': {
    why: 'A body did not come as `Content-Type: application/json`, uncompressed, or a message on the socket was binary.',
    remedy: 'Send JSON as text, with exactly that header.',
  },
  'idempotency-mismatch': {
    why: 'This `Idempotency-Key` came with another body before.',
    remedy: 'Use a new key for each call, and the same key only to repeat the same request.',
  },
  'too-many': {
    why: 'A limit was reached, and the message names it (`limits.…`): frames or bytes a second, connections or devices of an account, takeovers of a device, requests, streams, bodies on their way, answers that wait to be read, calls, subscriptions.',
    remedy:
      'Slow down, and try again after `retryAfterMs` or `Retry-After`. Where it is too tight for what you do, raise that option: docs/limits.md has them all.',
  },
  internal: {
    why: 'The fault is ours. The log of the hub has the reason, under the same time.',
    remedy: 'Try again once. If it stays, report it with the lines of the log.',
  },
  'not-supported': {
    why: 'The feature is part of the protocol and not of this version of the hub.',
    remedy: 'Do without, or update the hub.',
  },
  draining: {
    why: 'The hub is about to stop, as in a deploy: it takes no new calls and no new connections, and lets calls under way finish.',
    remedy: 'Come back after `reconnectAfterMs` or `Retry-After`; behind a balancer that finds another hub.',
  },
  overloaded: {
    why: 'The hub has no room: its connections are all taken, its memory runs short, or its disk does not take what must be kept, or not as fast as calls end. Or its client does not read: on one socket more waits than `limits.unsentBytes`, or of an answer or stream over HTTP nothing was taken for too long.',
    remedy: 'Come back with growing delays. Whoever runs the hub: `/readyz` names what it is short of.',
  },
} as const satisfies Record<ErrorCode, Advice>

/** Close codes that no error code brings: those of RFC 6455, section 7.4.1. */
export const closeAdvice = {
  1000: {
    why: 'The client said goodbye (`leave`, or a close with 1000). Its device is gone at once.',
    remedy: 'Nothing. Connect again when the user wants to be present.',
  },
  1001: {
    why: 'The page went away: it was closed, reloaded or navigated. The hub keeps the session for five seconds, so that a reload is seen by nobody.',
    remedy: 'Nothing. After a reload the client resumes.',
  },
  1002: {
    why: 'What came was no WebSocket frame by RFC 6455: reserved bits, an unknown opcode, a frame without a mask, a broken close.',
    remedy: 'Use a proven WebSocket library, and look for a proxy that changes the stream.',
  },
  1005: {
    why: 'The other side closed without saying why. The session lingers, as after a lost connection.',
    remedy: 'Reconnect and resume. Clients of your own: close with 1000 when the user leaves.',
  },
  1006: {
    why: 'The connection broke without a close: the network changed, the machine slept, a proxy cut it, or the hub heard nothing for two and a half heartbeats. No frame carries this code.',
    remedy:
      'Reconnect with growing, random delays and resume: within the linger nobody notices. If it happens every minute, a proxy has too short an idle time.',
  },
  1007: {
    why: 'A text message was not UTF-8.',
    remedy: 'Send text as UTF-8; binary data belongs into base64 within JSON.',
  },
  1008: {
    why: 'A message came in too many fragments, or was sent in too many small pieces.',
    remedy: 'Send each message as one frame, as browsers do.',
  },
} as const satisfies Record<number, Advice>

export const endAdvice = {
  completed: {
    why: 'The call was answered, and one of the two hung up.',
    remedy: 'Nothing: this is how calls should end.',
  },
  canceled: {
    why: 'The caller gave up, or was lost, before anyone answered.',
    remedy:
      'If callers often give up, ring more people at once or for a shorter time each (`strategy`, `ringTimeoutMs`).',
  },
  'no-answer': {
    why: 'At least one person was rung and did not answer in time, or their last device vanished while it rang.',
    remedy:
      'The timeline says who was rung for how long. `suspect` in it means that the device never confirmed ringing.',
  },
  rejected: {
    why: 'Everyone who was rung refused, at least one of them by declining.',
    remedy: 'Dial someone else next: the instructions go on after `dial`.',
  },
  busy: {
    why: 'All who could be rung were ringing or on calls already, or every device that rang said `busy`.',
    remedy: 'Try later, dial a second group next, or raise `capacity` where people can take several calls.',
  },
  unavailable: {
    why: 'Nobody is there or willing: all are offline, away or do not want to be disturbed, or `to` names no route and no destination. The message names `to`.',
    remedy:
      '`POST /v1/explain` or `switchhook call --explain` says of each member why they would not be rung.',
  },
  failed: {
    why: 'The instructions could not be had or read, or asked for what this hub does not do, or a connected side was lost for longer than `calls.lingerMs`. The message says which.',
    remedy: 'Read the timeline: it names the URL and what it answered, or the verb at fault.',
  },
} as const satisfies Record<EndReason, Advice>

export const cancelAdvice = {
  'answered-elsewhere': {
    why: 'Someone answered: another device of the same person, or another person. `by` names them.',
    remedy: 'Stop ringing. It is not a missed call.',
  },
  'rejected-elsewhere': {
    why: 'The person refused on another device (`by`), or everyone who was rung has refused.',
    remedy: 'Stop ringing. It is not a missed call.',
  },
  'caller-canceled': {
    why: 'The caller gave up before anyone answered.',
    remedy: 'Stop ringing; show a missed call.',
  },
  timeout: {
    why: 'Nobody answered in the time they had; the call may go on to someone else.',
    remedy: 'Stop ringing; show a missed call.',
  },
  failed: {
    why: 'The call ended for a fault of the instructions or the system.',
    remedy: 'Stop ringing. The timeline of the call says what failed.',
  },
} as const satisfies Record<CancelReason, Advice>

export const skipAdvice = {
  offline: {
    why: 'No device of this account is connected, or lingers, with a token that lets it be present.',
    remedy: 'Look at the phone: `welcome` says what the hub believes of it.',
  },
  dnd: {
    why: 'They do not want to be disturbed, by their own word or that of a supervisor.',
    remedy: 'Ask them.',
  },
  away: {
    why: 'They are away, by their own word, that of a supervisor, or that of the hub after they let many calls ring (`awayAfterMisses` of a group).',
    remedy: 'Ask them; with any new status of theirs the word of the hub is gone.',
  },
  busy: {
    why: 'They are on as many calls as they may have, in wrap-up, or declared themselves busy.',
    remedy: 'Wait, or have them end the wrap-up (`wrapup`).',
  },
  ringing: { why: 'Another call rings them now.', remedy: 'Wait until that one is answered or over.' },
  'no-capacity': {
    why: 'All of their places are taken, though their status is `available` by the policy `busyWhen: "all"`.',
    remedy: 'Wait, or raise `capacity`.',
  },
  'cannot-receive': {
    why: 'They are there, and no device of theirs may be offered calls: the tokens lack `call:receive`.',
    remedy: 'Put `call:receive` into the tokens of phones; `welcome.canReceive` shows it.',
  },
  'cooling-down': {
    why: 'They did not take a call of a group a moment ago, and are offered no other for a while (`coolDownMs` of that group). By their own name they are rung.',
    remedy: 'Wait: it ends by itself.',
  },
  paused: {
    why: 'They are paused as one of this group (`paused` of the member), and beside it stands why. As one of other groups, and by their own name, they are rung.',
    remedy: 'Take the pause out of the directory.',
  },
  'lacks-skill': {
    why: 'The call needs a skill that the directory does not say of them as one of this group.',
    remedy: 'Give the member the skill, if they have it, or ask for less.',
  },
  'is-the-caller': { why: 'It is their own call.', remedy: 'Nothing.' },
  'rung-already': {
    why: 'This call has rung them before; within one round nobody is rung twice.',
    remedy: 'Nothing.',
  },
  'not-reached': {
    why: 'It was not their turn yet when someone before them answered, the caller gave up, or the time for the whole was over.',
    remedy:
      'Nothing. Where they should ring earlier: a lower tier, a shorter ring timeout, or the strategy `all`.',
  },
} as const satisfies Record<SkipReason, Advice>

/** What the SDK adds to the codes of the hub. */
export const sdkAdvice = {
  disconnected: {
    why: 'The connection was lost before the answer came, or the hub can not be reached.',
    remedy:
      'The softphone reconnects by itself. Ask again once it is online, if the request may be repeated.',
  },
  closed: {
    why: 'The softphone has left, or was told not to come back: its `connection` has the close code.',
    remedy: 'Look the close code up; call `connect()` when its cause is gone.',
  },
  timeout: {
    why: 'The hub did not answer in time, though the connection seems to be alive.',
    remedy: 'Ask again, if the request may be repeated.',
  },
} as const satisfies Record<Exclude<SwitchhookErrorCode, ErrorCode>, Advice>

export type GuideKind =
  | 'error code'
  | 'close code'
  | 'end of a call'
  | 'cancel reason'
  | 'reason not to ring'
  | 'SDK error'

/** One entry: what it is called, how it shows, why it happens, and what helps. */
export interface GuideEntry extends Advice {
  readonly kind: GuideKind
  /** The code or reason as it goes on the wire; a close code as decimal digits. */
  readonly name: string
  readonly see: string
}

/** Whether a client may come back by itself after this close code. */
export const mayReturn = (code: number): boolean => code !== 1000 && code < 4500

const comeBack = (code: number): string =>
  mayReturn(code) ? 'the client may come back' : 'the client does not come back by itself'

const seenCode = (code: ErrorCode): string => {
  const { http, close, retry } = factsOf(code)
  const ending = close === undefined ? '' : `, and close code ${close} where it ends the session`
  return `HTTP ${http}, or an \`error\` frame${ending}. ${retry ? 'Trying again can help.' : 'Trying the same again does not help.'}`
}

const seenEnd = (reason: EndReason): string => {
  const { dialCallStatus, sip } = endings[reason]
  const response = sip === undefined ? '' : `, SIP ${sip}`
  return `\`ended\` with this reason; \`DialCallStatus\` is \`${dialCallStatus}\`${response}.`
}

const entries = (
  kind: GuideKind,
  table: Readonly<Record<string, Advice>>,
  see: (name: string) => string,
): GuideEntry[] => Object.entries(table).map(([name, advice]) => ({ kind, name, see: see(name), ...advice }))

/** All of it, in the order to read it. */
export const guide: readonly GuideEntry[] = [
  ...entries('error code', codeAdvice, name => seenCode(name as ErrorCode)),
  ...entries('close code', closeAdvice, name => `The socket closes with ${name}; ${comeBack(Number(name))}.`),
  ...entries('end of a call', endAdvice, name => seenEnd(name as EndReason)),
  ...entries('cancel reason', cancelAdvice, () => '`cancel` with this reason, to a device that rang.'),
  ...entries(
    'reason not to ring',
    skipAdvice,
    () => 'Beside the name of an account, in a timeline or an explanation.',
  ),
  ...entries('SDK error', sdkAdvice, () => 'A `SwitchhookError` with this code, from `switchhook/client`.'),
]

const errorCodes = Object.keys(errorTable) as ErrorCode[]

/** Every close code a peer can see, in order, and the error codes that bring it. */
export const closeCodes: ReadonlyMap<number, readonly ErrorCode[]> = new Map(
  [...Object.keys(closeAdvice).map(Number), ...errorCodes.flatMap(code => factsOf(code).close ?? [])]
    .sort((a, b) => a - b)
    .map(close => [close, errorCodes.filter(code => factsOf(code).close === close)]),
)

/**
 * What there is about a word as it was seen: a code, a reason, or the number of a close code, for which the error
 * codes that bring it are told. Several entries where a word has several meanings; none where it has none.
 */
export const lookUp = (word: string): readonly GuideEntry[] => {
  const sought = word.trim().toLowerCase()
  const codes: readonly string[] = closeCodes.get(Number(sought)) ?? []
  return guide.filter(({ kind, name }) => name === sought || (kind === 'error code' && codes.includes(name)))
}
