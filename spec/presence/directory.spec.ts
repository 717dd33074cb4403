import t from 'tap'
import type { Resource } from '../../src/protocol/index.js'
import { Ear, Fold, n, settled, tenantsOf, worldOf } from '../support/presence-world.js'

const full = { view: 'full', devices: false } as const

const before = {
  acme: {
    accounts: { carol: { capacity: 2 }, dave: {} },
    groups: { support: { members: ['alice', 'bob'] }, lobby: { open: true }, old: { members: ['alice'] } },
  },
}

const after = {
  acme: {
    accounts: { carol: { capacity: 1 } },
    groups: {
      support: { members: ['bob', 'erin'], open: true },
      lobby: { members: ['frank'] },
      fresh: { members: ['alice'] },
    },
  },
}

const members = (resource: Resource) =>
  resource.accounts?.map(({ account, status }) => `${account} ${status}`)

t.test(
  'a new directory is one change after another to those who watch, and moves nobody who is there',
  async t => {
    const { clock, presence, join, status } = worldOf(before)
    const alice = join('alice', 'web')
    join('bob', 'web', { status: 'away' })
    join('gina', 'web', { groups: ['lobby', 'support'] })
    const ears = (['support', 'lobby', 'old', 'fresh'] as const).map(name => {
      const ear = new Ear()
      presence.subscriptions(n('acme'), ear).subscribe(n(name), full)
      return { name, ear }
    })
    const read = (name: string) => presence.resource(n('acme'), n(name), full)
    t.same(members(read('lobby')), ['gina available'])
    presence.configure(tenantsOf(after))
    await clock.settle(1000)
    t.same(
      members(read('support')),
      ['bob away', 'erin offline', 'gina available'],
      'in the new order, joiners last',
    )
    t.same(members(read('lobby')), ['frank offline'], 'no longer open')
    t.same(members(read('fresh')), ['alice available'])
    t.match(read('old'), { kind: 'account', status: 'offline' }, 'a name like any other now')
    t.same(alice.groups, ['fresh'])
    t.equal(status('alice'), 'available')
    t.notOk(presence.knows(n('acme'), n('dave')))
    t.notOk(presence.knows(n('acme'), n('old')))
    t.ok(presence.knows(n('acme'), n('erin')))
    const follow = () => {
      for (const { name, ear } of ears) {
        const fold = new Fold()
        for (const frame of ear.presence) fold.apply(frame)
        t.same(fold.state, settled(read(name)), `whoever watches ${name} sees what the name stands for`)
        const versions = ear.presence.map(({ version }) => version)
        t.same(
          versions,
          [...new Set(versions)].sort((a, b) => a - b),
          'and its version never goes back',
        )
      }
    }
    follow()
    join('old', 'web')
    await clock.settle(1000)
    follow()
    presence.configure(tenantsOf(before))
    await clock.settle(1000)
    t.match(read('old'), { kind: 'group', counts: { available: 1 } })
    follow()
    presence.configure(tenantsOf(after))
    await clock.settle(1000)
    t.match(read('old'), { kind: 'account', status: 'available' }, 'someone of that name was there all along')
    follow()

    const alone = presence.counts.accounts
    presence.configure(tenantsOf(after))
    t.equal(presence.counts.accounts, alone, 'the same again changes nothing')
    presence.configure(tenantsOf({ other: {} }))
    t.equal(status('alice'), 'available', 'a tenant that is gone keeps who is there')
  },
)

t.test('a capacity or a way of counting that changes shows at once', async t => {
  const { presence, join, status, hold } = worldOf(before)
  join('carol', 'web')
  join('carol', 'desk')
  await presence.claim(hold('carol', 'one'), [n('web')])
  t.equal(status('carol'), 'available')
  presence.configure(tenantsOf(after))
  t.equal(status('carol'), 'ringing')
  presence.configure(tenantsOf({ acme: { ...after.acme, busyWhen: 'all' } }))
  t.equal(status('carol'), 'available', 'her desk rings for nobody')
})

t.test('a group that opens takes in at once who is there and asked for it', async t => {
  const { clock, presence, join } = worldOf({ acme: { groups: { support: { members: ['bob'] } } } })
  const gina = join('gina', 'web', { groups: ['lobby', 'support'] })
  const read = (name: string) => presence.resource(n('acme'), n(name), full)
  const ear = new Ear()
  presence.subscriptions(n('acme'), ear).subscribe(n('support'), full)
  presence.configure(
    tenantsOf({ acme: { groups: { support: { members: ['bob'], open: true }, lobby: { open: true } } } }),
  )
  await clock.settle(1000)
  t.same(members(read('lobby')), ['gina available'])
  t.same(members(read('support')), ['bob offline', 'gina available'])
  t.same(new Set(gina.groups), new Set(['lobby', 'support']))
  const fold = new Fold()
  for (const frame of ear.presence) fold.apply(frame)
  t.same(fold.state, settled(read('support')))
})

t.test(
  'what a person said ends when it was to end, or is taken back, also where a group has the name now',
  async t => {
    const { clock, presence, join, status } = worldOf({ acme: { groups: { lobby: { open: true } } } })
    const one = tenantsOf({ acme: { groups: { zed: { members: ['bob'] }, yan: { members: ['bob'] } } } })
    const none = tenantsOf({ acme: {} })
    for (const name of ['zed', 'yan']) join(name, 'web')
    const until = new Date(clock.wall() + 60_000).toISOString()
    const say = (name: string, change: object) =>
      presence.override(n('acme'), n(name), change as never, n('boss'))
    t.ok(say('zed', { status: 'dnd', until }).ok)
    t.ok(say('yan', { status: 'dnd' }).ok)
    presence.configure(one)
    t.match(say('yan', { status: 'away' }), { ok: false, code: 'name-taken' })
    t.ok(say('yan', { status: null }).ok)
    t.match(say('yan', { status: null }), { ok: false, code: 'name-taken' }, 'there is nothing to take back')
    await clock.settle(120_000)
    presence.configure(none)
    t.equal(status('zed'), 'available')
    t.equal(status('yan'), 'available')
  },
)
