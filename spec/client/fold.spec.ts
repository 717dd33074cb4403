import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { fold, type PresenceFrame, type Resource } from '../../src/client/index.js'

type Accounts = NonNullable<Resource['accounts']>
type Entry = Accounts[number]

const since = '2026-01-01T00:00:00.000Z'
const none = { available: 0, ringing: 0, busy: 0, away: 0, dnd: 0, offline: 0 }

const entry = (account: string, status: Entry['status']): Entry => ({
  account,
  status,
  since,
  activity: 'free',
  note: '',
  until: null,
})

const head = (version: number, accounts: Accounts) => {
  const counts = { ...none }
  for (const { status } of accounts) counts[status] += 1
  const status = accounts[0]?.status ?? 'offline'
  return { destination: 'support', kind: 'group' as const, version, status, since, counts }
}

const snapshot = (version: number, accounts: Accounts): PresenceFrame => ({
  type: 'presence',
  snapshot: true,
  ...head(version, accounts),
  accounts,
})

/** What changed between two states, as the hub gathers it. */
const diff = (prev: number, before: Accounts, version: number, after: Accounts): PresenceFrame => {
  const then = new Map(before.map(held => [held.account, held]))
  const names = new Set(after.map(held => held.account))
  return {
    type: 'presence',
    snapshot: false,
    prev,
    ...head(version, after),
    accounts: after.filter(held => then.get(held.account) !== held),
    removed: before.map(held => held.account).filter(name => !names.has(name)),
  }
}

const byName = (resource: Resource) => ({
  ...resource,
  accounts: [...(resource.accounts ?? [])].sort((a, b) => (a.account < b.account ? -1 : 1)),
})

const change = fc.oneof(
  fc.record({
    account: fc.constantFrom('alice', 'bob', 'carol', 'dave'),
    status: fc.constantFrom('available' as const, 'busy' as const, 'away' as const),
  }),
  fc.record({ account: fc.constantFrom('alice', 'bob', 'carol', 'dave'), status: fc.constant(null) }),
)

t.test('folding any split of any history of changes gives the final resource', async () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(change, fc.boolean()), { maxLength: 40 }), history => {
      let accounts: Accounts = []
      let held = fold(undefined, snapshot(0, accounts)) as Resource
      let sent = { version: 0, accounts }
      history.forEach(([{ account, status }, flush], index) => {
        const others = accounts.filter(other => other.account !== account)
        accounts = status === null ? others : [...others, entry(account, status)]
        if (!flush && index < history.length - 1) return
        const folded = fold(held, diff(sent.version, sent.accounts, index + 1, accounts))
        assert(folded !== 'gap')
        held = folded
        sent = { version: index + 1, accounts }
      })
      assert.deepEqual(byName(held), byName({ ...head(history.length, accounts), accounts }))
    }),
  )
})

t.test('a snapshot replaces whatever is held', async t => {
  const held = fold(undefined, snapshot(9, [entry('alice', 'busy'), entry('bob', 'busy')]))
  const folded = fold(held as Resource, snapshot(3, [entry('bob', 'away')]))
  t.strictSame(folded, { ...head(3, [entry('bob', 'away')]), accounts: [entry('bob', 'away')] })
})

t.test('an account that changes keeps its place, and an entry is replaced whole', async t => {
  const noted = { ...entry('alice', 'busy'), note: 'on the phone' }
  const held = fold(undefined, snapshot(1, [noted, entry('bob', 'busy')])) as Resource
  const folded = fold(held, { ...diff(1, [], 2, [entry('alice', 'away')]), removed: [] }) as Resource
  t.strictSame(folded.accounts, [entry('alice', 'away'), entry('bob', 'busy')])
  t.strictSame(held.accounts, [noted, entry('bob', 'busy')], 'what was shown before is left as it was')
})

t.test('a diff that builds on another version is a gap, and so is one before any snapshot', async t => {
  const held = fold(undefined, snapshot(4, [])) as Resource
  t.equal(fold(held, diff(5, [], 6, [])), 'gap')
  t.equal(fold(held, diff(3, [], 6, [])), 'gap')
  t.equal(fold(undefined, diff(0, [], 1, [])), 'gap')
})

t.test('a diff that leads no further than what is held changes nothing', async t => {
  const held = fold(undefined, snapshot(4, [entry('alice', 'busy')])) as Resource
  t.equal(fold(held, diff(2, [], 4, [entry('alice', 'away')])), held)
})

t.test('a summary has no accounts, before and after a diff', async t => {
  const frame: PresenceFrame = { type: 'presence', snapshot: true, ...head(1, []) }
  const held = fold(undefined, frame) as Resource
  t.strictSame(held, head(1, []))
  const whole = diff(1, [], 2, [entry('alice', 'available')])
  const { accounts, removed, ...counted } = whole
  t.strictSame(fold(held, counted), head(2, [entry('alice', 'available')]))
  t.strictSame(fold(held, whole), head(2, [entry('alice', 'available')]))
})

t.test('a diff without accounts leaves them as they are', async t => {
  const held = fold(undefined, snapshot(1, [entry('alice', 'busy')])) as Resource
  const { accounts, removed, ...rest } = diff(1, [], 2, [])
  t.strictSame((fold(held, rest) as Resource).accounts, [entry('alice', 'busy')])
})
