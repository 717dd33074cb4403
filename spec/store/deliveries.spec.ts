// The queue of deliveries on the disk: what was handed over and is not over is there after whatever crash, in its
// order; the file stays within bounds; and whoever must wait for the disk is never forgotten.

import { join } from 'node:path'
import t, { type Test } from 'tap'
import { VirtualClock } from '../../src/runtime/index.js'
import { type KeptDelivery, nothingKept, openFileStore } from '../../src/store/index.js'
import { lineOf } from '../../src/store/lines.js'
import { MemoryDisk } from '../support/memory-disk.js'
import { n } from '../support/presence-world.js'

const dir = '/data'
const path = join(dir, 'deliveries.jsonl')

const turn = () => new Promise(resolve => setImmediate(resolve))

const delivery = (number: number, fields: Record<string, string> = {}): KeptDelivery => ({
  id: `id-${number}`,
  tenant: n('acme'),
  url: 'https://voice.example.com/status?key=\u2028',
  method: 'POST',
  fields: { CallSid: `call-${number}`, ...fields },
  key: `call-${number}`,
  at: Date.UTC(2026, 0, 1),
})

const open = async (t: Test, memory = new MemoryDisk(), clock = new VirtualClock()) => {
  const logged: { level: string; facts: Record<string, unknown>; message: string }[] = []
  const line = (level: string) => (facts: object, message: string) => {
    logged.push({ level, facts: { ...facts }, message })
  }
  const log = { info: line('info'), warn: line('warn'), error: line('error') }
  const store = await openFileStore({ dir, clock, log, disk: memory.disk })
  t.teardown(() => store.close())
  const queue = store.deliveries
  const kept = () => new Promise<void>(resolve => queue.kept(resolve))
  return {
    memory,
    clock,
    store,
    queue,
    logged,
    kept,
    put: (...numbers: number[]) => {
      for (const number of numbers) queue.put(delivery(number))
    },
    ids: () => queue.recall().map(({ id }) => id),
    /** As a process that starts after the power was cut. */
    async again(t: Test, unsynced: (bytes: number) => number = () => 0) {
      memory.losePower(unsynced)
      return open(t, memory, clock)
    },
  }
}

t.test('what was handed over and is not over is there after a start, in its order', async t => {
  const world = await open(t)
  t.same(world.memory.names, [], 'no file for nothing')
  let at = 0
  world.queue.kept(() => at++)
  t.equal(at, 1, 'nothing to wait for')
  world.put(1, 2, 3)
  await world.kept()
  world.queue.remove('id-2')
  world.queue.remove('id-2')
  world.queue.remove('id-9')
  world.put(4)
  await world.kept()
  t.same(world.ids(), ['id-1', 'id-3', 'id-4'])
  const again = await world.again(t)
  t.same(again.queue.recall(), [delivery(1), delivery(3), delivery(4)])
  t.same(again.logged, [])
  again.queue.remove('id-1')
  again.put(5)
  await again.kept()
  t.same((await again.again(t)).ids(), ['id-3', 'id-4', 'id-5'])
})

t.test('what comes in a turn, and while a write is under way, is one write with one fsync', async t => {
  const world = await open(t)
  const syncs = () => world.memory.calls.filter(call => call === 'sync').length
  world.put(1)
  await world.kept()
  const before = syncs()
  const release = world.memory.hold('sync')
  world.put(2, 3)
  const told: string[] = []
  world.queue.kept(() => told.push('two'))
  while (syncs() === before) await turn()
  world.queue.kept(() => told.push('under way'))
  world.put(4, 5, 6)
  world.queue.kept(() => told.push('next'))
  await turn()
  t.same(told, [], 'not before it is on the disk')
  release()
  await world.kept()
  t.same(told, ['two', 'under way', 'next'])
  t.equal(syncs() - before, 2)
  t.match(world.store.counts, { written: 3, failed: 0 })
})

t.test('what is over before it was written is never written, and whoever waited for it is told', async t => {
  const world = await open(t)
  world.put(1)
  let told = 0
  world.queue.kept(() => {
    // Whoever is told may hand over more.
    if (told++ === 0) world.put(2)
  })
  world.queue.remove('id-1')
  await turn()
  t.equal(told, 1)
  await world.kept()
  t.same((await world.again(t)).ids(), ['id-2'])
})

t.test('the file is replaced once most of it is over: it stays within bounds', async t => {
  const world = await open(t)
  const large = 'x'.repeat(2_000)
  let largest = 0
  for (let number = 0; number < 1_000; number++) {
    world.queue.put(delivery(number, { large }))
    if (number >= 10) world.queue.remove(`id-${number - 10}`)
    await world.kept()
    largest = Math.max(largest, world.memory.content(path).length)
  }
  t.ok(largest < 320_000, `${largest} bytes for two million that went through`)
  t.equal((await world.again(t)).ids().length, 10)
})

