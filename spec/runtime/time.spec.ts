import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import {
  atWall,
  type Clock,
  heapShare,
  Pressure,
  silentLog,
  systemClock,
  type Timer,
  TurnEnd,
  VirtualClock,
} from '../../src/runtime/index.js'
import { TimerWheel } from '../../src/runtime/timer-wheel.js'

t.test('timers run once, in order, never early and at most a tick late; cancelled ones never', async t => {
  const timer = fc.record({ delayMs: fc.nat(5000), cancelAt: fc.option(fc.nat(5000)) })
  const kept = fc.property(
    fc.array(timer, { maxLength: 300 }),
    fc.array(fc.nat(700), { maxLength: 20 }),
    (timers, steps) => {
      const clock = new VirtualClock()
      const ran: { due: number; at: number }[] = []
      const due = new Set<number>()
      timers.forEach(({ delayMs, cancelAt }, id) => {
        const set = clock.after(delayMs, () => {
          ran.push({ due: delayMs, at: clock.now() })
          assert.ok(due.delete(id), 'it was to run, and once')
        })
        due.add(id)
        if (cancelAt === null) return
        clock.after(cancelAt, () => {
          set.cancel()
          due.delete(id)
        })
      })
      for (const step of steps) clock.advance(step)
      clock.advance(6000)
      for (const { due, at } of ran) assert.ok(at >= due && at < due + 5, `due at ${due}, ran at ${at}`)
      assert.deepEqual(
        ran,
        ran.toSorted((a, b) => a.at - b.at),
      )
      assert.equal(due.size, 0)
    },
  )
  t.doesNotThrow(() => fc.assert(kept, { numRuns: 50, seed: 1 }))
})

t.test('far-off timers that are set and cancelled, however many, leave nothing behind', async t => {
  const wheel = new TimerWheel({ now: () => 0, arm: () => {} }, () => t.fail())
  const year = 365 * 86_400_000
  for (let i = 0; i < 10_000; i++) wheel.after(year + i * 10, () => {}).cancel()
  t.ok(Number(wheel.nextDue) > year + 90_000, 'the first thousands are gone')
  let ran = 0
  for (const delayMs of [30, 10, 20]) wheel.after(delayMs, () => ran++)
  for (let i = 0; i < 1000; i++) wheel.after(year + i * 10, () => {}).cancel()
  t.equal(wheel.nextDue, 10, 'and those that wait are kept, in order')
  wheel.run()
  t.equal(ran, 0)
})

t.test('a task that throws is reported, and stops no other', async t => {
  const reported: unknown[] = []
  let now = 0
  const wheel = new TimerWheel({ now: () => now, arm: () => {} }, error => reported.push(error))
  let ran = 0
  wheel.after(10, () => {
    throw new Error('first')
  })
  wheel.after(10, () => ran++)
  wheel.after(-5, () => ran++).cancel()
  now = 10
  wheel.run()
  t.equal(ran, 1)
  t.match(reported, [{ message: 'first' }])

  const clock = new VirtualClock(0)
  clock.after(10, () => {
    throw new Error('second')
  })
  clock.after(10, () => ran++)
  clock.after(15, () => ran++)
  t.throws(() => clock.advance(20), { message: 'second' })
  t.equal(ran, 3)
  t.equal(clock.wall(), 20)
  clock.advance(20)
  t.equal(clock.now(), 40, 'and the clock goes on')
})

t.test('a timer may set and cancel others of its own tick', async t => {
  const clock = new VirtualClock()
  const ran: string[] = []
  const later: Timer[] = []
  clock.after(10, () => {
    for (const timer of later) timer.cancel()
    clock.after(0, () => ran.push('set'))
  })
  later.push(clock.after(10, () => ran.push('cancelled')))
  clock.advance(10)
  t.same(ran, ['set'])
})

t.test('settle lets promises run between one timer and the next', async t => {
  const clock = new VirtualClock()
  const seen: number[] = []
  const tick = (): void => {
    clock.after(100, async () => {
      seen.push(clock.now())
      await Promise.resolve()
      tick()
    })
  }
  tick()
  await clock.settle(350)
  t.same(seen, [100, 200, 300])
  t.equal(clock.now(), 350)
  t.equal(clock.wall(), Date.UTC(2026, 0, 1) + 350)
})

t.test("the machine's clock runs tasks in time, and tells of those that throw", async t => {
  const awake = setInterval(() => {}, 1000)
  t.teardown(() => clearInterval(awake))
  const thrown = await new Promise(resolve => {
    const clock = systemClock(resolve)
    clock.after(20, () => t.fail('cancelled')).cancel()
    const began = clock.now()
    clock.after(30, () => {
      t.ok(clock.now() - began >= 30)
      throw new Error('told')
    })
    clock.after(10, () => t.ok(clock.now() - began >= 10))
    t.ok(Math.abs(clock.wall() - Date.now()) < 1000)
  })
  t.match(thrown, { message: 'told' })
})

