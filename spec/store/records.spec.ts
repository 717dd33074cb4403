// The log of calls that are over: what is told to be on the disk is there after whatever crash, once; what the disk
// refuses waits; and reading costs no more however long the log is.

import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Clock, silentLog, VirtualClock } from '../../src/runtime/index.js'
import {
  type CallRecord,
  openFileStore,
  type Position,
  type RecordLogOptions,
} from '../../src/store/index.js'
import { lineOf } from '../../src/store/lines.js'
import { readRecords } from '../../src/store/record-file.js'
import { RecordIndex } from '../../src/store/record-index.js'
import { positionOf, readPage, readsPerPage, rowsPerPage } from '../../src/store/record-reading.js'
import { chanceOf, seedOf } from '../support/chance.js'
import { MemoryDisk } from '../support/memory-disk.js'
import { n } from '../support/presence-world.js'

const dir = '/data'
const defaults: RecordLogOptions = {
  fileBytes: 1e6,
  keptBytes: 1e7,
  keptDays: 90,
  patienceMs: 10_000,
  keysPerTenant: 100,
}

const turn = () => new Promise(resolve => setImmediate(resolve))

const recordOf = (number: number, more: Partial<CallRecord> = {}): CallRecord => ({
  call: n(`call-${number}`),
  tenant: n('acme'),
  owner: n('pbx'),
  to: '+15550100',
  from: '+15550199',
  direction: 'inbound',
  createdAt: '2026-01-01T00:00:00.000Z',
  endedAt: '2026-01-01T00:01:00.000Z',
  reason: 'completed',
  attempts: [],
  timeline: [{ at: '2026-01-01T00:00:00.000Z', event: 'received' }],
  ...more,
})

const open = async (
  t: Test,
  memory = new MemoryDisk(),
  options: Partial<RecordLogOptions> = {},
  clock = new VirtualClock(),
  wall: () => number = () => clock.wall(),
) => {
  const logged: { level: string; facts: Record<string, unknown>; message: string }[] = []
  const line = (level: string) => (facts: object, message: string) => {
    logged.push({ level, facts: { ...facts }, message })
  }
  const log = { info: line('info'), warn: line('warn'), error: line('error') }
  const store = await openFileStore({
    dir,
    clock: { now: () => clock.now(), wall, after: (ms, task) => clock.after(ms, task) } satisfies Clock,
    log,
    disk: memory.disk,
    records: { ...defaults, ...options },
  })
  t.teardown(() => store.close())
  const records = store.records!
  /** What became of each call that was handed over: `late`, then its position. */
  const settled = new Map<string, (Position | 'late')[]>()
  const append = (...numbers: (number | CallRecord)[]) => {
    for (const number of numbers) {
      const record = typeof number === 'number' ? recordOf(number) : number
      const told: (Position | 'late')[] = []
      settled.set(record.call, told)
      records.append(record, position => told.push(position ?? 'late'))
    }
  }
  const idle = async () => {
    while (records.waiting > 0) await turn()
  }
  const page = (query: object = {}) =>
    records.page({
      tenant: n('acme'),
      below: Number.MAX_SAFE_INTEGER,
      limit: 50,
      wants: () => true,
      ...query,
    })
  /** All of the log by pages, the newest first. */
  const all = async (query: object = {}) => {
    const calls: string[] = []
    let below: number | undefined = Number.MAX_SAFE_INTEGER
    while (below !== undefined) {
      const answer = await page({ ...query, below })
      calls.push(...answer.records.map(({ call }) => call))
      below = answer.next
    }
    return calls
  }
  return { memory, clock, store, records, logged, settled, append, idle, page, all }
}

const path = (sequence: number) => join(dir, `calls-00000${sequence}.jsonl`)
const ids = (from: number, to: number) =>
  Array.from({ length: Math.abs(to - from) + 1 }, (_, index) => `call-${from + (from < to ? index : -index)}`)

