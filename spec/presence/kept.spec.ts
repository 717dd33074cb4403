import t from 'tap'
import { createPresence } from '../../src/presence/index.js'
import { VirtualClock } from '../../src/runtime/index.js'
import type { KeptOverride, OverrideStore } from '../../src/store/index.js'
import { n, tenantsOf } from '../support/presence-world.js'

/** A store that is only memory, and remembers in which order it was told what. */
const storeOf = (kept: Readonly<Record<string, Readonly<Record<string, KeptOverride>>>> = {}) => {
  const saved: unknown[] = []
  const store: OverrideStore = {
    load: tenant => Object.entries(kept[tenant] ?? {}) as never,
    save: (...change) => void saved.push(change),
  }
  return { store, saved }
}

const tenants = tenantsOf({ acme: { groups: { sales: {} } } })
const iso = (ms: number) => new Date(Date.UTC(2026, 0, 1) + ms).toISOString()

const presenceOf = (store: OverrideStore, of = tenants) => {
  const clock = new VirtualClock()
  const presence = createPresence(of, clock, store)
  const entry = (account: string) =>
    presence.resource(n('acme'), n(account), { view: 'full', devices: false }).accounts![0]!
  return { clock, presence, entry }
}

t.test('each change of an override is handed to the store in its turn: set, cleared, run out', async t => {
  const { store, saved } = storeOf()
  const { clock, presence } = presenceOf(store)
  const say = (change: object, account = 'alice') =>
    presence.override(n('acme'), n(account), change as never, n('boss')).ok
  t.ok(say({ status: 'dnd', note: 'lunch', until: iso(5_000), account: 'eve', ref: 'r' }))
  t.ok(say({ status: 'away' }, 'bob'))
  t.notOk(say({ status: 'away', until: iso(0) }), 'what is refused is not kept')
  t.notOk(say({ status: 'away' }, 'sales'))
  clock.advance(5_000)
  t.ok(say({ status: null, note: 'x' }, 'bob'))
  t.same(saved, [
    ['acme', 'alice', { status: 'dnd', note: 'lunch', until: iso(5_000), by: 'boss' }],
    ['acme', 'bob', { status: 'away', by: 'boss' }],
    ['acme', 'alice', undefined],
    ['acme', 'bob', undefined],
  ])
})

t.test(
  '[C8] what was kept is there from the start, its timers too; what has passed meanwhile is dropped',
  async t => {
    const { store, saved } = storeOf({
      acme: {
        alice: { status: 'dnd', note: 'till noon', until: iso(60_000), by: n('boss') },
        bob: { status: 'busy', by: n('bob') },
        carol: { status: 'away', until: iso(-1), by: n('carol') },
        sales: { status: 'away', by: n('sales') },
      },
      gone: { dave: { status: 'dnd', by: n('dave') } },
    })
    const { clock, presence, entry } = presenceOf(store)
    t.same(
      saved,
      [
        ['acme', 'carol', undefined],
        ['acme', 'sales', undefined],
      ],
      'the others are kept as they are',
    )
    t.match(entry('alice'), { status: 'offline', note: 'till noon', until: iso(60_000) })
    t.notOk(presence.knows(n('acme'), n('carol')))
    const link = { send() {}, probe() {} }
    for (const account of ['alice', 'bob', 'carol']) {
      const arrival = {
        tenant: 'acme',
        account,
        device: 'web',
        link,
        groups: [],
        canReceive: true,
        confirms: true,
      }
      presence.attach(arrival as never)
    }
    t.same(
      ['alice', 'bob', 'carol'].map(name => entry(name).status),
      ['dnd', 'busy', 'available'],
    )
    clock.advance(60_000)
    t.match(entry('alice'), { status: 'available', note: '', until: null })
    t.same(saved.at(-1), ['acme', 'alice', undefined])
    t.equal(entry('bob').status, 'busy')
  },
)

t.test('a tenant that is configured later finds what was kept of it, once', async t => {
  const { store } = storeOf({ acme: { alice: { status: 'dnd', note: 'kept', by: n('alice') } } })
  const { presence, entry } = presenceOf(store, tenantsOf({ other: {} }))
  presence.configure(tenants)
  t.equal(entry('alice').note, 'kept')
  presence.override(n('acme'), n('alice'), { status: null }, n('alice'))
  presence.configure(tenants)
  t.equal(entry('alice').note, '')
})