t.test(
  '[FC3] a process that was blocked reads what has come meanwhile before it judges who is late',
  async t => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
    const [[peer]] = await Promise.all([once(server, 'connection'), once(client, 'connect')])
    t.teardown(() => {
      client.destroy()
      peer.destroy()
      server.close()
    })
    const clock = systemClock(error => t.fail(String(error)))
    const order: string[] = []
    const heard = once(peer, 'data').then(() => order.push('answer'))
    const late = new Promise<void>(resolve => {
      clock.after(10, () => {
        order.push('late')
        resolve()
      })
    })
    client.write('here')
    const blockedUntil = performance.now() + 300
    while (performance.now() < blockedUntil);
    await Promise.all([heard, late])
    t.same(order, ['answer', 'late'])
  },
)

t.test('[FC1] what is set for a time of day waits for that, whatever the wall clock does', async t => {
  const run = (steps: readonly (readonly [atMs: number, stepMs: number])[], dueMs: number) => {
    const clock = new VirtualClock()
    const begun = clock.wall()
    let skew = 0
    const skewed: Clock = {
      now: () => clock.now(),
      wall: () => clock.wall() + skew,
      after: (delayMs, task) => clock.after(delayMs, task),
    }
    let ranAt: number | undefined
    atWall(skewed, begun + dueMs, () => {
      ranAt = clock.now()
    })
    for (const [atMs, stepMs] of steps) {
      clock.advance(atMs - clock.now())
      skew += stepMs
    }
    clock.advance(24 * 3_600_000)
    return ranAt
  }
  const minute = 60_000
  t.equal(run([], 10 * minute), 10 * minute)
  t.equal(run([], 0), 0)
  t.equal(run([], -minute), 0, 'what has passed is due')
  t.equal(run([[minute, -5 * minute]], 10 * minute), 15 * minute, 'set back: not early')
  t.equal(run([[90_000, 5 * minute]], 10 * minute), 5 * minute, 'set forward')
  t.equal(run([[90_000, 3_600_000]], 10 * minute), 2 * minute, 'asleep for an hour: a minute late at most')
  const set: [number, number][] = [
    [1_000, -50 * 365 * 86_400_000],
    [5_000, 50 * 365 * 86_400_000],
  ]
  t.equal(run(set, 10 * minute), 10 * minute, '1970 for a moment')
  const clock = new VirtualClock()
  const timer = atWall(clock, clock.wall() + 10 * minute, () => t.fail('cancelled'))
  clock.advance(5 * minute)
  timer.cancel()
  clock.advance(10 * minute)
})

t.test('[FC2] a delay longer than setTimeout can hold does not fire at once', async t => {
  const set = t.capture(globalThis, 'setTimeout', globalThis.setTimeout)
  systemClock(() => t.fail()).after(400 * 86_400_000, () => t.fail('fired'))
  t.equal(set()[0]?.args[1], 2 ** 31 - 1)
})

t.test(
  '[FC6] what runs out is looked at when someone asks, and is short until well below where that began',
  async t => {
    const clock = new VirtualClock()
    let share = 0.5
    let measured = 0
    const measure = () => {
      measured++
      return share
    }
    const changes: unknown[] = []
    const pressure = new Pressure({ clock, measure, onChange: (...change) => changes.push(change) })
    const highAt = (now: number) => {
      share = now
      clock.advance(20)
      return pressure.high
    }
    t.same([0.5, 0.79, 0.8, 0.99, 0.65, 0.64, 0.79, 0.9].map(highAt), [
      ...[false, false, true, true, true, false],
      ...[false, true],
    ])
    t.same(changes, [
      [true, 0.8],
      [false, 0.64],
      [true, 0.9],
    ])
    t.equal(measured, 8)
    share = 0
    t.ok(Array.from({ length: 1_000 }, () => pressure.high).every(high => high))
    t.equal(measured, 8, 'a measure holds for a moment')
  },
)

t.test('[FC6] the share of the heap that is used follows what is held', async t => {
  const before = heapShare()
  t.ok(before > 0 && before < 0.8)
  const held = Array.from({ length: 500_000 }, (_, number) => ({ number }))
  t.ok(heapShare() > before)
  t.equal(held.length, 500_000)
})

t.test('without a log nothing is written', async t => {
  for (const level of ['info', 'warn', 'error'] as const) t.equal(silentLog[level]({}, 'a line'), undefined)
})

t.test(
  'what is due at the end of the turn is done once, in order; what that makes due, in the next',
  async t => {
    const done: string[] = []
    const turnEnd = new TurnEnd<string>(item => {
      done.push(item)
      if (item === 'again') turnEnd.add('later')
    })
    for (const item of ['one', 'again', 'one', 'two']) turnEnd.add(item)
    t.same(done, [], 'the turn is not over')
    await Promise.resolve()
    t.same(done, ['one', 'again', 'two'])
    await Promise.resolve()
    t.same(done, ['one', 'again', 'two', 'later'])
  },
)