t.test('a record is told to be kept once it is on the disk, and is there again after a start', async t => {
  const world = await open(t)
  const release = world.memory.hold('sync')
  const full = recordOf(1, {
    message: 'back\u2028in a line\r\n',
    by: { account: n('alice'), device: n('web') },
    answeredAt: '2026-01-01T00:00:10.000Z',
    talkMs: 50_000,
  })
  world.append(full)
  while (!world.memory.calls.includes('sync')) await turn()
  t.same(world.settled.get('call-1'), [], 'not before it is')
  t.equal(world.records.waiting, 1)
  t.same(await world.all(), [])
  release()
  await world.idle()
  t.equal(world.settled.get('call-1')?.length, 1)
  t.same(await world.records.find(n('acme'), n('call-1')), full)
  t.equal(await world.records.find(n('globex'), n('call-1')), undefined, 'another tenant has no such call')
  t.equal(await world.records.find(n('acme'), n('call-2')), undefined)

  world.memory.losePower()
  const again = await open(t, world.memory)
  t.same(await again.records.find(n('acme'), n('call-1')), full)
  t.same(again.logged, [])
  again.append(2)
  await again.idle()
  t.same(world.memory.names, ['calls-000001.jsonl', 'calls-000002.jsonl'], 'a new process has a new file')
  t.same(await again.all(), ['call-2', 'call-1'])
  t.ok((again.settled.get('call-2')?.[0] as number) > (world.settled.get('call-1')?.[0] as number))
  t.match(again.records.counts, { written: 1, late: 0, lost: 0, damaged: 0, torn: 0 })
})

t.test('all that come while a write is under way are the next one', async t => {
  const world = await open(t)
  const release = world.memory.hold('sync')
  world.append(0)
  while (!world.memory.calls.includes('sync')) await turn()
  world.append(...Array.from({ length: 300 }, (_, index) => index + 1))
  t.equal(world.records.waiting, 301)
  release()
  await world.idle()
  t.equal(world.memory.calls.filter(call => call === 'sync').length, 2)
  t.equal(world.records.counts.written, 301)
  t.same(await world.all(), ids(300, 0))
})

t.test('one that comes because another was told of is written, however close behind', async t => {
  const world = await open(t)
  for (const microtasks of [0, 1, 2, 3, 4]) {
    const number = 10 * microtasks
    world.records.append(recordOf(number), async () => {
      for (let count = 0; count < microtasks; count++) await undefined
      world.append(number + 1)
    })
    await world.idle()
    await turn()
    await world.idle()
    t.equal(world.settled.get(`call-${number + 1}`)?.length, 1)
  }
})

t.test('[FD4] files are named by number; a clock that jumps changes neither names nor order', async t => {
  let wall = 0
  const world = await open(t, undefined, { fileBytes: 500, keptDays: 36_500 }, new VirtualClock(), () => wall)
  for (let number = 1; number <= 9; number++) {
    // Years back and forth.
    wall = (number % 2 ? 1.9e12 : 1.6e12) + number
    world.append(number)
    await world.idle()
  }
  t.same(world.memory.names.length > 3, true)
  t.same(
    world.memory.names,
    world.memory.names.map((_, index) => `calls-00000${index + 1}.jsonl`),
  )
  t.same(await world.all(), ids(9, 1))
  world.memory.losePower()
  const again = await open(t, world.memory)
  t.same(await again.all(), ids(9, 1))
})

t.test('[FD4] a crash while a file is begun leaves an empty one, which goes', async t => {
  const world = await open(t)
  world.append(1)
  await world.idle()
  world.memory.losePower()
  world.memory.put(path(2), Buffer.alloc(0))
  world.memory.put(path(3), Buffer.from('["0000'))
  world.memory.put(join(dir, 'calls-000004.jsonl.new'), Buffer.from('x'))
  const again = await open(t, world.memory)
  t.same(world.memory.names, ['calls-000001.jsonl', 'calls-000004.jsonl.new'])
  again.append(2)
  await again.idle()
  t.same(await again.all(), ['call-2', 'call-1'])
})

