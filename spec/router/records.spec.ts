// Calls and their records: who hears of an end before it is on the disk, who after, and what is left of a call when
// the process is not the one that had it.

import t, { type Test } from 'tap'
import type { AccountId, CallId, TenantId } from '../../src/protocol/index.js'
import { MemoryDisk } from '../support/memory-disk.js'
import { openLog } from '../support/records.js'
import { acme, newRoom } from '../support/room.js'

const groups = { groups: { support: { members: ['alice', 'bob'], ringTimeoutMs: 5_000 } } }

const turn = () => new Promise(resolve => setImmediate(resolve))

const stand = async (t: Test, log?: Awaited<ReturnType<typeof openLog>>, rest: object = {}) => {
  const kept = log ?? (await openLog(t))
  const room = newRoom(groups, rest, undefined, { records: kept.records, clock: kept.clock })
  t.teardown(() => room.close())
  const list = async (query: object = {}) => {
    const listed = await room.router.list(acme, { limit: 50, ...query })
    if (!listed.ok) throw new Error(listed.message)
    return listed.value
  }
  const ids = async (query: object = {}) => (await list(query)).calls.map(({ call }) => call)
  return { ...kept, room, list, ids }
}

t.test(
  'the other side and the person are free at once; the caller hears of it once it is on record',
  async t => {
    const { room, memory, idle, records } = await stand(t)
    const alice = room.phone('alice')
    const { call, caller } = await room.call('alice')
    t.ok(alice.accept(call, 'v=0'))
    room.clock.advance(2_000)
    const release = memory.hold('sync')
    t.ok(room.router.hangup(alice.party, call).ok)
    while (!memory.calls.includes('sync')) await turn()
    t.same(alice.heard, ['invite', 'connected', 'ended completed'])
    t.equal(
      room.presence.resource(acme, 'alice' as never, { view: 'full', devices: false }).status,
      'available',
    )
    t.same(caller.heard, ['progress trying', 'progress ringing', 'answered'], 'not yet')
    t.match(room.router.get(acme, call), { state: 'ended', reason: 'completed', recorded: false })
    t.match(room.router.hangup(alice.party, call), { ok: false, code: 'call-gone' })
    release()
    await idle()
    t.same(caller.heard, ['progress trying', 'progress ringing', 'answered', 'ended completed'])
    t.match(room.router.get(acme, call), { recorded: true, sdp: 'v=0' })
    t.match(await records.find(acme, call), {
      call,
      tenant: 'acme',
      owner: 'gateway',
      to: 'alice',
      from: '+15550199',
      direction: 'inbound',
      createdAt: '2026-01-01T00:00:00.000Z',
      answeredAt: '2026-01-01T00:00:00.000Z',
      endedAt: '2026-01-01T00:00:02.000Z',
      reason: 'completed',
      by: { account: 'alice', device: 'phone' },
      talkMs: 2_000,
      attempts: [
        {
          account: 'alice',
          device: 'phone',
          offeredAt: '2026-01-01T00:00:00.000Z',
          ringingAt: '2026-01-01T00:00:00.000Z',
          endedAt: '2026-01-01T00:00:00.000Z',
          outcome: 'won',
        },
      ],
    })
  },
)

t.test('a record has each attempt, when it was and where it came to; no media', async t => {
  const { room, idle, records } = await stand(t)
  const [alice, bob] = [room.phone('alice'), room.phone('bob', 'desk')]
  const { call } = await room.call('support', { sdp: 'v=0 of the caller' })
  await room.clock.settle(1_000)
  const [first, second] = alice.heard.length > 0 ? [alice, bob] : [bob, alice]
  t.ok(first.reject(call))
  await room.clock.settle(6_000)
  await idle()
  const record = (await records.find(acme, call))!
  t.equal(record.reason, 'no-answer')
  t.match(record.attempts, [
    {
      ...first.party,
      tenant: undefined,
      outcome: 'rejected',
      offeredAt: /:00\.000Z$/,
      endedAt: /:01\.000Z$/,
    },
    {
      ...second.party,
      tenant: undefined,
      outcome: 'timed-out',
      offeredAt: /:01\.000Z$/,
      endedAt: /:06\.000Z$/,
    },
  ])
  t.equal(record.attempts.length, 2)
  t.same(
    record.timeline.map(({ event }) => event),
    room.router.get(acme, call)!.timeline.map(({ event }) => event),
  )
  t.notOk(JSON.stringify(record).includes('v=0'))
})

