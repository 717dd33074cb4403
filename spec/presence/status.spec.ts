import t from 'tap'
import { accountStatus, activityOf, deviceStatus, freePlaces, highest } from '../../src/presence/status.js'
import { type AccountActivity, declarable, type Status, statuses } from '../../src/protocol/index.js'
import { Ear, n, worldOf } from '../support/presence-world.js'

const present = statuses.slice(0, 5)

t.test(
  '[C8] a device shows its calls when its person has no place left; else the override, else its own word',
  async t => {
    for (const declared of declarable) {
      for (const override of ['none', ...declarable] as const) {
        const word = override === 'none' ? declared : override
        t.equal(deviceStatus('idle', declared, override, false), word)
        t.equal(deviceStatus('ringing', declared, override, false), word)
        t.equal(deviceStatus('engaged', declared, override, false), word)
        t.equal(deviceStatus('idle', declared, override, true), word)
        t.equal(deviceStatus('ringing', declared, override, true), 'ringing')
        t.equal(deviceStatus('engaged', declared, override, true), 'busy')
      }
    }
  },
)

t.test(
  '[C8] an account is offline without a device, busy or ringing by its activity, else its best device',
  async t => {
    const order = 'available ringing busy away dnd'.split(' ')
    const several = present.flatMap(a => [
      [a],
      ...present.flatMap(b => [[a, b], ...present.map(c => [a, b, c])]),
    ])
    t.equal(several.length, 5 + 25 + 125)
    const forced: Record<AccountActivity, string | undefined> = {
      free: undefined,
      ringing: 'ringing',
      engaged: 'busy',
      wrapup: 'busy',
    }
    for (const [activity, shown] of Object.entries(forced) as [AccountActivity, string | undefined][]) {
      t.equal(accountStatus([], activity, 'any'), 'offline')
      t.equal(accountStatus([], activity, 'all'), 'offline')
      for (const shape of several) {
        const devices = shape.map(status => ({ status }))
        const best = shape.toSorted((a, b) => order.indexOf(a) - order.indexOf(b))[0]
        t.equal(accountStatus(devices, activity, 'any'), shown ?? best, `${activity}: ${shape}`)
        t.equal(accountStatus(devices, activity, 'all'), best, `all, ${activity}: ${shape}`)
      }
    }
  },
)

t.test('[C8] the highest status that anyone of a destination has is the destination’s', async t => {
  for (let mask = 0; mask < 2 ** statuses.length; mask++) {
    const there = statuses.filter((_, bit) => mask & (1 << bit))
    const tally = Object.fromEntries(statuses.map(status => [status, there.includes(status) ? 3 : 0]))
    t.equal(highest(tally as Record<Status, number>), there[0] ?? 'offline')
  }
})

t.test(
  'an account is free while a place is left; else ringing, engaged or in wrap-up, by what takes its places',
  async t => {
    for (const capacity of [1, 2, 3]) {
      for (const ringing of [0, 1, 2, 3]) {
        for (const engaged of [0, 1, 2]) {
          for (const wrapping of [0, 1]) {
            const places = { capacity, ringing, engaged, wrapping }
            const taken = ringing + engaged + wrapping
            t.equal(freePlaces(places), taken > capacity ? 0 : capacity - taken)
            const full = ringing ? 'ringing' : engaged ? 'engaged' : 'wrapup'
            t.equal(activityOf(places), taken < capacity ? 'free' : full)
          }
        }
      }
    }
  },
)