t.test('a file that is a day old is left for a new one, however small', async t => {
  const world = await open(t)
  for (let number = 1; number <= 3; number++) {
    world.append(number)
    await world.idle()
    world.clock.advance(86_400_000)
  }
  t.same(world.memory.names, ['calls-000001.jsonl', 'calls-000002.jsonl'])
})

t.test('the oldest files go, beyond so many bytes and so many days', async t => {
  const size = lineOf(recordOf(1)).length
  const world = await open(t, undefined, { fileBytes: 2 * size, keptBytes: 5 * size })
  for (let number = 1; number <= 9; number++) {
    world.append(number)
    await world.idle()
  }
  t.same(world.memory.names, ['calls-000003.jsonl', 'calls-000004.jsonl', 'calls-000005.jsonl'])
  t.same(await world.all(), ids(9, 5))
  t.equal(await world.records.find(n('acme'), n('call-4')), undefined)
  world.memory.losePower()

  const smaller = await open(t, world.memory, { keptBytes: 2 * size })
  t.same(await smaller.all(), ['call-9'], 'at the start too')
  await smaller.store.close()

  const clock = new VirtualClock(Date.parse('2026-01-31T00:01:00Z'))
  const lasting = await open(t, world.memory, { keptDays: 30 }, clock)
  t.same(await lasting.all(), ['call-9'], 'kept for the whole of them')
  await lasting.store.close()
  clock.advance(1)
  world.memory.fail('rm', 'EROFS')
  const older = await open(t, world.memory, { keptDays: 30 }, clock)
  t.same(await older.all(), [])
  t.match(older.logged, [
    { level: 'warn', facts: { file: 'calls-000005.jsonl' }, message: /cannot be removed/ },
  ])
  world.memory.heal()
})

t.test(
  '[FD2] the log cut at every byte of its last 64 KiB comes back whole, but for the torn line',
  async t => {
    const chance = chanceOf(seedOf(t))
    const notes: string[] = []
    const lines: Buffer[] = []
    let size = 0
    while (size < 80 * 1024) {
      const note = 'é'.repeat(chance.below(800))
      notes.push(note)
      const line = Buffer.from(lineOf(recordOf(lines.length, { message: note })))
      lines.push(line)
      size += line.length
    }
    const whole = Buffer.concat(lines)
    const ends = lines.map((_, index) =>
      lines.slice(0, index + 1).reduce((sum, { length }) => sum + length, 0),
    )
    const clock = new VirtualClock()
    let wrong = 0
    let opened = 0
    let count = ends.findLastIndex(end => end <= whole.length - 64 * 1024) + 1
    for (let cut = whole.length - 64 * 1024; cut <= whole.length; cut++) {
      if (ends[count] === cut) count++
      const end = Number(ends[count - 1])
      // Lines are read one by one: those far before the cut are as they were.
      const from = Number(ends[count - 3])
      const read = readRecords(whole.subarray(from, cut))
      const calls = read.whole.map(({ record }) => record.call)
      if (calls.join() !== `call-${count - 2},call-${count - 1}`) wrong++
      if (read.damaged.length > 0 || read.torn !== cut - end) wrong++
      // And the whole of it, at the ends of lines and in between.
      if (cut !== end && cut !== end + 1 && cut !== Number(ends[count]) - 1 && cut % 1_021 !== 0) continue
      opened++
      const memory = new MemoryDisk()
      memory.put(path(1), whole.subarray(0, cut))
      const store = await openFileStore({ dir, clock, log: silentLog, disk: memory.disk, records: defaults })
      const { top, counts } = store.records!
      if (top !== positionOf(1, count) || counts.damaged > 0 || counts.torn !== Number(end < cut)) wrong++
      if (!memory.content(path(1)).equals(whole.subarray(0, end))) wrong++
      const last = await store.records!.find(n('acme'), n(`call-${count - 1}`))
      if (last?.message !== notes[count - 1]) wrong++
      await store.close()
    }
    t.ok(opened > 100)
    t.equal(wrong, 0)
  },
)

