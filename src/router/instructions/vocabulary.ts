// The options of every verb and noun, by the names that they have in TwiML. What a document says beyond these is
// ignored with a warning, as `record`, `ringTone` or `waitUrl`.

import { strategies } from '../../config.js'
import { methods } from './location.js'
import { count, duration, durationOrAuto, flag, label, line, skills, url, word, words } from './options.js'
import { callbackEvents, rejections } from './steps.js'

const continuation = { action: url('action'), method: word('method', methods) }

/** Keys of a telephone; `w` waits half a second. */
const tones = (key: 'digits' | 'sendDigits') =>
  line(key, '^[0-9*#A-DwW]{1,64}$', '1 to 64 of 0-9, *, #, A-D and w')

const finishOnKey = line('finishOnKey', '^[0-9*#]{0,12}$', 'up to 12 of 0-9, * and #')

export const dialOptions = {
  timeout: duration('timeoutMs', 1),
  totalTimeout: duration('totalTimeoutMs', 1),
  sequential: flag('sequential'),
  strategy: word('strategy', strategies),
  skills,
  ...continuation,
  callerId: label('callerId'),
  timeLimit: duration('timeLimitMs', 1),
}

export const callbackOptions = {
  statusCallback: url('url'),
  statusCallbackMethod: word('method', methods),
  statusCallbackEvent: words('events', callbackEvents),
}

export const enqueueOptions = {
  maxWait: duration('maxWaitMs', 1),
  priority: count('priority', -1000, 1000),
  skills,
  ...continuation,
}

export const redirectOptions = { method: word('method', methods) }
export const rejectOptions = { reason: word('reason', rejections) }
export const pauseOptions = { length: duration('ms', 0) }

export const sayOptions = {
  voice: label('voice'),
  language: label('language'),
  loop: count('loop', 0, 1000),
}

export const playOptions = { digits: tones('digits'), loop: count('loop', 0, 1000) }

export const gatherOptions = {
  input: words('input', ['dtmf', 'speech']),
  timeout: durationOrAuto('timeoutMs'),
  speechTimeout: durationOrAuto('speechTimeoutMs'),
  finishOnKey,
  numDigits: count('numDigits', 1, 100),
  language: label('language'),
  hints: line('hints', '^[^\\u0000-\\u001f\\u007f]{1,1000}$', 'text of 1 to 1000 characters in one line'),
  actionOnEmptyResult: flag('actionOnEmptyResult'),
  ...continuation,
}

export const recordOptions = {
  timeout: duration('timeoutMs', 1),
  maxLength: duration('maxLengthMs', 1),
  finishOnKey,
  playBeep: flag('playBeep'),
  trim: word('trim', ['trim-silence', 'do-not-trim']),
  ...continuation,
}

export const conferenceOptions = {
  muted: flag('muted'),
  beep: word('beep', ['true', 'false', 'onEnter', 'onExit']),
  startConferenceOnEnter: flag('startConferenceOnEnter'),
  endConferenceOnExit: flag('endConferenceOnExit'),
  maxParticipants: count('maxParticipants', 2, 1000),
}

export const numberOptions = { sendDigits: tones('sendDigits') }

/** The options of a Dial that its gateway is told, when it goes to numbers or SIP addresses. */
export const forwardOptions = {
  timeout: dialOptions.timeout,
  sequential: dialOptions.sequential,
  ...continuation,
  callerId: dialOptions.callerId,
  timeLimit: dialOptions.timeLimit,
}

/** The same, when it goes to a conference. */
export const conferenceDialOptions = { ...continuation, timeLimit: dialOptions.timeLimit }