t.test(
  'one call makes a person busy by default; where the tenant says so, only when every device is',
  async t => {
    const { presence, join, entry, hold, status } = worldOf({ acme: {}, all: { busyWhen: 'all' } })
    for (const tenant of ['acme', 'all']) {
      join('alice', 'web', { tenant })
      join('alice', 'desk', { tenant, status: 'away' })
      await presence.claim(hold('alice', 'c', tenant), [n('web')])
    }
    t.equal(status('alice'), 'ringing')
    t.equal(status('alice', 'all'), 'ringing', 'its best device rings')
    for (const tenant of ['acme', 'all']) presence.engage(hold('alice', 'c', tenant), n('web'))
    t.equal(status('alice'), 'busy')
    join('alice', 'phone', { tenant: 'all' })
    t.equal(status('alice', 'all'), 'available', 'one device of three is free and says so')
    t.match(entry('alice', 'all'), { activity: 'engaged' }, 'though no call is offered: she talks')
    presence.release(hold('alice', 'c'), { talkMs: 1, wrapupMs: 60_000 })
    t.match(entry('alice'), { status: 'busy', activity: 'wrapup' })
  },
)

t.test(
  'with room for two calls a person is available in the first, and what takes the last place shows',
  async t => {
    const { clock, presence, join, entry, hold } = worldOf({ acme: { accounts: { alice: { capacity: 2 } } } })
    join('alice', 'web')
    await presence.claim(hold('alice', '1'), [n('web')])
    t.match(entry('alice'), {
      status: 'available',
      activity: 'free',
      devices: [{ activity: 'ringing', status: 'available' }],
    })
    presence.engage(hold('alice', '1'), n('web'))
    t.match(entry('alice'), { status: 'available', activity: 'free', devices: [{ activity: 'engaged' }] })
    await presence.claim(hold('alice', '2'), [n('web')])
    t.match(entry('alice'), {
      status: 'ringing',
      activity: 'ringing',
      devices: [{ activity: 'engaged', status: 'busy' }],
    })
    t.match(await presence.claim(hold('alice', '3'), [n('web')]), { ok: false, code: 'busy' })
    presence.engage(hold('alice', '2'), n('web'))
    t.match(entry('alice'), { status: 'busy', activity: 'engaged' })
    presence.release(hold('alice', '1'), { talkMs: 5, wrapupMs: 1000 })
    t.match(entry('alice'), { status: 'busy', activity: 'engaged' }, 'the place stays taken in wrap-up')
    presence.release(hold('alice', '2'), { talkMs: 5, wrapupMs: 2000 })
    t.match(entry('alice'), { status: 'busy', activity: 'wrapup' })
    clock.advance(1000)
    t.match(entry('alice'), { status: 'available', activity: 'free' })
    clock.advance(1000)
    t.match(entry('alice'), { activity: 'free' })
  },
)

t.test('an override replaces what devices declare, never what they are', async t => {
  const { presence, join, entry, hold, status } = worldOf({ acme: {} })
  const set = (word: string | null) =>
    presence.override(n('acme'), n('alice'), { status: n(word as string) }, n('boss'))
  set('available')
  t.equal(status('alice'), 'offline', 'nobody is available without a device')
  const web = join('alice', 'web', { status: 'dnd' })
  t.equal(status('alice'), 'available')
  await presence.claim(hold('alice', 'c'), [n('web')])
  t.equal(status('alice'), 'ringing')
  set('away')
  t.equal(status('alice'), 'ringing', 'nor anything but ringing while it rings')
  presence.release(hold('alice', 'c'))
  t.equal(status('alice'), 'away')
  web.declare({ status: 'busy' })
  t.equal(status('alice'), 'away', 'the device may say what it will')
  set(null)
  t.equal(status('alice'), 'busy')
  set('dnd')
  web.leave()
  join('alice', 'web')
  t.match(entry('alice'), { status: 'dnd' }, 'it survives the devices')
})