t.test('[FD2] a bit that flips anywhere costs the records it is in, and no other', async t => {
  const lines = [1, 2, 3, 4].map(number => Buffer.from(lineOf(recordOf(number))))
  const whole = Buffer.concat(lines)
  const texts = new Set(lines.map(String))
  for (let at = 0; at < whole.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const flipped = Buffer.from(whole)
      flipped[at]! ^= 1 << bit
      const { whole: good, damaged, torn } = readRecords(flipped)
      const isEnd = whole[at] === 10
      // A line's end is in two records, the last one's in none that follows.
      const most = isEnd && at < whole.length - 1 ? 2 : 1
      if (good.length < 4 - most || !good.every(({ line }) => texts.has(String(line)))) t.fail(`${at}.${bit}`)
      if (damaged.length + Number(torn > 0) === 0) t.fail(`not seen: ${at}.${bit}`)
    }
  }
})

t.test('[FD2] a line that is not as it was written is put aside with its file, told and counted', async t => {
  const world = await open(t)
  world.append(1, 2, 3)
  await world.idle()
  world.memory.losePower()
  const content = String(world.memory.content(path(1)))
  const damaged =
    content.replace('call-2', 'call-7') + lineOf({ some: 'thing' }) + lineOf(recordOf(4)).slice(0, -3)
  world.memory.put(path(1), Buffer.from(damaged))
  const again = await open(t, world.memory)
  t.same(await again.all(), ['call-3', 'call-1'])
  t.match(again.records.counts, { damaged: 2, torn: 1 })
  t.match(again.logged, [
    {
      level: 'error',
      facts: { dir, aside: 'calls-000001.jsonl.damaged-1', lines: [2, 4], damaged: 2, whole: 2 },
      message: 'calls-000001.jsonl is damaged, and was put aside',
    },
  ])
  t.equal(String(world.memory.content(join(dir, 'calls-000001.jsonl.damaged-1'))), damaged, 'untouched')
  world.memory.losePower()
  const third = await open(t, world.memory)
  t.match(third.records.counts, { damaged: 0, torn: 0 }, 'once')
  t.same(await third.all(), ['call-3', 'call-1'])
})

t.test('[FD2] NULs at the end, as a power loss leaves them, are cut off', async t => {
  const world = await open(t)
  world.append(1, 2)
  await world.idle()
  world.memory.losePower()
  const content = world.memory.content(path(1))
  for (const tail of [Buffer.alloc(4096), Buffer.concat([Buffer.from('["0123'), Buffer.alloc(9)])]) {
    world.memory.put(path(1), Buffer.concat([content, tail]))
    const again = await open(t, world.memory)
    t.same(await again.all(), ['call-2', 'call-1'])
    t.match(again.records.counts, { damaged: 0, torn: 1 })
    t.match(again.logged, [{ level: 'warn', facts: { bytes: tail.length }, message: /is cut off/ }])
    t.same(world.memory.content(path(1)), content)
    await again.store.close()
  }
})

