// What is kept in files, on a disk that works, on one that fails in every way, and under a process that is killed.

import { closeSync, openSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { VirtualClock } from '../../src/runtime/index.js'
import { type KeptOverride, nothingKept, openFileStore } from '../../src/store/index.js'
import { chanceOf, seedOf } from '../support/chance.js'
import { failingDisk } from '../support/disk.js'
import { n } from '../support/presence-world.js'
import { Child, install } from '../support/processes.js'

const dnd: KeptOverride = { status: 'dnd', note: 'back at two', by: n('bob') }
const away: KeptOverride = { status: 'away', until: '2026-01-01T12:00:00Z', by: n('alice') }

const newStore = async (t: Test, dir: string = t.testdir(), fault = failingDisk()) => {
  const clock = new VirtualClock()
  const logged: { level: string; facts: Record<string, unknown>; message: string }[] = []
  const line = (level: string) => (facts: object, message: string) => {
    logged.push({ level, facts: { ...facts }, message })
  }
  const log = { info: line('info'), warn: line('warn'), error: line('error') }
  const store = await openFileStore({ dir, clock, log, disk: fault.disk })
  t.teardown(() => store.close())
  /** Lets so much time pass, and what is written then be written. */
  const pass = async (ms: number) => {
    const { written, failed } = store.counts
    clock.advance(ms)
    while (store.counts.written + store.counts.failed === written + failed)
      await new Promise(resolve => setImmediate(resolve))
  }
  return {
    ...fault,
    store,
    clock,
    logged,
    dir,
    pass,
    keep: (account: string, override?: KeptOverride) => store.save(n('acme'), n(account), override),
    kept: (tenant = 'acme') => Object.fromEntries(store.load(n(tenant))),
    file: () => JSON.parse(readFileSync(join(dir, 'overrides.json'), 'utf8')),
  }
}

const files = (dir: string) =>
  readdirSync(dir)
    .filter(name => !name.startsWith('lock.'))
    .sort()

t.test('what is handed over is there when the store is opened again', async t => {
  const first = await newStore(t)
  t.same(first.kept(), {})
  first.keep('alice', dnd)
  first.keep('carol', away)
  first.store.save(n('other'), n('alice'), away)
  t.same(first.kept(), { alice: dnd, carol: away }, 'at once, before it is written')
  await first.store.close()
  await first.store.close()
  first.keep('alice')
  const second = await newStore(t, first.dir)
  t.same(second.kept(), { alice: dnd, carol: away }, 'and not what came after it was closed')
  t.same(second.kept('other'), { alice: away }, 'tenants apart')
  second.keep('carol')
  await second.store.close()
  const third = await newStore(t, first.dir)
  t.same(third.kept(), { alice: dnd })
  t.same(third.store.counts, { written: 0, failed: 0, damaged: 0 })
  t.same(third.file(), {
    version: 1,
    overrides: [
      { tenant: 'acme', account: 'alice', ...dnd },
      { tenant: 'other', account: 'alice', ...away },
    ],
  })
})

t.test('the folder and the file are for the owner alone', async t => {
  const world = await newStore(t, join(t.testdir(), 'deep', 'data'))
  world.keep('alice', dnd)
  await world.pass(50)
  t.equal(statSync(world.dir).mode & 0o777, 0o700)
  t.equal(statSync(join(world.dir, 'overrides.json')).mode & 0o777, 0o600)
})

t.test('changes that come together are one write; nothing new is none', async t => {
  const world = await newStore(t)
  for (let change = 0; change < 100; change++) world.keep('alice', { ...dnd, note: String(change) })
  world.clock.advance(49)
  t.same(files(world.dir), [], 'they gather')
  await world.pass(1)
  t.equal(world.store.counts.written, 1)
  t.equal(world.file().overrides[0].note, '99')
  world.keep('nobody')
  world.store.save(n('none'), n('nobody'), undefined)
  world.clock.advance(1_000)
  await world.store.close()
  t.equal(world.store.counts.written, 1)
})

t.test('one write at a time: what changes during it is the next one, and closing waits for both', async t => {
  const world = await newStore(t)
  const release = world.hold()
  world.keep('alice', dnd)
  world.clock.advance(50)
  while (!world.calls.includes('write')) await new Promise(resolve => setImmediate(resolve))
  world.keep('alice', away)
  world.clock.advance(1_000)
  t.equal(world.calls.filter(call => call === 'write').length, 1)
  release()
  while (world.store.counts.written === 0) await new Promise(resolve => setImmediate(resolve))
  t.equal(world.file().overrides[0].status, 'dnd')
  await world.pass(50)
  t.equal(world.file().overrides[0].status, 'away')

  const again = world.hold()
  world.keep('alice', dnd)
  world.clock.advance(50)
  world.keep('carol', dnd)
  const closing = world.store.close()
  again()
  await closing
  t.equal(world.file().overrides.length, 2)
})

t.test(
  '[FD1] a write that fails at any step leaves the old file, is told, and is made again, later and later',
  async t => {
    for (const [call, code] of [
      ['rm', 'EROFS'],
      ['open', 'EROFS'],
      ['write', 'ENOSPC'],
      ['sync', 'EIO'],
      ['rename', 'EIO'],
      ['syncFolder', 'EIO'],
    ] as const) {
      const world = await newStore(t, t.testdir())
      world.keep('alice', dnd)
      await world.pass(50)
      world.fail(call, code)
      world.keep('alice', away)
      for (const delay of [50, 100, 200, 400]) {
        const { length } = world.calls
        world.clock.advance(delay - 10)
        t.equal(world.calls.length, length, 'not before its time')
        await world.pass(10)
        t.equal(world.store.trouble, `overrides.json cannot be written (${code})`)
      }
      t.equal(world.store.counts.failed, 4, call)
      t.match(world.logged[0], { level: 'error', facts: { error: { code } }, message: /cannot be written/ })
      // A rename that was made, and may not last, shows the new content.
      const shown = call === 'syncFolder' ? 'away' : 'dnd'
      t.equal(world.file().overrides[0].status, shown, 'a whole file, always')
      world.heal()
      await world.pass(800)
      t.equal(world.store.trouble, undefined)
      t.match(world.logged.at(-1), { level: 'info', message: 'what is kept is written again' })
      t.equal(world.file().overrides[0].status, 'away')
      world.fail(call, code)
      world.keep('carol', dnd)
      await world.pass(50)
      world.heal()
      await world.pass(100)
      t.same(files(world.dir), ['overrides.json'], 'and nothing else is left')
      await world.store.close()
    }
  },
)

t.test('[FD1] after a failed fsync a new file is written, not the same one again', async t => {
  const world = await newStore(t)
  const fresh = join(world.dir, 'overrides.json.new')
  world.fail('sync', 'EIO')
  world.keep('alice', dnd)
  await world.pass(50)
  const first = statSync(fresh).ino
  // Held open, so that its number is not given to another.
  const holder = openSync(fresh, 'r')
  await world.pass(100)
  t.not(statSync(fresh).ino, first)
  closeSync(holder)
})

t.test(
  '[FD1] delays grow to half a minute and no further; closing tries once more, and says what is lost',
  async t => {
    const world = await newStore(t)
    world.fail('open', 'ENOSPC')
    world.keep('alice', dnd)
    for (let failures = 0; failures < 12; failures++) await world.pass(30_000)
    t.equal(world.store.counts.failed, 12)
    await world.store.close()
    t.equal(world.store.counts.failed, 13)
    t.match(world.logged.at(-1), { level: 'error', message: 'the last changes are lost' })
    t.same(files(world.dir), [])
  },
)

t.test(
  '[FD2] a file torn at any byte, or with NULs at its end, is moved aside; the store begins without it',
  async t => {
    const dir = t.testdir()
    const whole = JSON.stringify({ version: 1, overrides: [{ tenant: 'acme', account: 'alice', ...dnd }] })
    const damaged = [
      ...Array.from(whole, (_, end) => whole.slice(0, end)),
      `${whole.slice(0, 30)}${'\0'.repeat(whole.length - 30)}`,
      `${whole}\0\0`,
      '{"version":2,"overrides":[]}',
      whole.replace('dnd', 'dead'),
      whole.replace('"alice"', '"a..b"'),
      whole.replace('"by":"bob"', '"by":7'),
      '[]',
      'null',
    ]
    for (const [index, text] of damaged.entries()) {
      writeFileSync(join(dir, 'overrides.json'), text)
      const world = await newStore(t, dir)
      t.same(world.kept(), {})
      t.equal(world.store.counts.damaged, 1)
      const aside = `overrides.json.damaged-${index + 1}`
      t.match(world.logged, [{ level: 'error', facts: { dir, aside, faults: [/./] }, message: /damaged/ }])
      t.equal(readFileSync(join(dir, aside), 'utf8'), text, 'untouched')
      await world.store.close()
    }
    writeFileSync(join(dir, 'overrides.json'), whole)
    t.same((await newStore(t, dir)).kept(), { alice: dnd })
  },
)

t.test(
  "[FD3] a folder is one hub's: another is refused with its pid; what a dead one left is cleared away",
  async t => {
    const world = await newStore(t)
    const { pid } = process
    const refusal = {
      code: 'conflict',
      message: new RegExp(`^dataDir ${world.dir} is in use by process ${pid} \\(lock\\.${pid}\\.`),
    }
    await t.rejects(newStore(t, world.dir), refusal)
    await t.rejects(newStore(t, world.dir), refusal, 'a refused one leaves nothing')
    await world.store.close()
    t.same(readdirSync(world.dir), [], 'released')

    const other = new Child(t, ['-e', 'setInterval(() => {}, 1000)'])
    const theirs = `lock.${other.pid}.0123456789ab`
    writeFileSync(join(world.dir, theirs), '')
    writeFileSync(join(world.dir, 'lock.mine'), '')
    await t.rejects(newStore(t, world.dir), {
      code: 'conflict',
      message: new RegExp(`process ${other.pid} `),
    })
    t.same(readdirSync(world.dir).sort(), [theirs, 'lock.mine'])
    await other.end('SIGKILL')
    // As in a container, where every process has the same pid.
    writeFileSync(join(world.dir, `lock.${pid}.0123456789ab`), '')
    const heir = await newStore(t, world.dir)
    t.match(readdirSync(world.dir).sort(), [new RegExp(`^lock\\.${pid}\\.`), 'lock.mine'])
    t.equal(readdirSync(world.dir).length, 2)
    await heir.store.close()
  },
)

t.test('[FD3] of many that come at once, at most one is let in', async t => {
  const dir = t.testdir()
  for (let round = 0; round < 10; round++) {
    const came = await Promise.all([1, 2, 3, 4].map(() => newStore(t, dir).catch(() => undefined)))
    const inside = came.filter(world => world !== undefined)
    t.ok(inside.length <= 1)
    for (const { store } of inside) await store.close()
    t.same(readdirSync(dir), [])
  }
})

t.test('a folder that can not be used is a fault of the configuration, and leaves no lock', async t => {
  const dir = t.testdir({ file: '', data: { 'overrides.json': '' } })
  await t.rejects(newStore(t, join(dir, 'file')), {
    code: 'invalid',
    faults: [{ path: 'dataDir', message: /file cannot be used \(EEXIST: / }],
  })
  for (const [call, code] of [
    ['mkdir', 'EACCES'],
    ['open', 'EROFS'],
    ['readdir', 'EIO'],
    ['readFile', 'EIO'],
    ['rename', 'EROFS'],
  ] as const) {
    const fault = failingDisk()
    fault.fail(call, code)
    await t.rejects(
      newStore(t, join(dir, 'data'), fault),
      { code: 'invalid', message: new RegExp(`^dataDir ${dir}/data cannot be used \\(${code}: `) },
      call,
    )
    t.equal(readFileSync(join(dir, 'data', 'overrides.json'), 'utf8'), '', 'the damaged file is still there')
  }
  const world = await newStore(t, join(dir, 'data'))
  t.equal(world.store.counts.damaged, 1)
})

t.test('the engine that keeps nothing keeps nothing', async t => {
  nothingKept.save(n('acme'), n('alice'), dnd)
  t.same(nothingKept.load(n('acme')), [])
  t.equal(nothingKept.trouble, undefined)
  await nothingKept.close()
})

t.test('a process that is killed at any moment leaves a whole file, the old one or the new one', async t => {
  const launcher = install(t)
  const built = join(dirname(launcher), '../dist')
  const dir = join(built, 'data')
  const seed = seedOf(t)
  let before = 0
  for (let round = 0; round < 20; round++) {
    const chance = chanceOf(seed, round)
    const child = new Child(t, ['spec/support/restless-store.mjs', built, dir])
    for (let writes = 1 + chance.below(10); writes > 0; writes--) await child.stdout.next({})
    for (let turns = chance.below(500); turns > 0; turns--)
      await new Promise(resolve => setImmediate(resolve))
    t.equal(await child.end('SIGKILL'), 'SIGKILL')
    const said = child.stdout.events.map(({ number }) => Number(number))
    const { store, kept, logged } = await newStore(t, dir)
    t.same([store.counts.damaged, logged], [0, []])
    const { alice, bob } = kept()
    t.same(alice, bob, 'changed together, kept together')
    const number = Number(alice?.note)
    // What the last write that it told of began with is no older than the end of the one before.
    t.ok(number > before && number >= (said.at(-2) ?? 0), `${before} ${said.slice(-2)} ${number}`)
    before = number
    await store.close()
  }
})
