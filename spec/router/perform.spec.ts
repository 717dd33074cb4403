// Steps that a gateway performs: told in order, waited for, and what they give passed on to the action.

import t from 'tap'
import type { CallId, EndReason, Party } from '../../src/protocol/index.js'
import { acme, type FakeCaller, newRoom, type Room } from '../support/room.js'
import { ended, until, voiceApplication } from '../support/voice-application.js'

const local = { fetch: { allowPrivate: true } }
const everything = ['say', 'play', 'gather', 'record', 'conference', 'forward']

/** A call by a gateway that performs these. */
const callBy = async (room: Room, to: string, performs: readonly string[] | undefined, steps?: object[]) => {
  const frames: FakeCaller['frames'] = []
  const caller = {
    account: 'gateway' as Party['account'],
    send: (frame: FakeCaller['frames'][number]) => frames.push(frame),
    performs,
  }
  const { call } = await room.call(to, { caller, ...(steps && { instructions: { steps } }) })
  const performing = () => frames.filter(frame => frame.type === 'perform')
  return {
    call,
    caller,
    performing,
    /** Says that the step under way is done, once there is one. */
    async done(step: number, outcome = 'done', data?: unknown) {
      await until(room, () => performing().length > step)
      const report = { step, outcome, ...(data !== undefined && { data }) }
      const answer = room.router.performed(caller, call, report)
      await room.clock.settle()
      return answer
    },
  }
}

const view = (room: Room, call: CallId) => room.router.get(acme, call)!
const eventsOf = (room: Room, call: CallId) => view(room, call).timeline.map(({ event }) => event)

t.test('[C5] steps come in order, each when the one before is done', async t => {
  const room = newRoom()
  const { call, performing, done } = await callBy(room, 'x', everything, [
    { say: { text: 'Hello', voice: 'amy' } },
    { play: 'https://cdn.example.com/a.mp3' },
    { pause: { ms: 1000 } },
    { record: { maxLengthMs: 5000 } },
  ])
  t.strictSame(performing(), [
    { type: 'perform', call, step: 0, verb: 'say', with: { text: 'Hello', voice: 'amy' } },
  ])
  t.equal(view(room, call).state, 'planning')
  t.match(await done(0), { ok: true })
  t.match(performing()[1], { step: 1, verb: 'play', with: { url: 'https://cdn.example.com/a.mp3' } })
  await done(1, 'failed')
  t.equal(performing().length, 2, 'what the hub does itself comes in its turn, too')
  await room.clock.settle(1010)
  t.match(performing()[2], { step: 2, verb: 'record', with: { maxLengthMs: 5000 } })
  await done(2)
  t.match(view(room, call), { reason: 'completed' }, 'a caller who was served was not unavailable')
  t.same(eventsOf(room, call), [
    'received',
    'instructions',
    'perform',
    'performed',
    'perform',
    'performed',
    'pause',
    'perform',
    'performed',
    'ended',
  ])
  t.match(view(room, call).timeline[1], { verbs: ['say', 'play', 'pause', 'record'] })
})

t.test('a step that is not under way, and a call that is not theirs, are refused', async t => {
  const room = newRoom()
  const { call, caller, done } = await callBy(room, 'x', everything, [{ say: 'a' }, { say: 'b' }])
  const other = { account: 'other' as Party['account'], send() {} }
  const says = (side: Parameters<Room['router']['performed']>[0], step: number, data?: unknown) =>
    room.router.performed(side, call, { step, outcome: 'done', data })
  t.match(says(caller, 1), { code: 'conflict', message: 'step 1 is not being performed: step 0 is' })
  t.match(says(caller, 0, 'é'.repeat(8192)), { code: 'invalid', message: /16384 bytes/ })
  t.match(says(other, 0), { code: 'call-gone' })
  t.match(says({ tenant: acme, account: 'x', device: 'y' } as Party, 0), { code: 'call-gone' })
  t.match(says({ tenant: 'none', account: 'x', device: 'y' } as unknown as Party, 0), { code: 'call-gone' })
  t.match(await done(0), { ok: true })
  t.match(says(caller, 0), { code: 'conflict', message: /step 1 is/ }, 'told twice')
  await done(1)
  t.match(says(caller, 1), { code: 'call-gone' }, 'after the end')
  const ringing = await callBy(room, 'x', everything, [{ pause: { ms: 1000 } }])
  t.match(room.router.performed(ringing.caller, ringing.call, { step: 0, outcome: 'done' }), {
    code: 'conflict',
    message: 'step 0 is not being performed: none is',
  })
})

t.test('a gateway that is lost, or hangs up, ends the wait', async t => {
  const room = newRoom()
  for (const end of ['gone', 'hangup'] as const) {
    const { call, caller } = await callBy(room, 'x', everything, [{ gather: {} }, { say: 'more' }])
    if (end === 'gone') room.router.gone(caller)
    else room.router.hangup(caller, call)
    await room.clock.settle()
    t.match(view(room, call), { reason: 'canceled' })
    t.equal(eventsOf(room, call).at(-1), 'ended', 'nothing follows')
  }
})

