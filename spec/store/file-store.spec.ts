// What is kept in files, on a disk that works, on one that fails in every way, and under a process that is killed.

import assert from 'node:assert/strict'
import { closeSync, openSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { systemName } from '../../src/protocol/index.js'
import { VirtualClock } from '../../src/runtime/index.js'
import { type KeptOverride, nothingKept, openFileStore } from '../../src/store/index.js'
import { contentOf, lineOf, readContent } from '../../src/store/lines.js'
import { chanceOf, seedOf } from '../support/chance.js'
import { failingDisk } from '../support/disk.js'
import { n } from '../support/presence-world.js'
import { Child, launcherOf } from '../support/processes.js'

const dnd: KeptOverride = { status: 'dnd', note: 'back at two', by: n('bob') }
const away: KeptOverride = { status: 'away', until: '2026-01-01T12:00:00Z', by: systemName }

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
    keep: (account: string, override?: KeptOverride) => store.overrides.save(n('acme'), n(account), override),
    kept: (tenant = 'acme') => Object.fromEntries(store.overrides.load(n(tenant))),
    file: () => recordsOf(readFileSync(join(dir, 'overrides.jsonl'), 'utf8')),
  }
}

/** The records of a file, as someone would read them who knows JSON lines: the sums left out. */
const recordsOf = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line)[1])

const files = (dir: string) =>
  readdirSync(dir)
    .filter(name => !name.startsWith('lock.'))
    .sort()

t.test('what is handed over is there when the store is opened again', async t => {
  const first = await newStore(t)
  t.same(first.kept(), {})
  first.keep('alice', dnd)
  first.keep('carol', away)
  first.store.overrides.save(n('other'), n('alice'), away)
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
  t.same(third.file(), [
    { version: 1, records: 2 },
    { tenant: 'acme', name: 'alice', ...dnd },
    { tenant: 'other', name: 'alice', ...away },
  ])
  t.same(third.store.overrides.tenants(), ['acme', 'other'])
  third.keep('alice')
  t.same(third.store.overrides.tenants(), ['other'], 'who has nothing is not there')
})

t.test('the folder and the file are for the owner alone', async t => {
  const world = await newStore(t, join(t.testdir(), 'deep', 'data'))
  world.keep('alice', dnd)
  await world.pass(50)
  t.equal(statSync(world.dir).mode & 0o777, 0o700)
  t.equal(statSync(join(world.dir, 'overrides.jsonl')).mode & 0o777, 0o600)
})

t.test('changes that come together are one write; nothing new is none', async t => {
  const world = await newStore(t)
  for (let change = 0; change < 100; change++) world.keep('alice', { ...dnd, note: String(change) })
  world.clock.advance(49)
  t.same(files(world.dir), [], 'they gather')
  await world.pass(1)
  t.equal(world.store.counts.written, 1)
  t.equal(world.file()[1].note, '99')
  world.keep('nobody')
  world.store.overrides.save(n('none'), n('nobody'), undefined)
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
  t.equal(world.file()[1].status, 'dnd')
  await world.pass(50)
  t.equal(world.file()[1].status, 'away')

  const again = world.hold()
  world.keep('alice', dnd)
  world.clock.advance(50)
  world.keep('carol', dnd)
  const closing = world.store.close()
  again()
  await closing
  t.equal(world.file().length, 3)
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
        t.equal(world.store.trouble, `overrides.jsonl cannot be written (${code})`)
      }
      t.equal(world.store.counts.failed, 4, call)
      t.match(world.logged[0], { level: 'error', facts: { error: { code } }, message: /cannot be written/ })
      // A rename that was made, and may not last, shows the new content.
      const shown = call === 'syncFolder' ? 'away' : 'dnd'
      t.equal(world.file()[1].status, shown, 'a whole file, always')
      world.heal()
      await world.pass(800)
      t.equal(world.store.trouble, undefined)
      t.match(world.logged.at(-1), { level: 'info', message: 'what is kept is written again' })
      t.equal(world.file()[1].status, 'away')
      world.fail(call, code)
      world.keep('carol', dnd)
      await world.pass(50)
      world.heal()
      await world.pass(100)
      t.same(files(world.dir), ['overrides.jsonl'], 'and nothing else is left')
      await world.store.close()
    }
  },
)