t.test('what is said until a time is taken back when the time has passed', async t => {
  const { clock, presence, join, entry } = worldOf({ acme: {} })
  const link = new Ear()
  const web = join('alice', 'web', { link })
  const until = (ms: number) => new Date(clock.wall() + ms).toISOString()
  const override = (status: string, ms: number) =>
    presence.override(n('acme'), n('alice'), { status: n(status), note: 'boss', until: until(ms) }, n('boss'))

  t.match(web.declare({ status: 'away', note: 'lunch', until: until(60_000) }), { ok: true })
  t.match(entry('alice'), { status: 'away', note: 'lunch', until: until(60_000) })
  override('dnd', 30_000)
  t.match(entry('alice'), { status: 'dnd', note: 'boss', until: until(30_000) })
  await clock.settle()
  t.match(link.self.at(-1), {
    status: 'dnd',
    override: 'dnd',
    by: 'boss',
    until: until(30_000),
    note: 'boss',
  })
  await clock.settle(29_999)
  t.match(entry('alice'), { status: 'dnd' })
  await clock.settle(1)
  t.match(entry('alice'), { status: 'away', note: 'lunch' }, 'the override is over, not what the device says')
  t.match(link.self.at(-1), { status: 'away', override: 'none', by: null })
  await clock.settle(30_000)
  t.match(entry('alice'), { status: 'available', note: '', until: null })

  web.declare({ status: 'busy', until: until(1000) })
  web.declare({ status: 'away', until: until(5000) })
  override('dnd', 1000)
  override('busy', 2000)
  clock.advance(1000)
  t.match(entry('alice'), { status: 'busy' }, 'a later word replaces the time of an earlier one')
  clock.advance(1000)
  t.match(entry('alice'), { status: 'away' })
  web.declare({ status: 'dnd' })
  clock.advance(10_000)
  t.match(entry('alice'), { status: 'dnd' }, 'and so does one without a time')

  override('away', 1000)
  web.declare({ status: 'busy', until: until(1000) })
  web.leave()
  clock.advance(1000)
  t.equal(presence.counts.accounts, 0, 'times that pass when nobody is there leave nothing')
})

t.test('a time that has passed or does not exist is refused, and changes nothing', async t => {
  const { clock, presence, join, entry } = worldOf({ acme: {} })
  const web = join('alice', 'web', { status: 'away', note: 'lunch' })
  for (const until of [new Date(clock.wall()).toISOString(), '2026-13-01T00:00:00Z']) {
    t.match(web.declare({ status: 'busy', until }), { ok: false, code: 'invalid' })
    const change = { status: 'dnd', until } as const
    t.match(presence.override(n('acme'), n('alice'), change, n('boss')), { ok: false, code: 'invalid' })
    t.match(presence.override(n('acme'), n('nobody'), change, n('boss')), { ok: false, code: 'invalid' })
  }
  t.match(entry('alice'), { status: 'away', note: 'lunch' })
  t.equal(presence.counts.accounts, 1, 'nor is there a record of whom it was said')
})

t.test(
  'the note is the override’s, else of the device whose status won, the latest to speak first',
  async t => {
    const { clock, presence, join, entry } = worldOf({ acme: {} })
    const web = join('alice', 'web', { status: 'away', note: 'web' })
    clock.advance(10)
    const desk = join('alice', 'desk', { status: 'away', note: 'desk' })
    t.equal(entry('alice').note, 'desk', 'the later of two alike')
    clock.advance(10)
    web.declare({ status: 'away', note: 'web again' })
    t.equal(entry('alice').note, 'web again')
    desk.declare({ status: 'dnd', note: 'quiet' })
    t.equal(entry('alice').note, 'web again', 'dnd does not win')
    desk.declare({ status: 'available', note: 'here' })
    t.equal(entry('alice').note, 'here')
    desk.declare({ status: 'available' })
    t.equal(entry('alice').note, '', 'each word brings its own note, or none')
    presence.override(n('acme'), n('alice'), { status: 'busy', note: 'meeting' }, n('boss'))
    t.equal(entry('alice').note, 'meeting')
    presence.override(n('acme'), n('alice'), { status: 'busy' }, n('boss'))
    t.equal(entry('alice').note, '')
    presence.override(n('acme'), n('alice'), { status: null }, n('boss'))
    join('alice', 'web', { note: 'back' })
    desk.declare({ status: 'dnd' })
    t.match(
      entry('alice'),
      { status: 'away', note: 'back' },
      'a newer connection brings its own, and keeps the status',
    )
  },
)
