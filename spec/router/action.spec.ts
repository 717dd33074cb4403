// What follows a dial: its action, whoever ended it and however; its time limit; what its devices are told of the caller.

import t, { type Test } from 'tap'
import { acme, newRoom } from '../support/room.js'
import { ended, until, voiceApplication } from '../support/voice-application.js'

const local = { fetch: { allowPrivate: true } }

/** A room whose number 1 is answered by this application. */
const stand = async (test: Test, documents: Record<string, string>) => {
  const application = await voiceApplication(test, documents)
  const room = newRoom({ routes: [{ to: '1', instructions: `${application.url}/in?key=1` }] }, local)
  test.teardown(() => room.close())
  const timeline = (call: string) => room.router.get(acme, call as never)!.timeline
  return { ...application, room, timeline }
}

t.test('[C5] the action of a dial that nobody answers is asked with what became of it', async t => {
  for (const [reason, status, outcome] of [
    ['declined', 'busy', 'rejected'],
    ['busy', 'busy', 'busy'],
  ] as const) {
    const { room, asked, timeline } = await stand(t, {
      '/in': '<Dial action="after?x=1" record="yes"><Client>alice</Client></Dial><Hangup/>',
      '/after': '<Reject reason="busy"/>',
    })
    const alice = room.phone('alice')
    const { call } = await room.call('1', { params: { order: '45', DialCallStatus: 'forged' } })
    await until(room, () => alice.heard.includes('invite'))
    alice.reject(call, reason)
    t.match(await ended(room, call), { reason: 'busy' })
    t.same(
      asked.map(({ path }) => path),
      ['POST /in', 'POST /after'],
    )
    t.match(asked[1]?.fields, {
      CallSid: call,
      AccountSid: 'acme',
      From: '+15550199',
      To: '1',
      order: '45',
      x: '1',
      DialCallStatus: status,
      DialCallSid: `${call}.1`,
      DialCallDuration: '0',
    })
    t.match(
      timeline(call).filter(({ event }) => /^(warning|dialled|action)$/.test(event)),
      [{ warning: 'Dial at 1:11: record is ignored' }, { outcome }, { url: /\/after$/ }],
      'and no query is written down',
    )
  }
})

t.test('a dial that finds nobody has its action asked with no-answer, and a method of its own', async t => {
  const { room, asked } = await stand(t, {
    '/in': '<Dial action="/after" method="GET" timeout="5"><Client>alice</Client></Dial>',
    '/after': '',
  })
  const { call } = await room.call('1')
  t.match(await ended(room, call), { reason: 'unavailable' }, 'as its last dial')
  t.match(asked[1], { path: 'GET /after', fields: { DialCallStatus: 'no-answer' } })
})

t.test("[C5] whoever answered hangs up: the caller's call goes on with the action", async t => {
  const { room, asked, timeline } = await stand(t, {
    '/in': '<Dial action="/after"><Client>alice</Client></Dial><Reject/>',
    '/after': '<Dial><Client>bob</Client></Dial>',
  })
  const alice = room.phone('alice')
  const bob = room.phone('bob')
  const { call, caller } = await room.call('1')
  await until(room, () => alice.heard.includes('invite'))
  alice.accept(call, 'answer of alice')
  await room.clock.settle(61_400)
  t.match(room.router.hangup(alice.party, call), { ok: true })
  t.equal(alice.heard.at(-1), 'ended completed', 'she hears that it is over for her')
  t.match(
    room.router.hangup(alice.party, call),
    { ok: false, code: 'call-gone' },
    'and it is not hers any more',
  )
  t.notOk(room.router.talking(alice.party))
  t.equal(
    room.presence.resource(acme, 'alice' as never, { view: 'full', devices: false }).status,
    'available',
  )
  await until(room, () => bob.heard.includes('invite'))
  t.match(asked[1]?.fields, {
    DialCallStatus: 'completed',
    DialCallSid: `${call}.1`,
    DialCallDuration: '61',
  })
  t.match(room.router.get(acme, call), { state: 'ringing' })
  bob.accept(call, 'answer of bob')
  t.same(caller.heard, [
    'progress trying',
    'progress ringing',
    'answered',
    'progress trying',
    'progress trying',
    'progress ringing',
    'answered',
  ])
  t.match(caller.frames.at(-1), { type: 'answered', sdp: 'answer of bob', by: { account: 'bob' } })
  room.router.hangup(bob.party, call)
  t.match(room.router.get(acme, call), { reason: 'completed', by: { account: 'bob' } }, 'no action: the end')
  t.match(
    timeline(call).find(({ event }) => event === 'dialled'),
    { outcome: 'completed', dialCallStatus: 'completed', by: { account: 'alice' } },
  )
})