t.test(
  'what a gateway cannot: say and play are passed over with a warning, all else ends the call',
  async t => {
    const room = newRoom()
    const alice = room.phone('alice')
    for (const performs of [undefined, [], ['gather']]) {
      const { call } = await callBy(room, 'x', performs, [
        { say: 'a' },
        { play: '/relative' },
        { dial: { to: 'alice' } },
      ])
      t.match(
        view(room, call).timeline.filter(({ event }) => event === 'warning'),
        [{ warning: /^say is passed over: / }, { warning: /^play is passed over: / }],
      )
      t.equal(alice.heard.at(-1), 'invite')
      alice.reject(call)
      await room.clock.settle()
    }
    for (const [step, what] of [
      [{ gather: {} }, 'gather'],
      [{ record: {} }, 'record'],
      [{ conference: 'Room 1' }, 'conference'],
      [{ forward: { to: '1001' } }, 'forward'],
    ] as const) {
      const { call, performing } = await callBy(room, 'x', ['say', 'play'], [step, { dial: { to: 'alice' } }])
      t.same(performing(), [])
      t.match(view(room, call), { reason: 'failed', message: new RegExp(`^${what} is not to be had: `) })
    }
  },
)

t.test(
  "[C5] what a gather gives goes to its action, and never in place of the call's own fields",
  async t => {
    const application = await voiceApplication(t, {
      '/in':
        '<Gather numDigits="1" action="/menu?a=1"><Say>Press one</Say><Play>tone.mp3</Play></Gather><Reject/>',
      '/menu': '<Say>Bye</Say>',
    })
    const { url, asked } = application
    const room = newRoom({ routes: [{ to: '1', instructions: `${url}/in` }] }, local)
    t.teardown(() => room.close())
    const { call, performing, done } = await callBy(room, '1', everything)
    await done(0, 'done', {
      Digits: '7',
      confidence: 0.9,
      final: true,
      CallSid: 'forged',
      'a b': 'x',
      deep: {},
    })
    t.match(performing()[0], {
      verb: 'gather',
      with: {
        input: ['dtmf'],
        numDigits: 1,
        prompts: [{ say: { text: 'Press one' } }, { play: { url: `${url}/tone.mp3` } }],
      },
    })
    await done(1)
    await ended(room, call)
    t.match(asked[1], {
      path: 'POST /menu',
      fields: { a: '1', Digits: '7', Confidence: '0.9', Final: 'true', CallSid: call },
    })
    t.notOk('a b' in asked[1]!.fields)
    t.notMatch(JSON.stringify(view(room, call).timeline), /"7"/, 'nor into the timeline: it may be a PIN')

    const silent = await callBy(room, '1', everything)
    await silent.done(0, 'timeout', { Digits: '' })
    t.match(await ended(room, silent.call), { reason: 'rejected' }, 'nothing entered: the next verb')
  },
)

t.test('a gather or record without an action asks its own document again, as in TwiML', async t => {
  const application = await voiceApplication(t, {
    '/in': '<Gather/><Record/><Gather actionOnEmptyResult="true" action="/left" method="GET"/>',
    '/left': '<Reject/>',
  })
  const { url, asked } = application
  const room = newRoom({ routes: [{ to: '1', instructions: `${url}/in?k=1` }] }, local)
  t.teardown(() => room.close())
  const { call, performing, done } = await callBy(room, '1', everything)
  await done(0, 'done', { digits: '1' })
  await done(1, 'failed', 'no object')
  await done(2, 'done', { recordingUrl: 'https://cdn.example.com/r.wav' })
  await done(3)
  await done(4, 'failed')
  await done(5)
  t.match(await ended(room, call), { reason: 'rejected' })
  t.same(
    performing().map(({ verb }) => verb),
    ['gather', 'gather', 'record', 'gather', 'record', 'gather'],
  )
  t.match(asked, [
    { path: 'POST /in' },
    { path: 'POST /in', fields: { k: '1', Digits: '1' } },
    { path: 'POST /in', fields: { RecordingUrl: /r\.wav/ } },
    { path: 'GET /left', fields: { CallSid: call } },
  ])
  const inline = await callBy(room, 'x', everything, [{ gather: {} }, { reject: {} }])
  await inline.done(0, 'done', { digits: '1' })
  t.match(view(room, inline.call), { reason: 'rejected' }, 'one at hand has no address')
})

t.test('an address that leads nowhere ends the call before its step', async t => {
  const room = newRoom()
  for (const [step, message] of [
    [{ play: 'tone.mp3' }, 'play: must be an absolute URL'],
    [{ gather: { prompts: [{ play: 'tone.mp3' }] } }, 'gather: must be an absolute URL'],
    [{ gather: { action: 'menu' } }, 'gather action: must be an absolute URL'],
  ] as const) {
    const { call, performing } = await callBy(room, 'x', everything, [step])
    t.same(performing(), [])
    t.match(view(room, call), { reason: 'failed', message })
  }
})