t.test('after a restart a call is read and listed from its record, by whom it belongs to', async t => {
  const before = await stand(t)
  const alice = before.room.phone('alice')
  const { call } = await before.room.call('alice')
  alice.reject(call)
  const live = await before.room.call('alice')
  await before.idle()
  const view = before.room.router.get(acme, call)!
  const { room, list, ids } = await stand(t, await before.crash())
  t.equal(room.router.get(acme, call), undefined)
  t.same(await room.router.read(acme, call), { ...view })
  t.equal(await room.router.read('globex' as TenantId, call), undefined)
  t.equal(await room.router.read(acme, live.call), undefined, 'what was not over is lost')
  t.equal(room.router.callerOf(acme, call), undefined)
  t.same((await list()).calls, [{ ...view }])
  t.same(await ids({ owner: 'gateway' as AccountId }), [call])
  t.same(await ids({ owner: 'eve' as AccountId }), [])
  t.same(await ids({ state: 'connected' }), [])
  t.same(await ids({ state: 'ended', reason: 'rejected', to: 'alice', from: '+15550199' }), [call])
  for (const other of [{ reason: 'busy' }, { to: 'bob' }, { from: '1' }, { by: 'alice' }])
    t.same(await ids(other), [])
  const at = Date.parse(view.createdAt)
  t.same(await ids({ since: at, until: at + 1 }), [call])
  t.same(await ids({ until: at }), [])
  t.same(await ids({ since: at + 1_000 }), [])
})

t.test(
  'pages go from live calls to records; what ends meanwhile is neither missed nor shown twice',
  async t => {
    const { room, idle, list, ids } = await stand(t)
    const places: { call: CallId; caller: { request: { caller: never } } }[] = []
    const alice = room.phone('alice', 'phone', { tokenCapacity: 100 } as object)
    for (let number = 0; number < 12; number++) places.push((await room.call('nobody')) as never)
    await idle()
    const open: CallId[] = []
    for (let number = 0; number < 6; number++) {
      const { call } = await room.call('alice')
      alice.accept(call)
      open.push(call)
    }
    const first = await list({ limit: 3 })
    t.same(
      first.calls.map(({ call }) => call),
      [open[5], open[4], open[3]],
    )
    // One that was shown, and one that was not, end between the pages.
    room.router.hangup(alice.party, open[4]!)
    room.router.hangup(alice.party, open[1]!)
    await idle()
    const seen = first.calls.map(({ call }) => call)
    let { cursor } = first
    while (cursor !== undefined) {
      const page = await list({ limit: 3, cursor })
      seen.push(...page.calls.map(({ call }) => call))
      cursor = page.cursor
    }
    t.same(seen, [...open.toReversed(), ...places.map(({ call }) => call).toReversed()])
    t.same(new Set(await ids({ reason: 'completed' })), new Set([open[1], open[4]]))
    t.same(await ids({ by: 'alice', state: 'ended' }), [open[1], open[4]], 'the last to end first')
    t.equal((await ids()).length, 18)
  },
)