t.test('an action document that does nothing ends the call as the dial that was answered', async t => {
  const { room } = await stand(t, {
    '/in': '<Dial action="/after"><Client>alice</Client></Dial>',
    '/after': '<Pause length="5"/><Hangup/>',
  })
  const alice = room.phone('alice')
  const answered = async () => {
    const { call, caller } = await room.call('1')
    await until(room, () => alice.heard.at(-1) === 'invite')
    alice.accept(call)
    room.router.hangup(alice.party, call)
    await until(room, () => room.router.get(acme, call)!.timeline.at(-1)?.event === 'pause')
    return { call, caller }
  }
  const first = await answered()
  await room.clock.settle(5010)
  t.match(await ended(room, first.call), { reason: 'completed', by: { account: 'alice' } })
  const second = await answered()
  room.router.hangup(second.caller.request.caller, second.call)
  t.match(room.router.get(acme, second.call), { reason: 'completed' }, 'it was answered, and is no lost call')
  const third = await answered()
  room.router.gone(third.caller.request.caller)
  t.match(room.router.get(acme, third.call), { reason: 'completed', message: 'the caller was lost' })
})

t.test('the caller who hangs up ends the call, and no action is asked', async t => {
  const { room, asked } = await stand(t, {
    '/in': '<Dial action="/after"><Client>alice</Client></Dial>',
    '/after': '',
  })
  const alice = room.phone('alice')
  const { call, caller } = await room.call('1')
  await until(room, () => alice.heard.includes('invite'))
  alice.accept(call)
  room.router.hangup(caller.request.caller, call)
  t.match(room.router.get(acme, call), { reason: 'completed' })
  await room.clock.settle()
  t.equal(asked.length, 1)
})

t.test(
  'who answered and is lost for good is a failed dial for the action, and the end without one',
  async t => {
    const { room, asked } = await stand(t, {
      '/in': '<Dial action="/after"><Client>alice</Client></Dial>',
      '/after': '<Reject/>',
    })
    const alice = room.phone('alice')
    const { call, caller } = await room.call('1')
    await until(room, () => alice.heard.includes('invite'))
    alice.accept(call)
    alice.leave()
    t.match(await ended(room, call), { reason: 'rejected' })
    t.match(asked[1]?.fields, { DialCallStatus: 'failed' })
    const bob = room.phone('bob')
    const plain = await room.call('bob')
    bob.accept(plain.call)
    room.router.gone(plain.caller.request.caller)
    t.match(room.router.get(acme, plain.call), { reason: 'failed' })
    t.not(caller, plain.caller)
  },
)

t.test('a time limit ends the talk: with the call, or on to the action', async t => {
  const { room, asked } = await stand(t, {
    '/in': '<Dial timeLimit="90" action="/after"><Client>alice</Client></Dial>',
    '/after': '<Reject/>',
  })
  const alice = room.phone('alice')
  const steps = [{ dial: { to: 'alice', timeLimitMs: 90_000 } }]
  const limited = await room.call('x', { instructions: { steps } })
  alice.accept(limited.call)
  await room.clock.settle(89_900)
  t.match(room.router.get(acme, limited.call), { state: 'connected' })
  await room.clock.settle(110)
  t.match(room.router.get(acme, limited.call), {
    reason: 'completed',
    message: 'the time limit of 90 s is over',
  })
  t.ok(alice.frames.some(frame => frame.type === 'ended' && /time limit/.test(String(frame.message))))
  t.match(limited.caller.frames.at(-1), { type: 'ended', message: /time limit/ })

  const { call } = await room.call('1')
  await until(room, () => alice.heard.at(-1) === 'invite')
  alice.accept(call)
  await room.clock.settle(90_010)
  t.match(await ended(room, call), { reason: 'rejected' })
  t.match(asked[1]?.fields, { DialCallStatus: 'completed', DialCallDuration: '90' })

  const short = await room.call('x', { instructions: { steps } })
  alice.accept(short.call)
  room.router.hangup(alice.party, short.call)
  await room.clock.settle(90_010)
  t.notOk(room.router.get(acme, short.call)!.message, 'a call that is over has no limit any more')
})

