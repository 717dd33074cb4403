// Accounts that sign in from a SIP phone: how they are found, and what they may once they have proven who they are.

import t from 'tap'
import { readConfig } from '../../src/config.js'
import { grantOfSip, Revocations, readSipAccounts, SipAccounts } from '../../src/gateway/token/index.js'
import { createHub } from '../../src/hub.js'
import type { AccountId, TenantId } from '../../src/protocol/index.js'
import { VirtualClock } from '../../src/runtime/index.js'

const keys = [{ alg: 'HS256' as const, secret: 'x'.repeat(32) }]
const sip = { secret: 'twelve chars' }
const softphone = new Set(['presence:register', 'presence:read', 'call:receive', 'call:place'])

const read = (tenants: object) => {
  const config = readConfig({ tenants }, { dir: '.', env: {} })
  if (!config.ok) throw new Error(JSON.stringify(config.faults))
  return readSipAccounts(config.value.tenants)
}
const domains = (tenants: object) => {
  const found = read(tenants)
  if (!found.ok) throw new Error(JSON.stringify(found.faults))
  return found.value
}

t.test('an account is found by the domain of its tenant and by its name', async t => {
  const accounts = new SipAccounts(
    domains({
      acme: { keys, accounts: { alice: { sip }, bob: {} } },
      globex: {
        keys,
        sipDomain: 'Phones.Example',
        accounts: {
          alice: { sip: { secret: 'another secret', algorithm: 'SHA-256', scope: 'call:receive' } },
        },
      },
    }),
  )
  t.same(accounts.find('acme', 'alice'), {
    tenant: 'acme',
    account: 'alice',
    secret: 'twelve chars',
    algorithm: 'MD5',
    scopes: softphone,
  })
  t.match(accounts.find('PHONES.example', 'alice'), {
    tenant: 'globex',
    secret: 'another secret',
    algorithm: 'SHA-256',
    scopes: new Set(['call:receive']),
  })
  for (const [domain, name] of [
    ['acme', 'bob'],
    ['acme', 'Alice'],
    ['acme', '__proto__'],
    ['globex', 'alice'],
    ['__proto__', 'alice'],
    ['', ''],
  ] as const)
    t.equal(accounts.find(domain, name), undefined, `${name}@${domain}`)
})

t.test('another configuration takes the place of the one before', async t => {
  const accounts = new SipAccounts(domains({ acme: { keys, accounts: { alice: { sip } } } }))
  accounts.configure(domains({ acme: { keys, sipDomain: 'acme.example', accounts: { bob: { sip } } } }))
  t.equal(accounts.find('acme', 'alice'), undefined)
  t.equal(accounts.find('acme.example', 'alice'), undefined)
  t.match(accounts.find('acme.example', 'bob'), { account: 'bob' })
})

t.test(
  'a permission that nobody knows is a fault of the configuration, for a hub and for its reload',
  async t => {
    const accounts = (scope: string) => ({
      acme: { keys, accounts: { alice: { sip: { ...sip, scope } } } },
    })
    const faults = [
      {
        path: 'tenants.acme.accounts.alice.sip.scope',
        message: 'must have known permissions only, not "call:recieve"',
      },
    ]
    const bad = accounts('presence:register call:recieve call:place:+1555')
    t.same(read(bad), { ok: false, faults })
    await t.rejects(createHub({ tenants: bad }), { code: 'invalid', faults })
    const hub = await createHub({ tenants: accounts('call:receive') })
    t.same(await hub.reload({ tenants: accounts('call:place') }), [])
    await t.rejects(hub.reload({ tenants: bad }), { code: 'invalid' })
    await hub.close()
  },
)

t.test(
  'the grant of an account is its permissions until then, and a revocation of the account takes it back',
  async t => {
    const clock = new VirtualClock()
    const found = new SipAccounts(domains({ acme: { keys, accounts: { alice: { sip } } } })).find(
      'acme',
      'alice',
    )
    if (found === undefined) throw new Error('no alice')
    const grant = grantOfSip(found, 5)
    t.same(grant, { tenant: 'acme', account: 'alice', scopes: softphone, expires: 5, groups: [] })
    const revocations = new Revocations(clock)
    revocations.revoke('acme' as TenantId, { account: 'alice' as AccountId })
    t.ok(revocations.covers(grant))
  },
)