t.test(
  '[FD1] a disk that refuses at any step: nobody is told that it is kept; it is, once the disk takes it',
  async t => {
    for (const [call, code] of [
      ['open', 'EROFS'],
      ['open', 'ENOSPC'],
      ['write', 'ENOSPC'],
      ['write', 'EIO'],
      ['sync', 'EIO'],
      ['sync', 'ENOSPC'],
      ['syncFolder', 'EIO'],
    ] as const) {
      for (const begun of [false, true]) {
        // Where a file is open already, it is the next one that can not be begun.
        const step = begun && (call === 'open' || call === 'syncFolder') ? { fileBytes: 1 } : {}
        const world = await open(t, undefined, step)
        if (begun) {
          world.append(1)
          await world.idle()
        }
        world.memory.fail(call, code)
        world.append(2, 3)
        while (world.settled.get('call-3')?.length === 0) await turn()
        t.same(
          [world.settled.get('call-2'), world.settled.get('call-3')],
          [['late'], ['late']],
          `${call} ${code}`,
        )
        const trouble = `records of calls cannot be written (${code})`
        t.equal(world.store.trouble, trouble)
        t.match(world.logged[0], { level: 'error', message: trouble })
        world.append(4)
        await turn()
        t.same(world.settled.get('call-4'), ['late'], 'who comes meanwhile does not wait')
        t.equal(world.records.waiting, 3)
        const { length } = world.logged
        world.clock.advance(50)
        while (world.logged.length === length) await turn()
        t.equal(world.records.waiting, 3, 'tried again in vain')
        t.same(await world.all().catch(() => ['call-1']), begun ? ['call-1'] : [])
        world.memory.heal()
        world.clock.advance(100)
        await world.idle()
        t.equal(world.store.trouble, undefined)
        t.match(world.logged.at(-1), { level: 'info', message: 'records of calls are written again' })
        for (const each of [2, 3, 4]) {
          const [first, second, ...more] = world.settled.get(`call-${each}`)!
          t.same([first, typeof second, more], ['late', 'number', []])
        }
        t.match(world.records.counts, { written: begun ? 4 : 3, late: 3, lost: 0 })
        t.same(await world.all(), begun ? ids(4, 1) : ids(4, 2))
        // Every byte that was written before the failure may be there, or none.
        world.memory.losePower(unsynced => unsynced)
        const again = await open(t, world.memory)
        t.same((await again.all()).sort(), begun ? ids(1, 4) : ids(2, 4), `once each: ${call} ${code}`)
        await again.store.close()
        await world.store.close()
      }
    }
  },
)

t.test('[FD1] after a failed fsync that file is never written to again', async t => {
  const world = await open(t)
  world.append(1)
  await world.idle()
  world.memory.fail('sync', 'EIO')
  world.append(2)
  while (world.settled.get('call-2')?.length === 0) await turn()
  world.memory.heal()
  const before = world.memory.content(path(1))
  world.clock.advance(50)
  await world.idle()
  world.append(3)
  await world.idle()
  t.same(world.memory.content(path(1)), before)
  t.same(world.memory.names, ['calls-000001.jsonl', 'calls-000002.jsonl'])
  world.memory.losePower()
  const again = await open(t, world.memory)
  t.same(await again.all(), ids(3, 1), 'though the pages of the failed fsync are lost')
  t.match(again.records.counts, { torn: 1 })
})

t.test('[FD1] what a failed fsync has written all the same counts once', async t => {
  const world = await open(t)
  world.append(1)
  await world.idle()
  world.memory.fail('sync', 'EIO')
  world.append(2)
  while (world.settled.get('call-2')?.length === 0) await turn()
  world.memory.heal()
  world.clock.advance(50)
  await world.idle()
  for (const { dropped } of world.memory.files.values()) dropped.length = 0
  world.memory.losePower()
  const again = await open(t, world.memory)
  t.same(await again.all(), ['call-2', 'call-1'])
  t.same(world.memory.names, ['calls-000001.jsonl'], 'the second file has nothing of its own')
  t.match(again.records.counts, { damaged: 0, torn: 0 })
})