t.test('a callerId is who calls, to those who are rung', async t => {
  const room = newRoom()
  const alice = room.phone('alice')
  const steps = [
    { dial: { to: 'alice', callerId: '"Sales"\u00a0<1>', timeoutMs: 1000 } },
    { dial: { to: 'alice' } },
  ]
  const { call } = await room.call('x', { instructions: { steps } })
  t.match(alice.frames.at(-1), { type: 'invite', from: '"Sales"\u00a0<1>' }, '[FX7] as it was written')
  await room.clock.settle(12_010)
  t.match(alice.frames.at(-1), { type: 'invite', from: '+15550199' })
  t.equal(room.router.get(acme, call)!.from, '+15550199')
})

t.test('[FX4] a loop of actions ends the call', async t => {
  const { room, asked } = await stand(t, { '/in': '<Dial action=""><Client>alice</Client></Dial>' })
  const { call } = await room.call('1')
  t.match(await ended(room, call), { reason: 'failed', message: /more than 20 times/ })
  t.equal(asked.length, 20, 'an empty action is the document itself')
  t.match(asked[19]?.fields, { key: '1', DialCallStatus: 'no-answer' })
})

t.test('an action that leads nowhere ends the call before anyone rings', async t => {
  const { room, asked } = await stand(t, {
    '/in': '<Dial action="/missing"><Client>nobody</Client></Dial>',
  })
  const alice = room.phone('alice')
  const steps = [{ dial: { to: 'alice', action: 'after' } }]
  const { call } = await room.call('x', { instructions: { steps } })
  t.match(await ended(room, call), { reason: 'failed', message: 'Dial action: must be an absolute URL' })
  t.same(alice.heard, [])
  const other = await room.call('1')
  t.match(await ended(room, other.call), { reason: 'failed', message: /\/missing .*404/ })
  t.equal(asked.length, 2)
})

t.test('a queue that is none ends the call, and says so', async t => {
  const room = newRoom()
  for (const [step, message] of [
    [{ enqueue: { group: 'support' } }, 'Enqueue: there is no group support'],
    [{ dial: { queue: 'support' } }, /^Dial with Queue is for callers who call from a device/],
  ]) {
    const { call } = await room.call('x', { instructions: { steps: [step] } })
    t.match(await ended(room, call), { reason: 'failed', message })
  }
})

t.test('[FX5] a document with faults is told of with every line, and the fallback runs', async t => {
  const application = await voiceApplication(t, {
    '/in': '\n<Dance/>\n <Dial timeout="soon">alice</Dial>',
    '/open': '<Hangup>',
    '/fallback': '<Reject reason="busy"/>',
  })
  const { url, asked } = application
  const fallbackUrl = `${url}/fallback`
  const room = newRoom(
    {
      routes: [
        { to: '1', instructions: { url: `${url}/in`, fallbackUrl } },
        { to: '2', instructions: { url: `${url}/open`, fallbackUrl } },
      ],
    },
    local,
  )
  for (const [to, why] of [
    ['1', /2:1 Dance is not supported; 3:2 Dial timeout must be whole seconds/],
    ['2', /1:\d+ unexpected close tag/],
  ] as const) {
    const { call } = await room.call(to)
    t.match(await ended(room, call), { reason: 'busy' })
    t.match(
      room.router.get(acme, call)!.timeline.filter(({ event }) => event === 'instructions-refused'),
      [{ why }],
    )
  }
  t.match(asked[1]?.fields, { ErrorCode: '12100', ErrorUrl: `${url}/in` })
  await room.close()
})