t.test(
  'a forward is a dial: answered it is the end, else the next verb runs, and an action is asked',
  async t => {
    const { url, asked } = await voiceApplication(t, { '/after': '<Hangup/>' })
    const room = newRoom({}, local)
    t.teardown(() => room.close())
    const ends: readonly (readonly [string, EndReason])[] = [
      ['completed', 'completed'],
      ['done', 'completed'],
      ['busy', 'busy'],
      ['no-answer', 'no-answer'],
      ['canceled', 'no-answer'],
      ['rejected', 'rejected'],
      ['out of order', 'failed'],
    ]
    for (const [outcome, reason] of ends) {
      const { call, done } = await callBy(room, 'x', everything, [
        { forward: { to: '1001' } },
        { hangup: {} },
      ])
      await done(0, outcome)
      t.match(view(room, call), { reason }, outcome)
    }
    const steps = [{ forward: { to: ['1001', 'sip:a@b'], action: `${url}/after`, timeLimitMs: 5000 } }]
    const { call, performing, done } = await callBy(room, 'x', everything, steps)
    t.match(performing()[0]?.with, { to: [{ number: '1001' }, { sip: 'sip:a@b' }], timeLimitMs: 5000 })
    await done(0, 'completed', { dialCallDuration: 12, DialCallStatus: 'forged' })
    t.match(await ended(room, call), { reason: 'completed' })
    t.match(asked[0]?.fields, {
      DialCallStatus: 'completed',
      DialCallDuration: '12',
      DialCallSid: `${call}.g0`,
    })
  },
)

t.test('after a conference the next verb runs, or its action', async t => {
  const { url, asked } = await voiceApplication(t, { '/after': '<Reject/>' })
  const room = newRoom({}, local)
  t.teardown(() => room.close())
  const { call, done } = await callBy(room, 'x', everything, [
    { conference: 'Room 1' },
    { conference: { name: 'Room 2', action: `${url}/after` } },
  ])
  await done(0)
  await done(1)
  t.match(await ended(room, call), { reason: 'rejected' })
  t.match(asked[0]?.fields, { DialCallStatus: 'completed' })
  t.notOk('DialCallSid' in asked[0]!.fields)
})

t.test('text that reads as a number is one where no destination has the name', async t => {
  const room = newRoom()
  const alice = room.phone('1001')
  const twiml = (text: string) => ({
    twiml: `<Response><Dial timeout="5" callerId="2" timeLimit="60">${text}</Dial></Response>`,
  })
  const dialled = async (text: string, performs: readonly string[]) => {
    const frames: FakeCaller['frames'] = []
    const caller = { account: 'gateway' as Party['account'], send: (f: never) => frames.push(f), performs }
    const { call } = await room.call('x', { caller, instructions: twiml(text) })
    return { call, performed: frames.filter(({ type }) => type === 'perform') }
  }
  t.same((await dialled('1001', everything)).performed, [], 'someone of that name')
  t.equal(alice.heard.at(-1), 'invite')
  t.match((await dialled('+1 555-0100', everything)).performed, [
    {
      verb: 'forward',
      with: {
        to: [{ number: '+15550100' }],
        sequential: false,
        timeoutMs: 5000,
        callerId: '2',
        timeLimitMs: 60_000,
      },
    },
  ])
  const steps = [{ dial: { to: '1002', action: 'https://voice.example.com/after' } }]
  const json = await callBy(room, 'x', everything, steps)
  t.match(json.performing(), [{ verb: 'forward', with: { to: [{ number: '1002' }] } }], 'in JSON, too')
  const failed = await dialled('+15550100', ['say'])
  t.match(view(room, failed.call), { reason: 'failed', message: /^forward is not to be had/ })
  const nobody = await dialled('zoe', everything)
  t.match(view(room, nobody.call), { reason: 'unavailable' }, 'a name that is no number is nobody here')
})

t.test(
  'a device that places calls may perform, too, and its next session is told what it was at',
  async t => {
    const room = newRoom()
    const alice = room.phone('alice')
    const caller = {
      account: 'alice' as Party['account'],
      party: alice.party,
      performs: ['gather'],
      send() {},
    }
    const { call } = await room.call('x', {
      caller,
      instructions: { steps: [{ gather: {} }, { pause: { ms: 100 } }, { reject: {} }] },
    })
    t.match(alice.frames.at(-1), { type: 'perform', call, step: 0 })
    t.match(room.router.retell(alice.party), [
      { type: 'progress', state: 'trying' },
      { type: 'perform', call, step: 0, verb: 'gather' },
    ])
    t.match(room.router.performed(alice.party, call, { step: 0, outcome: 'done' }), { ok: true })
    await room.clock.settle()
    t.same(
      room.router.retell(alice.party).map(({ type }) => type),
      ['progress'],
      'what is done is not asked again',
    )
    await room.clock.settle(110)
    t.match(view(room, call), { reason: 'rejected' })
  },
)