t.test('[FD1] files that came to nothing do not pile up, and delays grow to half a minute', async t => {
  const world = await open(t)
  world.memory.fail('sync', 'EIO')
  world.append(1)
  const tries = () => world.memory.calls.filter(call => call === 'sync').length
  for (let count = 0; count < 12; count++) {
    while (tries() === count || world.logged.length === count) await turn()
    const delay = Math.min(30_000, 50 * 2 ** count)
    world.clock.advance(delay - 10)
    await turn()
    t.equal(tries(), count + 1, 'not before its time')
    world.clock.advance(10)
  }
  while (tries() < 13 || world.logged.length < 13) await turn()
  while (world.memory.names.length > 0) await turn()
  await world.store.close()
  t.equal(tries(), 14, 'closing is one more try')
  t.match(world.logged.at(-1), { level: 'error', facts: { calls: ['call-1'] }, message: 'records are lost' })
  t.match(world.records.counts, { lost: 1, late: 1 })
  world.clock.advance(60_000)
  await turn()
  t.equal(tries(), 14)
  world.append(2)
  await turn()
  t.same([world.settled.get('call-2'), tries()], [['late'], 14], 'a closed log takes nothing')
})

t.test('[FD1] closing writes what waits, and what the disk takes at last is not lost', async t => {
  const world = await open(t)
  world.memory.fail('write', 'ENOSPC')
  world.memory.fail('rm', 'EROFS')
  world.memory.fail('close', 'EIO')
  world.append(1)
  while (world.settled.get('call-1')?.length === 0) await turn()
  t.same(world.memory.names, ['calls-000001.jsonl'], 'a file that can not be removed stays')
  world.memory.heal()
  world.append(2)
  await world.store.close()
  t.match(world.records.counts, { written: 2, lost: 0 })
  const again = await open(t, world.memory)
  t.same(await again.all(), ['call-2', 'call-1'])
})

t.test(
  '[FD5] an fsync that takes 5 s: all wait for the truth, and the next write is all of them',
  async t => {
    const world = await open(t)
    const release = world.memory.hold('sync')
    world.append(1)
    while (!world.memory.calls.includes('sync')) await turn()
    for (let number = 2; number <= 500; number++) {
      world.append(number)
      world.clock.advance(10)
    }
    t.equal(world.records.waiting, 500)
    t.same([...world.settled.values()].flat(), [])
    release()
    await world.idle()
    t.equal(world.memory.calls.filter(call => call === 'sync').length, 2)
    t.ok([...world.settled.values()].every(told => told.length === 1 && told[0] !== 'late'))
  },
)

t.test('[FD5] a disk that does not answer: nobody waits for more than twice the patience', async t => {
  const world = await open(t)
  const release = world.memory.hold('sync')
  world.append(1)
  while (!world.memory.calls.includes('sync')) await turn()
  world.clock.advance(9_990)
  world.append(2)
  t.same([...world.settled.values()], [[], []])
  world.clock.advance(10)
  t.same([...world.settled.values()], [['late'], ['late']])
  world.append(3)
  world.clock.advance(10_000)
  t.same([...world.settled.values()], [['late'], ['late'], ['late']])
  t.equal(world.records.counts.late, 3)
  release()
  await world.idle()
  t.same(await world.all(), ids(3, 1))
  t.ok([...world.settled.values()].every(([first, second]) => first === 'late' && typeof second === 'number'))
})

t.test('who fails on being told keeps nobody else from it', async t => {
  const world = await open(t)
  world.records.append(recordOf(1), () => {
    throw new Error('a caller fails')
  })
  world.append(2)
  await world.idle()
  t.equal(world.settled.get('call-2')?.length, 1)
  t.match(world.logged, [{ level: 'error', message: 'who waited for a record failed' }])
})

