// What applications are told of calls and of the destinations of a dial: which events, in which order, with which
// fields; and that what belongs to the end waits until that is on record.

import t, { type Test } from 'tap'
import type { CallbackDelivery, Callbacks } from '../../src/router/status-callbacks.js'
import type { CallRecord, CallRecords } from '../../src/store/index.js'
import { newRoom } from '../support/room.js'

const all = ['initiated', 'ringing', 'answered', 'completed']
const url = 'https://voice.example.com/status'

const stand = (t: Test, tenant: object = {}, records?: CallRecords) => {
  const told: CallbackDelivery[] = []
  const waiting: (() => void)[] = []
  const state = { waits: false }
  const callbacks: Callbacks = {
    deliver: delivery => told.push(delivery),
    kept: then => (state.waits ? void waiting.push(then) : then()),
  }
  const room = newRoom(tenant, {}, undefined, { callbacks, records })
  t.teardown(() => room.close())
  return {
    room,
    told,
    state,
    waiting,
    /** Of one CallSid: what was told, in a line each. */
    lines: (sid: string) =>
      told
        .filter(({ key }) => key === sid)
        .map(({ fields: { SequenceNumber, CallStatus, CallDuration } }) =>
          [SequenceNumber, CallStatus, CallDuration].filter(part => part !== undefined).join(' '),
        ),
    steps: (...steps: object[]) => ({ instructions: { steps } }),
  }
}

const group = { groups: { support: { members: ['alice', 'bob'] } } }

t.test('a call is told of as it goes on, with the fields that voice applications know', async t => {
  const { room, told } = stand(t)
  const alice = room.phone('alice')
  const { call } = await room.call('alice', { statusCallback: { url, events: all, method: 'GET' } })
  await room.clock.settle(1_000)
  alice.accept(call)
  await room.clock.settle(61_400)
  room.router.hangup(alice.party, call)
  const fields = {
    CallSid: call,
    AccountSid: 'acme',
    From: '+15550199',
    To: 'alice',
    Direction: 'inbound',
    ApiVersion: '2010-04-01',
    CallbackSource: 'call-progress-events',
  }
  t.match(told, [
    {
      id: `${call}:0`,
      tenant: 'acme',
      url,
      method: 'GET',
      key: call,
      fields: {
        ...fields,
        CallStatus: 'initiated',
        SequenceNumber: '0',
        Timestamp: 'Thu, 01 Jan 2026 00:00:00 +0000',
      },
    },
    { id: `${call}:1`, fields: { ...fields, CallStatus: 'ringing', SequenceNumber: '1' } },
    {
      fields: {
        CallStatus: 'in-progress',
        SequenceNumber: '2',
        Timestamp: 'Thu, 01 Jan 2026 00:00:01 +0000',
      },
    },
    { fields: { ...fields, CallStatus: 'completed', SequenceNumber: '3', CallDuration: '61' } },
  ])
  t.equal(told.length, 4)
  t.notOk('CallDuration' in told[2]!.fields)
})

t.test(
  'without a word on events it is told of its end alone; how that is called is the endings’',
  async t => {
    const { room, told } = stand(t, group)
    room.phone('alice')
    const canceled = await room.call('alice', { statusCallback: url })
    room.router.hangup(canceled.caller.request.caller, canceled.call)
    const missed = await room.call('alice', { statusCallback: url })
    await room.clock.settle(60_000)
    const nobody = await room.call('nobody', { statusCallback: url })
    await room.clock.settle()
    await room.call('alice')
    const failed = await room.call('x', {
      statusCallback: url,
      instructions: { steps: [{ dial: { queue: 'a' } }] },
    })
    await room.clock.settle(60_000)
    t.same(
      told.map(({ key, fields: { CallStatus, SequenceNumber, CallDuration } }) =>
        [key, CallStatus, SequenceNumber, CallDuration].join(' '),
      ),
      [
        `${canceled.call} canceled 0 0`,
        `${missed.call} no-answer 0 0`,
        `${nobody.call} no-answer 0 0`,
        `${failed.call} failed 0 0`,
      ],
    )
  },
)

t.test('an event comes once and none comes back, however often it rings', async t => {
  const { room, lines, steps } = stand(t, group)
  const [alice, bob] = [room.phone('alice'), room.phone('bob', 'desk', { confirms: false })]
  const { call } = await room.call('x', {
    statusCallback: { url, events: all },
    ...steps({ dial: { to: 'alice' } }, { dial: { to: 'bob' } }),
  })
  await room.clock.settle()
  alice.reject(call)
  await room.clock.settle(2_000)
  bob.accept(call)
  await room.clock.settle(3_000)
  bob.lose()
  room.router.gone(bob.party)
  t.same(lines(call), ['0 initiated', '1 ringing', '2 in-progress', '3 failed 3'])
})