t.test('[FH6] a forged cursor is refused, or shows nothing that is not one’s own', async t => {
  const { room, idle } = await stand(t)
  await room.call('nobody')
  await idle()
  for (const cursor of ['x', '1', '-1', '1-', '1-1-1', '1.5-2', '1-x', `1-${'9'.repeat(17)}`, '1e3-1']) {
    t.match(await room.router.list(acme, { limit: 1, cursor }), { ok: false, code: 'invalid' }, cursor)
  }
  for (const cursor of ['0-0', '999999999999999-9999999999999999', '7-4294967296']) {
    const listed = await room.router.list(acme, { limit: 9, cursor, owner: 'eve' as AccountId })
    t.same(listed, { ok: true, value: { calls: [] } })
  }
})

t.test(
  '[FD1] the disk refuses: the caller hears the true reason, and nothing says that it is recorded',
  async t => {
    const { room, memory, records, idle, crash } = await stand(t)
    memory.fail('sync', 'EIO')
    const { call, caller } = await room.call('nobody')
    while (caller.heard.length === 0) await turn()
    t.same(caller.heard, ['ended unavailable'])
    t.match(room.router.get(acme, call), { reason: 'unavailable', recorded: false })
    t.match((await room.router.read(acme, call))?.recorded, false)
    memory.heal()
    room.clock.advance(50)
    await idle()
    t.match(room.router.get(acme, call), { recorded: true })
    t.same(caller.heard, ['ended unavailable'], 'told once')
    t.match(records.counts, { written: 1, late: 1 })
    const again = await crash()
    t.match(await again.records.find(acme, call), { reason: 'unavailable' })
  },
)

t.test('[FD5] while too many records wait no call is taken; those that go on may end', async t => {
  const { room, memory, idle, records } = await stand(t, undefined, { limits: { waitingRecords: 3 } })
  const alice = room.phone('alice')
  const live = await room.call('alice')
  alice.accept(live.call)
  const release = memory.hold('sync')
  for (let number = 0; number < 3; number++) await room.call('nobody')
  while (records.waiting < 3) await turn()
  await t.rejects(room.call('nobody'), {
    message: /^overloaded: at most 3 records .*\(limits\.waitingRecords\)/,
  })
  t.equal(room.router.trouble, 'records of 3 calls wait for the disk')
  t.ok(room.router.hangup(alice.party, live.call).ok)
  t.equal(records.waiting, 4)
  release()
  await idle()
  t.equal(room.router.trouble, undefined)
  await room.call('nobody')
})

t.test('draining and closing wait until every caller knows', async t => {
  const { room, memory, idle } = await stand(t)
  const release = memory.hold('sync')
  const { caller } = await room.call('nobody')
  while (!memory.calls.includes('sync')) await turn()
  let over = 0
  const drained = room.router.drain().then(() => over++)
  const closed = room.router.close().then(() => over++)
  await turn()
  t.equal(over, 0)
  release()
  await Promise.all([drained, closed])
  t.same(caller.heard, ['ended unavailable'])
  await idle()
})

t.test('a call that is forgotten before it is on record is found there later', async t => {
  const memory = new MemoryDisk()
  const { room, idle } = await stand(t, await openLog(t, memory), { limits: { endedCallsPerTenant: 1 } })
  const release = memory.hold('sync')
  const first = await room.call('nobody')
  await room.call('nobody')
  while (!memory.calls.includes('sync')) await turn()
  t.equal(await room.router.read(acme, first.call), undefined)
  release()
  await idle()
  t.match(await room.router.read(acme, first.call), { recorded: true, reason: 'unavailable' })
})

t.test('of a call with very many attempts the first thousand are on record', async t => {
  const { Attempts } = await import('../../src/router/record.js')
  const attempts = new Attempts(() => 'now')
  const parties = Array.from(
    { length: 1_001 },
    (_, index) => ({ account: `a${index}`, device: 'web' }) as never,
  )
  for (const party of parties) attempts.moved(party, 'offered')
  for (const party of parties) attempts.moved(party, 'canceled')
  t.equal(attempts.all.length, 1_000)
  t.match(attempts.all[0], { account: 'a0', offeredAt: 'now', endedAt: 'now', outcome: 'canceled' })
})