t.test(
  'a page is found by tenant, owner and time without reading, and by the rest with so many reads',
  async t => {
    const world = await open(t)
    const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString()
    for (let number = 0; number < 300; number++) {
      world.append(
        recordOf(number, {
          tenant: n(number % 3 ? 'acme' : 'globex'),
          owner: n(number % 2 ? 'pbx' : 'crm'),
          createdAt: at(number),
        }),
      )
    }
    await world.idle()
    const reads = () => world.memory.calls.filter(call => call === 'read').length
    const own = (await world.page({ owner: 'crm', limit: 5 })).records
    t.same(
      own.map(({ call }) => call),
      [298, 296, 292, 290, 286].map(number => `call-${number}`),
    )
    t.equal(reads(), 5)
    t.same(await world.all({ since: Date.UTC(2026, 0, 1, 0, 10), until: Date.UTC(2026, 0, 1, 0, 13) }), [
      'call-11',
      'call-10',
    ])
    t.same(
      await world.all({ tenant: 'globex', limit: 7 }),
      ids(299, 0).filter((_, index) => (299 - index) % 3 === 0),
    )
    t.same(await world.page({ tenant: 'nobody' }), { records: [], next: undefined })
    t.same(await world.page({ below: 0 }), { records: [], next: undefined })
    t.same(
      await world.page({ below: world.records.top, limit: 200 }).then(({ next }) => next),
      undefined,
      'the last page has no next',
    )
  },
)

t.test('the work for one page is bounded, and the next goes on where it stopped', async t => {
  const world = await open(t, undefined, { fileBytes: 100_000 })
  const total = 1_200
  for (let number = 0; number < total; number++) world.append(number)
  await world.idle()
  for (let number = total; number < total + 700; number++) world.append(number)
  await world.idle()
  const rare = (record: CallRecord) => record.call === 'call-3'
  const first = await world.page({ wants: rare })
  t.same(first.records, [])
  t.ok(first.next !== undefined)
  t.equal(world.memory.calls.filter(call => call === 'read').length, readsPerPage)
  t.same(await world.all({ wants: rare }), ['call-3'])
  t.same(await world.all({ limit: 33 }), ids(total + 699, 0))
  t.ok(rowsPerPage > readsPerPage)
})

t.test('an index is looked at only so far for one page, and nothing is read for it', async t => {
  const { memory, clock } = await open(t)
  const index = new RecordIndex(1)
  for (let row = 0; row < rowsPerPage + 10; row++) index.add(recordOf(0, { tenant: n('globex') }), 1)
  const ground = { dir, disk: memory.disk, clock, log: silentLog }
  const query = { tenant: n('acme') as never, limit: 1, wants: () => true }
  const first = await readPage(ground, [index], { ...query, below: Number.MAX_SAFE_INTEGER })
  t.same(first, { records: [], next: positionOf(1, 10) })
  t.same(await readPage(ground, [index], { ...query, below: positionOf(1, 10) }), {
    records: [],
    next: undefined,
  })
  t.notOk(memory.calls.includes('read'))
})

t.test('what was removed or damaged since the start is passed over; a disk that fails is told', async t => {
  const world = await open(t, undefined, { fileBytes: 1 })
  for (const number of [1, 2, 3]) {
    world.append(number)
    await world.idle()
  }
  world.memory.files.delete(path(2))
  world.memory.content(path(3)).write('x', 20)
  t.same(await world.all(), ['call-1'])
  t.equal(await world.records.find(n('acme'), n('call-2')), undefined)
  t.equal(await world.records.find(n('acme'), n('call-3')), undefined)
  world.memory.fail('open', 'EIO')
  await t.rejects(world.page(), { code: 'EIO' })
  world.memory.heal()
})

t.test('names that have the same sum are told apart', async t => {
  const world = await open(t)
  // CRC-32 of both is 4ddb0c25.
  const [one, other] = ['plumless', 'buckeroo']
  world.append(recordOf(1, { call: n(one!), owner: n(one!), tenant: n(one!) }))
  world.append(recordOf(2, { call: n(other!), owner: n(other!), tenant: n(other!) }))
  world.append(recordOf(3, { owner: n(one!) }), recordOf(4, { owner: n(other!) }))
  await world.idle()
  t.equal((await world.records.find(n(one!), n(one!)))?.owner, one)
  t.equal((await world.records.find(n(other!), n(other!)))?.owner, other)
  t.equal(await world.records.find(n(one!), n(other!)), undefined)
  t.same(await world.all({ tenant: one }), [one])
  t.same(await world.all({ owner: other }), ['call-4'])
})