t.test('each destination of a dial is a call of its own', async t => {
  const { room, told, lines, steps } = stand(t, group)
  const [alice, bob] = [room.phone('alice'), room.phone('bob')]
  room.phone('carol')
  const statusCallback = { url, events: all }
  const to = [
    { name: 'alice', statusCallback },
    { name: 'bob', statusCallback: { url: 'https://other.example.com', events: ['ringing', 'completed'] } },
    'carol',
    { name: 'nobody', statusCallback },
  ]
  const { call } = await room.call('x', steps({ dial: { to, callerId: '+15550142' } }))
  await room.clock.settle(2_000)
  t.same(lines(`${call}.1.4`), ['0 initiated', '1 no-answer 0'], 'nobody is there')
  bob.accept(call)
  t.same(lines(`${call}.1.1`), ['0 initiated', '1 ringing', '2 canceled 0'])
  await room.clock.settle(5_000)
  room.router.hangup(bob.party, call)
  t.same(lines(`${call}.1.2`), ['0 ringing', '1 completed 5'])
  t.match(told.at(-1), {
    url: 'https://other.example.com/',
    method: 'POST',
    id: `${call}.1.2:1`,
    fields: {
      CallSid: `${call}.1.2`,
      ParentCallSid: call,
      From: '+15550142',
      To: 'client:bob',
      Direction: 'outbound-dial',
    },
  })
  t.equal(told.filter(({ fields }) => fields.ParentCallSid === call).length, 7)
  alice.leave()
})

t.test(
  'a destination ends as it ended: refused, not answered in time, given up, failed; or was never rung',
  async t => {
    const { room, told, lines, steps } = stand(t, group)
    const [alice, bob] = [room.phone('alice'), room.phone('bob')]
    const noun = (name: string) => ({ name, statusCallback: url })
    const place = async (dial: object) => {
      const { call, caller } = await room.call('x', steps({ dial }))
      await room.clock.settle()
      return { call, end: () => room.router.hangup(caller.request.caller, call) }
    }
    const refused = await place({ to: noun('alice') })
    alice.reject(refused.call)
    await room.clock.settle()
    t.same(lines(`${refused.call}.1`), ['0 busy 0'])

    const late = await place({ to: noun('support'), totalTimeoutMs: 5_000 })
    await room.clock.settle(5_000)
    t.same(lines(`${late.call}.1`), ['0 no-answer 0'])

    await room.clock.settle(60_000)
    const ordered = await place({ to: [noun('alice'), noun('bob')], sequential: true })
    ordered.end()
    t.same(lines(`${ordered.call}.1.1`), ['0 canceled 0'])
    t.same(lines(`${ordered.call}.1.2`), [], 'one that never began is not told of')

    const lost = await place({ to: noun('bob') })
    bob.accept(lost.call)
    await room.clock.settle(7_000)
    bob.lose()
    room.router.gone(bob.party)
    t.same(lines(`${lost.call}.1`), ['0 failed 7'])

    const stopped = await place({ to: noun('alice') })
    room.router.close()
    t.same(lines(`${stopped.call}.1`), ['0 failed 0'])
    t.equal(told.length, 5)
  },
)

t.test('after a dial with an action its destination is over, and the call is not', async t => {
  const { room, lines, steps } = stand(t)
  const alice = room.phone('alice')
  const { call } = await room.call('x', {
    statusCallback: { url, events: all },
    ...steps({
      dial: {
        to: { name: 'alice', statusCallback: { url, events: all } },
        action: 'https://127.0.0.1/after',
      },
    }),
  })
  await room.clock.settle()
  alice.accept(call)
  await room.clock.settle(4_000)
  room.router.hangup(alice.party, call)
  t.same(lines(`${call}.1`), ['0 initiated', '1 ringing', '2 in-progress', '3 completed 4'])
  t.same(lines(call), ['0 initiated', '1 ringing', '2 in-progress'])
})

t.test(
  'a relative address without a document to begin at is passed over, with a word in the timeline',
  async t => {
    const { room, told, steps } = stand(t)
    room.phone('alice')
    const { call } = await room.call(
      'x',
      steps({ dial: { to: { name: 'alice', statusCallback: { url: '/status', events: all } } } }),
    )
    await room.clock.settle()
    t.match(
      room.router.get('acme' as never, call)?.timeline.find(({ event }) => event === 'warning'),
      { warning: 'the statusCallback of alice must be an absolute URL' },
    )
    t.same(told, [])
  },
)

t.test(
  'what belongs to the end goes out once that is on record; the caller hears when it is kept, too',
  async t => {
    const records: { record: CallRecord; settled: (position: number | undefined) => void }[] = []
    const { room, state, waiting, lines, steps } = stand(t, {}, {
      append: (record: CallRecord, settled: (position: number | undefined) => void) =>
        records.push({ record, settled }),
      keys: () => [],
      waiting: 0,
    } as never)
    const alice = room.phone('alice')
    const { call, caller } = await room.call('x', {
      statusCallback: url,
      ...steps({ dial: { to: { name: 'alice', statusCallback: url } } }),
    })
    await room.clock.settle()
    alice.accept(call)
    await room.clock.settle(2_000)
    state.waits = true
    room.router.hangup(alice.party, call)
    await room.clock.settle(3_000)
    t.same([lines(call), lines(`${call}.1`)], [[], []], 'not before')
    const drained = room.router.drain()
    records[0]!.settled(7)
    t.same([lines(call), lines(`${call}.1`)], [['0 completed 2'], ['0 completed 2']], 'as it was then')
    t.notOk(caller.heard.includes('ended completed'))
    records[0]!.settled(7)
    t.equal(waiting.length, 1)
    waiting[0]!()
    t.ok(caller.heard.includes('ended completed'))
    await drained
  },
)

t.test('where nobody brings them there, calls are as they are without', async t => {
  const room = newRoom()
  const alice = room.phone('alice')
  const { call, caller } = await room.call('alice', { statusCallback: url })
  alice.accept(call)
  room.router.hangup(alice.party, call)
  t.equal(caller.heard.at(-1), 'ended completed')
})