t.test(
  '[FD2] a file that is cut at any byte of its end comes back whole, but for the line that is torn',
  async t => {
    const world = await open(t)
    world.put(1, 2)
    await world.kept()
    const begun = world.memory.content(path).length
    world.queue.remove('id-1')
    world.put(3)
    await world.kept()
    const whole = Buffer.from(world.memory.content(path))
    const lines = whole.toString('utf8', begun).split('\n').slice(0, -1)
    t.equal(lines.length, 2)
    const ends = lines.map((_, index) => begun + Buffer.byteLength(lines.slice(0, index + 1).join('\n')) + 1)
    await world.store.close()
    for (let length = begun; length <= whole.length; length++) {
      const memory = new MemoryDisk()
      memory.put(path, whole.subarray(0, length))
      const cut = await open(t, memory)
      const wanted = length >= ends[1]! ? ['id-2', 'id-3'] : length >= ends[0]! ? ['id-2'] : ['id-1', 'id-2']
      if (cut.ids().join() !== wanted.join()) t.fail(`${length}: ${cut.ids()}`)
      const torn = ![begun, ...ends].includes(length)
      if (cut.logged.length !== Number(torn)) t.fail(`${length}: ${JSON.stringify(cut.logged)}`)
      t.same(memory.content(path).toString().split('\n').length, wanted.length + 1, 'and is whole again')
      await cut.store.close()
    }
  },
)

t.test('[FD2] what is not as it was written is put aside, told and counted; the rest goes on', async t => {
  const memory = new MemoryDisk()
  const flipped = lineOf({ put: delivery(2) }).replace('call-2', 'call-3')
  const odd = lineOf({ put: { ...delivery(3), at: 'noon' } })
  const content = [lineOf({ put: delivery(1) }), flipped, odd, lineOf({ over: 'id-7' }), '\0\0\0\0'].join('')
  memory.put(path, Buffer.from(content))
  const world = await open(t, memory)
  t.same(world.ids(), ['id-1'])
  t.same(world.memory.names, ['deliveries.jsonl', 'deliveries.jsonl.damaged-1'])
  t.match(world.logged, [
    { level: 'error', facts: { damaged: 2, aside: 'deliveries.jsonl.damaged-1', waiting: 1 } },
    { level: 'warn', message: 'a line was not finished, and is dropped' },
  ])
  t.equal(world.store.counts.damaged, 1)
  t.same((await world.again(t)).logged, [], 'once')
})

t.test(
  '[FD1] a disk that refuses keeps nobody waiting, and gets all of it in a new file once it can',
  async t => {
    for (const call of ['write', 'sync', 'rename'] as const) {
      const world = await open(t)
      world.put(1, 2)
      if (call !== 'rename') await world.kept()
      world.memory.fail(call, 'ENOSPC')
      world.put(3)
      world.queue.remove('id-1')
      await world.kept()
      t.equal(world.store.trouble, 'deliveries.jsonl cannot be written (ENOSPC)')
      let told = false
      world.queue.kept(() => (told = true))
      t.ok(told, 'at once')
      await world.clock.settle(50)
      t.match(world.store.counts, { failed: 2 })
      world.memory.heal()
      world.put(4)
      await world.clock.settle(99)
      t.ok(world.store.trouble, 'not before its time')
      await world.clock.settle(1)
      t.equal(world.store.trouble, undefined)
      t.match(world.logged.at(-1), { message: 'deliveries are written again' })
      t.same((await world.again(t)).ids(), ['id-2', 'id-3', 'id-4'], call)
    }
  },
)

t.test(
  '[FD1] a disk that takes writes again is no trouble any more, though nothing is left to write',
  async t => {
    const world = await open(t)
    world.memory.fail('sync', 'EIO')
    world.put(1)
    await world.kept()
    world.queue.remove('id-1')
    t.ok(world.store.trouble)
    await world.clock.settle(50)
    t.ok(world.store.trouble, 'it refuses still')
    world.memory.heal()
    await world.clock.settle(100)
    t.equal(world.store.trouble, undefined)
    t.same((await world.again(t)).ids(), [])
  },
)

t.test('[FD5] nobody waits for a slow disk for longer than ten seconds, and everyone once', async t => {
  const world = await open(t)
  const release = world.memory.hold('sync')
  world.put(1)
  let told = 0
  world.queue.kept(() => told++)
  await world.clock.settle(9_999)
  t.equal(told, 0)
  await world.clock.settle(1)
  t.equal(told, 1)
  release()
  await world.kept()
  t.equal(told, 1)
})

t.test('whoever is told and fails keeps nobody else from hearing', async t => {
  const world = await open(t)
  world.put(1)
  world.queue.kept(() => {
    throw new Error('mine')
  })
  await world.kept()
  t.match(world.logged, [{ level: 'error', message: 'who waited for a delivery to be kept failed' }])
  t.equal(world.store.trouble, undefined)
})

t.test(
  'what waits is written when the store is closed; what the disk refuses to the end is told',
  async t => {
    const world = await open(t)
    world.put(1)
    await world.store.close()
    t.same((await world.again(t)).ids(), ['id-1'])

    const refused = await open(t)
    refused.put(1)
    await refused.kept()
    refused.memory.fail('write', 'EIO')
    refused.put(2)
    await refused.store.close()
    t.match(refused.logged.at(-1), { level: 'error', message: 'the last changes are lost' })
    refused.memory.heal()
    refused.put(3)
    await refused.clock.settle(60_000)
    const calls = refused.memory.calls.length
    await turn()
    t.equal(refused.memory.calls.length, calls, 'and nothing is written any more')
  },
)

t.test('without a folder nothing is kept, and nobody waits', async t => {
  const { deliveries } = nothingKept
  deliveries.put(delivery(1))
  deliveries.remove('id-1')
  let told = false
  deliveries.kept(() => (told = true))
  t.ok(told)
  t.same(deliveries.recall(), [])
})