t.test('the keys of the last day come back with their calls, so many of each tenant', async t => {
  const clock = new VirtualClock(Date.parse('2026-01-02T00:00:00Z'))
  const world = await open(t, undefined, {}, clock)
  const keyed = (number: number, createdAt: string, tenant = 'acme') =>
    recordOf(number, {
      createdAt,
      tenant: n(tenant),
      idempotency: { key: `k${number}`, asked: `a${number}` },
    })
  world.append(keyed(1, '2026-01-01T00:00:00Z'), recordOf(2))
  for (const number of [3, 4, 5]) world.append(keyed(number, '2026-01-01T12:00:00Z'))
  world.append(keyed(6, '2026-01-01T12:00:00Z', 'globex'))
  await world.idle()
  t.same(world.records.keys(n('acme')), [], 'those of this process are known to whoever placed the calls')
  world.memory.losePower()
  const again = await open(t, world.memory, { keysPerTenant: 2 }, clock)
  const at = Date.parse('2026-01-01T12:00:00Z')
  t.same(again.records.keys(n('acme')), [
    { key: 'k4', asked: 'a4', call: 'call-4', at },
    { key: 'k5', asked: 'a5', call: 'call-5', at },
  ])
  t.equal(again.records.keys(n('globex')).length, 1)
})

t.test('[FD3] the log is in the folder that one process has', async t => {
  const world = await open(t)
  await t.rejects(open(t, world.memory), { code: 'conflict', message: /in use by process \d+/ })
  world.append(1)
  await world.idle()
  t.same(await world.all(), ['call-1'])
})

t.test('a log that can not be made whole is a fault of dataDir', async t => {
  const memory = new MemoryDisk()
  memory.put(path(1), Buffer.from('torn'))
  memory.fail('truncate', 'EROFS')
  await t.rejects(open(t, memory), { code: 'invalid', message: /EROFS/ })
  t.same(memory.names, ['calls-000001.jsonl'])
})

t.test('faults of the disk at random, and power lost at random: what was told is there, once', async t => {
  const chance = chanceOf(seedOf(t))
  const calls = ['open', 'write', 'sync', 'syncFolder', 'rm'] as const
  for (let round = 0; round < 60; round++) {
    const memory = new MemoryDisk()
    const told = new Set<string>()
    const all = new Set<string>()
    let number = 0
    for (let life = 0; life < 3; life++) {
      const world = await open(t, memory, { fileBytes: 1_500 })
      for (let step = 0; step < 12; step++) {
        const dice = chance.below(100)
        if (dice < 20) memory.fail(chance.pick(calls), 'EIO')
        else if (dice < 50) memory.heal()
        for (let count = chance.below(5); count > 0; count--) {
          all.add(`call-${number}`)
          world.append(number++)
        }
        for (let turns = chance.below(6); turns > 0; turns--) await turn()
        world.clock.advance(chance.below(300))
      }
      for (const [call, outcomes] of world.settled) {
        if (outcomes.some(outcome => outcome !== 'late')) told.add(call)
      }
      memory.heal()
      memory.losePower(unsynced => chance.below(unsynced + 1))
      // The process is gone: what it still does, it does to another disk.
      const files = new Map([...memory.files].map(([path, file]) => [path, Buffer.from(file.content)]))
      await world.store.close()
      memory.files.clear()
      for (const [path, content] of files) memory.put(path, content)
    }
    const last = await open(t, memory)
    const found = await last.all()
    const lost = [...told].filter(call => !found.includes(call))
    if (lost.length > 0 || new Set(found).size < found.length || found.some(call => !all.has(call)))
      t.fail(`round ${round}`, { lost, found })
    await last.store.close()
  }
})
