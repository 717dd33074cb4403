// Tokens taken back before they end: which ones, for how long, and what becomes of whoever is there on one.

import t from 'tap'
import { type Grant, Revocations } from '../../src/gateway/token/index.js'
import type { RevocationsKept } from '../../src/gateway/token/revocations.js'
import { Bounds } from '../../src/limits/index.js'
import type { AccountId, TenantId } from '../../src/protocol/index.js'
import { VirtualClock } from '../../src/runtime/index.js'
import { newStand, type Stand, until } from '../support/gateway.js'
import { acme, aSecret } from '../support/room.js'

const day = 86_400_000
const alice = { account: 'alice' as AccountId }
const grant = (more: Partial<Grant> = {}): Grant => ({
  tenant: acme,
  ...alice,
  scopes: new Set(),
  expires: 0,
  groups: [],
  ...more,
})
const presenceOf = (stand: Stand, name: string) =>
  stand.room.presence.resource(acme, name as never, { view: 'routing', devices: true })
const revoked = { code: 'revoked', message: 'the token has been revoked', retry: false }

t.test('[FT14] one token is revoked by its jti, within its tenant', async t => {
  const revocations = new Revocations(new VirtualClock())
  t.notOk(revocations.covers(grant({ jti: 'j' })))
  t.ok(revocations.revoke(acme, { jti: 'j' }).ok)
  t.ok(revocations.covers(grant({ jti: 'j' })))
  t.ok(revocations.covers(grant({ jti: 'j', account: 'bob' as AccountId })), 'whoever it is of')
  t.notOk(revocations.covers(grant({ jti: 'other' })))
  t.notOk(revocations.covers(grant()))
  t.notOk(revocations.covers(grant({ account: 'j' as AccountId })), 'a jti is no account')
  t.notOk(revocations.covers(grant({ jti: 'j', tenant: 'globex' as TenantId })))
})

t.test('[FT14] an account’s tokens issued up to now are revoked, and later ones are good', async t => {
  const clock = new VirtualClock()
  const revocations = new Revocations(clock)
  clock.advance(500)
  const now = clock.wall()
  t.ok(revocations.revoke(acme, alice).ok)
  t.ok(revocations.covers(grant({ issued: now - 500 })), 'in the same second')
  t.ok(revocations.covers(grant()), 'one that does not say when')
  t.notOk(revocations.covers(grant({ issued: now + 500 })))
  t.notOk(revocations.covers(grant({ issued: 0, account: 'bob' as AccountId })))
  t.notOk(revocations.covers(grant({ issued: 0, tenant: 'globex' as TenantId })))
  t.notOk(revocations.covers(grant({ jti: 'alice', issued: now + 500 })), 'an account is no jti')
  clock.advance(500)
  t.ok(revocations.revoke(acme, alice).ok)
  t.ok(revocations.covers(grant({ issued: now + 500 })), 'until they are revoked in their turn')
  t.equal(revocations.size, 1)
})

t.test('a revocation is kept as long as a token it could refuse may be used, and no longer', async t => {
  const clock = new VirtualClock()
  const revocations = new Revocations(clock)
  revocations.revoke(acme, { jti: 'first' })
  clock.advance(1000)
  revocations.revoke(acme, { jti: 'second' })
  // 24 h of life, from a clock that is a minute ahead, and a minute of tolerance at the end.
  clock.advance(day + 120_000 - 1001)
  revocations.revoke(acme, { jti: 'third' })
  t.equal(revocations.size, 3)
  clock.advance(1)
  revocations.revoke(acme, { jti: 'third' })
  t.equal(revocations.size, 2)
  t.notOk(revocations.covers(grant({ jti: 'first' })))
  t.ok(revocations.covers(grant({ jti: 'second' })))
})

t.test('without room nothing is revoked, and that is said; what has passed makes room', async t => {
  const clock = new VirtualClock()
  const revocations = new Revocations(clock, { bounds: new Bounds({ revocationsPerTenant: 2 }) })
  let woken = 0
  revocations.watch(() => woken++)
  revocations.revoke(acme, { jti: 'a' })
  revocations.revoke(acme, { jti: 'b' })
  t.same(revocations.revoke(acme, { jti: 'c' }), {
    ok: false,
    code: 'too-many',
    message: 'at most 2 revocations in force, and this one is not (limits.revocationsPerTenant)',
  })
  t.notOk(revocations.covers(grant({ jti: 'c' })))
  t.equal(woken, 2)
  t.ok(revocations.revoke(acme, { jti: 'a' }).ok, 'one that is there can be made again')
  t.ok(revocations.revoke('globex' as TenantId, { jti: 'c' }).ok, 'and other tenants have their own room')
  clock.advance(day + 120_000)
  t.ok(revocations.revoke(acme, { jti: 'c' }).ok)
  t.equal(revocations.size, 2)
})

/** What outlasts a process, of which there may be several one after the other. */
const newKept = () => {
  const tables = new Map<TenantId, Map<string, { at: number }>>()
  const kept: RevocationsKept = {
    tenants: () => [...tables.keys()],
    load: tenant => [...(tables.get(tenant) ?? [])],
    save(tenant, name, made) {
      const own = tables.get(tenant) ?? new Map<string, { at: number }>()
      tables.set(tenant, own)
      if (made === undefined) own.delete(name)
      else own.set(name, made)
    },
    written: async () => ({ ok: true, value: undefined }),
  }
  return { kept, names: () => [...(tables.get(acme) ?? [])].map(([name]) => name) }
}