t.test('[FD1] after a failed fsync a new file is written, not the same one again', async t => {
  const world = await newStore(t)
  const fresh = join(world.dir, 'overrides.jsonl.new')
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

const three = () => ['alice', 'bob', 'carol'].map(name => ({ tenant: 'acme', name, ...dnd }))
const anything = (value: unknown) => ({ ok: true as const, value })

t.test(
  '[FD2] a bit that flips, a torn end, NULs after it: what is whole is told from what is not',
  async t => {
    const whole = Buffer.from(contentOf(three().map(lineOf)))
    t.same(readContent(String(whole), anything), { records: three(), faults: [] })
    const ends = [...whole].flatMap((byte, at) => (byte === 10 ? [at] : []))
    const texts = new Set(three().map(record => JSON.stringify(record)))
    for (let at = 0; at < whole.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const flipped = Buffer.from(whole)
        flipped[at]! ^= 1 << bit
        const { records, faults } = readContent(String(flipped), anything)
        // The last line's end is not missed.
        const seen = at === whole.length - 1 && bit === 8 ? records.length === 3 : faults.length > 0
        if (!seen || records.length < 1 || !records.every(record => texts.has(JSON.stringify(record))))
          t.fail(`byte ${at} bit ${bit}`, { records, faults })
      }
      const torn = readContent(String(whole.subarray(0, at)), anything)
      const lines = ends.filter(end => end <= at).length
      t.same(torn.records, three().slice(0, Math.max(0, lines - 1)))
      if (at < whole.length - 1) t.ok(torn.faults.length > 0, `torn at ${at}`)
      const zeros = Buffer.concat([whole.subarray(0, at), Buffer.alloc(whole.length - at)])
      t.ok(readContent(String(zeros), anything).faults.length > 0, `zeros from ${at}`)
    }
  },
)

t.test('whatever text is kept comes back as it was', async t => {
  const told = fc.property(fc.array(fc.string({ unit: 'binary' })), notes => {
    const { records, faults } = readContent(contentOf(notes.map(note => lineOf({ note }))), anything)
    assert.deepEqual([records, faults], [notes.map(note => ({ note })), []])
  })
  t.doesNotThrow(() => fc.assert(told, { seed: 1 }))
  const line = lineOf({ note: 'a\u2028b\r\ud800' })
  t.same(readContent(contentOf([line]), anything).records, [{ note: 'a\u2028b\r\ud800' }])
})

t.test(
  '[FD2] a damaged file is put aside and told; what is whole of it goes on, and is written anew',
  async t => {
    const dir = t.testdir()
    const path = join(dir, 'overrides.jsonl')
    const [alice = '', bob = '', carol = ''] = three().map(lineOf)
    const odd = (text: string) => `["${crc32(text).toString(16).padStart(8, '0')}",${text}]\n`
    const all = { alice: dnd, bob: dnd, carol: dnd }
    const files: [content: string, kept: object, faults: readonly RegExp[]][] = [
      ['', {}, [/^line 1 is damaged$/]],
      [
        contentOf([alice, bob, carol]).replace('"name":"bob"', '"name":"bab"'),
        { alice: dnd, carol: dnd },
        [/^line 3 is damaged$/],
      ],
      [contentOf([alice, bob, carol]).replace('records', 'recards'), all, [/^line 1 is damaged$/]],
      [contentOf([alice, bob, carol]).replace(bob, ''), { alice: dnd, carol: dnd }, [/^2 lines of 3$/]],
      [contentOf([alice, bob]).slice(0, -5), { alice: dnd }, [/^line 3 is damaged$/]],
      [`${contentOf([alice])}\0\0`, { alice: dnd }, [/^line 3 is damaged$/, /^2 lines of 1$/]],
      [odd('{"version":2,"records":1}') + alice, {}, [/^is of version 2, which is not known here$/]],
      [odd('null') + alice, {}, [/^is of version undefined/]],
      [contentOf([odd('{"tenant":'), alice]), { alice: dnd }, [/^line 2 is damaged$/]],
      [contentOf([alice.replace('dnd', 'dead')]), {}, [/^line 2 is damaged$/]],
      [
        contentOf([lineOf({ tenant: 'acme', name: 'a..b', ...dnd }), alice]),
        { alice: dnd },
        [/^line 2 name must be/],
      ],
      [contentOf([lineOf({ tenant: 'acme', name: 'x', ...dnd, by: 7 })]), {}, [/^line 2 by must be/]],
      [contentOf([odd('null')]), {}, [/^line 2 must be/]],
      [contentOf(Array(30).fill('x\n')), {}, [...Array(10).fill(/^line \d+ is damaged$/), /^and 20 more$/]],
    ]
    for (const [index, [content, kept, faults]] of files.entries()) {
      writeFileSync(path, content)
      const world = await newStore(t, dir)
      t.same(world.kept(), kept)
      t.equal(world.store.counts.damaged, 1)
      const aside = `overrides.jsonl.damaged-${index + 1}`
      const facts = { dir, aside, faults, whole: Object.keys(kept).length }
      t.match(world.logged, [
        { level: 'error', facts, message: 'overrides.jsonl is damaged, and was put aside' },
      ])
      t.equal(
        world.logged[0]?.facts.faults && (world.logged[0].facts.faults as string[]).length,
        faults.length,
      )
      t.equal(readFileSync(join(dir, aside), 'utf8'), content, 'untouched')
      t.equal(readFileSync(path, 'utf8'), content, 'and where it was, until there is a better one')
      await world.pass(50)
      await world.store.close()
      const again = await newStore(t, dir)
      t.same(again.kept(), kept)
      t.equal(again.store.counts.damaged, 0, 'it is whole again')
      await again.store.close()
    }
  },
)

t.test('each table has its own file, and does not wait for the other', async t => {
  const world = await newStore(t)
  const { revocations } = world.store
  revocations.save(n('acme'), 'jti:a', { at: 1 })
  revocations.save(n('acme'), 'jti:b', { at: 2 })
  revocations.save(n('acme'), 'jti:a', { at: 3 })
  t.same(await revocations.written(), { ok: true, value: undefined })
  t.same(files(world.dir), ['revocations.jsonl'])
  world.keep('alice', dnd)
  world.fail('open', 'ENOSPC')
  await world.pass(50)
  t.equal(world.store.trouble, 'overrides.jsonl cannot be written (ENOSPC)')
  t.same(await revocations.written(), { ok: true, value: undefined }, 'nothing new is to be written')
  world.heal()
  await world.store.close()
  const again = await newStore(t, world.dir)
  t.same(again.store.revocations.load(n('acme')), [
    ['jti:b', { at: 2 }],
    ['jti:a', { at: 3 }],
  ])
  t.same(again.kept(), { alice: dnd })
})

t.test(
  'what is said of groups is kept as it is, that there is none too; a damaged line costs that line',
  async t => {
    const world = await newStore(t)
    const { groups } = world.store
    const group = {
      members: [{ account: 'alice', tier: 2, skills: ['fr'], paused: 'lunch' }, 'bob'],
      open: true,
    }
    groups.save(n('acme'), n('support'), { group })
    groups.save(n('acme'), n('lobby'), {})
    groups.save(n('other'), n('support'), { group: {} })
    t.same(await groups.written(), { ok: true, value: undefined })
    await world.store.close()
    const again = await newStore(t, world.dir)
    t.same(again.store.groups.load(n('acme')), [
      ['support', { group }],
      ['lobby', {}],
    ])
    t.same(again.store.groups.tenants(), ['acme', 'other'])
    await again.store.close()
    const file = join(world.dir, 'groups.jsonl')
    const text = readFileSync(file, 'utf8')
    writeFileSync(
      file,
      text.replace('"lunch"', '"Lunch"') + lineOf({ tenant: 'acme', name: 'x', group: { a: 1 } }),
    )
    const mended = await newStore(t, world.dir)
    t.same(mended.store.groups.load(n('acme')), [['lobby', {}]])
    t.ok(files(world.dir).includes('groups.jsonl.damaged-1'))
    t.equal(mended.store.counts.damaged, 1)
  },
)

t.test('who waits for the disk begins a write at once; all who come during one share the next', async t => {
  const world = await newStore(t)
  const { overrides } = world.store
  const release = world.hold()
  world.keep('alice', dnd)
  const first = overrides.written()
  while (!world.calls.includes('write')) await new Promise(resolve => setImmediate(resolve))
  t.equal(overrides.written(), overrides.written(), 'the write under way has it all')
  const others = Array.from({ length: 1_000 }, (_, number) => {
    world.keep(`account-${number}`, away)
    return overrides.written()
  })
  world.clock.advance(1_000)
  release()
  t.same(await first, { ok: true, value: undefined })
  t.same(new Set((await Promise.all(others)).map(({ ok }) => ok)), new Set([true]))
  t.equal(world.store.counts.written, 2)
  t.equal(world.file().length, 1_002)
})

t.test(
  '[FD1] who waits for a disk that refuses is told why; what was said goes on, and is kept later',
  async t => {
    const world = await newStore(t)
    const { overrides } = world.store
    world.fail('sync', 'EIO')
    world.keep('alice', dnd)
    const refused = { ok: false, code: 'overloaded', message: 'overrides.jsonl cannot be written (EIO)' }
    t.same(await overrides.written(), refused)
    t.same(await overrides.written(), refused, 'each asking is a try')
    t.equal(world.store.counts.failed, 2)
    t.same(world.kept(), { alice: dnd })
    world.heal()
    await world.pass(200)
    t.same([world.store.trouble, world.store.counts.written], [undefined, 1])
    t.same(await overrides.written(), { ok: true, value: undefined })
    await world.store.close()
    world.keep('bob', dnd)
    t.match(
      await overrides.written(),
      { ok: false, code: 'draining' },
      'a closed store keeps nothing, and says so',
    )
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
  const dir = t.testdir({ file: '', data: { 'overrides.jsonl': '' } })
  await t.rejects(newStore(t, join(dir, 'file')), {
    code: 'invalid',
    faults: [{ path: 'dataDir', message: /file cannot be used \(EEXIST: / }],
  })
  for (const [call, code] of [
    ['mkdir', 'EACCES'],
    ['open', 'EROFS'],
    ['readdir', 'EIO'],
    ['readFile', 'EIO'],
    ['copyFile', 'EROFS'],
  ] as const) {
    const fault = failingDisk()
    fault.fail(call, code)
    await t.rejects(
      newStore(t, join(dir, 'data'), fault),
      { code: 'invalid', message: new RegExp(`^dataDir ${dir}/data cannot be used \\(${code}: `) },
      call,
    )
    t.equal(readFileSync(join(dir, 'data', 'overrides.jsonl'), 'utf8'), '', 'the damaged file is still there')
  }
  const world = await newStore(t, join(dir, 'data'))
  t.equal(world.store.counts.damaged, 1)
})

t.test('the engine that keeps nothing keeps nothing', async t => {
  nothingKept.overrides.save(n('acme'), n('alice'), dnd)
  t.same(nothingKept.overrides.load(n('acme')), [])
  t.same(nothingKept.overrides.tenants(), [])
  t.same(await nothingKept.overrides.written(), { ok: true, value: undefined })
  t.equal(nothingKept.trouble, undefined)
  await nothingKept.close()
})

t.test('a process that is killed at any moment leaves a whole file, the old one or the new one', async t => {
  const launcher = await launcherOf()
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