t.test('[FT14] what was revoked stays so in the next process, for as long as in the first', async t => {
  const { kept, names } = newKept()
  const clock = new VirtualClock()
  const first = new Revocations(clock, { kept })
  first.revoke(acme, { jti: 'account:alice' })
  first.revoke(acme, alice)
  clock.advance(1000)
  first.revoke(acme, { jti: 'late' })
  t.same(await first.kept(), { ok: true, value: undefined })
  t.same(names(), ['jti:account:alice', 'account:alice', 'jti:late'], 'a jti is never taken for an account')

  const second = new Revocations(clock, { kept })
  t.equal(second.size, 3)
  t.ok(second.covers(grant({ jti: 'late' })))
  t.ok(second.covers(grant({ issued: clock.wall() - 1000 })))
  t.notOk(second.covers(grant({ issued: clock.wall() })), 'from the time at which it was made')
  clock.advance(day + 120_000 - 1000)
  t.equal(new Revocations(clock, { kept }).size, 1)
  t.same(names(), ['jti:late'], 'what no token can be refused by any more is kept no longer')
  second.revoke(acme, { jti: 'new' })
  t.same(names(), ['jti:late', 'jti:new'])
})

t.test('what can not be kept is revoked all the same, and that is said', async t => {
  const { kept } = newKept()
  const written = async () => ({ ok: false, code: 'overloaded', message: 'the disk is full' }) as const
  const revocations = new Revocations(new VirtualClock(), { kept: { ...kept, written } })
  t.ok(revocations.revoke(acme, { jti: 'j' }).ok)
  t.match(await revocations.kept(), {
    ok: false,
    code: 'overloaded',
    message: /^revoked, but not yet kept: the disk is full; /,
  })
  t.ok(revocations.covers(grant({ jti: 'j' })))
})

t.test(
  '[FT14] who is connected on a revoked token is closed 4504 in the same turn, calls and all',
  async t => {
    const keys = [{ alg: 'HS256', secret: aSecret }]
    const stand = await newStand(t, { rest: { tenants: { acme: { keys }, globex: { keys } } } })
    const mine = await stand.phone('alice', {}, { jti: 'j' })
    const other = await stand.phone('alice', { device: 'desk' }, { jti: 'k' })
    const theirs = await stand.phone('alice', {}, { jti: 'j', tenant: 'globex' })
    const { call, caller } = await stand.room.call('alice')
    await mine.client.next('invite')
    await mine.client.ask({ type: 'accept', call }, 'ok')
    await mine.client.next('connected')

    stand.revocations.revoke(acme, { jti: 'j' })
    t.equal(stand.gateway.counts.sessions, 2)
    t.match(presenceOf(stand, 'alice').accounts![0]!.devices, [{ device: 'desk' }])
    t.equal(caller.heard.at(-1), 'ended failed')
    t.match(await mine.client.next('error'), revoked)
    t.same(await mine.client.closed, { code: 4504, reason: 'revoked' })
    t.same(mine.client.all('ended'), [])
    t.match(await other.client.ask({ type: 'ping' }, 'pong'), {})
    t.match(await theirs.client.ask({ type: 'ping' }, 'pong'), {})

    stand.revocations.revoke(acme, alice)
    t.equal(presenceOf(stand, 'alice').status, 'offline')
    t.match(await other.client.closed, { code: 4504 })
    await stand.room.clock.settle(1000)
    t.match((await stand.phone('alice')).welcome, { account: 'alice' }, 'with a token issued later')
  },
)

t.test('[FT14] a session that lingers on a revoked token is over, and cannot be taken up', async t => {
  const stand = await newStand(t)
  const { client, welcome } = await stand.phone('alice', {}, { jti: 'j' })
  const token = await stand.token('alice', { jti: 'j' })
  client.ws.terminate()
  await until(() => stand.gateway.counts.lingering === 1)
  stand.revocations.revoke(acme, { jti: 'j' })
  t.match(stand.gateway.counts, { sessions: 0, lingering: 0 })
  t.equal(presenceOf(stand, 'alice').status, 'offline')

  const again = stand.client()
  await again.opened
  again.send({ type: 'hello', token, device: 'phone', resume: { session: welcome.session, seq: 0 } })
  t.match(await again.next('error'), revoked)
  t.match(await again.closed, { code: 4504 })
  const upgrade = stand.client({ headers: { authorization: `Bearer ${token}` } })
  await t.rejects(upgrade.opened, /401/)
  t.match(stand.gateway.counts, { sessions: 0, faults: { revoked: 2 } })
})

t.test('[FT14] a token that is revoked between its verification and its use is refused', async t => {
  const revocations = new Revocations(new VirtualClock())
  const says = grant({ jti: 'early', scopes: new Set(['presence:register']), expires: Date.UTC(2027, 0) })
  const verify = async (jti: string) => {
    if (jti !== 'early') revocations.revoke(acme, { jti })
    return { ok: true as const, value: { ...says, jti } }
  }
  const stand = await newStand(t, { revocations, verifier: { verify } })
  const late = stand.client()
  await late.opened
  late.send({ type: 'hello', token: 'late', device: 'phone' })
  t.match(await late.next('error'), revoked)
  t.match(await late.closed, { code: 4504 })

  const client = stand.client()
  await client.opened
  client.send({ type: 'hello', token: 'early', device: 'phone' })
  await client.next('welcome')
  t.match(await client.ask({ type: 'token', token: 'fresh' }, 'error'), { ...revoked, ref: 'r' })
  t.match(await client.ask({ type: 'ping' }, 'pong'), {}, 'the session has the token it had')
})

t.test('a gateway that is closed watches no more', async t => {
  const stand = await newStand(t)
  await stand.gateway.close()
  t.ok(stand.revocations.revoke(acme, { jti: 'j' }).ok)
})
